"""Partition in kernels: from the hint table to a plan of lanes and a dependency graph, by all workers.

Five stages, or six, each a number of tasks that workers take one by one. Who ends the last task of a stage opens the
next; who finds no task left waits for it.

    sort     a piece of the block: its accesses by shard of the location (`access_order`)
    order    a shard of locations: who has written last before each access (`access_order`)
    join     a piece: each transaction into one component with its predecessors (`components`)
    gather   a piece: its transactions by shard of the component (`components`)
    pack     a shard of components: lanes (`packing`)
    link     a piece: the edges of what was cut (`packing`); only if anything was

Memory order. A task's effects are before its worker's `finished` (a read-modify-write), that of the last worker comes
after all of them, and it opens the next stage by a releasing store of `cursor`; who takes a task of that stage has read
it. So between stages everything is seen, and within one workers write to different words: pieces and shards of their
own. What several write is atomic: the union-find's parents, the lists of edges and of lanes, a few counters.

`cursor` holds stage and next task in one word, so that a worker that comes late takes a task of the stage there is now,
and never one of a stage that is over.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.accounting import end_step
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, IDLE, WORKED
from contend.strategies.planned.access_order import find_last_writers, first_of_chunk, sort_accesses
from contend.strategies.planned.components import join_predecessors, parents_of, sort_members
from contend.strategies.planned.layout import EDGE_SHIFT, LOW_WORD, PARTITION, PLAN
from contend.strategies.planned.packing import expected_gas, link_edges, list_lanes, pack_components

STAGE_SORT, STAGE_ORDER, STAGE_JOIN, STAGE_GATHER, STAGE_PACK, STAGE_LINK, STAGE_OVER = range(7)
NO_TASK = -1
# A component of more than this share of what each worker has on average is cut: since the graph goes first, a lane is
# begun late, and a long one would end alone.
LANES_PER_WORKER = 4
# Of a small block that is less than a transaction or two, and nothing is won by cutting a component of two.
UNCUT_TRANSACTIONS = 2
_SHIFT, _LOW = U(EDGE_SHIFT), U(LOW_WORD)


@kernel()
def _tasks_of(partition, stage):
    """How many tasks a stage has."""
    if stage == STAGE_ORDER or stage == STAGE_PACK:
        return partition.shards
    return I(0) if stage == STAGE_OVER else partition.chunks


@kernel()
def _take_task(partition):
    """Take a task: the stage, and the task's number or `NO_TASK`."""
    seen = atomics.load(partition, "cursor")
    # Looked at first: who finds nothing must not have changed anything.
    if I(seen & _LOW) >= _tasks_of(partition, I(seen >> _SHIFT)):
        return I(seen >> _SHIFT), I(NO_TASK)
    taken = atomics.add(partition, "cursor", U1)
    stage, task = I(taken >> _SHIFT), I(taken & _LOW)
    if task >= _tasks_of(partition, stage):
        return stage, I(NO_TASK)
    return stage, task


@kernel()
def _open_chunk(shared, worker, partition, chunk):
    """Forget what memory holds of the block before, and sum up gas."""
    plan, size, gas = PLAN.at(shared.own), shared.block_size, I(0)
    parents, waits = parents_of(shared, partition), view_u64(plan.waits, size)
    successors, ready = view_u64(plan.successors, size), view_u64(plan.ready, size)
    for txn_idx in range(first_of_chunk(shared, partition, chunk), first_of_chunk(shared, partition, chunk + 1)):
        parents[U(txn_idx)] = U(txn_idx)
        waits[U(txn_idx)] = successors[U(txn_idx)] = ready[U(txn_idx)] = U0
        gas += expected_gas(shared, worker, txn_idx)
    atomics.add(partition, "gas", U(gas))


@kernel()
def _do_task(shared, worker, partition, stage, task):
    if stage == STAGE_SORT:
        _open_chunk(shared, worker, partition, task)
        sort_accesses(shared, worker, partition, task)
    elif stage == STAGE_ORDER:
        find_last_writers(shared, worker, partition, task)
    elif stage == STAGE_JOIN:
        join_predecessors(shared, worker, partition, task)
    elif stage == STAGE_GATHER:
        sort_members(shared, worker, partition, task)
    elif stage == STAGE_PACK:
        pack_components(shared, worker, partition, task)
    else:
        link_edges(shared, worker, partition, task)


@kernel()
def _most_gas_of_lane(shared, partition):
    """Gas of the largest component that is not cut. One worker needs no graph."""
    gas = I(partition.gas)
    if partition.workers == 1:
        return gas
    least = UNCUT_TRANSACTIONS * gas // max(shared.block_size, 1)
    return max(gas // (partition.workers * LANES_PER_WORKER), least)


@kernel()
def _close_stage(shared, partition, stage):
    """All tasks of a stage are done: open the next one."""
    following = stage + 1
    if stage == STAGE_SORT:
        partition.most_gas = _most_gas_of_lane(shared, partition)
    elif stage == STAGE_PACK:
        list_lanes(shared, partition)
        if partition.cut == U0:
            following = STAGE_OVER
    partition.finished = U0
    atomics.store(partition, "cursor", U(following) << _SHIFT)
    atomics.add(PLAN.at(shared.own), "stage", U1)


@kernel()
def _partition(shared, worker):
    if has_fault(shared):
        return FAILED
    partition = PARTITION.at(PLAN.at(shared.own).partition)
    stage, task = _take_task(partition)
    if task == NO_TASK:
        return FINISHED if stage == STAGE_OVER else IDLE
    _do_task(shared, worker, partition, stage, task)
    before = I(atomics.add(partition, "finished", U1))
    check(before < _tasks_of(partition, stage))
    if before == _tasks_of(partition, stage) - 1:
        _close_stage(shared, partition, stage)
    return WORKED


@native("int64(int64, int64)")
def partition_step(shared_address, worker_address):
    """One task of the partition."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _partition(shared, worker))
