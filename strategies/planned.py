"""The engine of planned strategies: execute any plan, find what strayed from its hints, and repair it.

The plan says who executes each transaction's first incarnation, and when. During that phase a worker reads whatever
is in multi-version memory and validates nothing. When the plan is through, the block is handed to Block-STM's
scheduler with every transaction executed and none validated: read sets are validated by all workers, and what was
wrong is aborted and executed again as ever. A plan that was right costs one validation a transaction and no abort; one
that was wrong costs what Block-STM would have cost; none can give another result than Block-STM does, and that is
the serial one.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy import uint64 as U

from evm import State, atomics, layout
from evm.image import BlockImage
from evm.jit import Native, kernel, native
from evm.pointers import call_2, view_i64, view_u64
from evm.rooms import sparse_zeros
from evm.words import U0, U1
from strategies import costs
from strategies import shared as s
from strategies.base import Outcome
from strategies.block_stm import (
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
    begin_execution,
    run_to_need,
)
from strategies.block_stm import step as speculative_step
from strategies.clocks import ACT_PLAN, ACT_SCHEDULE
from strategies.hints import H_WORDS, Hints, collect_hints, hint_step
from strategies.incarnation import ANSWERED, answer, end_step, finish, has_fault, open_shared, open_worker, spend
from strategies.optimistic import OptimisticStrategy, Workspace
from strategies.plan import Plan, PlanArrays
from strategies.scheduler import TASK_NONE, mark_executed, try_execute

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
COST_TASK = costs.TASK

HINTS_PER_TRANSACTION = 64
SPARE_HINTS = 1 << 16
NOTHING_YET, NOTHING_LEFT = -1, -2
COST_RELEASE = costs.RELEASE


@kernel()
def _next_in_lane(shared, worker):
    """The next transaction of the worker's lane, or of the next lane that has no worker."""
    starts = view_i64(I(shared[U(s.S_LANE_STARTS)]), I(shared[U(s.S_LANE_COUNT)]) + 1)
    while worker[U(s.W_LANE_AT)] == worker[U(s.W_LANE_END)]:
        lane = I(atomics.add(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_LANE, U1))
        if lane >= I(shared[U(s.S_LANE_COUNT)]):
            return NOTHING_LEFT
        worker[U(s.W_LANE_AT)] = U(starts[U(lane)])
        worker[U(s.W_LANE_END)] = U(starts[U(lane + 1)])
    at = worker[U(s.W_LANE_AT)]
    worker[U(s.W_LANE_AT)] = at + U1
    return view_i64(I(shared[U(s.S_LANES)]), I(shared[U(s.S_PLAN_SIZE)]))[at]


@kernel()
def _next_ready(shared, worker):
    """The transaction behind the worker's ticket in the queue of those whose predecessors have finished."""
    if worker[U(s.W_LANE_AT)] == U0:
        head = atomics.add(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_READY_HEAD, U1)
        worker[U(s.W_LANE_AT)] = head + U1
    ticket = I(worker[U(s.W_LANE_AT)]) - 1
    if ticket >= I(shared[U(s.S_PLAN_SIZE)]):
        return NOTHING_LEFT
    found = I(atomics.load(view_u64(I(shared[U(s.S_READY)]), I(shared[U(s.S_PLAN_SIZE)])), ticket))
    if found == 0:
        return NOTHING_YET
    worker[U(s.W_LANE_AT)] = U0
    return found - 1


@kernel()
def _release_successors(shared, worker, transaction):
    counters = view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT)
    starts = view_i64(I(shared[U(s.S_SUCCESSOR_STARTS)]), I(shared[U(s.S_SIZE)]) + 1)
    successors = view_i64(I(shared[U(s.S_SUCCESSORS)]), I(shared[U(s.S_SUCCESSOR_COUNT)]))
    waits = view_u64(I(shared[U(s.S_GRAPH_WAITS)]), I(shared[U(s.S_SIZE)]))
    ready = view_u64(I(shared[U(s.S_READY)]), I(shared[U(s.S_PLAN_SIZE)]))
    first, last = starts[U(transaction)], starts[U(transaction + 1)]
    spend(shared, worker, COST_RELEASE, last - first)
    for i in range(first, last):
        successor = successors[U(i)]
        if atomics.subtract(waits, successor, U1) == U1:
            place = I(atomics.add(counters, s.C_READY_TAIL, U1))
            atomics.store(ready, place, U(successor + 1))


@kernel()
def _open_validation(shared):
    """The plan is through: let the scheduler validate everything, and execute what the plan left out."""
    counters = view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT)
    atomics.store(counters, s.C_EXECUTION, shared[U(s.S_PLAN_MISSING)])
    atomics.store(counters, s.C_VALIDATION, U0)
    atomics.add(counters, s.C_DECREASES, U1)
    atomics.subtract(counters, s.C_ACTIVE, U1)


@kernel()
def _finish_planned(shared, worker):
    fitted, _ = finish(shared, worker)
    if not fitted:
        return s.FAILED
    transaction = I(worker[U(s.W_TRANSACTION)])
    mark_executed(shared, worker)
    worker[U(s.W_TASK)] = U(TASK_NONE)
    worker[U(s.W_PHASE)] = U(PHASE_TASK)
    if shared[U(s.S_LANE_COUNT)] == U0:
        _release_successors(shared, worker, transaction)
    if atomics.subtract(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_PLAN_LEFT, U1) == U1:
        _open_validation(shared)
    return s.WORKED


