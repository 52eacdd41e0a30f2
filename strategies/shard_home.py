"""What a shard does for the transactions whose home it is: run them, and bring them to their end.

A transaction runs *light* at first: it takes words of its own shard without locking them, as long as nobody else's lock
is in the way, since nothing happens in this shard meanwhile. If it gets to its end so, it commits there and then; most
transactions that touch one shard never see a lock. Once it has to wait, or needs a word of another shard, it locks what
it has read, and everything it reads from then on.

At its end it upgrades its locks on what it wrote, sends those writes to their owners (PREPARE), and when all locks are
held exclusively (VOTE) it commits: from then on it is certain, and COMMIT tells the owners. Owners that it only read
from are told to release their locks by COMMIT too; they need no PREPARE (the read-only optimisation of Mohan, Lindsay
and Obermarck, "Transaction management in the R* distributed database management system", TODS 1986).

Where the block's order is binding, it commits when its turn has come besides; see `strategies.shard_turn`.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm import costs as evm_costs
from evm import errors, layout
from evm.access import LOADED, entries_of, provide
from evm.jit import kernel
from evm.pointers import call_1, view_u64
from evm.receipts import ARENA_WORDS, R_WORDS, write_receipt
from evm.state import intern_location
from evm.transaction import open_machine, start_transaction
from evm.words import add, equal, get, get_at, put_at, subtract
from strategies import costs
from strategies import shard_layout as s
from strategies.clocks import ACT_COMMIT, ACT_EXECUTE
from strategies.shard_locks import (
    NO_ROOM,
    WAITING,
    hold_read,
    is_locked,
    is_readable,
    local_session,
    lock,
    preferred_mode,
    release,
    upgrade,
    words_of,
    write,
)
from strategies.shard_messages import (
    I,
    charge,
    note_fault,
    outbox_of,
    owner_of,
    send,
    sessions_of,
    set_runnable,
    slots_of,
)
from strategies.shard_records import defer, end, records_of
from strategies.shard_turn import is_turn, knows_fees, pass_turn
from strategies.shared import FAILED, IDLE, WORKED

M_WANTED, M_FEE = I(layout.M_WANTED), I(layout.M_FEE)
COUNT_SHIFT, LAST_SHIFT = U(s.PREPARE_COUNT_SHIFT), U(s.PREPARE_LAST_SHIFT)
OWNER_SHIFT, NUMBER_MASK = U(s.OWNER_SHIFT), U(s.NUMBER_MASK)
COST_BEGIN, COST_FINISH = costs.BEGIN, costs.FINISH
WOUND_KIND, WOUND_SHIFT = U(s.WOUND_KIND), U(s.WOUND_SHIFT)


@kernel(inline=True)
def machine_address(shard, slot):
    """Address of a slot's machine."""
    return I(slots_of(shard)[U(slot * s.S_WORDS + s.S_MACHINE)])


@kernel(inline=True)
def _is_beneficiary(shard, array, at):
    """Whether the key whose words begin at element `at` is that of the beneficiary's balance."""
    return (
        array[U(at)] == shard[U(s.W_BENEFICIARY)]
        and array[U(at + 1)] == shard[U(s.W_BENEFICIARY + 1)]
        and array[U(at + 2)] == shard[U(s.W_BENEFICIARY + 2)]
    )


@kernel(inline=True)
def _is_changed(entries, at):
    """Whether the transaction writes the location of the entry at element `at`."""
    return entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U(0) and not equal(
        get_at(entries, at + layout.ENTRY_CURRENT), get_at(entries, at + layout.ENTRY_ORIGINAL)
    )


@kernel()
def _word_to_store(shard, slot, entries, at):
    """An entry's word as it is kept: the beneficiary's balance lacks the fees of the block until its end."""
    word = get_at(entries, at + layout.ENTRY_CURRENT)
    if _is_beneficiary(shard, entries, at) and knows_fees(shard, slot):
        word = subtract(word, get_at(shard, s.W_FEES))
    return word


