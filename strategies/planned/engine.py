"""Engine of planned strategies: execute any plan, find what strayed from its hints, and repair it.

The plan says who executes each transaction's first incarnation, and when. During that phase a worker reads whatever
is in multi-version memory and validates nothing. When the plan is through, the block is handed to Block-STM's
scheduler with every transaction executed and none validated: read sets are validated by all workers, and what was
wrong is aborted and executed again as ever; where the plan had it executed, it counts as a repair. A plan that was
right costs one validation a transaction and no abort; one that was wrong costs what Block-STM would have cost; none can
give another result than Block-STM does, and that is the serial one.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import Native, kernel, native
from contend.evm.runtime.memory_views import call_2, view_i64, view_u64
from contend.strategies.accounting import end_step, spend
from contend.strategies.base import Outcome
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.incarnation import ANSWERED, answer_read, record
from contend.strategies.block_stm.layout import SHARED, TASK_NONE, WORKER
from contend.strategies.block_stm.scheduler import end_task, set_executed_status, transaction_of, try_incarnate
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.worker import PHASE_FINISH, PHASE_READ, PHASE_TASK, begin_execution, run_to_need
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS, Workspace
from contend.strategies.clocks import ACT_PLAN, ACT_SCHEDULE, FAILED, IDLE, WORKED, cost_table
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, TEMPLATE, TRUTH
from contend.strategies.hints.predicted_sets import Hints, collect_hints
from contend.strategies.planned.layout import PLAN, PLAN_WORKER
from contend.strategies.planned.plan import Plan, PlanArrays

COST_TASK, COST_RELEASE = cost_table.TASK, cost_table.RELEASE

NOTHING_YET, NOTHING_LEFT = -1, -2


@kernel()
def _next_in_lane(plan, own):
    """The next transaction of the worker's lane, or of the next lane that has no worker."""
    starts = view_i64(plan.lane_starts, plan.lane_count + 1)
    while own.lane_next == own.lane_end:
        lane = I(atomics.add(plan, "next_lane", U1))
        if lane >= plan.lane_count:
            return I(NOTHING_LEFT)
        own.lane_next = starts[U(lane)]
        own.lane_end = starts[U(lane + 1)]
    position = own.lane_next
    own.lane_next = position + 1
    return view_i64(plan.lanes, plan.size)[U(position)]


@kernel()
def _next_ready(plan, own):
    """The transaction behind the worker's ticket in the queue of those whose predecessors have finished."""
    if own.ticket == 0:
        own.ticket = I(atomics.add(plan, "ready_head", U1)) + 1
    position = own.ticket - 1
    if position >= plan.size:
        return I(NOTHING_LEFT)
    found = I(atomics.load(view_u64(plan.ready, plan.size), position))
    if found == 0:
        return I(NOTHING_YET)
    own.ticket = 0
    return found - 1


@kernel()
def _release_successors(shared, worker, txn_idx):
    """One predecessor less for those that wait for a transaction; who waits for none any more is ready."""
    plan = PLAN.at(shared.own)
    starts = view_i64(plan.successor_starts, shared.block_size + 1)
    successors = view_i64(plan.successors, plan.successor_count)
    waits = view_u64(plan.waits, shared.block_size)
    ready = view_u64(plan.ready, plan.size)
    first, last = starts[U(txn_idx)], starts[U(txn_idx + 1)]
    spend(shared, worker, COST_RELEASE, last - first)
    for i in range(first, last):
        successor = successors[U(i)]
        before = atomics.subtract(waits, successor, U1)
        check(before != U0)
        if before == U1:
            position = I(atomics.add(plan, "ready_tail", U1))
            atomics.store(ready, position, U(successor + 1))


@kernel()
def _open_validation(shared):
    """The plan is through: let the scheduler validate everything, and execute what the plan left out."""
    atomics.store(shared, "execution_idx", U(PLAN.at(shared.own).missing))
    atomics.store(shared, "validation_idx", U0)
    atomics.add(shared, "decrease_cnt", U1)
    end_task(shared)


@kernel()
def _finish_planned(shared, worker):
    fitted, _ = record(shared, worker)
    if not fitted:
        return FAILED
    plan = PLAN.at(shared.own)
    transaction_of(shared, worker.txn_idx).is_planned = U1
    set_executed_status(shared, worker)
    worker.task = TASK_NONE
    worker.phase = PHASE_TASK
    if plan.lane_count == 0:
        _release_successors(shared, worker, worker.txn_idx)
    left = atomics.subtract(plan, "left", U1)
    check(left != U0)
    if left == U1:
        _open_validation(shared)
    return WORKED


