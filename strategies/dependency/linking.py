"""Dependency graph from the hint table, in two passes over it that all workers share.

Each location has a queue of the transactions that touch it, in the block's order; who stands behind another waits for
it. So a location's queue must be made by one worker at a time, and in order, while the hint table lies by transaction.
As in a radix-partitioned join (Manegold, Boncz and Kersten, 2002) the first pass sorts the accesses of each chunk of
transactions by the partition of their location, and in the second each partition belongs to one worker, who goes
through the chunks in order and needs no lock. The passes overlap each other and execution: a partition goes on as far
as chunks are sorted, and a transaction may be executed as soon as its own accesses are linked and nobody is before it,
whatever stands behind (as DORADD spawns: Liu et al., PPoPP 2025). Planning is never a phase of one worker.

What waits for what:

- A transaction waits for the last writer before it of every location that it touches.
- Over multi-version memory nothing else is needed: a writer may overtake readers, who find the version of their own
  place. Where locks are meant, `GRAPH.exclusive`, a writer also waits for all that have read since the last writer.

A location that is hinted twice for one transaction does not make it wait for itself. In hints that have no readers
(EIP-7928 names a slot's readers only where nobody writes it) there are no queues of readers, and validation finds what
they read too early.

Counting. A transaction's `waits` begins with its number of accesses, and an access is taken off when it is linked, if
nothing stands before it; else when that has finished. So the count is zero only when all are linked and all before it
have finished, and who brings it to zero is the only one to do so. A waiter is on the list that `release` closes and
goes through, or finds it closed, and then its predecessor's writes are visible (`strategies.block_stm.waiters`).
"""

from __future__ import annotations

from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_i64, view_u64
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.estimates import expect_writes
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in
from contend.strategies.block_stm.layout import READY_TO_EXECUTE
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.waiters.ready_set import add_ready
from contend.strategies.block_stm.waiters.waiter_list import close, join
from contend.strategies.clocks import cost_table
from contend.strategies.dependency.layout import (
    ACCESS_MASK,
    EDGE,
    EPOCH_SHIFT,
    NODE,
    TAIL,
    TRANSACTION_SHIFT,
)

COST_SORT_HINT, COST_LINK_HINT = cost_table.SORT_HINT, cost_table.LINK_HINT
COST_TASK, COST_RELEASE = cost_table.TASK, cost_table.RELEASE

_WAITERS, _NODE_NEXT = (WORD_BYTES * NODE.offsets[name] for name in ("waiters", "next"))
_NEXT, _WRITER_NEXT = (WORD_BYTES * EDGE.offsets[name] for name in ("next", "writer_next"))
_SALT = U(0x9E3779B97F4A7C15)
_HALF = U(32)
_EPOCH_MASK = (U1 << EPOCH_SHIFT) - U1
NOT_BEGUN = U(READY_TO_EXECUTE)  # the status of a transaction of which nothing was executed, or nothing kept


@kernel(inline=True)
def node_of(graph, shared, txn_idx):
    """Node of a transaction."""
    return NODE.item(graph.nodes, shared.block_size, txn_idx)


@kernel(inline=True)
def has_begun(shared, txn_idx):
    """Whether a worker holds a transaction, or has executed it."""
    return atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status") != NOT_BEGUN


@macro
def accesses_of(graph):
    """View of all accesses."""
    return view_i64(graph.accesses, graph.access_room)


@kernel(inline=True)
def partition_of(graph, location):
    """Partition of a location."""
    return I((((U(location) * _SALT) >> _HALF) * U(graph.partition_count)) >> _HALF)


@macro
def _ranges_of(graph, chunk):
    """View of a chunk's places: partition p lies from the p-th to the next."""
    width = graph.partition_count + 2
    return view_i64(graph.ranges + chunk * width * 8, width)


