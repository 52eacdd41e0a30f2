"""Worker link: a measuring process, wherever it runs, as its client talks to it."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from multiprocessing.connection import Connection
from typing import Any

from contend.harness.measure.task import Task


class WorkerLink(ABC):
    """What a pool needs to know of a worker.

    Parameters
    ----------
    number : int
    connection : Connection
        On which the worker is heard; one that can be waited for together with others.

    Attributes
    ----------
    number : int
        Distinct within a run; a worker that replaces a dead one gets a number of its own.
    task : Task or None
        That it is executing; None while it sets up.
    lost : bool
        Whether the place is gone that it ran at, which is no fault of its task.
    """

    def __init__(self, number: int, connection: Connection[Any, Any]) -> None:
        self.number = number
        self.connection = connection
        self.task: Task | None = None
        self.lost = False
        self._compiling = False
        self._heard = time.monotonic()

    def send(self, *message: Any) -> None:
        """Say something. A worker that is gone is noticed where its answer is awaited, with the cause of its end."""
        self._tell(json.dumps(message).encode())
        self._heard = time.monotonic()

    def receive(self) -> list[Any] | None:
        """The next message, or None if the worker is gone."""
        try:
            message: list[Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return None
        self._heard = time.monotonic()
        if message[0] == "compile":
            self._compiling = bool(message[2])
        return message

    def silence(self) -> float:
        """Seconds since it was last heard of or spoken to; none while it compiles, which takes what it takes."""
        return 0.0 if self._compiling else time.monotonic() - self._heard

    def ask_to_close(self) -> None:
        """Let it close its strategies and end; `end` waits for that."""
        self.send("close")

    @abstractmethod
    def _tell(self, content: bytes) -> None:
        """Pass a message on; nothing is said where the worker is gone."""

    @abstractmethod
    def is_gone(self) -> bool:
        """Whether it has ended and said its last."""

    @abstractmethod
    def exit_reason(self) -> str:
        """Reason of its end, as text."""

    @abstractmethod
    def tail(self) -> str:
        """The last lines that it printed."""

    @abstractmethod
    def end(self, grace: float = 0.0) -> None:
        """End it and all that it keeps, first giving it `grace` seconds to end by itself."""
