"""Engine of planned strategies: execute any plan, find what strayed from its hints, and repair it.

The plan says who executes each transaction's first incarnation, and when. During that phase a worker reads whatever
is in multi-version memory. Behind the executed prefix of the block it is validated meanwhile, and what is wrong is
aborted and executed again at once (`strategies.block_stm.waiters.repairing`), before much is executed upon it; where
the plan had it executed, it counts as a repair. When the plan is through, Block-STM's scheduler does the rest. A plan
that was right costs one validation a transaction and no abort; none can give another result than Block-STM does, and
that is the serial one.
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
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.executed_prefix import next_to_validate
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, record
from contend.strategies.block_stm.layout import SHARED, TASK_NONE, WORKER
from contend.strategies.block_stm.scheduler import NOTHING, end_task, set_executed_status, transaction_of, try_incarnate
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.waiters.repairing import answer_standing, is_in_repair, read_again, wait_in_place
from contend.strategies.block_stm.worker import (
    PHASE_ANNOUNCE,
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
    begin_execution,
    run_to_need,
)
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS, Workspace
from contend.strategies.clocks import ACT_PLAN, ACT_SCHEDULE, FAILED, IDLE, WORKED, cost_table
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, TEMPLATE, TRUTH
from contend.strategies.hints.predicted_sets import Hints, collect_hints
from contend.strategies.planned.ahead import (
    GO_ON,
    NOBODY,
    is_ready_to_execute,
    next_ahead,
    prefers_ahead,
    wait_ahead,
)
from contend.strategies.planned.layout import EDGE_SHIFT, LOW_WORD, PARTITION, PLAN, PLAN_WORKER
from contend.strategies.planned.plan import Plan, PlanArrays

COST_TASK, COST_RELEASE = cost_table.TASK, cost_table.RELEASE

NOTHING_YET, NOTHING_LEFT = -1, -2
_EDGE_SHIFT, _LOW_WORD = U(EDGE_SHIFT), U(LOW_WORD)


@kernel()
def _next_in_lane(plan, own, size):
    """The next transaction of the worker's lane, or of the next lane that has no worker."""
    if own.lane_next == 0:
        # Looked at first: who finds nothing must not have changed anything.
        if I(atomics.load(plan, "next_lane")) >= plan.lane_count:
            return I(NOTHING_LEFT)
        lane = I(atomics.add(plan, "next_lane", U1))
        if lane >= plan.lane_count:
            return I(NOTHING_LEFT)
        own.lane_next = view_i64(plan.lanes, plan.lane_count)[U(lane)] + 1
    found = own.lane_next - 1
    own.lane_next = view_i64(plan.next_in_lane, size)[U(found)] + 1
    return found


@kernel()
def _next_ready(shared, plan):
    """Take a transaction from the queue of those whose predecessors have finished, unless it was begun ahead.

    A position of the queue is handed out before it is filled. Who meets one that is not filled looks again, and does
    not wait: filling it changes no counter.
    """
    while True:
        position = atomics.load(plan, "ready_head")
        if position >= atomics.load(plan, "ready_tail"):
            return I(NOTHING_LEFT)
        found = I(atomics.load(view_u64(plan.ready, shared.block_size), I(position))) - 1
        if found < 0:
            return I(NOTHING_YET)
        if atomics.compare_and_swap(plan, "ready_head", position, position + U1) == position:
            if is_ready_to_execute(shared, found):
                return found


@kernel()
def _next_begun_ahead(shared, plan, own):
    """The next transaction to be begun before its predecessors have finished."""
    if plan.partition == 0 or PARTITION.at(plan.partition).cut == U0:
        return I(NOTHING_LEFT)
    found = next_ahead(shared, plan)
    if found == NOBODY:
        return I(NOTHING_LEFT)
    own.is_ahead = U1
    return found


