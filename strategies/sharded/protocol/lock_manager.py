"""Lock manager: strict two-phase locking of a shard's locations, with wound-wait.

A location's lock is a list of requests: those that hold it, then those that wait for it, oldest transaction first. The
age of a transaction is its index in the block, and stays when it is started again. A request that conflicts waits; if
a *younger* transaction holds what an *older* one wants, the younger is wounded: its coordinator is told to abort it
and start it again (Rosenkrantz, Stearns and Lewis, "System level concurrency control for distributed database
systems", TODS 1978).

There is no deadlock. A transaction waits for an older one, or for a younger one that it has wounded. A wounded
transaction is aborted as soon as its coordinator hears of it, whatever it is waiting for, unless its commit has been
decided by then, and then it waits for no lock. So along a cycle of waits every transaction would have to be younger
than the one before it: there is none. There is no starvation: the oldest transaction is never wounded.

Two rules keep that true of the lists. A request goes in behind the older ones that it conflicts with and before
younger ones. A holder of a shared lock that wants it exclusively (an upgrade, when the transaction prepares) is served
first: an older transaction that waits for this location has wounded it already.

The lists are one shard's own, touched by its step alone: they need no atomic access
(`strategies.sharded.protocol.messages` has the argument).
"""

from __future__ import annotations

from contend.evm.layout import KIND_CODE, KIND_STORAGE, STATE
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import kind_of, location_row
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table
from contend.strategies.sharded.protocol.layout import (
    LOCK,
    LOCK_EXCLUSIVE,
    LOCK_NODE_MASK,
    LOCK_NONE,
    LOCK_SHARED,
    LOCK_WRITTEN,
    NO_NODE,
    OWNER_SHIFT,
    STAGED_WRITE,
    VALUE,
    VOTE,
    WOUND,
    WOUND_SHIFT,
)
from contend.strategies.sharded.protocol.messages import context_of, outbox_of, reply
from contend.strategies.sharded.protocol.slots import note_grant, note_upgrade, note_wound

GRANTED, WAITING, NO_ROOM = range(3)
COST_LOCK = cost_table.LOCK


@macro
def locks_of(shard):
    """View of the lock words, one a location."""
    return view_u64(shard.locks, shard.lock_count)


@kernel(inline=True)
def first_lock(shard, location):
    """Node of the first lock of a location, or `NO_NODE`."""
    return I(locks_of(shard)[U(location)] & LOCK_NODE_MASK)


@kernel(inline=True)
def lock_at(shard, node):
    """Lock at a node of the pool."""
    return LOCK.item(shard.nodes, shard.node_count, node)


@kernel(inline=True)
def _staged_at(shard, node):
    return STAGED_WRITE.item(shard.nodes, shard.node_count, node)


@kernel(inline=True)
def word_of(shard, location):
    """Word of one of the shard's locations."""
    return location_row(STATE.at(shard.state), location).value


@kernel()
def preferred_mode(shard, location):
    """Mode in which to lock a location that is about to be read.

    A reader of a balance, a nonce, or a slot that others have written in this block is likely to write it.
    Upgrading a shared lock then would abort all but one of those that share it, so it is taken exclusively at once.
    """
    kind = kind_of(STATE.at(shard.state), location)
    if kind == KIND_CODE:
        return LOCK_SHARED
    if kind == KIND_STORAGE and locks_of(shard)[U(location)] & LOCK_WRITTEN == U0:
        return LOCK_SHARED
    return LOCK_EXCLUSIVE


@kernel()
def _take_node(shard):
    node = shard.free_node
    if node != NO_NODE:
        shard.free_node = lock_at(shard, node).next
        return node
    node = shard.unused_node
    if node >= shard.node_count:
        return NO_NODE
    shard.unused_node = node + 1
    return node


@kernel(inline=True)
def _give_node(shard, node):
    check(node != NO_NODE)
    lock_at(shard, node).next = shard.free_node
    shard.free_node = node


@kernel(inline=True)
def is_locked(shard, location):
    """Whether anyone holds the location's lock or waits for it."""
    return first_lock(shard, location) != NO_NODE


@kernel()
def is_readable(shard, location):
    """Whether a shared lock would be granted at once and in turn: nobody waits, and all that hold it share it."""
    node = first_lock(shard, location)
    while node != NO_NODE:
        request = lock_at(shard, node)
        if request.held != LOCK_SHARED or request.wanted == LOCK_EXCLUSIVE:
            return False
        node = request.next
    return True


@kernel()
def _make_lock(shard, context_number, location, held, wanted):
    node = _take_node(shard)
    if node == NO_NODE:
        return node
    request, context = lock_at(shard, node), context_of(shard, context_number)
    request.context = context_number
    request.index = context.index
    request.location = location
    request.held = held
    request.wanted = wanted
    request.next_of_context = context.locks
    context.locks = node
    return node


