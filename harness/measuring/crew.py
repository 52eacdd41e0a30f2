"""The measuring processes of a run together: heard, replaced when they die, ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any

from harness.errors import BadInputError, CrashError
from harness.measuring.process import MeasuringProcess
from harness.observer import Observer
from harness.plan.request import Request
from harness.plan.resolve import Plan

_TICK_SECONDS = 0.1
_CLOSE_SECONDS = 2.0
_MOST_DEATHS = 50


class GoneError(Exception):
    """A measuring process ended, or has to be ended, before its time.

    Attributes
    ----------
    child : MeasuringProcess
    how : str
        In words.
    """

    def __init__(self, child: MeasuringProcess, how: str) -> None:
        super().__init__(how)
        self.child = child
        self.how = how


class Crew:
    """Measuring processes, each in a slot: one that replaces a dead one takes its slot, not its number.

    Parameters
    ----------
    request : Request
        Sent to every process that starts, to be looked up.
    observer : Observer
        Its `tick` is called whenever the crew waits.
    first : int, optional
        Number of the first process.
    """

    def __init__(self, request: Request, observer: Observer, first: int = 0) -> None:
        self._request = request
        self._observer = observer
        self._first = first
        self._started = 0
        self._replaced = 0
        self._children: list[MeasuringProcess] = []

    def __len__(self) -> int:
        return len(self._children)

    def __getitem__(self, slot: int) -> MeasuringProcess:
        return self._children[slot]

    def __iter__(self) -> Iterator[MeasuringProcess]:
        return iter(self._children)

    def start(self, count: int) -> None:
        """Start `count` processes."""
        for _ in range(count):
            self._children.append(self._start())

    def _start(self) -> MeasuringProcess:
        child = MeasuringProcess(self._first + self._started)
        self._started += 1
        child.send("plan", self._request)
        return child

    def plan(self, slot: int) -> Plan:
        """Wait for what the process at `slot` makes of the request.

        Raises
        ------
        BadInputError
            If it refuses the request.
        CrashError
            If it dies of it.
        """
        child = self._children[slot]
        try:
            verb, content = self.message(child)
        except GoneError as gone:
            raise CrashError(f"{gone.how} while it imported strategies and workloads\n{child.tail()}".strip()) from None
        if verb == "refused":
            raise BadInputError(content)
        plan: Plan = content
        return plan

    def replace(self, slot: int) -> None:
        """End the process at `slot`, dead or alive, and start another in its place."""
        if self._replaced == _MOST_DEATHS:
            raise CrashError(f"measuring processes died {_MOST_DEATHS} times; giving up")
        self._replaced += 1
        self._children[slot].end()
        self._children[slot] = self._start()
        self.plan(slot)

    def message(self, child: MeasuringProcess) -> tuple[Any, ...]:
        """Wait for the next message of `child`.

        Raises
        ------
        GoneError
            If it is dead, or has been silent for too long.
        """
        while not wait([child.connection], _TICK_SECONDS):
            self._observer.tick()
            if child.is_gone():
                raise GoneError(child, child.obituary())
            if child.silence() > self._request.timeout:
                raise GoneError(child, f"no sign of life for {self._request.timeout:g} s")
        self._observer.tick()
        message = child.receive()
        if message is None:
            raise GoneError(child, child.obituary())
        return message

    def ready(self, slots: Iterable[int]) -> list[int]:
        """Wait until processes have something to say, are gone, or all have been silent for too long.

        Returns
        -------
        list of int
            Those of `slots` whose `message` will not wait for long.
        """
        children = {slot: self._children[slot] for slot in slots}
        while True:
            ready = wait([child.connection for child in children.values()], _TICK_SECONDS)
            self._observer.tick()
            found = [slot for slot, child in children.items() if child.connection in ready or child.is_gone()]
            if found:
                return found
            # One that waits for another to compile is silent for as long as that takes.
            if min(child.silence() for child in children.values()) > self._request.timeout:
                return list(children)[:1]

    def end(self) -> None:
        """End every process at once, and whatever its strategies keep."""
        for child in self._children:
            child.end()
        self._children.clear()

    def close(self) -> None:
        """End the processes after they have closed their strategies."""
        for child in self._children:
            child.ask_to_close()
        for child in self._children:
            child.end(_CLOSE_SECONDS)
        self._children.clear()
