"""Work shared out over processes: each keeps what it has opened from task to task, and takes the next when it is free.

A process leads a process group of its own, so that a terminal's Ctrl-C reaches this one only, and it ends when this one
is gone, however that ended: its pipe is closed then. One that dies loses the task that it was at, and another takes its
place. However the work ends, no process is left, nor what it has started.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Generic, NoReturn, TypeVar, cast

from contend.harness.errors import CrashError

T = TypeVar("T")
R = TypeVar("R")
# What a process opens before its first task, and closes when nobody has one for it any more: it does a task.
Work = Callable[[], AbstractContextManager[Callable[[T], R]]]

_GRACE_S, _TICK_S = 5.0, 0.2


def done_here(work: Work[T, R], tasks: Iterable[T]) -> Generator[tuple[int, R]]:
    """Results with the places of their tasks, of this process."""
    with work() as do:
        for place, task in enumerate(tasks):
            yield place, do(task)


def shared_out(
    work: Work[T, R], tasks: Iterable[T], processes: int, lost: Callable[[str], R] | None = None
) -> Generator[tuple[int, R] | None]:
    """Results with the places of their tasks as they come, and None several times a second while there are none.

    Tasks are drawn when a process is free for them. Who stops before the end closes the generator
    (`contextlib.closing`): no process is left then.

    Parameters
    ----------
    work : callable
        Made by functions of modules, which are imported in each process.
    tasks : iterable
    processes : int
        At most.
    lost : callable, optional
        Result of a task whose process has died, given how it ended.

    Raises
    ------
    CrashError
        If a process dies, and nobody says what becomes of its task.
    Exception
        That a task raises.
    """
    numbered = enumerate(tasks)
    jobs: list[_Job[T, R]] = []
    working: dict[Connection, tuple[_Job[T, R], int]] = {}
    patience_s = 0.0

    def give(job: _Job[T, R] | None) -> None:
        for place, task in numbered:
            if job is None:
                job = _Job(work)
                jobs.append(job)
            job.give(task)
            working[job.connection] = job, place
            return

    try:
        for _ in range(processes):
            give(None)
        while working:
            ready = wait(list(working), _TICK_S)
            if not ready:
                yield None
            for connection in ready:
                job, place = working.pop(cast(Connection, connection))
                try:
                    result = job.result()
                except (EOFError, OSError):
                    jobs.remove(job)
                    ended = f"its process ended: {_end([job], 0.0)[0]}"
                    if lost is None:
                        raise CrashError(f"task {place}: {ended}") from None
                    yield place, lost(ended)
                    give(None)
                else:
                    yield place, result
                    give(job)
        # All are idle, and have something to close.
        patience_s = _GRACE_S
    finally:
        _end(jobs, patience_s)


class _Job(Generic[T, R]):
    """A process, from this side."""

    def __init__(self, work: Work[T, R]) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work))
        self.process.start()
        theirs.close()

    def give(self, task: T) -> None:
        """Have it do a task. That it has died is seen when its result is asked for."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(task)

    def result(self) -> R:
        """Result of its task.

        Raises
        ------
        EOFError, OSError
            If it has died.
        Exception
            That the task has raised.
        """
        result, error = self.connection.recv()
        if error is not None:
            raise error
        return cast(R, result)


def _end(jobs: Sequence[_Job[T, R]], patience_s: float) -> list[str]:
    """End processes and all that they have started, at once; how each has ended.

    They have so long to end by themselves, and the usual grace when they are told to.
    """
    for job in jobs:
        job.connection.close()
    _join(jobs, patience_s)
    for job in jobs:
        job.process.terminate()
    _join(jobs, _GRACE_S)
    found = []
    for job in jobs:
        with suppress(OSError):
            os.killpg(job.process.pid or 0, signal.SIGKILL)
        job.process.join()
        code = job.process.exitcode or 0
        found.append(f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}")
    return found


def _join(jobs: Sequence[_Job[T, R]], seconds: float) -> None:
    """Wait until all have ended, for so long at most."""
    deadline = time.monotonic() + seconds
    for job in jobs:
        job.process.join(max(0.0, deadline - time.monotonic()))


def _serve(connection: Connection, work: Work[T, R]) -> None:
    """Do tasks as they come, until nobody is there."""
    with suppress(OSError):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    with work() as do, suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            try:
                answer: tuple[R | None, Exception | None] = do(task), None
            except Exception as error:
                error.add_note(traceback.format_exc())
                answer = None, error
            connection.send(answer)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