@kernel()
def _link_first(shard, node, location):
    locks = locks_of(shard)
    lock_at(shard, node).next = first_lock(shard, location)
    locks[U(location)] = (locks[U(location)] & ~LOCK_NODE_MASK) | U(node)


@kernel()
def hold_read(shard, context_number, location):
    """Lock a location that has been read just now without a lock, while `is_readable`. False when there is no room."""
    mode = LOCK_SHARED if is_locked(shard, location) else preferred_mode(shard, location)
    node = _make_lock(shard, context_number, location, mode, mode)
    if node == NO_NODE:
        return False
    _link_first(shard, node, location)
    return True


@kernel()
def _wound(cluster, shard, context_number, cause):
    """Have a younger transaction aborted by its coordinator."""
    context = context_of(shard, context_number)
    if context.is_wounded != 0:
        return
    context.is_wounded = 1
    coordinator, slot_number = context_number // shard.slot_count, context_number % shard.slot_count
    if coordinator == shard.number:
        note_wound(shard, slot_number, cause)
    else:
        reply(cluster, shard, WOUND, coordinator, slot_number, cause)


@kernel()
def _wound_younger(cluster, shard, location, index, mode):
    """Wound all that hold a location in conflict with an older request for it."""
    kind = kind_of(STATE.at(shard.state), location)
    cause = kind | (((shard.number << OWNER_SHIFT) | location) << WOUND_SHIFT)
    node = first_lock(shard, location)
    while node != NO_NODE:
        request = lock_at(shard, node)
        if request.held == LOCK_NONE:
            break
        if request.index > index and (mode == LOCK_EXCLUSIVE or request.held == LOCK_EXCLUSIVE):
            _wound(cluster, shard, request.context, cause)
        node = request.next


@kernel()
def _link_waiting(shard, node, location):
    """Enter a request into the list: behind all that hold the lock and behind older requests."""
    index = lock_at(shard, node).index
    before, after = NO_NODE, first_lock(shard, location)
    while after != NO_NODE:
        request = lock_at(shard, after)
        if request.held == LOCK_NONE and request.index > index:
            break
        before, after = after, request.next
    if before == NO_NODE:
        _link_first(shard, node, location)
        return
    lock_at(shard, node).next = after
    lock_at(shard, before).next = node


@kernel()
def lock(cluster, shard, context_number, location, mode):
    """Lock a location that the transaction does not lock yet: `GRANTED`, `WAITING` or `NO_ROOM`."""
    spend(cluster, shard, COST_LOCK, 1)
    context = context_of(shard, context_number)
    check(context.is_prepared == 0)  # two phases: a transaction that has prepared asks for no more locks
    index = context.index
    node, free = first_lock(shard, location), True
    while node != NO_NODE and free:
        request = lock_at(shard, node)
        held, wanted = request.held, request.wanted
        conflicts = held != LOCK_NONE and (mode == LOCK_EXCLUSIVE or held == LOCK_EXCLUSIVE)
        older_conflicts = request.index < index and (mode == LOCK_EXCLUSIVE or wanted == LOCK_EXCLUSIVE)
        free = not (conflicts or older_conflicts)
        node = request.next
    node = _make_lock(shard, context_number, location, mode if free else LOCK_NONE, mode)
    if node == NO_NODE:
        return NO_ROOM
    if free:
        _link_first(shard, node, location)
        return GRANTED
    shard.waits += U1
    _link_waiting(shard, node, location)
    _wound_younger(cluster, shard, location, index, mode)
    return WAITING


@kernel()
def upgrade(cluster, shard, context_number, location):
    """Make a lock that is held exclusive: `GRANTED`, or `WAITING` until the transaction is the only one to hold it."""
    spend(cluster, shard, COST_LOCK, 1)
    node, mine, holders = first_lock(shard, location), NO_NODE, 0
    while node != NO_NODE:
        request = lock_at(shard, node)
        if request.held == LOCK_NONE:
            break
        holders += 1
        if request.context == context_number:
            mine = node
        node = request.next
    check(mine != NO_NODE)
    own = lock_at(shard, mine)
    if own.held == LOCK_EXCLUSIVE:
        return GRANTED
    own.wanted = LOCK_EXCLUSIVE
    if holders == 1:
        own.held = LOCK_EXCLUSIVE
        return GRANTED
    shard.waits += U1
    _wound_younger(cluster, shard, location, own.index, LOCK_EXCLUSIVE)
    return WAITING


