"""Messages: sending and receiving through an exchange that is reached by two addresses.

An exchange is anything that offers two compiled functions (`evm.runtime.jit.native`, signature ``int64(int64, int64)``)
and an endpoint for each shard:

``send(endpoint, message)``
    Take the message of `MESSAGE_WORDS` words (`SHORT_MESSAGE_WORDS`, unless its head says that it is long) at this
    address. 1 if it was taken, 0 if there is no room now; a message from `FIRST_REPLY` on must always be taken.
``receive(endpoint, message)``
    Put the next message there: 1, or 0 if there is none.

It must deliver every message exactly once, and those from one shard to another in the order in which they were sent;
nothing more. `strategies.sharded.transport.rings` is one, in memory that processes share.

Memory order. A shard's memory is its own: locks, contexts, slots, votes and the commit token are plain words that only
its own step touches. What one shard knows of another it knows by a message, and a message carries a happens-before
edge (in the rings a releasing store that an acquiring load reads), which is transitive: whatever shard A wrote before
a message to B, and B before one to C, C sees. That is all that is needed where one shard relies on what another did
to memory that they do share: the code of a contract is in the shared store (`evm.code.shared_store`) before its hash
can travel in a VALUE. The fault word below orders nothing; it is looked at until it is seen.

Here is also what most other files about shards need: views of a shard's memory, and the fault that stops all shards.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import call_2, multiply_wide, view_i64
from contend.evm.u256 import LOW_32
from contend.strategies.accounting import spend
from contend.strategies.clocks.cost_table import RECEIVE as COST_RECEIVE
from contend.strategies.clocks.cost_table import SEND as COST_SEND
from contend.strategies.sharded.protocol.layout import (
    CONTEXT,
    CONTROL,
    FROM_SHIFT,
    LONG_SHIFT,
    MESSAGE,
    PREPARE,
    READ,
    SHARD_MASK,
    SLOT,
    SLOT_MASK,
    SLOT_SHIFT,
    TO_SHIFT,
)

_SALT_1, _SALT_2 = U(0x8BB84B93962EACC9), U(0x4B33A62ED433D4A3)


@kernel(inline=True)
def inbox_of(shard):
    """Message received last."""
    return MESSAGE.at(shard.inbox)


@kernel(inline=True)
def outbox_of(shard):
    """Message to be sent next."""
    return MESSAGE.at(shard.outbox)


@kernel(inline=True)
def slot_of(shard, number):
    """Slot of a shard."""
    return SLOT.item(shard.slots, shard.slot_count, number)


@kernel(inline=True)
def context_of(shard, number):
    """Transaction context: ``coordinator * slot_count + slot``."""
    return CONTEXT.item(shard.contexts, shard.shard_count * shard.slot_count, number)


@kernel(inline=True)
def local_context(shard, slot_number):
    """Number of the context of one of this shard's own slots."""
    return shard.number * shard.slot_count + slot_number


@macro
def participants_of(shard, slot):
    """View of the shards that take part in a slot's transaction."""
    return view_i64(slot.participants, shard.shard_count)


@kernel(inline=True)
def sender_of(message):
    """Shard that has sent a message."""
    return I((message.head >> FROM_SHIFT) & SHARD_MASK)


@kernel(inline=True)
def slot_number_of(message):
    """Slot of the coordinator that a message is about."""
    return I((message.head >> SLOT_SHIFT) & SLOT_MASK)


@kernel(inline=True)
def owner_of(key, shards):
    """Shard that owns the locations of the address with which a key begins (the kind in its third word is ignored)."""
    low, high = multiply_wide(key[0] ^ _SALT_1, key[1] ^ ((key[2] & LOW_32) << U(32)) ^ _SALT_2)
    mixed = (low ^ high) * _SALT_1
    return I(((mixed >> U(32)) * U(shards)) >> U(32))


@kernel()
def note_fault(cluster):
    """Something is full: every shard stops at its next step."""
    atomics.store(CONTROL.at(cluster.control), "fault", U1)


@kernel(inline=True)
def has_fault(cluster):
    """Whether some shard has stopped."""
    return atomics.load(CONTROL.at(cluster.control), "fault") != U0


@kernel()
def send(cluster, shard, kind, to, slot_number):
    """Send what the outbox holds in detail and body. False when there is no room for it now."""
    message = outbox_of(shard)
    is_long = kind == READ or kind == PREPARE
    head = U(kind) | (U(slot_number) << SLOT_SHIFT) | (U(shard.number) << FROM_SHIFT) | (U(to) << TO_SHIFT)
    message.head = head | (U(is_long) << LONG_SHIFT)
    message.clock = shard.clock
    if call_2(cluster.send, shard.endpoint, shard.outbox) == 0:
        return False
    shard.messages += U1
    spend(cluster, shard, COST_SEND, 1)
    shard.cost_ps += cluster.overhead_ps
    return True


@kernel()
def reply(cluster, shard, kind, to, slot_number, detail):
    """Send a message for which there must be room; its body is in the outbox."""
    outbox_of(shard).detail = detail
    if not send(cluster, shard, kind, to, slot_number):
        note_fault(cluster)


@kernel()
def receive(cluster, shard):
    """Take the next message into the inbox and advance the clock to it (Lamport 1978). False when there is none."""
    if call_2(cluster.receive, shard.endpoint, shard.inbox) == 0:
        return False
    shard.clock = max(shard.clock, inbox_of(shard).clock)
    spend(cluster, shard, COST_RECEIVE, 1)
    shard.cost_ps += cluster.overhead_ps
    return True


@kernel(inline=True)
def set_runnable(shard, slot_number):
    """A slot can go on without a message."""
    shard.runnable_slots |= U1 << U(slot_number)