@kernel()
def _count_chunk(shared, graph, first, last, ranges):
    """Count the accesses of a chunk by partition, each two places on, and open its nodes; how many there are."""
    for i in range(graph.partition_count + 2):
        ranges[U(i)] = 0
    total = 0
    for txn_idx in range(first, last):
        hint = hint_of(shared, txn_idx)
        entries = entries_of(hint)
        for i in range(hint.count):
            ranges[U(partition_of(graph, location_in(entries[U(i)])) + 2)] += 1
        node = node_of(graph, shared, txn_idx)
        node.waits = U(hint.count)
        node.waiters = U0
        node.is_behind = U0
        node.is_sure = U0
        total += hint.count
    return total


@kernel()
def _place_chunk(shared, graph, first, last, ranges):
    """Put the accesses of a chunk into their partitions, in the order of transactions."""
    accesses = accesses_of(graph)
    for txn_idx in range(first, last):
        hint = hint_of(shared, txn_idx)
        entries = entries_of(hint)
        for i in range(hint.count):
            entry = entries[U(i)]
            partition = partition_of(graph, location_in(entry))
            place = ranges[U(partition + 1)]
            ranges[U(partition + 1)] = place + 1
            accesses[U(place)] = (I(txn_idx) << TRANSACTION_SHIFT) | (entry & ACCESS_MASK)


@kernel()
def sort_chunk(shared, worker, graph, chunk):
    """Sort the accesses of a chunk by partition (a counting sort). False without room (the fault is noted)."""
    first = chunk * graph.chunk_size
    last = min(first + graph.chunk_size, shared.block_size)
    ranges = _ranges_of(graph, chunk)
    total = _count_chunk(shared, graph, first, last, ranges)
    place = I(atomics.add(graph, "accesses_used", U(total)))
    if place + total > graph.access_room:
        note_fault(shared)
        return False
    # After this the range of partition p begins at p + 1, and placing moves it to its end, where the next one begins.
    for i in range(graph.partition_count + 2):
        place += ranges[U(i)]
        ranges[U(i)] = place
    _place_chunk(shared, graph, first, last, ranges)
    if graph.marks != U0:
        for txn_idx in range(first, last):
            if not expect_writes(shared, worker, txn_idx):
                note_fault(shared)
                return False
    spend(shared, worker, COST_TASK, 1)
    spend(shared, worker, COST_SORT_HINT, total)
    for txn_idx in range(first, last):
        if hint_of(shared, txn_idx).count == 0:
            add_ready(graph, txn_idx)
    atomics.store(view_u64(graph.sorted, graph.chunk_count), chunk, U1)
    atomics.add(graph, "sorted_count", U1)
    return True


@kernel(inline=True)
def is_sorted(graph, chunk):
    """Whether a chunk's accesses lie in their partitions."""
    return atomics.load(view_u64(graph.sorted, graph.chunk_count), chunk) != U0


@kernel(inline=True)
def take_off(shared, graph, txn_idx):
    """Count one thing less that a transaction waits for. True for the one that was the last."""
    before = atomics.subtract(node_of(graph, shared, txn_idx), "waits", U1)
    check(before != U0)
    return before == U1


@kernel(inline=True)
def place_of(graph, txn_idx):
    """Place of a transaction itself in a list of waiters, beyond those of accesses."""
    return U(2 * graph.access_room + txn_idx)


@kernel(inline=True)
def _link_of(shared, graph, place):
    """Address of a place's link in a list of waiters; places are numbered two an access, and one a transaction."""
    if I(place) >= 2 * graph.access_room:
        return address_of(node_of(graph, shared, I(place) - 2 * graph.access_room)) + _NODE_NEXT
    edge = EDGE.item(graph.edges, graph.access_room, I(place >> U1))
    return address_of(edge) + (_NEXT if place & U1 == U0 else _WRITER_NEXT)


@kernel(inline=True)
def _waiters_of(shared, graph, txn_idx):
    """Address of the list of those that wait for a transaction."""
    return address_of(node_of(graph, shared, txn_idx)) + _WAITERS


@kernel()
def wait_behind(shared, graph, predecessor, place):
    """Put a place on the list of a transaction. False if that has finished."""
    return join(_waiters_of(shared, graph, predecessor), _link_of(shared, graph, place), place)


