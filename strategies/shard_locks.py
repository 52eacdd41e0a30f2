"""Locks of a shard's locations: strict two-phase locking with wound-wait.

A location's lock is a list of nodes: those that hold it, then those that wait for it, oldest transaction first. The
age of a transaction is its place in the block, and stays when it is started again. A request that conflicts waits; if
a *younger* transaction holds what an *older* one wants, the younger is wounded: its home is told to abort it and start
it again (Rosenkrantz, Stearns and Lewis, "System level concurrency control for distributed database systems", TODS
1978).

There is no deadlock. A transaction waits for an older one, or for a younger one that it has wounded. A wounded
transaction is aborted as soon as its home hears of it, whatever it is waiting for, unless its commit has been decided
by then, and then it waits for no lock. So along a cycle of waits every transaction would have to be younger than the
one before it: there is none. There is no starvation: the oldest transaction is never wounded.

Two rules keep that true of the lists. A request goes in behind the older ones that it conflicts with and before
younger ones. A holder of a shared lock that wants it exclusively (an upgrade, when the transaction prepares) is served
first: whoever is older and waits for this location has wounded it already.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm import layout
from evm.jit import kernel, macro
from evm.pointers import view_u64
from evm.words import get, get_at, put, put_at
from strategies import costs
from strategies import shard_layout as s
from strategies.shard_messages import I, charge, outbox_of, reply, sessions_of, set_runnable, slots_of

KIND_SHIFT = U(layout.KIND_SHIFT)
NONE, SHARED, EXCLUSIVE = U(s.LOCK_NONE), U(s.LOCK_SHARED), U(s.LOCK_EXCLUSIVE)
NODE_MASK, WRITTEN = U(s.LOCK_NODE_MASK), U(s.LOCK_WRITTEN)

GRANTED, WAITING, NO_ROOM = range(3)
COST_LOCK = costs.LOCK


@macro
def locks_of(shard):
    """View of the lock words, one a location."""
    return view_u64(I(shard[U(s.W_LOCKS)]), I(shard[U(s.W_LOCKS_SIZE)]))


@macro
def nodes_of(shard):
    """View of the pool of lock nodes and prepared words."""
    return view_u64(I(shard[U(s.W_NODES)]), I(shard[U(s.W_NODES_SIZE)]) * s.N_WORDS)


@macro
def words_of(shard):
    """View of the words of the shard's locations."""
    header = view_u64(I(shard[U(s.W_STATE)]), layout.STATE_WORDS)
    return view_u64(I(header[U(layout.STATE_VALUES)]), I(header[U(layout.STATE_CAPACITY)]) * 4)


@kernel(inline=True)
def kind_of(shard, number):
    """Kind of a location."""
    header = view_u64(I(shard[U(s.W_STATE)]), layout.STATE_WORDS)
    keys = view_u64(I(header[U(layout.STATE_KEYS)]), I(header[U(layout.STATE_CAPACITY)]) * layout.KEY_WORDS)
    return I(keys[U(number * layout.KEY_WORDS + 2)] >> KIND_SHIFT)


@kernel(inline=True)
def local_session(shard, slot):
    """The session of one of this shard's own slots."""
    return I(shard[U(s.W_SHARD)]) * I(shard[U(s.W_SLOT_COUNT)]) + slot


@kernel()
def preferred_mode(shard, number):
    """In which mode to lock a location that is about to be read.

    Whoever reads a balance, a nonce, or a slot that others have written in this block is likely to write it.
    Upgrading a shared lock then would abort all but one of those that share it, so it is taken exclusively at once.
    """
    kind = kind_of(shard, number)
    if kind == layout.KIND_CODE:
        return SHARED
    if kind == layout.KIND_STORAGE and locks_of(shard)[U(number)] & WRITTEN == U(0):
        return SHARED
    return EXCLUSIVE


@kernel()
def _take_node(shard):
    nodes = nodes_of(shard)
    node = I(shard[U(s.W_FREE_NODE)])
    if node != s.NO_NODE:
        shard[U(s.W_FREE_NODE)] = nodes[U(node * s.N_WORDS + s.N_NEXT)]
        return node
    node = I(shard[U(s.W_FRESH_NODE)])
    if node >= I(shard[U(s.W_NODES_SIZE)]):
        return s.NO_NODE
    shard[U(s.W_FRESH_NODE)] = U(node + 1)
    return node


@kernel(inline=True)
def _give_node(shard, node):
    nodes_of(shard)[U(node * s.N_WORDS + s.N_NEXT)] = shard[U(s.W_FREE_NODE)]
    shard[U(s.W_FREE_NODE)] = U(node)