@kernel()
def give_word(shard, slot, owner, number, word):
    """Give the slot's machine the word it wants. False when the machine has no room."""
    machine = open_machine(machine_address(shard, slot))
    if _is_beneficiary(shard, machine, M_WANTED) and knows_fees(shard, slot):
        word = add(word, get_at(shard, s.W_FEES))
    return provide(machine, I((U(owner) << OWNER_SHIFT) | U(number)), word)


@kernel()
def _lock_what_was_read(shard, slot):
    """End the light part of a transaction. False when there is no room for locks."""
    slots = slots_of(shard)
    slots[U(slot * s.S_WORDS + s.S_LIGHT)] = U(0)
    machine = open_machine(machine_address(shard, slot))
    entries = entries_of(machine)
    session = local_session(shard, slot)
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U(0):
            if not hold_read(shard, session, I(entries[U(at + layout.ENTRY_ID)] & NUMBER_MASK)):
                return False
    return True


# What `_answer` and those that it calls return.
ANSWERED, MUST_WAIT, NO_SPACE = range(3)


@kernel()
def _answer_here(coupling, shard, slot):
    """Answer a want that this shard owns, or wait for its lock."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    machine = open_machine(I(slots[U(at + s.S_MACHINE)]))
    number = intern_location(I(shard[U(s.W_STATE)]), machine, M_WANTED)
    if number < 0 or number >= I(shard[U(s.W_LOCKS_SIZE)]):
        return NO_SPACE
    if slots[U(at + s.S_LIGHT)] != U(0):
        if not is_readable(shard, number):
            if not _lock_what_was_read(shard, slot):
                return NO_SPACE
    if slots[U(at + s.S_LIGHT)] == U(0):
        locked = lock(coupling, shard, local_session(shard, slot), number, preferred_mode(shard, number))
        if locked == NO_ROOM:
            return NO_SPACE
        if locked == WAITING:
            slots[U(at + s.S_NUMBER)] = U(number)
            slots[U(at + s.S_PHASE)] = U(s.PHASE_WAITING)
            return MUST_WAIT
    charge(coupling, shard, evm_costs.STATE_READ, 1)
    if not give_word(shard, slot, I(shard[U(s.W_SHARD)]), number, get(words_of(shard), number)):
        return NO_SPACE
    return ANSWERED


@kernel()
def _take_part(shard, slot, owner):
    """Note a shard as one that this transaction has asked for something."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    participants = view_u64(I(slots[U(at + s.S_PARTICIPANTS)]), I(shard[U(s.W_SHARDS)]))
    count = I(slots[U(at + s.S_PARTICIPANT_COUNT)])
    for i in range(count):
        if I(participants[U(i)]) == owner:
            return
    participants[U(count)] = U(owner)
    slots[U(at + s.S_PARTICIPANT_COUNT)] = U(count + 1)


