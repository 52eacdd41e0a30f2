"""Clocks: what drives workers, and what time is meanwhile.

A worker is a compiled function ``step(shared, worker) -> cost``: one interaction with what is shared and the private
work behind it. The same steps run under any clock. Under the wall clock each worker is a thread, and time is real
(`strategies.threads`). Under the virtual clock one thread steps all workers in the order of their simulated times, and
a step takes as long as the cost that it returns (`strategies.virtual_clock`). Under a schedule the next worker is
drawn at random, and time is the number of steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from evm.jit import Native
from strategies.threads import run_threads

if TYPE_CHECKING:
    from strategies.costs import Costs

# What a step was, for timelines; a step leaves it in its worker's header.
ACTIVITIES = ("schedule", "execute", "validate", "wait", "commit", "plan", "message")
ACT_SCHEDULE, ACT_EXECUTE, ACT_VALIDATE, ACT_WAIT, ACT_COMMIT, ACT_PLAN, ACT_MESSAGE = range(len(ACTIVITIES))
NO_ACTIVITY = -1


@dataclass(frozen=True)
class Network:
    """How an event loop moves the messages of workers that share nothing.

    Messages sent during a step leave when it ends, so only the loop can tell when they arrive. All three functions
    have the signature ``int64(int64, int64, int64)``.

    Attributes
    ----------
    address : int
        First argument of each.
    advance : Native
        ``(network, worker, now)``: from now on the worker sees the messages that have arrived by `now`.
    settle : Native
        ``(network, worker, end)``: what the worker sent in its step leaves at `end`. Returns how many pairs (receiver,
        arrival) it has left at `wakes`.
    arrival : Native
        ``(network, worker, now)``: when the worker's next message arrives, or -1 if none is under way.
    wakes : int
        Address of those pairs, int64.
    """

    address: int
    advance: Native
    settle: Native
    arrival: Native
    wakes: int


@dataclass(frozen=True)
class Team:
    """Workers to be driven together until each has finished.

    Attributes
    ----------
    step : Native
        ``step(shared, worker) -> cost``. Positive: something was done, at this cost in picoseconds where the clock has
        a table of costs. `IDLE`: there is nothing to do now, and nothing was changed. Negative: the worker has ended.
    shared : int
        Address of what all workers share; first argument of the step.
    workers : list of int
        Addresses of the workers' headers.
    signals : tuple of int
        Addresses of words. A worker that was idle has nothing to do until one of them changes.
    activity : int
        Index of the word in a worker's header that tells what its last step was, or `NO_ACTIVITY`.
    network : Network, optional
        Of workers that exchange messages under simulated time.
    alike : bool
        Whether what gives one idle worker something to do gives it to all: if one then finds nothing, the others would
        not either, and a clock need not let them look. False where each waits for something of its own.
    """

    step: Native
    shared: int
    workers: list[int]
    signals: tuple[int, ...] = ()
    activity: int = NO_ACTIVITY
    network: Network | None = None
    alike: bool = True


class Clock(ABC):
    """What drives workers.

    Attributes
    ----------
    name : str
    simulated : bool
        Whether `now` is anything but real time.
    costs : Costs or None
        The table by which steps return their costs; None where nobody asks for them.
    """

    name: ClassVar[str]
    simulated: ClassVar[bool] = True
    costs: Costs | None = None

    @property
    def busy(self) -> float | None:
        """Simulated seconds that all workers together were at work; None where time is real and CPUs count it."""
        return None

    @abstractmethod
    def now(self) -> float:
        """Seconds since some moment; phases are differences of it."""

    @abstractmethod
    def run(self, team: Team) -> list[int]:
        """Drive a team until all its workers have ended.

        Returns
        -------
        list of int
            What each worker's last step returned.
        """

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:  # noqa: B027  # real time passes by itself
        """Let time pass for work that is done here in Python or in one piece, and that a node would do natively.

        Real time passes by itself; the default does nothing.
        """

    def mark(self) -> object:
        """Remember this moment for `rewind`."""
        return None

    def rewind(self, mark: object) -> None:  # noqa: B027  # real time does not come back
        """Forget what has been done since a mark, where time is simulated: it is done again, with more room.

        Otherwise figures would depend on what a strategy has executed before, and so on how much room it has.
        """


class WallClock(Clock):
    """Real time: a thread for each worker."""

    name: ClassVar[str] = "wall"
    simulated: ClassVar[bool] = False

    def now(self) -> float:
        """Seconds of the machine's clock."""
        return perf_counter()

    def run(self, team: Team) -> list[int]:
        """Drive each worker by a thread; see `Clock.run`."""
        return run_threads(team.step, team.shared, team.workers)


WALL = WallClock()
