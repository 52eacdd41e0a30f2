"""Index of a decoded list by key: from what a transaction asks for to the record, without a look at the state.

The state finds a location by its key, and arrays by the location's number; that is a chain of cache misses over tables
that are as large as the state. The index is no larger than the list, and a record has the key, the changes and the
word before the block side by side, so most reads are answered from two places that lie close together.

Workers enter records while they decode. Who takes a slot by compare-and-swap has written the record's key before, and
who finds the slot taken looks at that key: so of two workers that enter one key, wherever the list names it, exactly
one is told so. Entries of former blocks have another epoch, so nothing is cleared.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.prefetch import prefetch
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import hash_key, same_key
from contend.strategies.block_list.layout import EPOCH_SHIFT, OFFSET_MASK, RECORD, TAG_MASK, TAG_SHIFT
from contend.strategies.block_stm.mv_memory import arena_offset

NO_RECORD = 0  # the address of none
ENTERED, IS_THERE, IS_FULL = range(3)
MOST_PROBES = 512  # of who enters a record, and so of who looks for one: beyond that the index is too small
_SLOT_SHIFT = U(20)  # the bits of a hash below are those of which some are the tag
_SAME = ~OFFSET_MASK


@kernel(inline=True)
def entry_of(block_list, hashed, offset):
    """What leads to the record at an offset in the arena, of a key with this hash."""
    return (block_list.epoch << EPOCH_SHIFT) | ((hashed & TAG_MASK) << TAG_SHIFT) | offset


@kernel(inline=True)
def _first_slot(block_list, hashed):
    return I(hashed >> _SLOT_SHIFT) & block_list.index_mask


@kernel(inline=True)
def record_behind(shared, entry):
    """Address of the record to which an entry leads."""
    return shared.arena + I(entry & OFFSET_MASK) * WORD_BYTES


@kernel()
def prefetch_index(block_list, key):
    """Ask for the memory in which the search for a key begins."""
    prefetch(block_list.index + _first_slot(block_list, hash_key(key)) * WORD_BYTES)


@kernel(inline=True)
def record_if_of(shared, entry, wanted, key):
    """Address of the record to which an entry leads, if that is of a key, whose entry with no offset is wanted.

    Else `NO_RECORD`.
    """
    if (entry ^ wanted) & _SAME == U(0):
        record = record_behind(shared, entry)
        if same_key(RECORD.at(record).key, key):
            return record
    return I(NO_RECORD)


@kernel()
def find_hashed(shared, block_list, key, hashed):
    """Address of the record of a key with this hash, or `NO_RECORD`."""
    index, mask = view_u64(block_list.index, block_list.index_mask + 1), block_list.index_mask
    wanted, slot = entry_of(block_list, hashed, U(0)), _first_slot(block_list, hashed)
    for _ in range(MOST_PROBES):
        found = atomics.load(index, slot)
        if found >> EPOCH_SHIFT != block_list.epoch:
            break
        record = record_if_of(shared, found, wanted, key)
        if record != NO_RECORD:
            return record
        slot = (slot + 1) & mask
    return I(NO_RECORD)


@kernel()
def find_record(shared, block_list, key):
    """Address of the record of a key, or `NO_RECORD`."""
    return find_hashed(shared, block_list, key, hash_key(key))


@kernel()
def enter_record(shared, block_list, record):
    """Let the index lead to a record: `ENTERED`, `IS_THERE` if its key is there already, `IS_FULL`."""
    index, mask = view_u64(block_list.index, block_list.index_mask + 1), block_list.index_mask
    key = RECORD.at(record).key
    hashed = hash_key(key)
    wanted, slot = entry_of(block_list, hashed, arena_offset(shared, record)), _first_slot(block_list, hashed)
    for _ in range(MOST_PROBES):
        found = atomics.load(index, slot)
        if found >> EPOCH_SHIFT != block_list.epoch:
            if atomics.compare_and_swap(index, slot, found, wanted) == found:
                return ENTERED
            # Somebody else took the slot, and nobody takes it back.
            found = atomics.load(index, slot)
        if record_if_of(shared, found, wanted, key) != NO_RECORD:
            return IS_THERE
        slot = (slot + 1) & mask
    return IS_FULL
