"""Engine of strategies that execute a dependency graph: sort, link, execute what is ready, validate behind.

A worker looks for something to do in this order: accesses to sort, then to link, until the graph is whole; the
successor that it has kept; a validation; the lowest ready transaction; one that may begin early (`early`). So the graph
grows first, by all workers at once, but nobody waits for it: who finds a chunk not sorted yet executes what is ready.

A worker that has executed a transaction keeps the lowest of those that became ready by it, and goes on with that. So
what Grevm calls a group, a chain in which each waits for the one before only, is one task of one worker, without being
looked for beforehand, and a hop along it costs no wake-up. Who waits is released when the writes are visible, before
the receipt and the read set are kept.

One worker has nobody to wait for. It is given no graph: it takes the lowest transaction each time, so that all below
have been executed, and what it reads is right.

What hints got wrong is found by validation. Who finds a transaction stale executes it again at once. Who reads a
version that is being written again meanwhile waits for it, with its machine kept: it is held by a worker, which at most
waits for one lower still, so that the lowest goes on.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import Native, kernel, native
from contend.evm.runtime.memory_views import call_2
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.executed_prefix import next_to_validate
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    answer_read,
    apply_write_set,
    look_ahead,
    record_outcome,
)
from contend.strategies.block_stm.layout import SHARED, TASK_EXECUTE, TASK_NONE, TASK_VALIDATE, WORKER
from contend.strategies.block_stm.scheduler import (
    NOTHING,
    end_task,
    is_done,
    set_executed_status,
    transaction_of,
    try_incarnate,
)
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.waiters.at_read import answer_where_it_waited, stand
from contend.strategies.block_stm.waiters.ready_set import add_ready, take_lowest
from contend.strategies.block_stm.worker import (
    OWN_PHASE,
    PHASE_ANNOUNCE,
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
    begin_execution,
    run_to_need,
)
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS as ENGINE_WAKE_COUNTERS
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import (
    ACT_PLAN,
    ACT_SCHEDULE,
    ACT_VALIDATE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WORKED,
    cost_table,
)
from contend.strategies.dependency.early import give_up, next_early
from contend.strategies.dependency.graph_memory import GraphMemory
from contend.strategies.dependency.layout import GRAPH, GRAPH_WORKER, WAKE_COUNTERS
from contend.strategies.dependency.linking import (
    has_begun,
    is_sorted,
    link_chunk,
    node_of,
    release,
    sort_chunk,
)
from contend.strategies.dependency.validating import note_stray, validate
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, TEMPLATE, TRUTH

COST_TASK, COST_SWITCH = cost_table.TASK, cost_table.SWITCH
PHASE_KEEP = OWN_PHASE


@kernel()
def _read(shared, worker, graph, own):
    if own.waits_for != 0 and worker.met_location != shared.coinbase:
        spend(shared, worker, COST_SWITCH, 1)
        answered, writer = answer_where_it_waited(shared, worker)
    else:
        answered, writer = answer_read(shared, worker, own.first != U0)
    if answered == ANSWERED:
        own.waits_for = I(0)
        return run_to_need(shared, worker)
    if answered != BLOCKED:
        return FAILED
    if own.first != U0 and not has_begun(shared, writer):
        own.waits_for = I(0)
        worker.activity = U(ACT_WAIT)
        give_up(shared, worker, graph, own, writer)
        # Who waits in place for this transaction follows it.
        atomics.add(graph, "finished", U1)
        return WORKED
    if own.waits_for == 0:
        stand(worker, own, writer)
        return WORKED
    return IDLE


@kernel()
def _finish_first(shared, worker, graph, own):
    """The first execution of a transaction has ended: release who waits for its writes, then keep what it did."""
    txn_idx = worker.txn_idx
    applied, wrote_new_location = apply_write_set(shared, worker)
    if not applied:
        note_fault(shared)
        return FAILED
    if wrote_new_location and graph.alone == U0:
        note_stray(graph, txn_idx)
    kept = release(shared, worker, graph, txn_idx)
    # For those that wait in place: its writes are there.
    atomics.add(graph, "finished", U1)
    check(own.kept == U0)
    if kept >= 0:
        if own.partition == U0:
            own.kept = U(kept + 1)
            look_ahead(shared, kept)
        else:
            # Others would wait for it, or for the partition.
            add_ready(graph, kept)
    own.first = U0
    worker.phase = PHASE_KEEP
    return WORKED


@kernel()
def _keep_outcome(shared, worker, graph):
    """Keep receipt and read set of a first execution; from then on it can be validated."""
    if not record_outcome(shared, worker):
        return FAILED
    transaction_of(shared, worker.txn_idx).is_planned = U1
    set_executed_status(shared, worker)
    worker.task = TASK_NONE
    worker.phase = PHASE_TASK
    left = atomics.subtract(graph, "left", U1)
    check(left != U0)
    if left == U1:
        end_task(shared)
    atomics.add(graph, "finished", U1)
    return WORKED


@kernel()
def _link_some(shared, worker, graph, own):
    """Link what one sorted chunk has in the worker's partition. False where there is none, or not yet."""
    if own.partition == U0:
        if I(atomics.load(graph, "next_partition")) >= graph.partition_count:
            return False
        partition = I(atomics.add(graph, "next_partition", U1))
        if partition >= graph.partition_count:
            return False
        own.partition = U(partition + 1)
        own.next_chunk = 0
    chunk = own.next_chunk
    if not is_sorted(graph, chunk):
        return False
    link_chunk(shared, worker, graph, chunk, I(own.partition) - 1)
    own.next_chunk = chunk + 1
    if chunk + 1 == graph.chunk_count:
        own.partition = U0
    return True