@kernel()
def _follow_plan(shared, worker):
    """One step of a worker while the plan lasts."""
    phase = I(worker[U(s.W_PHASE)])
    if has_fault(shared):
        return s.FAILED
    if phase == PHASE_READ:
        answered, _ = answer(shared, worker, True)
        if answered != ANSWERED:
            return s.FAILED
        return run_to_need(shared, worker)
    if phase == PHASE_FINISH:
        return _finish_planned(shared, worker)
    if atomics.load(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_PLAN_LEFT) == U0:
        worker[U(s.W_PLANNING)] = U0
        return s.WORKED
    has_lanes = shared[U(s.S_LANE_COUNT)] != U0
    transaction = _next_in_lane(shared, worker) if has_lanes else _next_ready(shared, worker)
    if transaction < 0:
        return s.IDLE
    worker[U(s.W_ACTIVITY)] = U(ACT_SCHEDULE)
    spend(shared, worker, COST_TASK, 1)
    if not try_execute(shared, worker, transaction):
        return s.WORKED
    return begin_execution(shared, worker)


@native("int64(int64, int64)")
def planned_step(shared_address, worker_address):
    """Follow the plan while it lasts; then validate and repair."""
    shared, worker = open_shared(shared_address), open_worker(worker_address)
    if worker[U(s.W_PLANNING)] != U0:
        return end_step(worker, _follow_plan(shared, worker))
    return call_2(I(shared[U(s.S_SPECULATIVE_STEP)]), shared_address, worker_address)


class PlannedStrategy(OptimisticStrategy):
    """A strategy that is a plan: write `plan` and nothing else.

    Examples
    --------
    >>> class Waves(PlannedStrategy):
    ...     name = "waves"
    ...
    ...     def plan(self, hints, workers):
    ...         return Plan(edges=hints.conflict_edges())
    """

    step: ClassVar[Native] = planned_step

    @abstractmethod
    def plan(self, hints: Hints, workers: int) -> Plan:
        """Decide who executes what after what.

        Parameters
        ----------
        hints : Hints
            From a dry run against the state before the block; possibly wrong.
        workers : int
        """

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Dry run, plan, and lay the plan out."""
        hints = self._dry_run(space, state)
        self._arrays = PlanArrays.of(self.plan(hints, len(space.workers)), len(image))
        self.spend(costs.PLAN_TRANSACTION, len(hints), ACT_PLAN)
        self.spend(costs.PLAN_LOCATION, len(hints.locations), ACT_PLAN)
        arrays, header, counters = self._arrays, space.header, space.counters
        for field, array in (
            (s.S_LANES, arrays.lanes),
            (s.S_LANE_STARTS, arrays.lane_starts),
            (s.S_GRAPH_WAITS, arrays.waits),
            (s.S_SUCCESSORS, arrays.successors),
            (s.S_SUCCESSOR_STARTS, arrays.successor_starts),
            (s.S_READY, arrays.ready),
        ):
            header[field] = array.ctypes.data
        header[s.S_SPECULATIVE_STEP] = speculative_step.address
        header[s.S_LANE_COUNT] = len(arrays.lane_starts) - 1
        header[s.S_SUCCESSOR_COUNT] = len(arrays.successors)
        header[s.S_PLAN_SIZE], header[s.S_PLAN_MISSING] = arrays.planned, arrays.missing
        # In a graph each idle worker waits for its own place in the queue to be filled.
        self.alike = len(arrays.lane_starts) > 1
        counters[s.C_READY_TAIL] = arrays.ready_count
        if arrays.planned:
            counters[s.C_PLAN_LEFT] = arrays.planned
            counters[s.C_ACTIVE] = 1
            counters[s.C_EXECUTION] = counters[s.C_VALIDATION] = len(image)
            space.workers[:, s.W_PLANNING] = 1

    def _dry_run(self, space: Workspace, state: State) -> Hints:
        size, workers = int(space.header[s.S_SIZE]), space.workers
        rows = np.zeros((max(size, 1), H_WORDS), np.int64)
        room = self._scale * (size * HINTS_PER_TRANSACTION + SPARE_HINTS)
        lists = [sparse_zeros(room, np.int64) for _ in workers]
        space.header[s.S_HINT_ROWS] = rows.ctypes.data
        for number, worker in enumerate(workers):
            worker[s.W_NUMBER] = number
            worker[s.W_HINTS], worker[s.W_HINTS_ROOM] = lists[number].ctypes.data, room
            space.machines[number].header[layout.M_MODE] = layout.MODE_HINT
        try:
            space.run(hint_step, self.clock)
        finally:
            for machine in space.machines:
                machine.header[layout.M_MODE] = layout.MODE_NORMAL
        workers[:, s.W_PHASE] = 0
        used = [found[: int(worker[s.W_HINT_COUNT])] for found, worker in zip(lists, workers, strict=True)]
        return collect_hints(rows[:size], used, state.count)

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        outcome = super().attempt(image, state, workers, scale)
        outcome.counters["repaired"] = outcome.counters["executions"] - len(image)
        outcome.counters["lanes"] = max(len(self._arrays.lane_starts) - 1, 0)
        return outcome