@kernel()
def _next_planned(shared, plan, own):
    """The worker's next transaction: what it has made ready itself, what another has, and then what is in lanes.

    So the dependency graph goes first: its paths are long, and lanes fill what they leave. What is not ready comes
    last, but for the few workers that begin it ahead (`strategies.planned.ahead`).
    """
    own.is_ahead = U0
    if own.own_ready != 0:
        found = own.own_ready - 1
        own.own_ready = I(0)
        return found
    found = I(NOTHING_LEFT)
    if prefers_ahead(plan):
        found = _next_begun_ahead(shared, plan, own)
    if found == NOTHING_LEFT:
        found = _next_ready(shared, plan)
    if found == NOTHING_LEFT:
        found = _next_in_lane(plan, own, shared.block_size)
    if found == NOTHING_LEFT:
        found = _next_begun_ahead(shared, plan, own)
    return found


@kernel()
def make_ready(plan, size, txn_idx):
    """Put a transaction into the queue of those whose predecessors have finished."""
    position = I(atomics.add(plan, "ready_tail", U1))
    atomics.store(view_u64(plan.ready, size), position, U(txn_idx + 1))


@kernel()
def _release_successors(shared, worker, txn_idx):
    """One predecessor less for those that wait for a transaction; who waits for none any more is ready.

    One of them is the worker's own next one: no other worker need find it, and a path of the graph goes on at once. It
    is one that others wait for, if there is one.
    """
    plan, own, size = PLAN.at(shared.own), PLAN_WORKER.at(worker.own), shared.block_size
    edges, waits = view_u64(plan.edges, plan.edge_room), view_u64(plan.waits, size)
    successors = view_u64(plan.successors, size)
    edge, released = successors[U(txn_idx)], 0
    while edge != U0:
        word = edges[edge - U1]
        successor = I(word & _LOW_WORD)
        released += 1
        before = atomics.subtract(waits, successor, U1)
        check(before != U0)
        if before == U1 and is_ready_to_execute(shared, successor):
            if own.own_ready == 0:
                own.own_ready = successor + 1
            elif successors[U(own.own_ready - 1)] == U0:
                make_ready(plan, size, own.own_ready - 1)
                own.own_ready = successor + 1
            else:
                make_ready(plan, size, successor)
        edge = word >> _EDGE_SHIFT
    if released != 0:
        atomics.add(plan, "advanced", U1)
    spend(shared, worker, COST_RELEASE, released)


@kernel()
def _open_validation(shared):
    """The plan is through: let the scheduler validate the rest, and execute what the plan left out."""
    atomics.store(shared, "execution_idx", U(PLAN.at(shared.own).missing))
    atomics.add(shared, "decrease_cnt", U1)
    end_task(shared)


@kernel()
def _finish_planned(shared, worker):
    fitted, _ = record(shared, worker)
    if not fitted:
        return FAILED
    worker.phase = PHASE_ANNOUNCE
    return WORKED


@kernel()
def _announce_planned(shared, worker):
    """Let those begin, or go on, that wait for the worker's transaction, which is recorded."""
    plan = PLAN.at(shared.own)
    transaction_of(shared, worker.txn_idx).is_planned = U1
    set_executed_status(shared, worker)
    worker.task = TASK_NONE
    worker.phase = PHASE_TASK
    _release_successors(shared, worker, worker.txn_idx)
    if U(worker.txn_idx) <= atomics.load(plan, "executed_prefix"):
        # There is something to validate. Who is told by nobody since the prefix moves at this moment comes to it later.
        atomics.add(plan, "news", U1)
    left = atomics.subtract(plan, "left", U1)
    check(left != U0)
    if left == U1:
        _open_validation(shared)
    return WORKED


