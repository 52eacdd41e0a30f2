"""Processes that run block tests: each keeps its contenders from test to test, and takes the next test when it is free.

A process leads a process group of its own, so that a terminal's Ctrl-C reaches this one only, and it ends when this one
is gone, however that ended: its pipe is closed then. One that dies fails the test that it ran, and another takes its
place.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from multiprocessing.connection import Connection, wait
from types import FrameType, TracebackType
from typing import Any, cast

import multiprocess

from contend.harness.verify.whole_block.block_test import BlockTest, Verdict, run_test
from contend.harness.verify.whole_block.contender_check import ContenderCheck

Contender = tuple[str, str, int]
Verdicts = Generator[Verdict, None, None]
_GRACE_S = 5.0


def run_tests_here(tests: Sequence[BlockTest], contenders: Sequence[Contender]) -> Verdicts:
    """Verdicts on tests, one after the other, in this process."""
    with ExitStack() as kept:
        checks = [kept.enter_context(ContenderCheck(*one)) for one in contenders]
        for test in tests:
            yield run_test(test, checks)


def run_tests_at_once(
    tests: Sequence[BlockTest], contenders: Sequence[Contender], jobs: int
) -> Generator[Verdict, None, None]:
    """Verdicts on tests in their order, of so many processes."""
    done: dict[int, Verdict] = {}
    waiting = iter(range(len(tests)))
    with ExitStack() as kept:
        working: dict[Connection, tuple[_Job, int]] = {}

        def give(job: _Job) -> None:
            place = next(waiting, None)
            if place is not None:
                job.connection.send(tests[place])
                working[job.connection] = job, place

        for _ in range(jobs):
            give(kept.enter_context(_Job(contenders)))
        for place in range(len(tests)):
            while place not in done:
                for connection in wait(list(working)):
                    job, taken = working.pop(cast(Connection, connection))
                    try:
                        done[taken] = job.connection.recv()
                    except (EOFError, OSError):
                        done[taken] = Verdict(f"its process ended: {job.end()}")
                        job = kept.enter_context(_Job(contenders))
                    give(job)
            yield done.pop(place)


class _Job(AbstractContextManager["_Job"]):
    """A process, from this side."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        context = multiprocess.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, tuple(contenders)))
        self._process.start()
        theirs.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: by itself, unless it is in the middle of a test that nobody waits for any more."""
        self.end(_GRACE_S if kind is None else 0.0)

    def end(self, patience_s: float = 0.0) -> str:
        """End it and all that it started; how it ended."""
        self.connection.close()
        self._process.join(patience_s)
        if self._process.is_alive():
            self._process.terminate()
        self._process.join(_GRACE_S)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.join()
        code = self._process.exitcode
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _serve(connection: Any, contenders: tuple[Contender, ...]) -> None:
    """Run tests as they come, until nobody is there."""
    with suppress(OSError):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as kept, suppress(EOFError, OSError):
        checks = [kept.enter_context(ContenderCheck(*one)) for one in contenders]
        while True:
            connection.send(run_test(connection.recv(), checks))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