@kernel(inline=True)
def is_locked(shard, number):
    """Whether anyone holds the location's lock or waits for it."""
    return locks_of(shard)[U(number)] & NODE_MASK != U(0)


@kernel()
def is_readable(shard, number):
    """Whether a shared lock would be granted at once and in turn: nobody waits, and all that hold it share it."""
    nodes = nodes_of(shard)
    node = I(locks_of(shard)[U(number)] & NODE_MASK)
    while node != s.NO_NODE:
        at = node * s.N_WORDS
        if nodes[U(at + s.N_HELD)] != SHARED or nodes[U(at + s.N_WANTED)] == EXCLUSIVE:
            return False
        node = I(nodes[U(at + s.N_NEXT)])
    return True


@kernel()
def _make_node(shard, session, number, held, wanted):
    node = _take_node(shard)
    if node == s.NO_NODE:
        return node
    nodes, sessions = nodes_of(shard), sessions_of(shard)
    at, of = node * s.N_WORDS, session * s.E_WORDS
    nodes[U(at + s.N_SESSION)] = U(session)
    nodes[U(at + s.N_PLACE)] = sessions[U(of + s.E_PLACE)]
    nodes[U(at + s.N_NUMBER)] = U(number)
    nodes[U(at + s.N_HELD)] = held
    nodes[U(at + s.N_WANTED)] = wanted
    nodes[U(at + s.N_NEXT_OF_SESSION)] = sessions[U(of + s.E_LOCKS)]
    sessions[U(of + s.E_LOCKS)] = U(node)
    return node


@kernel()
def _link_first(shard, node, number):
    locks = locks_of(shard)
    nodes_of(shard)[U(node * s.N_WORDS + s.N_NEXT)] = locks[U(number)] & NODE_MASK
    locks[U(number)] = (locks[U(number)] & ~NODE_MASK) | U(node)


@kernel()
def hold_read(shard, session, number):
    """Lock a location that has been read just now without a lock, while `is_readable`. False when there is no room."""
    mode = SHARED if is_locked(shard, number) else preferred_mode(shard, number)
    node = _make_node(shard, session, number, mode, mode)
    if node == s.NO_NODE:
        return False
    _link_first(shard, node, number)
    return True


@kernel()
def _wound(coupling, shard, session, location):
    """Have a younger transaction aborted by its home."""
    sessions = sessions_of(shard)
    at = session * s.E_WORDS
    if sessions[U(at + s.E_WOUNDED)] != U(0):
        return
    sessions[U(at + s.E_WOUNDED)] = U(1)
    slot_count = I(shard[U(s.W_SLOT_COUNT)])
    home, slot = session // slot_count, session % slot_count
    if home == I(shard[U(s.W_SHARD)]):
        slots_of(shard)[U(slot * s.S_WORDS + s.S_WOUNDED)] = U(location + 1)
        set_runnable(shard, slot)
    else:
        reply(coupling, shard, s.WOUND, home, slot, location)


@kernel()
def _wound_younger(coupling, shard, number, place, mode):
    """Wound all that hold a location in conflict with an older request for it."""
    nodes = nodes_of(shard)
    location = kind_of(shard, number) | (((I(shard[U(s.W_SHARD)]) << 32) | number) << s.WOUND_SHIFT)
    node = I(locks_of(shard)[U(number)] & NODE_MASK)
    while node != s.NO_NODE:
        at = node * s.N_WORDS
        held = nodes[U(at + s.N_HELD)]
        if held == NONE:
            break
        if nodes[U(at + s.N_PLACE)] > place and (mode == EXCLUSIVE or held == EXCLUSIVE):
            _wound(coupling, shard, I(nodes[U(at + s.N_SESSION)]), location)
        node = I(nodes[U(at + s.N_NEXT)])


@kernel()
def _link_waiting(shard, node, number):
    """Enter a request into the list: behind all that hold the lock and behind older requests."""
    nodes = nodes_of(shard)
    place = nodes[U(node * s.N_WORDS + s.N_PLACE)]
    before, after = s.NO_NODE, I(locks_of(shard)[U(number)] & NODE_MASK)
    while after != s.NO_NODE:
        at = after * s.N_WORDS
        if nodes[U(at + s.N_HELD)] == NONE and nodes[U(at + s.N_PLACE)] > place:
            break
        before, after = after, I(nodes[U(at + s.N_NEXT)])
    if before == s.NO_NODE:
        _link_first(shard, node, number)
        return
    nodes[U(node * s.N_WORDS + s.N_NEXT)] = U(after)
    nodes[U(before * s.N_WORDS + s.N_NEXT)] = U(node)


