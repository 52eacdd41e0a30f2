"""How shards talk: sending and receiving through an exchange that is reached by two addresses.

An exchange is anything that offers two compiled functions (`evm.jit.native`, signature ``int64(int64, int64)``) and an
endpoint for each shard:

``send(endpoint, message)``
    Take the message of `MSG_WORDS` words (`MSG_SHORT`, unless its head says that it is long) at this address. 1 if it
    was taken, 0 if there is no room now; a message from `FIRST_REPLY` on must always be taken.
``receive(endpoint, message)``
    Put the next message there: 1, or 0 if there is none.

It must deliver every message exactly once, and those from one shard to another in the order in which they were sent;
nothing more. `strategies.rings` is one, in memory that processes share.

Here is also what most other files about shards need: views of a shard's memory, and the fault that stops all shards.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import atomics
from evm.jit import kernel, macro
from evm.pointers import call_2, multiply_wide, view_u64
from evm.words import LOW_32
from strategies import costs, shared
from strategies import shard_layout as s

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
COST_CLASSES, COST_SEND, COST_RECEIVE = costs.COUNT, costs.SEND, costs.RECEIVE
SLOT_SHIFT, FROM_SHIFT, TO_SHIFT, LONG_SHIFT = U(s.SLOT_SHIFT), U(s.FROM_SHIFT), U(s.TO_SHIFT), U(s.LONG_SHIFT)
KIND_MASK, SLOT_MASK, SHARD_MASK = U(s.KIND_MASK), U(s.SLOT_MASK), U(s.SHARD_MASK)
_SALT_1, _SALT_2 = U(0x8BB84B93962EACC9), U(0x4B33A62ED433D4A3)


@macro
def open_coupling(address):
    """View of the header that says how the shards are coupled."""
    return view_u64(address, s.H_WORDS)


@macro
def open_shard(address):
    """View of a shard's worker header."""
    return view_u64(address, s.W_WORDS)


@macro
def inbox_of(shard):
    """View of the message received last."""
    return view_u64(I(shard[U(s.W_INBOX)]), s.MSG_WORDS)


@macro
def outbox_of(shard):
    """View of the message to be sent next."""
    return view_u64(I(shard[U(s.W_OUTBOX)]), s.MSG_WORDS)


@macro
def slots_of(shard):
    """View of a shard's slots."""
    return view_u64(I(shard[U(s.W_SLOTS)]), I(shard[U(s.W_SLOT_COUNT)]) * s.S_WORDS)


@macro
def sessions_of(shard):
    """View of what a shard knows about the slots of all shards."""
    return view_u64(I(shard[U(s.W_SESSIONS)]), I(shard[U(s.W_SHARDS)]) * I(shard[U(s.W_SLOT_COUNT)]) * s.E_WORDS)


@kernel(inline=True)
def owner_of(a0, a1, a2, shards):
    """Shard that owns the locations of the address with these words (the kind above the third is ignored)."""
    low, high = multiply_wide(a0 ^ _SALT_1, a1 ^ ((a2 & LOW_32) << U(32)) ^ _SALT_2)
    mixed = (low ^ high) * _SALT_1
    return I(((mixed >> U(32)) * U(shards)) >> U(32))


@kernel()
def note_fault(coupling):
    """Something is full: every shard stops at its next step."""
    atomics.store(view_u64(I(coupling[U(s.H_CONTROL)]), s.C_WORDS), s.C_FAULT, U(1))


@kernel(inline=True)
def has_fault(coupling):
    """Whether some shard has stopped."""
    return atomics.load(view_u64(I(coupling[U(s.H_CONTROL)]), s.C_WORDS), s.C_FAULT) != U(0)


@kernel(inline=True)
def charge(coupling, shard, number, amount):
    """Add so much work of one class to the cost of the shard's step."""
    prices = view_u64(I(coupling[U(s.H_COSTS)]), COST_CLASSES)
    shard[U(s.W_COST)] += prices[U(number)] * U(amount)


@kernel(inline=True)
def end_step(shard, result):
    """What a step returns: its cost if it `WORKED`, at least 1, since 0 means that it was idle."""
    cost = shard[U(s.W_COST)]
    shard[U(s.W_COST)] = U(0)
    return max(I(cost), 1) if result == shared.WORKED else result


@kernel()
def send(coupling, shard, kind, to, slot):
    """Send what the outbox holds in detail and body. False when there is no room for it now."""
    message = outbox_of(shard)
    is_long = kind == s.READ or kind == s.PREPARE
    head = U(kind) | (U(slot) << SLOT_SHIFT) | (shard[U(s.W_SHARD)] << FROM_SHIFT) | (U(to) << TO_SHIFT)
    message[U(s.MSG_HEAD)] = head | (U(is_long) << LONG_SHIFT)
    message[U(s.MSG_CLOCK)] = shard[U(s.W_CLOCK)]
    if call_2(I(coupling[U(s.H_SEND)]), I(shard[U(s.W_ENDPOINT)]), I(shard[U(s.W_OUTBOX)])) == 0:
        return False
    shard[U(s.W_MESSAGES)] += U(1)
    charge(coupling, shard, COST_SEND, 1)
    shard[U(s.W_COST)] += coupling[U(s.H_OVERHEAD)]
    return True


@kernel()
def reply(coupling, shard, kind, to, slot, detail):
    """Send a message for which there must be room; its body is in the outbox."""
    outbox_of(shard)[U(s.MSG_DETAIL)] = U(detail)
    if not send(coupling, shard, kind, to, slot):
        note_fault(coupling)


@kernel()
def receive(coupling, shard):
    """Take the next message into the inbox and advance the clock to it (Lamport 1978). False when there is none."""
    if call_2(I(coupling[U(s.H_RECEIVE)]), I(shard[U(s.W_ENDPOINT)]), I(shard[U(s.W_INBOX)])) == 0:
        return False
    shard[U(s.W_CLOCK)] = max(shard[U(s.W_CLOCK)], inbox_of(shard)[U(s.MSG_CLOCK)])
    charge(coupling, shard, COST_RECEIVE, 1)
    shard[U(s.W_COST)] += coupling[U(s.H_OVERHEAD)]
    return True


@kernel(inline=True)
def set_runnable(shard, slot):
    """A slot can go on without a message."""
    shard[U(s.W_RUNNABLE)] |= U(1) << U(slot)