@kernel()
def _ask(coupling, shard, slot):
    """Send a READ for what the machine wants to its owner; the slot stays runnable when there is no room for it."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    machine = open_machine(I(slots[U(at + s.S_MACHINE)]))
    owner = owner_of(machine[U(M_WANTED)], machine[U(M_WANTED + 1)], machine[U(M_WANTED + 2)], I(shard[U(s.W_SHARDS)]))
    message = outbox_of(shard)
    message[U(s.MSG_DETAIL)] = sessions_of(shard)[U(local_session(shard, slot) * s.E_WORDS + s.E_PLACE)]
    for i in range(layout.KEY_WORDS):
        message[U(s.MSG_KEY + i)] = machine[U(M_WANTED + i)]
    if not send(coupling, shard, s.READ, owner, slot):
        slots[U(at + s.S_PHASE)] = U(s.PHASE_ASKING)
        set_runnable(shard, slot)
        return False
    _take_part(shard, slot, owner)
    slots[U(at + s.S_PHASE)] = U(s.PHASE_WAITING)
    return True


@kernel()
def _answer(coupling, shard, slot):
    """Answer a want from here, or ask the shard that owns it."""
    slots = slots_of(shard)
    machine = open_machine(machine_address(shard, slot))
    owner = owner_of(machine[U(M_WANTED)], machine[U(M_WANTED + 1)], machine[U(M_WANTED + 2)], I(shard[U(s.W_SHARDS)]))
    if owner == I(shard[U(s.W_SHARD)]):
        return _answer_here(coupling, shard, slot)
    if slots[U(slot * s.S_WORDS + s.S_LIGHT)] != U(0) and not _lock_what_was_read(shard, slot):
        return NO_SPACE
    _ask(coupling, shard, slot)
    return MUST_WAIT


@kernel()
def _await_turn(shard, slot):
    """Wait until all before this transaction have committed: it asks for a balance that their fees are part of."""
    slots = slots_of(shard)
    if slots[U(slot * s.S_WORDS + s.S_LIGHT)] != U(0) and not _lock_what_was_read(shard, slot):
        return NO_SPACE
    slots[U(slot * s.S_WORDS + s.S_PHASE)] = U(s.PHASE_TURN)
    return MUST_WAIT


@kernel()
def run(coupling, shard, slot):
    """Run a slot's transaction until it waits or is finished. `WORKED` or `FAILED`."""
    shard[U(s.W_ACTIVITY)] = U(ACT_EXECUTE)
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    address = I(slots[U(at + s.S_MACHINE)])
    machine = open_machine(address)
    answered = ANSWERED
    while answered == ANSWERED:
        outcome = call_1(I(coupling[U(s.H_RESUME)]), address)
        if outcome != errors.NEED:
            break
        if _is_beneficiary(shard, machine, M_WANTED) and not knows_fees(shard, slot):
            if shard[U(s.W_ORDERED)] == U(0):
                slots[U(at + s.S_DEFER)] = U(1)
                break
            answered = _await_turn(shard, slot)
        else:
            answered = _answer(coupling, shard, slot)
    gas = I(machine[U(layout.M_GAS_DONE)])
    machine[U(layout.M_GAS_DONE)] = U(0)
    slots[U(at + s.S_GAS)] += U(gas)
    shard[U(s.W_COST)] += machine[U(layout.M_WORK_DONE)]
    machine[U(layout.M_WORK_DONE)] = U(0)
    if answered == NO_SPACE or (outcome != errors.NEED and outcome != errors.DONE):
        note_fault(coupling)
        return FAILED
    if slots[U(at + s.S_DEFER)] != U(0):
        return abort(coupling, shard, slot)
    if outcome == errors.DONE:
        return _finish(coupling, shard, slot)
    return WORKED


@kernel()
def begin(coupling, shard, slot, record):
    """Start a transaction in a free slot, or again in its own, and run it."""
    at = slot * s.S_WORDS
    slots, sessions = slots_of(shard), sessions_of(shard)
    shard[U(s.W_FREE)] &= ~(U(1) << U(slot))
    slots[U(at + s.S_RECORD)] = U(record)
    slots[U(at + s.S_LIGHT)] = U(1)
    slots[U(at + s.S_WOUNDED)] = U(0)
    slots[U(at + s.S_PARTICIPANT_COUNT)] = U(0)
    slots[U(at + s.S_GAS)] = U(0)
    slots[U(at + s.S_DEFER)] = U(0)
    session = local_session(shard, slot) * s.E_WORDS
    sessions[U(session + s.E_PLACE)] = records_of(shard)[U(record * s.T_WORDS + s.T_PLACE)]
    sessions[U(session + s.E_WOUNDED)] = U(0)
    shard[U(s.W_EXECUTIONS)] += U(1)
    start_transaction(open_machine(I(slots[U(at + s.S_MACHINE)])), record)
    charge(coupling, shard, COST_BEGIN, 1)
    return run(coupling, shard, slot)