@kernel()
def lock(coupling, shard, session, number, mode):
    """Lock a location that the session does not lock yet: `GRANTED`, `WAITING` or `NO_ROOM`."""
    charge(coupling, shard, COST_LOCK, 1)
    nodes = nodes_of(shard)
    place = sessions_of(shard)[U(session * s.E_WORDS + s.E_PLACE)]
    node = I(locks_of(shard)[U(number)] & NODE_MASK)
    free = True
    while node != s.NO_NODE and free:
        at = node * s.N_WORDS
        held, wanted = nodes[U(at + s.N_HELD)], nodes[U(at + s.N_WANTED)]
        conflicts = held != NONE and (mode == EXCLUSIVE or held == EXCLUSIVE)
        older_conflicts = nodes[U(at + s.N_PLACE)] < place and (mode == EXCLUSIVE or wanted == EXCLUSIVE)
        free = not (conflicts or older_conflicts)
        node = I(nodes[U(at + s.N_NEXT)])
    node = _make_node(shard, session, number, mode if free else NONE, mode)
    if node == s.NO_NODE:
        return NO_ROOM
    if free:
        _link_first(shard, node, number)
        return GRANTED
    shard[U(s.W_LOCK_WAITS)] += U(1)
    _link_waiting(shard, node, number)
    _wound_younger(coupling, shard, number, place, mode)
    return WAITING


@kernel()
def upgrade(coupling, shard, session, number):
    """Make a lock that the session holds exclusive: `GRANTED`, or `WAITING` until it is the only one that holds it."""
    charge(coupling, shard, COST_LOCK, 1)
    nodes = nodes_of(shard)
    node = I(locks_of(shard)[U(number)] & NODE_MASK)
    mine, holders = s.NO_NODE, 0
    while node != s.NO_NODE and nodes[U(node * s.N_WORDS + s.N_HELD)] != NONE:
        holders += 1
        if I(nodes[U(node * s.N_WORDS + s.N_SESSION)]) == session:
            mine = node
        node = I(nodes[U(node * s.N_WORDS + s.N_NEXT)])
    at = mine * s.N_WORDS
    if nodes[U(at + s.N_HELD)] == EXCLUSIVE:
        return GRANTED
    nodes[U(at + s.N_WANTED)] = EXCLUSIVE
    if holders == 1:
        nodes[U(at + s.N_HELD)] = EXCLUSIVE
        return GRANTED
    shard[U(s.W_LOCK_WAITS)] += U(1)
    _wound_younger(coupling, shard, number, nodes[U(at + s.N_PLACE)], EXCLUSIVE)
    return WAITING


