"""Fees: the beneficiary's balance is kept without those of the block until its end, and seen with those before it."""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import add, get_at, subtract
from contend.strategies.sharded.protocol.commit_order import knows_fees


@kernel(inline=True)
def is_beneficiary_key(shard, array, at):
    """Whether the key whose words begin at element `at` of an array is that of the beneficiary's balance."""
    key = shard.beneficiary
    return array[U(at)] == key[0] and array[U(at + 1)] == key[1] and array[U(at + 2)] == key[2]


@kernel()
def word_to_store(shard, slot_number, entries, at):
    """Current word of the entry at element `at` as it is kept: the beneficiary's balance lacks the fees."""
    word = get_at(entries, at + layout.ENTRY_CURRENT)
    if is_beneficiary_key(shard, entries, at) and knows_fees(shard, slot_number):
        word = subtract(word, shard.fees)
    return word


@kernel()
def word_to_give(shard, slot_number, key, at, word):
    """A kept word as the transaction of a slot must see it: the beneficiary's balance has the fees before it."""
    if is_beneficiary_key(shard, key, at) and knows_fees(shard, slot_number):
        word = add(word, shard.fees)
    return word