@kernel()
def _may_commit_light(shard, machine):
    """Whether nobody holds a lock on what a light transaction writes."""
    entries = entries_of(machine)
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if _is_changed(entries, at) and is_locked(shard, I(entries[U(at + layout.ENTRY_ID)] & NUMBER_MASK)):
            return False
    return True


@kernel()
def _finish(coupling, shard, slot):
    """The machine has come to the end: commit at once, or begin to prepare."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    machine = open_machine(I(slots[U(at + s.S_MACHINE)]))
    if slots[U(at + s.S_LIGHT)] != U(0):
        if is_turn(shard, slot) and _may_commit_light(shard, machine):
            return commit(coupling, shard, slot)
        if not _lock_what_was_read(shard, slot):
            note_fault(coupling)
            return FAILED
    slots[U(at + s.S_PHASE)] = U(s.PHASE_PREPARING)
    slots[U(at + s.S_AT)] = U(0)
    slots[U(at + s.S_ENTRY)] = U(0)
    entries = entries_of(machine)
    here, session = shard[U(s.W_SHARD)], local_session(shard, slot)
    pending = 0
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        entry = i * layout.ENTRY_WORDS
        if _is_changed(entries, entry) and entries[U(entry + layout.ENTRY_ID)] >> OWNER_SHIFT == here:
            if upgrade(coupling, shard, session, I(entries[U(entry + layout.ENTRY_ID)] & NUMBER_MASK)) == WAITING:
                pending += 1
    slots[U(at + s.S_PENDING)] = U(pending)
    return _send_prepares(coupling, shard, slot)


@kernel()
def _next_write(entries, first, count, owner):
    """The first entry from `first` on whose location is written and belongs to `owner`; `count` when there is none."""
    for i in range(first, count):
        at = i * layout.ENTRY_WORDS
        if I(entries[U(at + layout.ENTRY_ID)] >> OWNER_SHIFT) == owner and _is_changed(entries, at):
            return i
    return count


@kernel()
def _send_prepares(coupling, shard, slot):
    """Send the writes to their owners, from where the last call left off for want of room; then wait for votes."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    machine = open_machine(I(slots[U(at + s.S_MACHINE)]))
    entries, count = entries_of(machine), I(machine[U(layout.M_ENTRY_COUNT)])
    participants = view_u64(I(slots[U(at + s.S_PARTICIPANTS)]), I(shard[U(s.W_SHARDS)]))
    message = outbox_of(shard)
    while slots[U(at + s.S_AT)] < slots[U(at + s.S_PARTICIPANT_COUNT)]:
        owner = I(participants[slots[U(at + s.S_AT)]])
        first = _next_write(entries, I(slots[U(at + s.S_ENTRY)]), count, owner)
        if first == count:
            slots[U(at + s.S_AT)] += U(1)
            slots[U(at + s.S_ENTRY)] = U(0)
            continue
        second = _next_write(entries, first + 1, count, owner)
        after = _next_write(entries, second + 1, count, owner)
        entry = first * layout.ENTRY_WORDS
        words, last = (1, 1) if second == count else (2, 1 if after >= count else 0)
        number = entries[U(entry + layout.ENTRY_ID)] & NUMBER_MASK
        message[U(s.MSG_DETAIL)] = number | (U(words) << COUNT_SHIFT) | (U(last) << LAST_SHIFT)
        put_at(message, s.MSG_WORD, _word_to_store(shard, slot, entries, entry))
        if second < count:
            entry = second * layout.ENTRY_WORDS
            message[U(s.MSG_NUMBER_2)] = entries[U(entry + layout.ENTRY_ID)] & NUMBER_MASK
            put_at(message, s.MSG_WORD_2, _word_to_store(shard, slot, entries, entry))
        if not send(coupling, shard, s.PREPARE, owner, slot):
            set_runnable(shard, slot)
            return WORKED
        slots[U(at + s.S_PENDING)] += U(last)
        slots[U(at + s.S_ENTRY)] = U(after)
    slots[U(at + s.S_PHASE)] = U(s.PHASE_VOTING)
    if may_commit(shard, slot):
        return commit(coupling, shard, slot)
    return WORKED


