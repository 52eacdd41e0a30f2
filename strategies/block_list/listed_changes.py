"""What a decoded access list says of a location: which of its changes a transaction is to see, and which is its own.

A transaction sees the last change before its own index: the changes of a location stand in the order of their indices,
so that is a search by halves. Indices are distinct and lie between 0 and the block's end, so where most transactions
change a location, as they do the beneficiary's balance, there is next to nothing to search.
"""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import value_of
from contend.strategies.block_list.layout import (
    CODED,
    COUNT_MASK,
    COUNT_SHIFT,
    FIRST_RECORD,
    INDEX_SHIFT,
    LIST_HASH,
    LIST_WORD,
    LOCATION_SHIFT,
    OFFSET_MASK,
    WHAT_MASK,
)
from contend.strategies.block_list.rlp_items import item_at, word_at
from contend.strategies.block_stm.layout import HEAD_MASK, HEAD_SHIFT
from contend.strategies.block_stm.mv_memory import heads_of

NO_RECORD = 0
_HASH_BYTES = LIST_HASH.words * WORD_BYTES


@kernel(inline=True)
def mark_of(shared, location):
    """What the list says of a location: the offset of its record, a mark, or 0 for nothing."""
    head = atomics.load(heads_of(shared), location)
    return head & HEAD_MASK if head >> HEAD_SHIFT == shared.epoch else U(0)


@kernel(inline=True)
def set_mark(shared, location, mark):
    """Replace a mark. Whoever does so at the same time stores the same one."""
    atomics.store(heads_of(shared), location, (shared.epoch << HEAD_SHIFT) | mark)


@kernel(inline=True)
def record_of(shared, mark):
    """Address of the record that a head leads to, or `NO_RECORD`."""
    return shared.arena + I(mark) * WORD_BYTES if mark >= FIRST_RECORD else I(NO_RECORD)


@kernel(inline=True)
def location_of_record(head):
    """Location of a record, by its head word."""
    return I(head >> LOCATION_SHIFT)


@kernel(inline=True)
def what_of_record(head):
    """What a record is, by its head word: `CHANGED` and its like."""
    return I(head & WHAT_MASK)


@kernel(inline=True)
def count_of_record(head):
    """Changes of a record, by its head word."""
    return I((head >> COUNT_SHIFT) & COUNT_MASK)


@kernel(inline=True)
def words_of_record(head):
    """Size of a record in words, by its head word."""
    count = count_of_record(head)
    return 1 + count * (1 + I(LIST_HASH.words)) if what_of_record(head) == CODED else 1 + count


@kernel(inline=True)
def change_at(record, number):
    """One of a record's changes: index and offset."""
    return LIST_WORD.at(record + (1 + number) * WORD_BYTES).word


@kernel(inline=True)
def index_of_change(change):
    """Block access index of a change."""
    return I(change >> INDEX_SHIFT)


@kernel()
def changes_before(shared, record, txn_idx):
    """How many of a record's changes a transaction is to see: those with its number or a lower one as index."""
    count = count_of_record(LIST_WORD.at(record).word)
    # At most one change has each index; of those above the transaction's number there are block_size + 1 - txn_idx.
    low, high = max(0, count - (shared.block_size + 1 - txn_idx)), min(count, txn_idx + 1)
    while low < high:
        middle = (low + high) >> 1
        if index_of_change(change_at(record, middle)) <= txn_idx:
            low = middle + 1
        else:
            high = middle
    return I(low)


@kernel()
def word_of_change(block_list, record, number):
    """Word after one of a record's changes."""
    head = LIST_WORD.at(record).word
    if what_of_record(head) == CODED:
        limbs = LIST_HASH.at(record + (1 + count_of_record(head)) * WORD_BYTES + number * _HASH_BYTES).limbs
        return limbs[U(0)], limbs[U(1)], limbs[U(2)], limbs[U(3)]
    data = view_u8(block_list.bytes, block_list.size)
    _, first, last = item_at(data, I(change_at(record, number) & OFFSET_MASK), block_list.size)
    return word_at(data, first, last)


@kernel()
def word_seen(shared, block_list, location, record, seen):
    """Word of a location after so many of its changes."""
    if seen == 0:
        return value_of(STATE.at(shared.state), location).value
    return word_of_change(block_list, record, seen - 1)
