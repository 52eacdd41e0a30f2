"""Validator: one of those that agree, as a state machine that messages and timers move."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from contend.node.agreement.quorums import Quorums


class Post(ABC):
    """What a validator may do to the world around it."""

    @abstractmethod
    def send(self, sender: int, receiver: int, message: Any) -> None:
        """Send a message off; it leaves behind those that its sender has sent since the same event."""

    @abstractmethod
    def set_timer(self, number: int, delays: int, timer: Any) -> None:
        """Have a validator's `Validator.expire` called after so many message delays, messages' work included."""


class Validator(ABC):
    """A validator that agrees with others on one block.

    Validators are numbered in the order in which they lead: the leader of round or view r is r modulo their number.
    A leader that is free to propose what it likes proposes its own number.

    Parameters
    ----------
    number : int
    quorums : Quorums
    post : Post

    Attributes
    ----------
    patience : int
        Message delays after which a validator first gives something up. Half as many more with each round, so that
        a round comes that lasts long enough, whatever delays are (Dwork, Lynch and Stockmeyer, "Consensus in the
        presence of partial synchrony", JACM 1988).
    decision : int or None
        What it has decided.
    round : int
        Round or view that it is in, from 0.
    """

    patience: ClassVar[int]

    def __init__(self, number: int, quorums: Quorums, post: Post) -> None:
        self.number = number
        self.decision: int | None = None
        self.round = 0
        self._quorums, self._post = quorums, post

    @abstractmethod
    def start(self) -> None:
        """Begin, with everyone else."""

    @abstractmethod
    def checks(self, message: Any) -> int:
        """Signatures that it checks before it receives a message, one by one."""

    @abstractmethod
    def receive(self, message: Any) -> None:
        """Act on a message, whose signatures are checked."""

    @abstractmethod
    def expire(self, timer: Any) -> None:
        """Act on a timer that was set."""

    def _leader_of(self, number: int) -> int:
        return number % self._quorums.validators

    def _broadcast(self, message: Any) -> None:
        """Send to all others."""
        for receiver in range(self._quorums.validators):
            if receiver != self.number:
                self._post.send(self.number, receiver, message)

    def _set_timer(self, timer: Any, times: int = 1) -> None:
        """Wait for so many times the patience of the round."""
        self._post.set_timer(self.number, times * self.patience * (2 + self.round) // 2, timer)
