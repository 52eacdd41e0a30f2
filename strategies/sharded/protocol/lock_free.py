"""Lock-free transactions: the fast path of those that touch one shard and meet nobody.

A transaction runs without locks at first: it takes words of its own shard as long as nobody else's lock is in the way,
since nothing happens in this shard meanwhile. If it gets to its end so, it commits there and then; most transactions
that touch one shard never see a lock. Once it has to wait, or needs a word of another shard, it locks what it has
read, and everything that it reads from then on.
"""

from __future__ import annotations

from contend.evm.layout import MACHINE
from contend.evm.runtime.integers import U0
from contend.evm.runtime.jit import kernel
from contend.evm.vm.access_table import LOADED, entry_at, is_write
from contend.strategies.sharded.protocol.layout import LOCATION_MASK
from contend.strategies.sharded.protocol.lock_manager import hold_read, is_locked
from contend.strategies.sharded.protocol.messages import local_context, slot_of


@kernel(inline=True)
def location_of(entry):
    """Number, at its owner, of an entry's location."""
    return entry.location & LOCATION_MASK


@kernel()
def lock_what_was_read(shard, slot_number):
    """End the lock-free part of a transaction. False when there is no room for locks."""
    slot = slot_of(shard, slot_number)
    slot.is_lock_free = 0
    machine = MACHINE.at(slot.machine)
    context_number = local_context(shard, slot_number)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if entry.flags & LOADED != U0:
            if not hold_read(shard, context_number, location_of(entry)):
                return False
    return True


@kernel()
def may_commit_lock_free(shard, machine):
    """Whether nobody holds a lock on what a lock-free transaction writes."""
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry) and is_locked(shard, location_of(entry)):
            return False
    return True
