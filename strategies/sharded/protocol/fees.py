"""Fees: the beneficiary's balance is kept without those of the block until its end, and seen with those before it."""

from __future__ import annotations

from contend.evm.runtime.jit import kernel
from contend.evm.state import same_key
from contend.evm.u256 import add, subtract
from contend.strategies.sharded.protocol.commit_order import knows_fees


@kernel(inline=True)
def is_beneficiary_key(shard, key):
    """Whether a key is that of the beneficiary's balance."""
    return same_key(key, shard.beneficiary)


@kernel()
def word_to_store(shard, slot_number, entry):
    """Current word of an entry as it is kept: the beneficiary's balance lacks the fees."""
    word = entry.current
    if is_beneficiary_key(shard, entry.key) and knows_fees(shard, slot_number):
        word = subtract(word, shard.fees)
    return word


@kernel()
def word_to_give(shard, slot_number, key, word):
    """A kept word as the transaction of a slot must see it: the beneficiary's balance has the fees before it."""
    if is_beneficiary_key(shard, key) and knows_fees(shard, slot_number):
        word = add(word, shard.fees)
    return word