@kernel(inline=True)
def may_commit(shard, slot):
    """Whether a transaction that asked for votes has them all, and its turn has come."""
    return slots_of(shard)[U(slot * s.S_WORDS + s.S_PENDING)] == U(0) and is_turn(shard, slot)


@kernel()
def commit(coupling, shard, slot):
    """Decide for a transaction: nothing can undo it from here on.

    Its time by the Lamport clock is its place in the serialisation order, see `strategies.sharded`.
    """
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    machine = open_machine(I(slots[U(at + s.S_MACHINE)]))
    record = I(slots[U(at + s.S_RECORD)])
    shard[U(s.W_CLOCK)] += U(1)
    records_of(shard)[U(record * s.T_WORDS + s.T_TIME)] = shard[U(s.W_CLOCK)]
    entries, here = entries_of(machine), shard[U(s.W_SHARD)]
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        entry = i * layout.ENTRY_WORDS
        if _is_changed(entries, entry) and entries[U(entry + layout.ENTRY_ID)] >> OWNER_SHIFT == here:
            word = _word_to_store(shard, slot, entries, entry)
            write(shard, I(entries[U(entry + layout.ENTRY_ID)] & NUMBER_MASK), word)
            charge(coupling, shard, evm_costs.STATE_WRITE, 1)
    if slots[U(at + s.S_LIGHT)] == U(0):
        release(coupling, shard, local_session(shard, slot))
    table = view_u64(I(shard[U(s.W_RECEIPTS)]), I(shard[U(s.W_COUNT)]) * R_WORDS)
    if not write_receipt(machine, table, record, view_u64(I(shard[U(s.W_RECEIPT_ARENA)]), ARENA_WORDS)):
        note_fault(coupling)
        return FAILED
    put_at(shard, s.W_FEES, add(get_at(shard, s.W_FEES), get_at(machine, M_FEE)))
    shard[U(s.W_CROSS_SHARD)] += U(slots[U(at + s.S_PARTICIPANT_COUNT)] != U(0))
    end(shard, record)
    if shard[U(s.W_ORDERED)] != U(0):
        pass_turn(coupling, shard, record)
    charge(coupling, shard, COST_FINISH, 1)
    return _announce(coupling, shard, slot, s.PHASE_COMMITTING)


@kernel()
def _blame(shard, wound):
    """Count an abort by the kind of location that caused it, and keep which one. False when there is no room."""
    shard[U(s.W_ABORTS_BY_KIND) + (wound & WOUND_KIND)] += U(1)
    count, room = I(shard[U(s.W_BLAME_COUNT)]), I(shard[U(s.W_BLAMES_ROOM)])
    if count == room:
        return False
    view_u64(I(shard[U(s.W_BLAMES)]), room)[U(count)] = wound >> WOUND_SHIFT
    shard[U(s.W_BLAME_COUNT)] = U(count + 1)
    return True


