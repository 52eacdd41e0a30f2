"""What a decoded access list says of a location: which of its changes a transaction is to see, and which is its own.

A transaction sees the last change before its own index: the changes of a location stand in the order of their indices.
Indices are distinct and lie between 0 and the block's end, so where most transactions change a location, as they do the
beneficiary's balance, there is next to nothing to search. Else the search begins where the change would be if they were
spread evenly over the block, gallops from there, and halves what is left (interpolation: Perl, Itai and Avni,
"Interpolation search", CACM 21(7), 1978; galloping: Bentley and Yao, IPL 5(3), 1976).
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_list.layout import (
    CHANGE,
    COUNT_MASK,
    COUNT_SHIFT,
    LIST_INDEX,
    LOCATION_SHIFT,
    RECORD,
    TOUCHED,
    VALUED,
    WHAT_MASK,
)

_HEAD_BYTES, _CHANGE_BYTES = RECORD.words * WORD_BYTES, CHANGE.words * WORD_BYTES


@kernel(inline=True)
def head_of(record):
    """Head word of a record, by its address."""
    return atomics.load(RECORD.at(record), "head")


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
    """Changes or readers of a record, by its head word."""
    return I((head >> COUNT_SHIFT) & COUNT_MASK)


@kernel(inline=True)
def bytes_of_record(head):
    """Size of a record with all that stands behind it, by its head word."""
    return _HEAD_BYTES + count_of_record(head) * (_CHANGE_BYTES if what_of_record(head) == VALUED else WORD_BYTES)


@kernel(inline=True)
def touch_record(record, head):
    """Note that a transaction has touched what a record names. Whoever does so at the same time stores the same."""
    if head & TOUCHED == U(0):
        atomics.store(RECORD.at(record), "head", head | TOUCHED)


@kernel(inline=True)
def is_touched(head):
    """Whether a transaction has touched what a record names, by its head word."""
    return head & TOUCHED != U(0)


@kernel(inline=True)
def change_at(record, number):
    """One of the changes of a record that has words (`CHANGE`)."""
    return CHANGE.at(record + _HEAD_BYTES + number * _CHANGE_BYTES)


@kernel(inline=True)
def index_at(record, number):
    """Block access index of one of the changes, or readers, of a record that has no words."""
    return LIST_INDEX.at(record + _HEAD_BYTES + number * WORD_BYTES).index


@kernel(inline=True)
def _likely_number(shared, count, txn_idx):
    """How many of a record's changes are likely to come before a transaction, if they are spread over the block."""
    return I(U(count) * U(txn_idx) // U(shared.block_size + 1))


@kernel()
def changes_before(shared, record, count, txn_idx):
    """How many of a record's changes, `count`, a transaction is to see: those of its number as index, or a lower one.

    The record has words.
    """
    # At most one change has each index; of those above the transaction's number there are block_size + 1 - txn_idx.
    low, high = max(0, count - (shared.block_size + 1 - txn_idx)), min(count, txn_idx + 1)
    middle, step = _likely_number(shared, count, txn_idx), 1
    while low < high:
        middle = min(max(middle, low), high - 1)
        if change_at(record, middle).index <= txn_idx:
            low = middle + 1
            middle += step
        else:
            high = middle
            middle -= step
        step *= 2
        if step > high - low:
            middle = (low + high) >> 1
    return I(low)


@kernel()
def word_seen(record, seen):
    """Word of a location after so many of the changes of its record."""
    if seen == 0:
        return RECORD.at(record).before
    return change_at(record, seen - 1).word