@kernel()
def _wait_for_readers(shared, graph, txn_idx, reader):
    """Let a writer wait for those that have read since the last writer, from the last of them on."""
    accesses = accesses_of(graph)
    while reader != U0:
        access = I(reader) - 1
        edge = EDGE.item(graph.edges, graph.access_room, access)
        reading = accesses[U(access)] >> TRANSACTION_SHIFT
        if reading != txn_idx:
            edge.writer = txn_idx
            atomics.add(node_of(graph, shared, txn_idx), "waits", U1)
            if not wait_behind(shared, graph, reading, U(2 * access + 1)):
                take_off(shared, graph, txn_idx)
        reader = edge.previous_reader


@kernel()
def link(shared, graph, access):
    """Put an access at the end of its location's queue. True if its transaction has become ready by that."""
    packed = accesses_of(graph)[U(access)]
    txn_idx, location = packed >> TRANSACTION_SHIFT, packed & LOCATION_MASK
    is_write = packed & WRITE_BIT != 0
    tail = TAIL.item(graph.tails, graph.tail_count, location)
    if tail.writer >> EPOCH_SHIFT != graph.epoch:
        tail.writer = graph.epoch << EPOCH_SHIFT
        tail.reader = U0
    writer = I(tail.writer & _EPOCH_MASK) - 1
    if graph.exclusive != U0:
        if not is_write:
            EDGE.item(graph.edges, graph.access_room, access).previous_reader = tail.reader
            tail.reader = U(access + 1)
        elif tail.reader != U0:
            _wait_for_readers(shared, graph, txn_idx, tail.reader)
            tail.reader = U0
            # They have waited for the last writer.
            writer = I(-1)
    if is_write:
        tail.writer = (graph.epoch << EPOCH_SHIFT) | U(txn_idx + 1)
    if writer >= 0 and writer != txn_idx and wait_behind(shared, graph, writer, U(2 * access)):
        return False
    return take_off(shared, graph, txn_idx)


@kernel()
def link_chunk(shared, worker, graph, chunk, partition):
    """Link what a chunk has in a partition."""
    ranges = _ranges_of(graph, chunk)
    first, last = ranges[U(partition)], ranges[U(partition + 1)]
    for access in range(first, last):
        if link(shared, graph, access):
            add_ready(graph, accesses_of(graph)[U(access)] >> TRANSACTION_SHIFT)
    spend(shared, worker, COST_LINK_HINT, last - first)


@kernel()
def _next_waiter(shared, graph, place):
    """Transaction at a place of a list that has been closed, and the place that follows."""
    if I(place) >= 2 * graph.access_room:
        waiting = I(place) - 2 * graph.access_room
        node = node_of(graph, shared, waiting)
        following = node.next
        # From here on the place may be used again.
        atomics.exchange(node, "is_behind", U0)
        return waiting, following
    access = I(place >> U1)
    edge = EDGE.item(graph.edges, graph.access_room, access)
    if place & U1 == U0:
        return accesses_of(graph)[U(access)] >> TRANSACTION_SHIFT, edge.next
    return edge.writer, edge.writer_next


@kernel()
def release(shared, worker, graph, txn_idx):
    """A transaction has finished: those that waited for it alone are ready.

    The lowest of them is not put into the set of ready transactions but returned, for the worker itself; -1 if there
    is none. One that has begun before it was ready goes on by itself.
    """
    place = close(_waiters_of(shared, graph, txn_idx))
    kept, count = I(-1), 0
    while place != U0:
        waiting, place = _next_waiter(shared, graph, place - U1)
        check(waiting > txn_idx)
        count += 1
        if not take_off(shared, graph, waiting) or has_begun(shared, waiting):
            continue
        if kept < 0:
            kept = waiting
        else:
            add_ready(graph, max(kept, waiting))
            kept = min(kept, waiting)
    spend(shared, worker, COST_RELEASE, count)
    return kept
