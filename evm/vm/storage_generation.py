"""Storage generations: an account that is destroyed and created again begins with empty storage (before EIP-6780).

A state of locations cannot clear an account's storage: nobody knows which slots there are, and nothing may grow with
their number. So storage is numbered. An account's *storage generation* is a location like its nonce; a slot's key has
the generation that it is of, and who destroys an account adds one to its generation. The old slots stay where they are
and are no longer anybody's: the new ones are other locations, which are empty, so that a load finds zero, and SSTORE
finds zero for the word before the transaction, whatever the first account had there.

Therefore every strategy is right without knowing any of this. The generation is in the read set of whoever used one of
the account's slots; a transaction that destroys writes it, and validation, locks, graphs and repairs do the rest.

The generation is asked for where the first slot of the account is missing from the access table, and only under rules
that destroy all (`evm.layout.RULES`). An account that the transaction itself creates has no slots but those in the
access table, which are cleared there when it is destroyed: since Cancun that is all that can happen, and nobody asks.
What is destroyed goes with its transaction, so that a generation is constant while one executes.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import ENTRY, RULES
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.vm.access_table import WARM, account_key, find_entry, is_warm, loaded_entry, storage_key

GENERATION_SHIFT = U(layout.GENERATION_SHIFT)
GENERATIONS = U(1 << (64 - layout.GENERATION_SHIFT))  # more than the gas of all blocks so far could make


@kernel()
def generation_entry(machine, address):
    """The entry of an account's storage generation if it is known; else none, and it is the pending location."""
    return loaded_entry(machine, account_key(address, layout.KIND_GENERATION))


@kernel()
def _slot_of_generation(machine, plain):
    """As `slot_entry`, for a slot whose key is, but for the generation, this one."""
    generation = generation_entry(machine, (plain[0], plain[1], plain[2]))
    if is_null(generation):
        return generation
    number = generation.current[0]
    if number == U0:
        machine.pending_location = plain
        return ENTRY.at(I(0))
    check(number < GENERATIONS)
    third = plain[2] | (number << GENERATION_SHIFT)
    entry = loaded_entry(machine, (plain[0], plain[1], third, plain[3], plain[4], plain[5], plain[6]))
    if not is_null(entry):
        # A transaction's access list names the slot without knowing its generation, and nobody takes that back.
        listed = find_entry(machine, plain)
        if not is_null(listed):
            entry.flags |= listed.flags & WARM
    return entry


@kernel()
def slot_entry(machine, address, slot):
    """The entry of a storage slot if its word is known; else none, and what is needed is the pending location."""
    plain = storage_key(address, slot)
    entry = loaded_entry(machine, plain)
    if not is_null(entry) or RULES.at(machine.rules).destroys_all == U0:
        return entry
    return _slot_of_generation(machine, plain)


@kernel()
def is_listed_slot(machine, address, slot):
    """Whether a slot whose word is unknown is warm all the same: the transaction's access list names it."""
    entry = find_entry(machine, storage_key(address, slot))
    return not is_null(entry) and is_warm(entry)


@kernel()
def end_generation(machine, address):
    """Leave all slots of an account behind, where it was there before the transaction: its generation is known then."""
    generation = find_entry(machine, account_key(address, layout.KIND_GENERATION))
    check(not is_null(generation))
    word = generation.current
    generation.current = (word[0] + U1, U0, U0, U0)