@kernel()
def send_value(cluster, shard, context_number, location):
    """Tell a transaction of another coordinator the word of a location that it has locked."""
    outbox_of(shard).word = word_of(shard, location)
    coordinator, slot_number = context_number // shard.slot_count, context_number % shard.slot_count
    reply(cluster, shard, VALUE, coordinator, slot_number, location)


@kernel()
def send_vote(cluster, shard, context_number):
    """Promise the coordinator of a transaction that what it has prepared here can be committed."""
    context = context_of(shard, context_number)
    check(context.is_prepared != 0 and context.pending_upgrades == 0)
    coordinator, slot_number = context_number // shard.slot_count, context_number % shard.slot_count
    reply(cluster, shard, VOTE, coordinator, slot_number, I(0))


@kernel()
def _granted(cluster, shard, context_number, location):
    if context_number // shard.slot_count != shard.number:
        send_value(cluster, shard, context_number, location)
    else:
        note_grant(shard, context_number % shard.slot_count)


@kernel()
def _upgraded(cluster, shard, context_number):
    if context_number // shard.slot_count == shard.number:
        note_upgrade(shard, context_number % shard.slot_count)
        return
    context = context_of(shard, context_number)
    check(context.pending_upgrades > 0)
    context.pending_upgrades -= 1
    if context.pending_upgrades == 0 and context.is_prepared != 0:
        send_vote(cluster, shard, context_number)


@kernel()
def _serve(cluster, shard, location):
    """After a release: grant the location to whom it is due."""
    holders, exclusive, upgrader = 0, False, NO_NODE
    node = first_lock(shard, location)
    while node != NO_NODE:
        request = lock_at(shard, node)
        if request.held == LOCK_NONE:
            break
        holders += 1
        if request.held == LOCK_EXCLUSIVE:
            exclusive = True
        elif request.wanted == LOCK_EXCLUSIVE:
            if upgrader == NO_NODE or request.index < lock_at(shard, upgrader).index:
                upgrader = node
        node = request.next
    if upgrader != NO_NODE and holders == 1:
        lock_at(shard, upgrader).held = LOCK_EXCLUSIVE
        exclusive = True
        _upgraded(cluster, shard, lock_at(shard, upgrader).context)
    while node != NO_NODE and not exclusive:
        request = lock_at(shard, node)
        if request.wanted == LOCK_EXCLUSIVE:
            if holders > 0:
                return
            exclusive = True
        elif upgrader != NO_NODE and lock_at(shard, upgrader).index < request.index:
            return
        request.held = request.wanted
        holders += 1
        _granted(cluster, shard, request.context, location)
        node = request.next


@kernel()
def _unlink(shard, node, location):
    after, before = lock_at(shard, node).next, first_lock(shard, location)
    if before == node:
        locks = locks_of(shard)
        locks[U(location)] = (locks[U(location)] & ~LOCK_NODE_MASK) | U(after)
        return
    while lock_at(shard, before).next != node:
        before = lock_at(shard, before).next
        check(before != NO_NODE)
    lock_at(shard, before).next = after


@kernel()
def release(cluster, shard, context_number):
    """Release all locks that are held or waited for, forget what was prepared, and serve those that wait."""
    context = context_of(shard, context_number)
    node = context.writes
    while node != NO_NODE:
        after = _staged_at(shard, node).next
        _give_node(shard, node)
        node = after
    node = context.locks
    context.locks = NO_NODE
    context.writes = NO_NODE
    context.pending_upgrades = 0
    context.is_prepared = 0
    context.is_wounded = 0
    while node != NO_NODE:
        after, location = lock_at(shard, node).next_of_context, lock_at(shard, node).location
        _unlink(shard, node, location)
        _give_node(shard, node)
        if is_locked(shard, location):
            _serve(cluster, shard, location)
        node = after


@kernel(inline=True)
def write(shard, location, word):
    """Write a location's word and remember that it was written."""
    location_row(STATE.at(shard.state), location).value = word
    locks = locks_of(shard)
    locks[U(location)] |= LOCK_WRITTEN


@kernel()
def stage(shard, context_number, location, word):
    """Keep a word that is to be written when its transaction commits. False when there is no room."""
    node = _take_node(shard)
    if node == NO_NODE:
        return False
    staged, context = _staged_at(shard, node), context_of(shard, context_number)
    check(context.is_prepared == 0)
    staged.location = location
    staged.word = word
    staged.next = context.writes
    context.writes = node
    return True


@kernel()
def write_staged(shard, context_number):
    """Write what was staged."""
    context = context_of(shard, context_number)
    node = context.writes
    check(node == NO_NODE or (context.is_prepared != 0 and context.pending_upgrades == 0))
    while node != NO_NODE:
        staged = _staged_at(shard, node)
        write(shard, staged.location, staged.word)
        node = staged.next
