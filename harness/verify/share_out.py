"""Work shared out over processes, of which none is left however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import active_children, get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_PARENT_SECONDS, _TICK_SECONDS = 0.5, 0.2


def shared_out(work: Callable[[T], R], tasks: Iterator[T], processes: int) -> Generator[R | None]:
    """Results as they come, and None several times a second, so that who waits can show how far it is.

    Tasks are drawn when a process is free for them. Who stops before the end closes the generator
    (`contextlib.closing`): no process is left then.

    Parameters
    ----------
    work : callable
        A function of a module, which is imported in each process.
    tasks : iterator
    processes : int
    """
    others = set(active_children())
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
    try:
        running = {pool.submit(work, task) for task in islice(tasks, 2 * processes)}
        while running:
            done, running = wait(running, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
            yield None
            for future in done:
                yield future.result()
            running |= {pool.submit(work, task) for task in islice(tasks, len(done))}
    finally:
        # A pool has no way to end at once, so its processes are ended one by one.
        children = set(active_children()) - others
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.terminate()
        for child in children:
            child.join()


def _begin(parent: int) -> None:
    """A terminal's Ctrl-C is the parent's to handle; without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