@kernel()
def grow(shared, worker, graph, own):
    """Sort a chunk or link one: `WORKED`, `IDLE` where there is nothing to be done for the graph, or `FAILED`."""
    worker.activity = U(ACT_PLAN)
    if I(atomics.load(graph, "next_chunk")) < graph.chunk_count:
        chunk = I(atomics.add(graph, "next_chunk", U1))
        if chunk < graph.chunk_count:
            return WORKED if sort_chunk(shared, worker, graph, chunk) else FAILED
    return WORKED if _link_some(shared, worker, graph, own) else IDLE


@kernel()
def _execute_first(shared, worker, graph, own, txn_idx):
    spend(shared, worker, COST_TASK, 1)
    # It may have begun before it was ready.
    if has_begun(shared, txn_idx) or not try_incarnate(shared, worker, txn_idx):
        return WORKED
    own.first = U1
    all_stands = graph.marks != U0 and I(atomics.load(graph, "sorted_count")) == graph.chunk_count
    node_of(graph, shared, txn_idx).is_sure = U(all_stands or graph.alone != U0)
    return begin_execution(shared, worker)


@kernel()
def _find_task(shared, worker, graph, own):
    """Find something to do, and do it but for validations, which the next step does."""
    grown = grow(shared, worker, graph, own)
    if grown != IDLE:
        return grown
    if own.kept != U0:
        kept = I(own.kept) - 1
        own.kept = U0
        own.chained += U1
        return _execute_first(shared, worker, graph, own, kept)
    worker.activity = U(ACT_SCHEDULE)
    found = next_to_validate(shared, worker, graph)
    if found != NOTHING:
        spend(shared, worker, COST_TASK, 1)
        return WORKED
    if is_done(shared):
        return FINISHED
    prefix = I(atomics.load(graph, "executed_prefix"))
    lowest = take_lowest(graph, prefix)
    if lowest < 0:
        lowest = next_early(shared, graph, prefix)
    if lowest < 0:
        return IDLE
    return _execute_first(shared, worker, graph, own, lowest)


@kernel()
def _step(shared, worker, graph, own):
    if has_fault(shared):
        return FAILED
    if worker.phase == PHASE_READ:
        return _read(shared, worker, graph, own)
    if worker.phase == PHASE_FINISH:
        return _finish_first(shared, worker, graph, own)
    if worker.phase == PHASE_KEEP:
        return _keep_outcome(shared, worker, graph)
    if worker.task == TASK_VALIDATE:
        worker.activity = U(ACT_VALIDATE)
        validate(shared, worker, graph, own)
        return WORKED
    return _find_task(shared, worker, graph, own)


@native("int64(int64, int64)")
def graph_step(shared_address, worker_address):
    """One step of a worker; to execute again is Block-STM's."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    graph, own = GRAPH.at(shared.own), GRAPH_WORKER.at(worker.own)
    if own.first == U0:
        finishing = worker.phase == PHASE_FINISH or worker.phase == PHASE_ANNOUNCE
        if finishing or (worker.phase == PHASE_TASK and worker.task == TASK_EXECUTE):
            result = call_2(graph.speculative_step, shared_address, worker_address)
            # Who waits for what is executed again looks once more.
            if finishing:
                atomics.add(graph, "finished", U1)
            return result
    return end_step(worker, _step(shared, worker, graph, own))


class GraphStrategy(OptimisticStrategy):
    """A strategy that executes the dependency graph of its hints.

    Attributes
    ----------
    exclusive : bool
        Whether a writer waits for the readers before it, too.
    marks_writes : bool
        Whether what is expected to be written is marked as such when a chunk is sorted; what begins early needs that.
    early_per_worker : int
        How many transactions a worker, behind the executed prefix, may begin that are not ready; 0 for none.
    """

    step: ClassVar[Native] = graph_step
    own_shared = GRAPH
    own_worker = GRAPH_WORKER
    takes: ClassVar[tuple[str, ...]] = (BLOCK, TEMPLATE, DRY_RUN, DECLARED, TRUTH)
    wake_counters: ClassVar[tuple[str, ...]] = (*ENGINE_WAKE_COUNTERS, *WAKE_COUNTERS)
    # Who waits for a version that is written again, or for a chunk of its partition, waits for nothing else.
    interchangeable = False
    exclusive: ClassVar[bool] = False
    marks_writes: ClassVar[bool] = False
    early_per_worker: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._memory: GraphMemory | None = None

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """Workspace with room for the graph; see `OptimisticStrategy.workspace`."""
        space = super().workspace(image, state, workers, scale)
        if self._memory is None or self._memory.fits != space.fits:
            self._memory = GraphMemory(*space.fits)
        self._memory.fit_tails(state.capacity)
        return space

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Gather hints, and have the graph built while executing."""
        assert self._memory is not None
        self.gather_hints(space, image, state)
        if len(space.workers) == 1:
            self._memory.open_for_one(space.own_shared)
        else:
            self._memory.open(space.own_shared)
        space.own_shared["exclusive"] = self.exclusive
        space.own_shared["marks"] = self.marks_writes
        space.own_shared["early"] = self.early_per_worker * len(space.workers)
        space.own_shared["speculative_step"] = speculative_step.address
        size = len(image)
        space.own_shared["left"] = space.own_shared["lowest_stray"] = size
        space.shared["execution_idx"] = size
        # Until all have been executed once the block is not done, whatever the sweep of validations finds.
        space.shared["num_active_tasks"] = min(size, 1)

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted: what had to be repaired, and how many followed on their predecessor."""
        own = {name: int(np.sum(space.own_workers[name])) for name in ("chained", "sure")}
        return space.counted(follows_plan=True) | own | self.hint_counters()
