"""Packing: components become lanes, and the transactions of those that are too large a dependency graph.

Each worker takes shards of components, and links the transactions of each in the block's order. A component of no more
gas than `most_gas` is a lane: one worker executes it from end to end, and nobody waits. Components that are far smaller
are packed together into one lane, so that a worker comes for the next one seldom. Lanes are taken by whoever is free,
the class with the costliest first: Graham's LPT rule ("Bounds on multiprocessing timing anomalies", 1969), with classes
of an eighth instead of an exact order, and with the time that lanes really take instead of the gas that was foretold.

A component of more gas would keep one worker busy when all others have finished. It is cut: its transactions are put
into a dependency graph, which is executed as a list schedule (ibid.) is, no worker idle while one of them is ready,
and by workers that would be idle ahead of that (`ahead`).
"""

from __future__ import annotations

from contend.evm.layout import BLOCK, MACHINE, TRANSACTION
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64, view_u64
from contend.strategies.accounting import spend
from contend.strategies.block_stm.hint_table import hint_of
from contend.strategies.clocks import cost_table
from contend.strategies.planned.access_order import first_of_chunk, starts_of
from contend.strategies.planned.components import edges_of, parents_of
from contend.strategies.planned.engine import make_ready
from contend.strategies.planned.layout import EDGE_SHIFT, END_OF_LANE, LANE_CLASSES, PLAN

COST_PACK, COST_LINK = cost_table.PACK_TRANSACTION, cost_table.LINK_EDGE
_SHIFT = U(EDGE_SHIFT)
NO_LANE = -1


@kernel()
def expected_gas(shared, worker, txn_idx):
    """Gas that a transaction may use: as hinted, or its limit where nothing is known."""
    hinted = hint_of(shared, txn_idx).gas
    if hinted > 0:
        return hinted
    block = BLOCK.at(MACHINE.at(worker.machine).block)
    return TRANSACTION.item(block.transactions, block.size, txn_idx).gas_limit


@kernel()
def _add_lane(partition, size, lane, gas):
    """Put a lane into its class; nobody takes lanes yet."""
    kind = min(gas * LANE_CLASSES // max(partition.most_gas, 1), LANE_CLASSES - 1)
    classes = partition.lane_classes
    before = atomics.exchange(classes, kind, U(lane + 1))
    view_i64(partition.lane_links, size)[U(lane)] = I(before)


@kernel()
def _link_members(shared, worker, partition, shard, roots):
    """Link the transactions of a shard's components in order, and sum up their gas; how many components there are.

    They are listed in `roots`, in places of the shard's transactions that were read already.
    """
    size = shared.block_size
    parents, next_in_lane = parents_of(shared, partition), view_i64(PLAN.at(shared.own).next_in_lane, size)
    weights, tails = view_i64(partition.weights, size), view_i64(partition.tails, size)
    found, members = I(NO_LANE), view_i64(partition.members, size)
    total = 0
    for chunk in range(partition.chunks):
        starts = starts_of(partition, chunk)
        first, last = starts[U(shard)], starts[U(shard + 1)]
        total += last - first
        for i in range(first, last):
            txn_idx = members[U(i)]
            root = I(parents[U(txn_idx)])
            gas = expected_gas(shared, worker, txn_idx)
            next_in_lane[U(txn_idx)] = END_OF_LANE
            # The root is the component's first transaction.
            if root == txn_idx:
                weights[U(root)] = gas
                roots[U(root)] = found
                found = root
            else:
                weights[U(root)] += gas
                next_in_lane[U(tails[U(root)])] = txn_idx
            tails[U(root)] = txn_idx
    spend(shared, worker, COST_PACK, total)
    return found


@kernel()
def pack_components(shared, worker, partition, shard):
    """Make lanes of the components of one shard."""
    size = shared.block_size
    next_in_lane = view_i64(PLAN.at(shared.own).next_in_lane, size)
    weights, tails, roots = (
        view_i64(partition.weights, size),
        view_i64(partition.tails, size),
        view_i64(partition.lane_links, size),
    )
    root = _link_members(shared, worker, partition, shard, roots)
    least_gas = partition.most_gas // LANE_CLASSES
    open_lane, open_gas = I(NO_LANE), I(0)
    while root != NO_LANE:
        following, gas = roots[U(root)], weights[U(root)]
        if gas > least_gas:
            if gas <= partition.most_gas:
                _add_lane(partition, size, root, gas)
            else:
                atomics.add(partition, "cut", U1)
        else:
            if open_lane == NO_LANE:
                open_lane, open_gas = root, I(0)
            else:
                next_in_lane[U(tails[U(open_lane)])] = root
                tails[U(open_lane)] = tails[U(root)]
            open_gas += gas
            if open_gas > least_gas:
                _add_lane(partition, size, open_lane, open_gas)
                open_lane = I(NO_LANE)
        root = following
    if open_lane != NO_LANE:
        _add_lane(partition, size, open_lane, open_gas)


@kernel()
def list_lanes(shared, partition):
    """List the lanes in the order in which they are taken: by the one worker that has packed last."""
    plan, size = PLAN.at(shared.own), shared.block_size
    lanes, links = view_i64(plan.lanes, size), view_i64(partition.lane_links, size)
    classes, count = partition.lane_classes, 0
    for back in range(LANE_CLASSES):
        lane = I(classes[U(LANE_CLASSES - 1 - back)])
        while lane != 0:
            lanes[U(count)] = lane - 1
            count += 1
            lane = links[U(lane - 1)]
    plan.lane_count = I(count)


@kernel()
def link_edges(shared, worker, partition, chunk):
    """Put those transactions of one piece of the block into the graph that are in components that are cut."""
    plan, size = PLAN.at(shared.own), shared.block_size
    parents, edges = parents_of(shared, partition), edges_of(partition)
    weights, places = view_i64(partition.weights, size), view_i64(partition.places, size)
    counts, waits = view_i64(partition.predecessors, size), view_u64(plan.waits, size)
    successors = view_u64(plan.successors, size)
    linked = 0
    for txn_idx in range(first_of_chunk(shared, partition, chunk), first_of_chunk(shared, partition, chunk + 1)):
        if weights[parents[U(txn_idx)]] <= partition.most_gas:
            continue
        place, count = places[U(txn_idx)], counts[U(txn_idx)]
        waits[U(txn_idx)] = U(count)
        for i in range(count):
            predecessor = I(edges[U(place + i)]) - 1
            before = atomics.exchange(successors, predecessor, U(place + i + 1))
            edges[U(place + i)] = (before << _SHIFT) | U(txn_idx)
        linked += count + 1
        if count == 0:
            make_ready(plan, size, txn_idx)
    spend(shared, worker, COST_LINK, linked)
