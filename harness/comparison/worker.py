"""A measuring process of another version of Contend: this file, run as a script by that version's interpreter.

It must get on with versions older than itself, so it uses as little of them as it can, and only what the measuring
processes of every version use as well: `harness.request.Request`, `harness.plan.resolve`,
`harness.measuring.bench.Bench`. What it says and hears is made of numbers, texts, lists and dicts only, which need no
class of either version. It imports nothing of Contend before the import path has been set.

Arguments: the descriptor of a socket, and a JSON object with ``paths`` (the import path), ``root`` (the sources) and
``own_environment`` (whether the interpreter's own import path follows). From the parent: ``plan``, ``build``, ``warm``,
``run``, ``close``; in return ``plan`` or ``refused``, ``built`` or ``broken``, ``warm``, ``sample`` or ``failed``, and
``compile`` whenever a kernel is compiled.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def main(descriptor: int, where: Mapping[str, Any]) -> None:
    """Serve the parent until it says ``close`` or is gone."""
    # The script's own folder comes first by default; its files are none of the version's business.
    behind = sys.path[1:] if where["own_environment"] else []
    sys.path[:] = [*where["paths"], *behind]
    # An editable installation answers for every module that the version does not have itself, and with its own.
    sys.meta_path[:] = [one for one in sys.meta_path if not _is_editable_contend(one)]
    _Worker(Connection(descriptor), Path(where["root"])).serve()


def _is_editable_contend(finder: object) -> bool:
    module = getattr(finder, "__module__", None) or ""
    return module.startswith("__editable___contend_")


class _Worker:
    def __init__(self, connection: Connection[Any, Any], root: Path) -> None:
        self._connection = connection
        self._root = root
        self._sending = threading.Lock()
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._listening = ExitStack()
        self._announced = False
        self._request: Any = None
        self._plan: Any = None
        self._bench: Any = None

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="contend-listen", daemon=True).start()
        verbs: dict[str, Callable[..., None]] = {
            "plan": self._look_up,
            "build": self._build,
            "warm": self._warm,
            "run": self._run,
        }
        while True:
            verb, *arguments = self._inbox.get()
            if verb == "close":
                break
            verbs[verb](*arguments)
        if self._bench is not None:
            self._bench.close()

    def _listen(self) -> None:
        # Holds whatever the main thread does: a kernel holds no GIL.
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                _end_group()
                return
            self._inbox.put(message)

    def _send(self, *message: Any) -> None:
        with self._sending:
            try:
                self._connection.send(message)
            except OSError:
                _end_group()

    def _look_up(self, asked: dict[str, Any]) -> None:
        try:
            import harness

            found = Path(str(harness.__file__)).resolve()
            if self._root.resolve() not in found.parents:
                self._send("refused", f"its sources are not what is imported, but {found.parent}")
                return
            from harness.errors import BadInputError

            bench = _measuring("bench").Bench
            from harness.plan import resolve
            from harness.request import Request
        except ImportError as error:
            self._send("refused", f"too old to be measured by this version, or broken: {error}")
            return
        try:
            self._request = _request(Request, asked)
            self._plan = resolve(self._request)
        except BadInputError as error:
            self._send("refused", str(error))
            return
        except (TypeError, AttributeError) as error:
            self._send("refused", f"too old to be measured by this version: {error}")
            return
        self._bench = self._make_bench(bench)
        plan = self._plan
        self._send(
            "plan",
            {
                "workloads": [[one.name, getattr(one, "title", one.name), dict(one.dials)] for one in plan.workloads],
                "cells": [list(cell) for cell in plan.cells],
                "reported": [list(cell) for cell in plan.reported],
                "kernels": plan.kernels_digest,
                "costs": getattr(plan, "costs_digest", None),
                "cold": bool(plan.cold),
                "python": sys.version.split()[0],
            },
        )

    def _make_bench(self, bench: Any) -> Any:
        from strategies import registry as strategies
        from workloads import registry as workloads

        arguments: list[Any] = [strategies.get, workloads.get]
        try:
            from harness import clocks

            turn = _measuring("kernels").turn
        except ImportError:
            # Before there were clocks, all time was real.
            return bench(*arguments)
        request = self._request
        maker = getattr(clocks, "clock_maker", None)
        if maker is not None:
            return bench(*arguments, turn, maker(request))
        # The version reads the table of costs anew for each run.
        older: Any = clocks
        return bench(*arguments, turn, lambda: older.make_clock(request))

    def _build(self, place: int) -> None:
        self._announce_compilations()
        try:
            facts = self._bench.prepare(self._plan.workloads[place], self._request.seed, self._request.block_size)
        except Exception as error:
            self._send("broken", _text(error))
            return
        self._send(
            "built",
            {
                "genesis_digest": facts.genesis_digest,
                "block_digest": facts.block_digest,
                "transactions": facts.transactions,
                "gas": facts.gas,
            },
        )

    def _warm(self, strategy: str, workers: int) -> None:
        try:
            self._bench.warm_up(_key(strategy, workers))
        except Exception as error:
            self._send("failed", _text(error))
        else:
            self._send("warm")

    def _run(self, strategy: str, workers: int) -> None:
        try:
            sample = self._bench.run(_key(strategy, workers))
        except Exception as error:
            self._send("failed", _text(error))
            return
        fields = ("seconds", "wall_seconds", "cpu_seconds")
        figures = {name: float(getattr(sample, name)) for name in fields}
        self._send("sample", {**figures, "phases": dict(sample.phases), "counters": dict(sample.counters)})

    def _announce_compilations(self) -> None:
        if self._announced:
            return
        self._announced = True
        try:
            from evm.jit import on_compile
        except ImportError:
            # An older version compiles in silence.
            return

        self._listening.enter_context(
            on_compile(lambda name, begins, seconds: self._send("compile", name, begins, seconds))
        )


def _measuring(module: str) -> Any:
    """A module of the folder `harness.measuring`; older versions have it in `harness`."""
    try:
        return importlib.import_module(f"harness.measuring.{module}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("harness.measuring"):
            raise
        return importlib.import_module(f"harness.{module}")


def _request(kind: Any, asked: dict[str, Any]) -> Any:
    """A request of the version's own kind."""
    from harness.errors import BadInputError

    fields = kind.__dataclass_fields__
    missing = [name for name in asked if name not in fields]
    if missing:
        raise BadInputError(f"this version does not know the option {missing[0]!r}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()})


def _key(strategy: str, workers: int) -> Any:
    from harness.plan import CellKey

    return CellKey(strategy, workers)


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _end_group() -> None:
    """End this process and what its strategies keep; see `harness.measuring.child.end_group`."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.killpg(os.getpgrp(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
