"""Components: transactions that hang together by what one writes and another reads, found by all workers at once.

Union-find over transactions. Each piece of the block is joined by one worker, all pieces at the same time: of two
roots the later transaction is hooked under the earlier one by a compare-and-swap, and if that fails, because somebody
has hooked it first, both roots are looked for again (Anderson and Woll, "Wait-free parallel algorithms for the
union-find problem", STOC 1991; Jayanti and Tarjan, "A randomized concurrent algorithm for disjoint set union", PODC
2016). Their bounds need a random order of the roots; here it is the block's, so that a root is the first transaction of
its component whoever was faster. Predecessors come before their transaction and pieces are joined in the block's
order, so that the new one is nearly always a root of its own, and paths stay short.

Paths are halved by plain stores (Jaiganesh and Burtscher, "A high-performance connected components implementation for
GPUs", HPDC 2018). A node that is no root never becomes one again, and what it pointed to stays above it for ever; so a
store that comes late can lengthen a path, and cut none. Parents come before their children in the block: no cycles.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import stack_buffer, view_i64, view_u64
from contend.strategies.accounting import spend
from contend.strategies.block_stm.hint_table import hint_of
from contend.strategies.clocks import cost_table
from contend.strategies.planned.access_order import first_of_chunk, starts_of, sum_up, writers_of

COST_JOIN, COST_PACK = cost_table.JOIN, cost_table.PACK_TRANSACTION
# So many predecessors of a transaction are told apart; the others may be listed more than once.
_REMEMBERED = 8


@macro
def parents_of(shared, partition):
    """View of the union-find's parents."""
    return view_u64(partition.parents, shared.block_size)


@kernel()
def find_root(parents, node):
    """Root of a node's component, as it is now; the path is halved."""
    while True:
        parent = atomics.load(parents, node)
        if parent == U(node):
            return node
        above = atomics.load(parents, I(parent))
        if above == parent:
            return I(parent)
        check(above < parent)
        atomics.store(parents, node, above)
        node = I(above)


@kernel()
def unite(parents, one, other):
    """Make one component of those of two nodes."""
    one, other = find_root(parents, one), find_root(parents, other)
    while one != other:
        low, high = min(one, other), max(one, other)
        if atomics.compare_and_swap(parents, high, U(high), U(low)) == U(high):
            return
        one, other = find_root(parents, high), find_root(parents, low)


@macro
def edges_of(partition):
    """View of predecessors by place, and later of edges."""
    return view_u64(partition.edges, partition.access_room)


@kernel()
def _list_predecessors(writers, predecessors, place, count, txn_idx):
    """List a transaction's last writers, each once; how many there are."""
    kept = 0
    for i in range(count):
        writer = writers[U(place + i)]
        is_new = writer != U0 and writer != U(txn_idx + 1)
        for k in range(max(0, kept - _REMEMBERED), kept):
            is_new &= predecessors[U(place + k)] != writer
        if is_new:
            predecessors[U(place + kept)] = writer
            kept += 1
    return kept


@kernel()
def join_predecessors(shared, worker, partition, chunk):
    """Join the transactions of one piece of the block with their predecessors."""
    parents, writers, predecessors = parents_of(shared, partition), writers_of(partition), edges_of(partition)
    places, counts = view_i64(partition.places, shared.block_size), view_i64(partition.predecessors, shared.block_size)
    joined = 0
    for txn_idx in range(first_of_chunk(shared, partition, chunk), first_of_chunk(shared, partition, chunk + 1)):
        place = places[U(txn_idx)]
        count = _list_predecessors(writers, predecessors, place, hint_of(shared, txn_idx).count, txn_idx)
        counts[U(txn_idx)] = count
        joined += count
        for i in range(count):
            unite(parents, txn_idx, I(predecessors[U(place + i)]) - 1)
    spend(shared, worker, COST_JOIN, joined)


@kernel()
def sort_members(shared, worker, partition, chunk):
    """Find the components of one piece of the block, and sort it by shard of the root, in the block's order."""
    parents, members = parents_of(shared, partition), view_i64(partition.members, shared.block_size)
    first, last = first_of_chunk(shared, partition, chunk), first_of_chunk(shared, partition, chunk + 1)
    at, mask = stack_buffer(64), U(partition.shards - 1)
    for shard in range(partition.shards):
        at[U(shard)] = U0
    for txn_idx in range(first, last):
        root = U(find_root(parents, txn_idx))
        atomics.store(parents, txn_idx, root)
        at[root & mask] += U(1)
    sum_up(starts_of(partition, chunk), at, partition.shards, first)
    for txn_idx in range(first, last):
        shard = atomics.load(parents, txn_idx) & mask
        members[at[shard]] = txn_idx
        at[shard] += U(1)
    spend(shared, worker, COST_PACK, last - first)
