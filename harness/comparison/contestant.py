"""One measuring process of one side: started in its version, asked one thing at a time."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from harness.comparison.checkout import Tree
from harness.errors import BadInputError, CrashError
from harness.measuring.process import MeasuringProcess
from harness.observer import Observer
from harness.plan.request import Request
from harness.plan.resolve import CellKey

_KNOWN_TO_ALL = ("workloads", "strategies", "workers", "dials", "block_size", "repeat", "seed", "processes", "timeout")
_WORKER = Path(__file__).with_name("worker.py")
_TICK_SECONDS = 0.1


class CellError(Exception):
    """A cell that failed on this side, with the reason in words."""


class GoneError(CellError):
    """It took its process with it."""


class Contestant:
    """A measuring process of a version.

    Parameters
    ----------
    number : int
    tree : Tree
    request : Request
    observer : Observer
    peers : callable
        Gives all measuring processes of the comparison. They take turns at compiling, so that one which waits for
        another is silent for as long as that takes.
    """

    def __init__(
        self,
        number: int,
        tree: Tree,
        request: Request,
        observer: Observer,
        peers: Callable[[], Iterable[Contestant]],
    ) -> None:
        self.number = number
        self.tree = tree
        self._request = request
        self._observer = observer
        self._peers = peers
        self._answers: deque[tuple[Any, ...]] = deque()
        self._process = MeasuringProcess(number, _command(tree), _environment(tree))
        self._process.send("plan", _plain(request))

    def plan(self) -> dict[str, Any]:
        """Hear what its version makes of the request.

        Raises
        ------
        BadInputError
            If it refuses it, or is too old.
        CrashError
            If it dies of it.
        """
        try:
            verb, content = self._answer()
        except GoneError as gone:
            raise CrashError(f"{self.tree.label}: {gone}\n{self._process.tail()}".strip()) from None
        if verb == "refused":
            raise BadInputError(f"{self.tree.label}: {content}")
        found: dict[str, Any] = content
        return found

    def begin_build(self, place: int) -> None:
        """Have it build the workload at `place` of its plan; `end_build` waits."""
        self._process.send("build", place)

    def end_build(self) -> dict[str, Any]:
        """Wait for the workload.

        Returns
        -------
        dict
            ``genesis_digest``, ``block_digest``, ``transactions``, ``gas``.

        Raises
        ------
        CellError
            If it cannot be built.
        """
        verb, content = self._answer()
        if verb == "broken":
            raise CellError(content)
        facts: dict[str, Any] = content
        return facts

    def begin_warm(self, key: CellKey) -> None:
        """Have it run a cell once untimed; `end_warm` waits."""
        self._process.at = key
        self._process.send("warm", *key)

    def end_warm(self) -> None:
        """Wait for the warm-up.

        Raises
        ------
        CellError
            If the cell failed.
        """
        verb, *content = self._answer()
        if verb == "failed":
            raise CellError(content[0])

    def run(self, key: CellKey) -> dict[str, Any]:
        """Time one run of a cell, verified by its own version's oracle.

        Returns
        -------
        dict
            ``seconds``, ``wall_seconds``, ``cpu_seconds``, ``phases``, ``counters``.

        Raises
        ------
        CellError
            If the cell failed.
        """
        self._process.at = key
        self._process.send("run", *key)
        verb, content = self._answer()
        if verb == "failed":
            raise CellError(content)
        sample: dict[str, Any] = content
        return sample

    def _answer(self) -> tuple[Any, ...]:
        process = self._process
        while not self._answers:
            wait([process.connection], _TICK_SECONDS)
            self._observer.tick()
            if not self._hear() and not self._answers:
                raise GoneError(process.obituary())
            if not self._answers and self._silence() > self._request.timeout:
                process.end()
                raise GoneError(f"no sign of life for {self._request.timeout:g} s")
        return self._answers.popleft()

    def _silence(self) -> float:
        peers = [self, *self._peers()]
        for peer in peers:
            peer._hear()
        return min(peer._process.silence() for peer in peers)

    def _hear(self) -> bool:
        """Take what the process has said, without waiting; False if it is gone."""
        process = self._process
        if process.connection.closed:
            return False
        while process.connection.poll():
            message = process.receive()
            if message is None:
                return False
            if message[0] != "compile":
                self._answers.append(message)
                continue
            _, name, begins, seconds = message
            if begins:
                self._observer.compiling(self.number, name)
            else:
                self._observer.compiled(self.number, name, seconds)
        return not process.is_gone()

    def close(self) -> None:
        """End it after it has closed its strategies."""
        self._process.ask_to_close()
        self._process.end(grace=2.0)

    def end(self) -> None:
        """End it at once, and what its strategies keep."""
        self._process.end()


def _command(tree: Tree) -> Callable[[int], list[str]]:
    where = {"root": str(tree.root), "paths": list(tree.paths), "own_environment": tree.own_environment}
    return lambda descriptor: [
        tree.interpreter,
        "-X",
        "faulthandler",
        str(_WORKER),
        str(descriptor),
        json.dumps(where),
    ]


def _environment(tree: Tree) -> dict[str, str] | None:
    if not tree.own_environment:
        return None
    # What is on this version's import path must not get into another environment.
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _plain(request: Request) -> dict[str, Any]:
    """A request that any version can read: its fields, as far as something is asked for.

    What every version knows is always said, since versions may differ in what they take for granted.
    """
    nothing = Request().as_json()
    return {name: value for name, value in request.as_json().items() if name in _KNOWN_TO_ALL or value != nothing[name]}
