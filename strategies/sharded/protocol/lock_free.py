"""Lock-free transactions: the fast path of those that touch one shard and meet nobody.

A transaction runs without locks at first: it takes words of its own shard as long as nobody else's lock is in the way,
since nothing happens in this shard meanwhile. If it gets to its end so, it commits there and then; most transactions
that touch one shard never see a lock. Once it has to wait, or needs a word of another shard, it locks what it has
read, and everything that it reads from then on.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal, get_at
from contend.evm.vm.access_table import LOADED, entries_of
from contend.evm.vm.transaction import open_machine
from contend.strategies.sharded.protocol.layout import LOCATION_MASK
from contend.strategies.sharded.protocol.lock_manager import hold_read, is_locked
from contend.strategies.sharded.protocol.messages import local_context, slot_of


@kernel(inline=True)
def is_written(entries, at):
    """Whether the transaction writes the location of the entry at element `at`."""
    return entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U0 and not equal(
        get_at(entries, at + layout.ENTRY_CURRENT), get_at(entries, at + layout.ENTRY_ORIGINAL)
    )


@kernel(inline=True)
def location_of(entries, at):
    """Number, at its owner, of the location of the entry at element `at`."""
    return I(entries[U(at + layout.ENTRY_ID)]) & LOCATION_MASK


@kernel()
def lock_what_was_read(shard, slot_number):
    """End the lock-free part of a transaction. False when there is no room for locks."""
    slot = slot_of(shard, slot_number)
    slot.is_lock_free = 0
    machine = open_machine(slot.machine)
    entries = entries_of(machine)
    context_number = local_context(shard, slot_number)
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U0:
            if not hold_read(shard, context_number, location_of(entries, at)):
                return False
    return True


@kernel()
def may_commit_lock_free(shard, machine):
    """Whether nobody holds a lock on what a lock-free transaction writes."""
    entries = entries_of(machine)
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if is_written(entries, at) and is_locked(shard, location_of(entries, at)):
            return False
    return True
