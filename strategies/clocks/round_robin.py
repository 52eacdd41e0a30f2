"""Round robin: several workers on one thread, each making a step in turn; for the calibration of costs.

One worker alone never waits for another, aborts nobody and wakes nobody, so the costs of such work cannot be learned
from it; and threads on several cores spend time on each other that is no work. Workers that take turns on one thread do
all the work of conflicts, and what it takes is the sum of their steps. The order of the steps depends on nothing but
the block: so the same steps are made while they are timed, and while they are counted under a cost table.

A worker that found nothing to do is passed over until a wake counter has changed (`Workers.wake_counters`): looking
again and again is no work that a cost table knows.
"""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_2, view_i64
from contend.strategies.clocks.base import ACT_SCHEDULE, IDLE, PS_PER_SECOND, Clock, Workers
from contend.strategies.clocks.cost_table import CostTable
from contend.strategies.clocks.wake_counters import sum_at

Integers = npt.NDArray[np.int64]

_AWAKE = -1
STUCK = -1


@kernel()
def run_in_turn(step, shared, workers, asleep, results, worker_count, counters, counter_count):
    """Step each worker in turn until all have ended; the sum of their costs, or `STUCK` if none can go on.

    Parameters
    ----------
    step, shared, workers, worker_count, counters, counter_count : int
        As in `Workers`; arrays of int64 by address.
    asleep : int
        Address of int64, one a worker: the sum of the wake counters at which it found nothing to do, or `_AWAKE`.
    results : int
        Address of int64, one a worker: zero, then what its last step returned.
    """
    headers, seen, ended = (
        view_i64(workers, worker_count),
        view_i64(asleep, worker_count),
        view_i64(results, worker_count),
    )
    alive, total = worker_count, 0
    while alive > 0:
        moved = False
        for number in range(worker_count):
            at = U(number)
            if ended[at] < 0:
                continue
            wakes = sum_at(counters, counter_count)
            if seen[at] == wakes:
                continue
            moved = True
            cost = call_2(step, shared, headers[at])
            seen[at] = wakes if cost == IDLE else _AWAKE
            if cost > 0:
                total += cost
            elif cost < 0:
                ended[at] = cost
                alive -= 1
        if not moved:
            return STUCK
    return total


class RoundRobin(Clock):
    """Workers in turn on one thread: real time, or the sum of what their steps cost.

    Parameters
    ----------
    costs : CostTable, optional
        By default none, and time is real. With a table, time is the sum of all costs.
    """

    name: ClassVar[str] = "round_robin"
    simulated: ClassVar[bool] = False

    def __init__(self, costs: CostTable | None = None) -> None:
        self.costs = costs
        self._now_ps = 0

    def now(self) -> float:
        """Seconds of the machine's clock; with a table, of all steps so far."""
        return perf_counter() if self.costs is None else self._now_ps / PS_PER_SECOND

    @property
    def picoseconds(self) -> int:
        """Sum of all costs, exactly; 0 without a table."""
        return self._now_ps

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:
        """Let time pass; see `Clock.spend`."""
        self._now_ps += int(picoseconds)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self._now_ps

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment; see `Clock.rewind`."""
        assert isinstance(mark, int)
        self._now_ps = mark

    def run(self, workers: Workers) -> list[int]:
        """Step workers in turn; see `Clock.run`.

        Raises
        ------
        ValueError
            If the workers exchange messages: they have no time here at which those could arrive.
        RuntimeError
            If all workers that have not ended wait for each other: an error in the strategy.
        """
        if workers.network is not None:
            raise ValueError("workers that exchange messages cannot take turns: use the virtual clock")
        count = len(workers.addresses)
        headers = np.array(workers.addresses, np.int64)
        counters = np.array(workers.wake_counters, np.int64)
        asleep, results = np.full(count, _AWAKE, np.int64), np.zeros(count, np.int64)
        places = [int(array.ctypes.data) for array in (headers, asleep, results)]
        total = run_in_turn(
            workers.step.address, workers.shared, *places, count, int(counters.ctypes.data), len(counters)
        )
        if total == STUCK:
            raise RuntimeError(f"{int((results == 0).sum())} of {count} workers wait for each other for ever")
        if self.costs is not None:
            self._now_ps += total
        return [int(result) for result in results]