@kernel()
def abort(coupling, shard, slot):
    """Undo a transaction of which nothing is certain yet: it is started again, or deferred."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    shard[U(s.W_WASTED_GAS)] += slots[U(at + s.S_GAS)]
    if slots[U(at + s.S_DEFER)] != U(0):
        defer(shard, I(slots[U(at + s.S_RECORD)]))
    else:
        shard[U(s.W_ABORTS)] += U(1)
        if not _blame(shard, slots[U(at + s.S_WOUNDED)] - U(1)):
            note_fault(coupling)
            return FAILED
    release(coupling, shard, local_session(shard, slot))
    return _announce(coupling, shard, slot, s.PHASE_ABORTING)


@kernel()
def _announce(coupling, shard, slot, phase):
    """Begin to tell the participants what was decided."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    slots[U(at + s.S_PHASE)] = U(phase)
    slots[U(at + s.S_WOUNDED)] = U(0)
    slots[U(at + s.S_AT)] = U(0)
    slots[U(at + s.S_PENDING)] = slots[U(at + s.S_PARTICIPANT_COUNT)]
    shard[U(s.W_RUNNABLE)] &= ~(U(1) << U(slot))
    return _send_decision(coupling, shard, slot)


@kernel()
def _send_decision(coupling, shard, slot):
    """Send COMMIT or ABORT to the participants that were not told yet."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    kind = s.COMMIT if slots[U(at + s.S_PHASE)] == U(s.PHASE_COMMITTING) else s.ABORT
    participants = view_u64(I(slots[U(at + s.S_PARTICIPANTS)]), I(shard[U(s.W_SHARDS)]))
    while slots[U(at + s.S_AT)] < slots[U(at + s.S_PARTICIPANT_COUNT)]:
        if not send(coupling, shard, kind, I(participants[slots[U(at + s.S_AT)]]), slot):
            set_runnable(shard, slot)
            return WORKED
        slots[U(at + s.S_AT)] += U(1)
    if slots[U(at + s.S_PENDING)] == U(0):
        leave(shard, slot)
    return WORKED


@kernel()
def leave(shard, slot):
    """All participants have acknowledged the decision: the slot is free, or its transaction starts again."""
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    if slots[U(at + s.S_PHASE)] == U(s.PHASE_ABORTING) and slots[U(at + s.S_DEFER)] == U(0):
        slots[U(at + s.S_PHASE)] = U(s.PHASE_RESTART)
        set_runnable(shard, slot)
        return
    slots[U(at + s.S_PHASE)] = U(s.PHASE_FREE)
    shard[U(s.W_FREE)] |= U(1) << U(slot)


@kernel()
def proceed(coupling, shard, slot):
    """Go on with a runnable slot. `WORKED`, `IDLE` when it still cannot, or `FAILED`."""
    shard[U(s.W_ACTIVITY)] = U(ACT_COMMIT)
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    phase = I(slots[U(at + s.S_PHASE)])
    sent = shard[U(s.W_MESSAGES)]
    if slots[U(at + s.S_WOUNDED)] != U(0) and phase <= s.LAST_UNDECIDED:
        return abort(coupling, shard, slot)
    if phase == s.PHASE_GRANTED:
        number = I(slots[U(at + s.S_NUMBER)])
        if not give_word(shard, slot, I(shard[U(s.W_SHARD)]), number, get(words_of(shard), number)):
            note_fault(coupling)
            return FAILED
        return run(coupling, shard, slot)
    if phase == s.PHASE_TURN:
        answered = _answer(coupling, shard, slot)
        if answered == NO_SPACE:
            note_fault(coupling)
            return FAILED
        return run(coupling, shard, slot) if answered == ANSWERED else WORKED
    if phase == s.PHASE_ASKING:
        return WORKED if _ask(coupling, shard, slot) else IDLE
    if phase == s.PHASE_RESTART:
        return begin(coupling, shard, slot, I(slots[U(at + s.S_RECORD)]))
    if phase == s.PHASE_VOTING:
        return commit(coupling, shard, slot) if may_commit(shard, slot) else IDLE
    if phase == s.PHASE_PREPARING:
        result = _send_prepares(coupling, shard, slot)
    elif phase == s.PHASE_COMMITTING or phase == s.PHASE_ABORTING:
        result = _send_decision(coupling, shard, slot)
    else:
        return IDLE
    return result if result == FAILED or shard[U(s.W_MESSAGES)] != sent else IDLE