@kernel()
def _follow_plan(shared, worker):
    """One step of a worker while the plan lasts."""
    phase, plan, own = worker.phase, PLAN.at(shared.own), PLAN_WORKER.at(worker.own)
    if has_fault(shared):
        return FAILED
    if phase == PHASE_READ:
        if own.waits_for == 0:
            waited = wait_ahead(shared, worker, plan, own)
            if waited != GO_ON:
                return waited
        answered, writer = answer_standing(shared, worker, own, True)
        if answered == ANSWERED:
            own.waits_for = I(0)
            return run_to_need(shared, worker)
        return wait_in_place(worker, own, writer) if answered == BLOCKED else FAILED
    if phase == PHASE_FINISH:
        return _finish_planned(shared, worker)
    if phase == PHASE_ANNOUNCE:
        return _announce_planned(shared, worker)
    if atomics.load(plan, "left") == U0:
        own.planning = U0
        return WORKED
    if own.own_ready == 0:
        worker.activity = U(ACT_SCHEDULE)
        if next_to_validate(shared, worker, plan) != NOTHING:
            spend(shared, worker, COST_TASK, 1)
            return WORKED
    txn_idx = _next_planned(shared, plan, own)
    if txn_idx == NOTHING_LEFT:
        return IDLE
    worker.activity = U(ACT_SCHEDULE)
    spend(shared, worker, COST_TASK, 1)
    if txn_idx == NOTHING_YET:
        return WORKED
    if not try_incarnate(shared, worker, txn_idx):
        return WORKED
    return begin_execution(shared, worker)


@native("int64(int64, int64)")
def planned_step(shared_address, worker_address):
    """Follow the plan while it lasts; then validate and repair."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    plan, own = PLAN.at(shared.own), PLAN_WORKER.at(worker.own)
    if own.planning != U0:
        if not is_in_repair(worker):
            return end_step(worker, _follow_plan(shared, worker))
        if worker.phase == PHASE_READ:
            return end_step(worker, read_again(shared, worker, own))
    finishing = worker.phase == PHASE_FINISH or worker.phase == PHASE_ANNOUNCE
    result = call_2(plan.speculative_step, shared_address, worker_address)
    # Who stands at a read looks once more.
    if finishing:
        atomics.add(plan, "news", U1)
    return result


class PlanFollower(OptimisticStrategy):
    """A strategy whose workers follow a plan first; `prepare` makes it."""

    step: ClassVar[Native] = planned_step
    own_shared = PLAN
    own_worker = PLAN_WORKER
    takes: ClassVar[tuple[str, ...]] = (DRY_RUN, TEMPLATE, DECLARED, BLOCK, TRUTH)
    wake_counters: ClassVar[tuple[str, ...]] = (*WAKE_COUNTERS, "ready_tail", "news")
    # Who stands at a read waits for one transaction.
    interchangeable = False

    def begin(self, space: Workspace, planned: int, missing: int) -> None:
        """Let the workers begin with the plan.

        Parameters
        ----------
        space : Workspace
        planned : int
            Transactions in the plan.
        missing : int
            The first one of the block that is not; the block's size if there is none.
        """
        plan, shared = space.own_shared, space.shared
        plan["speculative_step"] = speculative_step.address
        plan["size"], plan["missing"] = planned, missing
        if planned:
            plan["left"] = planned
            shared["num_active_tasks"] = 1
            shared["execution_idx"] = int(shared["block_size"])
            space.own_workers["planning"] = 1

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, and what of the plan had to be repaired."""
        return space.counted(follows_plan=True) | self.hint_counters() | {"lanes": int(space.own_shared["lane_count"])}


class PlannedStrategy(PlanFollower):
    """A strategy that is a plan in Python: write `plan` and nothing else.

    Examples
    --------
    >>> class Waves(PlannedStrategy):
    ...     name = "waves"
    ...
    ...     def plan(self, hints, workers):
    ...         return Plan(edges=hints.conflict_edges())
    """

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
        arrays, plan = self._arrays, space.own_shared
        for field, array in (
            ("lanes", arrays.lanes),
            ("next_in_lane", arrays.next_in_lane),
            ("waits", arrays.waits),
            ("successors", arrays.successors),
            ("edges", arrays.edges),
            ("ready", arrays.ready),
        ):
            plan[field] = array.ctypes.data
        plan["lane_count"], plan["edge_room"] = len(arrays.lanes), len(arrays.edges)
        plan["ready_tail"] = arrays.ready_count
        self.begin(space, arrays.planned, arrays.missing)

    def _hints(self, space: Workspace, size: int) -> Hints:
        entries = int(space.hints["count"].sum())
        if len(self._numbering) < 2 * entries:
            self._numbering = np.zeros(1 << (2 * entries).bit_length(), np.uint64)
        return collect_hints(space.hints[:size], self._numbering)
