"""Order of accesses: for each hinted access the last transaction before its own that writes the location.

A radix partition (Polychroniou and Ross, "A comprehensive study of main-memory partitioning", SIGMOD 2014), in two
stages between which all workers meet. First each worker takes pieces of the block and sorts their accesses by shard, a
hash of the location. Then each takes shards, and goes through what all pieces have for a shard in the block's order: so
whoever looks at a location is the only one that does, meets its accesses in order, and needs one word a location to
tell each who has written last. No access is compared with another, nothing is locked, and what is found does not
depend on who was faster.

Only a write before a read makes one transaction wait for another. Under multi-version memory a transaction that writes
what an earlier one reads or writes takes nothing away from it.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import stack_buffer, view_i64, view_u64
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.accounting import spend
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in, writes_in
from contend.strategies.clocks import cost_table
from contend.strategies.planned.layout import EDGE_SHIFT, LOW_WORD, PLACED

COST_ORDER_ACCESS = cost_table.ORDER_ACCESS
MOST_SHARDS = 64
_SALT, _HASH_SHIFT = U(0x9E3779B97F4A7C15), U(32)
_SHIFT, _LOW = U(EDGE_SHIFT), U(LOW_WORD)


@kernel(inline=True)
def first_of_chunk(shared, partition, chunk):
    """First transaction of a piece of the block; of the piece behind the last one the block's size."""
    return min(chunk * partition.chunk_size, shared.block_size)


@macro
def starts_of(partition, chunk):
    """View of where each shard's items of a piece begin, and where the last end."""
    width = partition.shards + 1
    return view_i64(partition.starts + chunk * width * WORD_BYTES, width)


@macro
def writers_of(partition):
    """View of the last writers by place."""
    return view_u64(partition.writers, partition.access_room)


@kernel(inline=True)
def _shard_of(partition, location):
    return ((U(location) * _SALT) >> _HASH_SHIFT) & U(partition.shards - 1)


@kernel()
def sum_up(starts, counts, shards, base):
    """Make starts of counts: `counts` holds an item count a shard, and then where the shard's next item goes."""
    at = base
    for shard in range(shards):
        count = I(counts[U(shard)])
        starts[U(shard)] = at
        counts[U(shard)] = U(at)
        at += count
    starts[U(shards)] = at


@kernel()
def _count_accesses(shared, partition, first, last, counts):
    """Count the accesses of so many transactions by shard; how many there are."""
    for shard in range(partition.shards):
        counts[U(shard)] = U0
    total = I(0)
    for txn_idx in range(first, last):
        hint = hint_of(shared, txn_idx)
        entries = entries_of(hint)
        total += hint.count
        for i in range(hint.count):
            counts[_shard_of(partition, location_in(entries[U(i)]))] += U(1)
    return total


@kernel()
def sort_accesses(shared, worker, partition, chunk):
    """Sort the accesses of one piece of the block by shard, in the block's order."""
    first, last = first_of_chunk(shared, partition, chunk), first_of_chunk(shared, partition, chunk + 1)
    at = stack_buffer(64)
    total = _count_accesses(shared, partition, first, last, at)
    base = I(atomics.add(partition, "places_used", U(total)))
    check(base + total <= partition.access_room)
    sum_up(starts_of(partition, chunk), at, partition.shards, base)
    places = view_i64(partition.places, shared.block_size)
    place = base
    for txn_idx in range(first, last):
        hint = hint_of(shared, txn_idx)
        entries = entries_of(hint)
        places[U(txn_idx)] = place
        for i in range(hint.count):
            entry = entries[U(i)]
            shard = _shard_of(partition, location_in(entry))
            placed = PLACED.item(partition.placed, partition.access_room, I(at[shard]))
            at[shard] += U(1)
            placed.entry = entry
            placed.target = (U(txn_idx) << _SHIFT) | U(place)
            place += 1
    spend(shared, worker, COST_ORDER_ACCESS, total)


@kernel()
def find_last_writers(shared, worker, partition, shard):
    """Go through the accesses of one shard in the block's order, and tell each who has written last before it."""
    last_writers, writers = view_u64(partition.last_writers, partition.location_count), writers_of(partition)
    epoch, total = partition.epoch, 0
    for chunk in range(partition.chunks):
        starts = starts_of(partition, chunk)
        first, last = starts[U(shard)], starts[U(shard + 1)]
        total += last - first
        for i in range(first, last):
            placed = PLACED.item(partition.placed, partition.access_room, i)
            location = U(location_in(placed.entry))
            found = last_writers[location]
            writers[placed.target & _LOW] = found & _LOW if found >> _SHIFT == epoch else U0
            if writes_in(placed.entry):
                last_writers[location] = (epoch << _SHIFT) | ((placed.target >> _SHIFT) + U(1))
    spend(shared, worker, COST_ORDER_ACCESS, total)
