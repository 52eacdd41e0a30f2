"""Clocks: what drives workers, and what time is meanwhile.

A worker is a compiled function ``step(shared, worker) -> cost``: one interaction with what is shared and the private
work behind it. The same steps run under any clock. Under the wall clock each worker is a thread, and time is real
(`strategies.clocks.wall`). Under the virtual clock one thread steps all workers in the order of their simulated times,
and a step takes as long as the cost that it returns (`strategies.clocks.virtual`). Under a schedule the next worker is
drawn at random, and time is the number of steps (`strategies.clocks.schedule`).

Nothing here knows a strategy: a clock is given addresses, and how steps end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from contend.evm.runtime.jit import Native

if TYPE_CHECKING:
    from contend.strategies.clocks.cost_table import CostTable
    from contend.strategies.clocks.network_model import NetworkModel

PS_PER_SECOND = 10**12

# What a step returns when it has done no work; a positive result is its cost in picoseconds.
IDLE, FINISHED, FAILED = 0, -1, -2
# What the parts of a step return instead of a cost, which they add to their worker's `cost_ps`.
WORKED = 1

# What a step was, for timelines; a step leaves it in its worker's header. That an execution was wasted shows later: no
# step leaves ACT_WASTED, a timeline tells.
ACTIVITIES = ("schedule", "execute", "validate", "wait", "commit", "plan", "message", "wasted execution")
ACT_SCHEDULE, ACT_EXECUTE, ACT_VALIDATE, ACT_WAIT, ACT_COMMIT, ACT_PLAN, ACT_MESSAGE, ACT_WASTED = range(
    len(ACTIVITIES)
)
NO_ACTIVITY = -1


@dataclass(frozen=True)
class NetworkHooks:
    """Functions by which an event loop moves the messages of workers that share nothing.

    Messages sent during a step leave when it ends, so only the loop can tell when they arrive. All three functions
    have the signature ``int64(int64, int64, int64)``; times are in picoseconds.

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
class Workers:
    """Workers to be driven together until each has finished.

    Attributes
    ----------
    step : Native
        ``step(shared, worker) -> cost``. Positive: something was done, at this cost in picoseconds where the clock has
        a cost table. `IDLE`: there is nothing to do now, and nothing was changed. Negative: the worker has ended.
    shared : int
        Address of what all workers share; first argument of the step.
    addresses : list of int
        Addresses of the workers' headers.
    wake_counters : tuple of int
        Addresses of uint64 words. A worker that was idle has nothing to do until one of them changes.
    activity : int
        Index of the word in a worker's header that tells what its last step was, or `NO_ACTIVITY`.
    execution : tuple of int, optional
        Indices of two words in a worker's header: the transaction that its last step was about, and a number of that
        execution among the worker's own. A timeline can then tell executions that were thrown away.
    network : NetworkHooks, optional
        Of workers that exchange messages under simulated time.
    interchangeable : bool
        Whether what gives one idle worker something to do gives it to all: if one then finds nothing, the others would
        not either, and a clock need not let them look. False where each waits for something of its own.
    """

    step: Native
    shared: int
    addresses: list[int]
    wake_counters: tuple[int, ...] = ()
    activity: int = NO_ACTIVITY
    execution: tuple[int, int] | None = None
    network: NetworkHooks | None = None
    interchangeable: bool = True


class Clock(ABC):
    """Clock: drives workers, and tells the time of their phases.

    Attributes
    ----------
    name : str
    simulated : bool
        Whether `now` is anything but real time.
    takes_turns : bool
        Whether other workers go on when a step ends, and not while it lasts: where a step ends then makes a difference.
    costs : CostTable or None
        The table by which steps return their costs; None where nobody asks for them.
    network : NetworkModel or None
        How long messages take between workers that exchange some; None for what the strategy takes.
    jitter : int
        Messages arrive up to so many units of the clock's time later than the network says, drawn from `seed`.
    seed : int
        Of what the clock draws at random; 0 where it draws nothing.
    cores : int
        Of simulated workers so many at most are at work at a time, worker i by core ``i % cores``, and as many as like
        wait for a device; 0 for a core each.
    """

    name: ClassVar[str]
    simulated: ClassVar[bool] = True
    takes_turns: ClassVar[bool] = True
    costs: CostTable | None = None
    network: NetworkModel | None = None
    jitter: int = 0
    seed: int = 0
    cores: int = 0

    @property
    def busy(self) -> float | None:
        """Simulated seconds that all workers together were at work; None where time is real and CPUs count it."""
        return None

    @property
    def instant(self) -> int:
        """Address of an int64 word: the simulated time, in picoseconds, at which the step in hand began.

        Zero where time is real, or where costs are not counted.
        """
        return 0

    @property
    def waited(self) -> int:
        """Address of an int64 word to which a step adds what of its cost, in picoseconds, it has only waited for.

        Zero where time is real, or where costs are not counted.
        """
        return 0

    @abstractmethod
    def now(self) -> float:
        """Seconds since some moment; phases are differences of it."""

    @abstractmethod
    def run(self, workers: Workers) -> list[int]:
        """Drive workers until all have ended.

        Returns
        -------
        list of int
            What each worker's last step returned.
        """

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:  # noqa: B027  # real time passes by itself
        """Let time pass for work that is done here in Python or in one piece, and that a node would do natively.

        Real time passes by itself; the default does nothing.
        """

    def wait(self, picoseconds: int, busy_picoseconds: int = 0) -> None:  # noqa: B027  # real time passes by itself
        """Let time pass in which workers wait for others, such as other machines, and are busy for a part of it.

        Real time passes by itself; the default does nothing.
        """

    def outside(self) -> AbstractContextManager[None]:
        """Do within what the harness needs and no node would do.

        Where a clock drives workers of others at the same time, they stand meanwhile, and so does its time. The default
        does nothing: who tells times reads the clock before and behind.
        """
        return nullcontext()

    def mark(self) -> object:
        """Remember this moment for `rewind`."""
        return None

    def rewind(self, mark: object) -> None:  # noqa: B027  # real time does not come back
        """Forget what has been done since a mark, where time is simulated: it is done again, with more room.

        Otherwise figures would depend on what a strategy has executed before, and so on how much room it has.
        """