@kernel()
def send_value(coupling, shard, session, number):
    """Tell a transaction of another home the word of a location that it has locked."""
    slot_count = I(shard[U(s.W_SLOT_COUNT)])
    put_at(outbox_of(shard), s.MSG_WORD, get(words_of(shard), number))
    reply(coupling, shard, s.VALUE, session // slot_count, session % slot_count, number)


@kernel()
def send_vote(coupling, shard, session):
    """Promise the home of a transaction that what it has prepared here can be committed."""
    slot_count = I(shard[U(s.W_SLOT_COUNT)])
    reply(coupling, shard, s.VOTE, session // slot_count, session % slot_count, I(0))


@kernel()
def _granted(coupling, shard, session, number):
    slot_count = I(shard[U(s.W_SLOT_COUNT)])
    if session // slot_count != I(shard[U(s.W_SHARD)]):
        send_value(coupling, shard, session, number)
        return
    slot = session % slot_count
    slots_of(shard)[U(slot * s.S_WORDS + s.S_PHASE)] = U(s.PHASE_GRANTED)
    set_runnable(shard, slot)


@kernel()
def _upgraded(coupling, shard, session):
    slot_count = I(shard[U(s.W_SLOT_COUNT)])
    if session // slot_count == I(shard[U(s.W_SHARD)]):
        slot = session % slot_count
        slots_of(shard)[U(slot * s.S_WORDS + s.S_PENDING)] -= U(1)
        set_runnable(shard, slot)
        return
    sessions = sessions_of(shard)
    at = session * s.E_WORDS
    sessions[U(at + s.E_PENDING)] -= U(1)
    if sessions[U(at + s.E_PENDING)] == U(0) and sessions[U(at + s.E_PREPARED)] != U(0):
        send_vote(coupling, shard, session)


@kernel()
def _serve(coupling, shard, number):
    """After a release: grant the location to whom it is due."""
    nodes = nodes_of(shard)
    holders, exclusive, upgrader = 0, False, s.NO_NODE
    node = I(locks_of(shard)[U(number)] & NODE_MASK)
    while node != s.NO_NODE and nodes[U(node * s.N_WORDS + s.N_HELD)] != NONE:
        at = node * s.N_WORDS
        holders += 1
        if nodes[U(at + s.N_HELD)] == EXCLUSIVE:
            exclusive = True
        elif nodes[U(at + s.N_WANTED)] == EXCLUSIVE:
            if upgrader == s.NO_NODE or nodes[U(at + s.N_PLACE)] < nodes[U(upgrader * s.N_WORDS + s.N_PLACE)]:
                upgrader = node
        node = I(nodes[U(at + s.N_NEXT)])
    if upgrader != s.NO_NODE and holders == 1:
        nodes[U(upgrader * s.N_WORDS + s.N_HELD)] = EXCLUSIVE
        exclusive = True
        _upgraded(coupling, shard, I(nodes[U(upgrader * s.N_WORDS + s.N_SESSION)]))
    while node != s.NO_NODE and not exclusive:
        at = node * s.N_WORDS
        if nodes[U(at + s.N_WANTED)] == EXCLUSIVE:
            if holders > 0:
                return
            exclusive = True
        elif upgrader != s.NO_NODE and nodes[U(upgrader * s.N_WORDS + s.N_PLACE)] < nodes[U(at + s.N_PLACE)]:
            return
        nodes[U(at + s.N_HELD)] = nodes[U(at + s.N_WANTED)]
        holders += 1
        _granted(coupling, shard, I(nodes[U(at + s.N_SESSION)]), number)
        node = I(nodes[U(at + s.N_NEXT)])


@kernel()
def _unlink(shard, node, number):
    nodes, locks = nodes_of(shard), locks_of(shard)
    after = nodes[U(node * s.N_WORDS + s.N_NEXT)]
    before = I(locks[U(number)] & NODE_MASK)
    if before == node:
        locks[U(number)] = (locks[U(number)] & ~NODE_MASK) | after
        return
    while I(nodes[U(before * s.N_WORDS + s.N_NEXT)]) != node:
        before = I(nodes[U(before * s.N_WORDS + s.N_NEXT)])
    nodes[U(before * s.N_WORDS + s.N_NEXT)] = after


@kernel()
def release(coupling, shard, session):
    """Release everything that a session holds or waits for, forget what it has prepared, and serve those that wait."""
    nodes, sessions = nodes_of(shard), sessions_of(shard)
    at = session * s.E_WORDS
    node = I(sessions[U(at + s.E_WRITES)])
    while node != s.NO_NODE:
        after = I(nodes[U(node * s.N_WORDS + s.P_NEXT)])
        _give_node(shard, node)
        node = after
    node = I(sessions[U(at + s.E_LOCKS)])
    sessions[U(at + s.E_LOCKS)] = U(s.NO_NODE)
    sessions[U(at + s.E_WRITES)] = U(s.NO_NODE)
    sessions[U(at + s.E_PENDING)] = U(0)
    sessions[U(at + s.E_PREPARED)] = U(0)
    sessions[U(at + s.E_WOUNDED)] = U(0)
    while node != s.NO_NODE:
        after, number = I(nodes[U(node * s.N_WORDS + s.N_NEXT_OF_SESSION)]), I(nodes[U(node * s.N_WORDS + s.N_NUMBER)])
        _unlink(shard, node, number)
        _give_node(shard, node)
        if is_locked(shard, number):
            _serve(coupling, shard, number)
        node = after


@kernel(inline=True)
def write(shard, number, word):
    """Write a location's word and remember that it was written."""
    put(words_of(shard), number, word)
    locks = locks_of(shard)
    locks[U(number)] |= WRITTEN


@kernel()
def stage(shard, session, number, word):
    """Keep a word that is to be written when the session commits. False when there is no room."""
    node = _take_node(shard)
    if node == s.NO_NODE:
        return False
    nodes, sessions = nodes_of(shard), sessions_of(shard)
    at = node * s.N_WORDS
    nodes[U(at + s.P_NUMBER)] = U(number)
    put_at(nodes, at + s.P_WORD, word)
    nodes[U(at + s.P_NEXT)] = sessions[U(session * s.E_WORDS + s.E_WRITES)]
    sessions[U(session * s.E_WORDS + s.E_WRITES)] = U(node)
    return True


@kernel()
def write_staged(shard, session):
    """Write what was staged."""
    nodes = nodes_of(shard)
    node = I(sessions_of(shard)[U(session * s.E_WORDS + s.E_WRITES)])
    while node != s.NO_NODE:
        at = node * s.N_WORDS
        write(shard, I(nodes[U(at + s.P_NUMBER)]), get_at(nodes, at + s.P_WORD))
        node = I(nodes[U(at + s.P_NEXT)])
