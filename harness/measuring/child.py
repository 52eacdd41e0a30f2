"""A measuring process: it does what the parent says, one message at a time, and ends when the parent is gone.

Messages are tuples, the first item the verb. From the parent: ``plan`` (look a request up), ``build`` (a workload),
``warm`` (a cell), ``round`` (run these cells once each, timed), ``close``. In return: ``plan`` or ``refused``;
``built`` or ``broken``; ``warm`` or ``failed``; ``sample`` or ``failed`` for each cell, then ``done``. Before it runs a
cell of a round it says ``running``, so that the parent knows what it died of; ``stage`` and ``compile`` tell what takes
so long.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

from harness.errors import BadInputError
from harness.plan.request import Request
from harness.plan.resolve import CellKey, Plan, resolve


def main(descriptor: int) -> None:
    """Serve the parent at the other end of the socket `descriptor` until it says ``close`` or is gone."""
    _Child(Connection(descriptor)).serve()


class _Child:
    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._bench: Any = None
        self._request = Request()
        self._listening = ExitStack()

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="contend-listen", daemon=True).start()
        verbs: dict[str, Callable[..., None]] = {
            "plan": self._plan,
            "build": self._build,
            "warm": self._warm,
            "round": self._round,
        }
        while True:
            verb, *arguments = self._inbox.get()
            if verb == "close":
                break
            verbs[verb](*arguments)
        if self._bench is not None:
            self._bench.close()

    def _listen(self) -> None:
        # A kernel cannot be interrupted, but it holds no GIL: this thread notices that the parent is gone at once.
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                end_group()
                return
            self._inbox.put(message)

    def _send(self, *message: Any) -> None:
        with self._sending:
            try:
                self._connection.send(message)
            except OSError:
                end_group()

    def _plan(self, request: Request) -> None:
        self._request = request
        try:
            plan = resolve(request)
        except BadInputError as error:
            self._send("refused", str(error))
            return
        self._send("plan", plan)

    def _build(self, plan: Plan, place: int, seed: int, block_size: int, ahead: bool) -> None:
        from harness.measuring.bench import Bench, WorkloadError
        from harness.measuring.kernels import compile_natives, turn
        from harness.plan.clock_options import clock_maker
        from strategies import registry as strategies
        from workloads import registry as workloads

        if self._bench is None:
            self._bench = Bench(strategies.get, workloads.get, turn, clock_maker(self._request))
            self._announce_compilations()
            if ahead:
                self._send("stage", "compiling ahead")
                compile_natives(strategies.get(key.strategy) for key in plan.cells)
        self._send("stage", "building")
        try:
            facts = self._bench.prepare(plan.workloads[place], seed, block_size)
        except WorkloadError as error:
            self._send("broken", str(error))
        else:
            self._send("built", facts)

    def _warm(self, key: CellKey) -> None:
        from harness.measuring.bench import RunError

        try:
            self._bench.warm_up(key)
        except RunError as error:
            self._send("failed", key, str(error), error.differences)
        else:
            self._send("warm")

    def _round(self, cells: Sequence[CellKey]) -> None:
        from harness.measuring.bench import RunError

        for key in cells:
            self._send("running", key)
            try:
                sample = self._bench.run(key)
            except RunError as error:
                self._send("failed", key, str(error), error.differences)
            else:
                self._send("sample", key, sample)
        self._send("done")

    def _announce_compilations(self) -> None:
        from evm.jit import on_compile

        # For the life of the process: the stack is kept, because listening ends with the context that it holds.
        self._listening.enter_context(
            on_compile(lambda name, begins, seconds: self._send("compile", name, begins, seconds))
        )


def end_group() -> None:
    """End this process and every process that its strategies keep.

    SIGTERM, not SIGKILL: it ends a process within a kernel just as well, and leaves alive the trackers that unlink
    shared memory nobody owns any more.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.killpg(os.getpgrp(), signal.SIGTERM)