@kernel()
def _follow_plan(shared, worker):
    """One step of a worker while the plan lasts."""
    phase = worker.phase
    if has_fault(shared):
        return FAILED
    if phase == PHASE_READ:
        answered, _ = answer_read(shared, worker, True)
        if answered != ANSWERED:
            return FAILED
        return run_to_need(shared, worker)
    if phase == PHASE_FINISH:
        return _finish_planned(shared, worker)
    plan, own = PLAN.at(shared.own), PLAN_WORKER.at(worker.own)
    if atomics.load(plan, "left") == U0:
        own.planning = U0
        return WORKED
    txn_idx = _next_in_lane(plan, own) if plan.lane_count != 0 else _next_ready(plan, own)
    if txn_idx < 0:
        return IDLE
    worker.activity = U(ACT_SCHEDULE)
    spend(shared, worker, COST_TASK, 1)
    if not try_incarnate(shared, worker, txn_idx):
        return WORKED
    return begin_execution(shared, worker)


@native("int64(int64, int64)")
def planned_step(shared_address, worker_address):
    """Follow the plan while it lasts; then validate and repair."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    if PLAN_WORKER.at(worker.own).planning != U0:
        return end_step(worker, _follow_plan(shared, worker))
    return call_2(PLAN.at(shared.own).speculative_step, shared_address, worker_address)


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
    own_shared = PLAN
    own_worker = PLAN_WORKER
    takes: ClassVar[tuple[str, ...]] = (DRY_RUN, TEMPLATE, DECLARED, BLOCK, TRUTH)
    wake_counters: ClassVar[tuple[str, ...]] = (*WAKE_COUNTERS, "ready_tail")

    def __init__(self) -> None:
        super().__init__()
        self._numbering = np.zeros(0, np.uint64)

    @abstractmethod
    def plan(self, hints: Hints, workers: int) -> Plan:
        """Decide who executes what after what.

        Parameters
        ----------
        hints : Hints
            From what the strategy is given: usually a dry run on the state before the block. Possibly wrong.
        workers : int
        """

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Gather hints, plan, and lay the plan out."""
        self.gather_hints(space, image, state)
        hints = self._hints(space, len(image))
        self._arrays = PlanArrays.of(self.plan(hints, len(space.workers)), len(image))
        self.spend(cost_table.PLAN_TRANSACTION, len(hints), ACT_PLAN)
        self.spend(cost_table.PLAN_LOCATION, len(hints.locations), ACT_PLAN)
        arrays, plan, shared = self._arrays, space.own_shared, space.shared
        for field, array in (
            ("lanes", arrays.lanes),
            ("lane_starts", arrays.lane_starts),
            ("waits", arrays.waits),
            ("successors", arrays.successors),
            ("successor_starts", arrays.successor_starts),
            ("ready", arrays.ready),
        ):
            plan[field] = array.ctypes.data
        plan["speculative_step"] = speculative_step.address
        plan["lane_count"] = len(arrays.lane_starts) - 1
        plan["successor_count"] = len(arrays.successors)
        plan["size"], plan["missing"] = arrays.planned, arrays.missing
        # In a graph each idle worker waits for its own position in the queue to be filled.
        self.interchangeable = len(arrays.lane_starts) > 1
        plan["ready_tail"] = arrays.ready_count
        if arrays.planned:
            plan["left"] = arrays.planned
            shared["num_active_tasks"] = 1
            shared["execution_idx"] = shared["validation_idx"] = len(image)
            space.own_workers["planning"] = 1

    def _hints(self, space: Workspace, size: int) -> Hints:
        entries = int(space.hints["count"].sum())
        if len(self._numbering) < 2 * entries:
            self._numbering = np.zeros(1 << (2 * entries).bit_length(), np.uint64)
        return collect_hints(space.hints[:size], self._numbering)

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, and what of the plan had to be repaired."""
        return space.counted(follows_plan=True) | self.hint_counters()

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        outcome = super().attempt(image, state, workers, scale)
        outcome.counters["lanes"] = max(len(self._arrays.lane_starts) - 1, 0)
        return outcome
