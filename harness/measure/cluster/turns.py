"""Turns: several threads, each of which talks to the workers of one node, and of which one runs at a time.

What they change (a measurement, the observer's display, the record) is made for one thread. So a thread holds the turn
always but while it waits for its workers, which is nearly all of the time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Self


class StoppedError(BaseException):
    """The run is over, and whoever waits has to leave. No error of what it was at."""


class Turns:
    """Runs functions in threads, which take turns.

    A function gives its turn to others in `wait`, and nowhere else.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._errors: list[BaseException] = []

    def __enter__(self) -> Self:
        """Take the turn in this thread, before `run` or after it."""
        self._turn.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self._turn.release()

    def wait(self, connections: Sequence[Connection[Any, Any]], seconds: float) -> Sequence[Any]:
        """Wait for connections as `multiprocessing.connection.wait` does, while others have the turn.

        Raises
        ------
        StoppedError
            If the run is over.
        """
        self._turn.release()
        try:
            found = wait(connections, seconds)
        finally:
            self._turn.acquire()
        if self._stop.is_set():
            raise StoppedError
        return found

    def run(self, functions: Sequence[Callable[[], object]]) -> None:
        """Run functions until all have ended, or one has failed; none runs any more when this returns.

        Raises
        ------
        BaseException
            Of the first that failed, or that came to this thread, such as KeyboardInterrupt.
        """
        threads = [threading.Thread(target=self._run, args=(one,), daemon=True) for one in functions]
        try:
            for thread in threads:
                thread.start()
            # With a limit, so that signals are heard.
            while any(thread.is_alive() for thread in threads) and not self._stop.is_set():
                for thread in threads:
                    thread.join(0.05)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            self._stop.clear()
        if self._errors:
            raise self._errors.pop(0)

    def _run(self, function: Callable[[], object]) -> None:
        with self._turn:
            try:
                function()
            except StoppedError:
                pass
            except BaseException as error:
                self._errors.append(error)
                self._stop.set()
