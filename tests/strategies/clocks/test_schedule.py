"""The clock that draws who is stepped next: repeatable, unfair in every way that it promises, and never without end."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import Native, native
from contend.evm.runtime.memory_views import call_1, view_u64
from contend.strategies.clocks import FINISHED, IDLE, Workers, preemption
from contend.strategies.clocks.schedule import CURRENT, PATIENCE, LivelockError, Schedule, preempt

LOG_WORDS = 1024
TURNS = 40


@native("int64(int64, int64)")
def log_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Note whose step it is; end after so many."""
    log, worker = view_u64(shared_address, LOG_WORDS), view_u64(worker_address, 2)
    if worker[1] == U(0):
        return FINISHED
    worker[1] -= U(1)
    log[0] += U(1)
    log[log[0]] = worker[0]
    return I(1)


@native("int64(int64, int64)")
def busy_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Work without end."""
    return I(1)


@native("int64(int64, int64)")
def idle_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Never have anything to do."""
    return I(IDLE)


@native("int64(int64, int64)")
def adding_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Read a sum and write one more, with a point of preemption in between."""
    shared, worker = view_u64(shared_address, LOG_WORDS), view_u64(worker_address, 2)
    if worker[1] == U(0):
        return FINISHED
    worker[1] -= U(1)
    seen = shared[0]
    call_1(I(shared[LOG_WORDS - 2]), I(shared[LOG_WORDS - 1]))
    shared[0] = seen + U(1)
    return I(1)


def order(schedule: Schedule, workers: int, step: Native = log_step) -> list[int]:
    """Whose the steps were."""
    log, headers = np.zeros(LOG_WORDS, np.uint64), np.zeros((workers, 2), np.uint64)
    headers[:, 0], headers[:, 1] = np.arange(workers), TURNS
    log[LOG_WORDS - 2], log[LOG_WORDS - 1] = preempt.address, CURRENT.ctypes.data
    addresses = [int(header.ctypes.data) for header in headers]
    ended = schedule.run(Workers(step, int(log.ctypes.data), addresses))
    assert ended == [FINISHED] * workers
    return [int(number) for number in log[1 : int(log[0]) + 1]]


def test_a_step_can_be_cut_in_two() -> None:
    lost = []
    for seed in range(40):
        whole, cut, again = Schedule(seed), Schedule(seed, cut=True), Schedule(seed, cut=True)
        assert len(order(whole, 3, adding_step)) == 3 * TURNS
        assert whole.cuts == 0
        found = order(cut, 3, adding_step)
        assert (found, cut.steps, cut.cuts) == (order(again, 3, adding_step), again.steps, again.cuts)
        assert CURRENT[0] == 0
        lost.append(3 * TURNS - len(found))
        # An addition is lost only where another step was made in the middle of one.
        assert (lost[-1] > 0) <= (cut.cuts > 0)
    # Some seeds cut at every point, some at none.
    assert min(lost) < 10
    assert max(lost) > TURNS


def test_a_seed_is_an_interleaving() -> None:
    found = {seed: order(Schedule(seed), 3) for seed in range(50)}
    for seed, steps in found.items():
        assert order(Schedule(seed), 3) == steps
        assert sorted(steps) == sorted(list(range(3)) * TURNS)
    assert len({tuple(steps) for steps in found.values()}) == len(found)


def test_workers_are_starved_and_run_alone_and_in_turn() -> None:
    starved = alone = in_turn = 0
    for seed in range(300):
        steps = np.array(order(Schedule(seed), 3))
        first_of = [int(np.flatnonzero(steps == worker)[0]) for worker in range(3)]
        starved += max(first_of) >= TURNS
        alone += any((steps[at : at + 15] == steps[at]).all() for at in range(TURNS))
        pairs = steps[:-2] == steps[2:]
        apart = steps[:-1] != steps[1:]
        turns = pairs & apart[:-1]
        in_turn += any(turns[at : at + 15].all() for at in range(TURNS))
    # Uniform choices among three would do the first in 1 of 10**5, the others in fewer than 1 of 300.
    assert starved >= 5
    assert alone >= 30
    assert in_turn >= 30


def test_workers_that_do_nothing_for_ever_are_a_named_error() -> None:
    with pytest.raises(LivelockError, match=f"{2 * PATIENCE:,} steps in a row in which no worker did anything"):
        order(Schedule(1), 2, idle_step)


def test_workers_that_work_without_end_are_a_named_error() -> None:
    schedule = Schedule(1, most_steps=10_000)
    with pytest.raises(LivelockError, match="10,000 steps, and workers are still at work"):
        order(schedule, 2, busy_step)
    assert schedule.steps == 10_000


def test_every_atomic_operation_has_its_place_among_the_points_of_preemption() -> None:
    def public(module: ModuleType) -> set[str]:
        return {name for name, value in vars(module).items() if getattr(value, "_defn", None) and name[0] != "_"}

    assert public(atomics) <= public(preemption)
