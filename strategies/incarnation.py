"""One incarnation of a transaction over multi-version memory: begin, read, finish, validate, abort.

These are the acts of a Block-STM worker (arXiv 2203.06871, algorithms 1 to 3), apart from choosing what to do next:
`strategies.block_stm` and `strategies.planned` choose differently and act alike.

The beneficiary's balance is special. Fees are credited lazily, so its versions lack the fees of the block; a
transaction that reads it is given the sum of the fees of all transactions below it, and that sum is part of its read
set, compared by value. A transaction below that is not executed counts like an ESTIMATE.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import atomics, errors, layout
from evm.access import LOADED, entries_of, provide
from evm.jit import kernel, macro
from evm.pointers import call_1, view_u64
from evm.receipts import ARENA_WORDS, R_FEE, R_GAS, R_WORDS, write_receipt
from evm.state import intern_location
from evm.transaction import open_machine, start_transaction
from evm.words import U0, U1, add, equal, get, get_at, put, put_at, subtract
from strategies import costs
from strategies import shared as s
from strategies.multiversion import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    N_WORD,
    NODE_NONE,
    VERSION_SHIFT,
    allocate,
    arena_of,
    final_version,
    find_version,
    is_written_by,
    mark_absent,
    mark_estimate,
    write_version,
    writer_of,
)
from strategies.scheduler import EXECUTED, STATUS_MASK, status_word, transactions_of

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

KIND_SHIFT = U(layout.KIND_SHIFT)
LIST_SHIFT, LIST_MASK = U(s.LIST_SHIFT), U(s.LIST_MASK)
COST_CLASSES, COST_BEGIN, COST_READ, COST_FINISH, COST_FEE = (
    costs.COUNT,
    costs.BEGIN,
    costs.READ,
    costs.FINISH,
    costs.FEE,
)
COST_PUBLISH_READ, COST_PUBLISH_WRITE, COST_VALIDATE, COST_VALIDATE_READ, COST_ABORT, COST_ABORT_WRITE = (
    costs.PUBLISH_READ,
    costs.PUBLISH_WRITE,
    costs.VALIDATE,
    costs.VALIDATE_READ,
    costs.ABORT,
    costs.ABORT_WRITE,
)

# What `advance` and `answer` return.
RAN_TO_END, RAN_TO_NEED, RAN_INTO_FAULT = range(3)
ANSWERED, BLOCKED, FAULTED = range(3)
NOBODY = -1
VALID = -1  # `first_stale_read` found none


@macro
def open_shared(address):
    """View of the shared header."""
    return view_u64(address, s.S_WORDS)


@macro
def open_worker(address):
    """View of a worker's header."""
    return view_u64(address, s.W_WORDS)


@macro
def values_of(shared):
    """View of the words of the state before the block."""
    header = view_u64(I(shared[U(s.S_STATE)]), layout.STATE_WORDS)
    return view_u64(I(header[U(layout.STATE_VALUES)]), I(header[U(layout.STATE_CAPACITY)]) * 4)


@macro
def receipt_rows(shared):
    """View of the table of receipts."""
    return view_u64(I(shared[U(s.S_RECEIPTS)]), I(shared[U(s.S_SIZE)]) * R_WORDS)


@macro
def prefixes_of(shared):
    """View of what transactions saw of the fees before them."""
    return view_u64(I(shared[U(s.S_PREFIXES)]), I(shared[U(s.S_SIZE)]) * s.PREFIX_WORDS)


@kernel()
def note_fault(shared):
    """Something is full: every worker stops at its next step."""
    atomics.store(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_FAULT, U1)


@kernel(inline=True)
def has_fault(shared):
    """Whether some worker found something full."""
    return atomics.load(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_FAULT) != U0


@kernel(inline=True)
def spend(shared, worker, number, amount):
    """Add so much work of one class to the cost of the worker's step."""
    costs = view_u64(I(shared[U(s.S_COSTS)]), COST_CLASSES)
    worker[U(s.W_COST)] += costs[U(number)] * U(amount)


@kernel(inline=True)
def end_step(worker, result):
    """What a step returns: its cost if it `WORKED`, at least 1, since 0 means that it was idle."""
    cost = worker[U(s.W_COST)]
    worker[U(s.W_COST)] = U0
    return max(I(cost), 1) if result == s.WORKED else result


@kernel()
def advance(shared, worker):
    """Run the machine to its next need, or to its end: the private work of a step. Returns how it stopped."""
    outcome = call_1(I(shared[U(s.S_RESUME)]), I(worker[U(s.W_MACHINE)]))
    machine = open_machine(I(worker[U(s.W_MACHINE)]))
    worker[U(s.W_GAS_SPENT)] += machine[U(layout.M_GAS_DONE)]
    worker[U(s.W_COST)] += machine[U(layout.M_WORK_DONE)]
    machine[U(layout.M_GAS_DONE)] = U0
    machine[U(layout.M_WORK_DONE)] = U0
    if outcome == errors.NEED:
        return RAN_TO_NEED
    if outcome == errors.DONE:
        return RAN_TO_END
    note_fault(shared)
    return RAN_INTO_FAULT


@kernel()
def begin(shared, worker):
    """Start the worker's incarnation."""
    start_transaction(open_machine(I(worker[U(s.W_MACHINE)])), I(worker[U(s.W_TRANSACTION)]))
    worker[U(s.W_READ_COUNT)] = U0
    prefixes_of(shared)[U(I(worker[U(s.W_TRANSACTION)]) * s.PREFIX_WORDS)] = U0
    worker[U(s.W_GAS_SPENT)] = U0
    spend(shared, worker, COST_BEGIN, 1)


@kernel()
def _fees_below(shared, transaction, only_executed):
    """Sum of the fees of all transactions below; and the first that is not executed, or `NOBODY`.

    With `only_executed` those that are not executed are left out of the sum instead.
    """
    rows = receipt_rows(shared)
    total = (U0, U0, U0, U0)
    for below in range(transaction):
        while True:
            status = status_word(shared, below)
            if status & STATUS_MASK != U(EXECUTED):
                if only_executed:
                    break
                return below, total
            fee = get_at(rows, below * R_WORDS + R_FEE)
            atomics.acquire_fence()
            if status_word(shared, below) == status:
                total = add(total, fee)
                break
    return NOBODY, total


@kernel()
def answer(shared, worker, planned):
    """Give the machine the word that it needs, from multi-version memory or the state.

    Parameters
    ----------
    planned : bool
        Never wait: take what is there now. Validation finds what was wrong.

    Returns
    -------
    tuple of int
        `ANSWERED`, `BLOCKED` or `FAULTED`; and the transaction that must execute first if it is blocked.
    """
    spend(shared, worker, COST_READ, 1)
    machine = open_machine(I(worker[U(s.W_MACHINE)]))
    transaction = I(worker[U(s.W_TRANSACTION)])
    location = intern_location(I(shared[U(s.S_STATE)]), machine, layout.M_WANTED)
    if location < 0 or location >= I(shared[U(s.S_HEADS_SIZE)]):
        note_fault(shared)
        return FAULTED, NOBODY
    found, node, version, word = find_version(shared, location, transaction)
    if found == FOUND_ESTIMATE:
        return BLOCKED, writer_of(shared, node)
    if found == FOUND_STATE:
        word = get(values_of(shared), location)
    if location == I(shared[U(s.S_COINBASE)]):
        spend(shared, worker, COST_FEE, transaction)
        blocking, fees = _fees_below(shared, transaction, planned)
        if blocking != NOBODY:
            return BLOCKED, blocking
        word = add(word, fees)
        prefixes = prefixes_of(shared)
        put_at(prefixes, transaction * s.PREFIX_WORDS + 1, fees)
        prefixes[U(transaction * s.PREFIX_WORDS)] = U1
    count = I(worker[U(s.W_READ_COUNT)])
    if (count + 1) * s.READ_WORDS > I(worker[U(s.W_READS_ROOM)]) or not provide(machine, location, word):
        note_fault(shared)
        return FAULTED, NOBODY
    reads = view_u64(I(worker[U(s.W_READS)]), I(worker[U(s.W_READS_ROOM)]))
    reads[U(count * s.READ_WORDS)] = (U(location) << U(32)) | (version >> VERSION_SHIFT)
    reads[U(count * s.READ_WORDS + 1)] = U(node)
    worker[U(s.W_READ_COUNT)] = U(count + 1)
    return ANSWERED, NOBODY


@kernel()
def _list_room(shared, worker, field, room_field, entries, entry_words):
    """Where a transaction's list of so many entries goes: where the last one was if it fits. 0 when all is full."""
    lines = transactions_of(shared)
    line = I(worker[U(s.W_TRANSACTION)]) * s.T_WORDS
    words = entries * entry_words
    if words <= I(lines[U(line + room_field)]):
        return I(lines[U(line + field)] >> LIST_SHIFT)
    at = allocate(shared, worker, words)
    if at != 0:
        lines[U(line + room_field)] = U(words)
    return at


@kernel()
def _publish_reads(shared, worker):
    count = I(worker[U(s.W_READ_COUNT)])
    at = _list_room(shared, worker, s.T_READS, s.T_READS_ROOM, count, s.READ_WORDS)
    if at == 0 and count > 0:
        return False
    arena = arena_of(shared)
    reads = view_u64(I(worker[U(s.W_READS)]), I(worker[U(s.W_READS_ROOM)]))
    for i in range(count * s.READ_WORDS):
        arena[U(at + i)] = reads[U(i)]
    line = I(worker[U(s.W_TRANSACTION)]) * s.T_WORDS
    atomics.store(transactions_of(shared), line + s.T_READS, (U(at) << LIST_SHIFT) | U(count))
    spend(shared, worker, COST_PUBLISH_READ, count)
    return True


@kernel()
def _publish_writes(shared, worker):
    """Make the writes visible, and mark those of the last incarnation that were not repeated.

    Returns whether it succeeded, and whether a location was written that the last incarnation did not write.
    """
    machine = open_machine(I(worker[U(s.W_MACHINE)]))
    entries = entries_of(machine)
    transaction, incarnation = I(worker[U(s.W_TRANSACTION)]), I(worker[U(s.W_INCARNATION)])
    coinbase = I(shared[U(s.S_COINBASE)])
    fees = get_at(prefixes_of(shared), transaction * s.PREFIX_WORDS + 1)
    lines, arena = transactions_of(shared), arena_of(shared)
    line = transaction * s.T_WORDS
    count = 0
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U0 and not equal(
            get_at(entries, at + layout.ENTRY_CURRENT), get_at(entries, at + layout.ENTRY_ORIGINAL)
        ):
            count += 1
    old_list = lines[U(line + s.T_WRITES)]
    old_at, old_count = I(old_list >> LIST_SHIFT), I(old_list & LIST_MASK)
    # The old list is compared with the new one at the end, so the new one goes elsewhere.
    to = allocate(shared, worker, max(count * s.WRITE_WORDS, 1))
    if to == 0:
        return False, False
    new_location = False
    written = 0
    for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        at = i * layout.ENTRY_WORDS
        if entries[U(at + layout.ENTRY_FLAGS)] & LOADED == U0:
            continue
        word = get_at(entries, at + layout.ENTRY_CURRENT)
        if equal(word, get_at(entries, at + layout.ENTRY_ORIGINAL)):
            continue
        location = I(entries[U(at + layout.ENTRY_ID)])
        if location == coinbase:
            word = subtract(word, fees)
        node, repeated = write_version(shared, worker, location, transaction, incarnation, word)
        if node == NODE_NONE:
            return False, False
        new_location |= not repeated
        arena[U(to + written * s.WRITE_WORDS)] = U(location)
        arena[U(to + written * s.WRITE_WORDS + 1)] = U(node)
        written += 1
    for i in range(old_count):
        node = I(arena[U(old_at + i * s.WRITE_WORDS + 1)])
        if not is_written_by(shared, node, incarnation):
            mark_absent(shared, node, incarnation)
    atomics.store(lines, line + s.T_WRITES, (U(to) << LIST_SHIFT) | U(written))
    spend(shared, worker, COST_PUBLISH_WRITE, written)
    return True, new_location


@kernel()
def finish(shared, worker):
    """Record read set, write set and receipt of the worker's incarnation, which has run to its end.

    Returns whether there was room, and whether a location was written that the last incarnation did not write.
    """
    spend(shared, worker, COST_FINISH, 1)
    machine = open_machine(I(worker[U(s.W_MACHINE)]))
    arena = view_u64(I(worker[U(s.W_RECEIPT_ARENA)]), ARENA_WORDS)
    if not write_receipt(machine, receipt_rows(shared), I(worker[U(s.W_TRANSACTION)]), arena):
        note_fault(shared)
        return False, False
    wrote, new_location = _publish_writes(shared, worker)
    if not wrote or not _publish_reads(shared, worker):
        note_fault(shared)
        return False, False
    return True, new_location


@kernel()
def _first_stale(shared, transaction, reads, at, count):
    for i in range(count):
        head = reads[U(at + i * s.READ_WORDS)]
        location = I(head >> U(32))
        found, node, version, _ = find_version(shared, location, transaction)
        if found == FOUND_ESTIMATE or U(node) != reads[U(at + i * s.READ_WORDS + 1)]:
            return location
        if found != FOUND_STATE and version >> VERSION_SHIFT != head & U(0xFFFFFFFF):
            return location
    prefixes = prefixes_of(shared)
    if prefixes[U(transaction * s.PREFIX_WORDS)] != U0:
        blocking, fees = _fees_below(shared, transaction, False)
        if blocking != NOBODY or not equal(fees, get_at(prefixes, transaction * s.PREFIX_WORDS + 1)):
            return I(shared[U(s.S_COINBASE)])
    return I(VALID)


@kernel()
def first_stale_read(shared, worker):
    """Validate the worker's transaction: the first location whose version is not the one it read, or `VALID`."""
    transaction = I(worker[U(s.W_TRANSACTION)])
    listed = atomics.load(transactions_of(shared), transaction * s.T_WORDS + s.T_READS)
    spend(shared, worker, COST_VALIDATE, 1)
    spend(shared, worker, COST_VALIDATE_READ, I(listed & LIST_MASK))
    return _first_stale(shared, transaction, arena_of(shared), I(listed >> LIST_SHIFT), I(listed & LIST_MASK))


@kernel()
def first_stale_read_in_hand(shared, worker):
    """As `first_stale_read`, for the worker's incarnation, which has run to its end and published nothing."""
    spend(shared, worker, COST_VALIDATE_READ, I(worker[U(s.W_READ_COUNT)]))
    reads = view_u64(I(worker[U(s.W_READS)]), I(worker[U(s.W_READS_ROOM)]))
    return _first_stale(shared, I(worker[U(s.W_TRANSACTION)]), reads, 0, I(worker[U(s.W_READ_COUNT)]))


@kernel()
def count_waste(shared, worker, stale, gas):
    """Count an aborted incarnation: the location that was stale and its kind, and the gas that it used for nothing.

    The note costs two words of the arena, on this path only; without room the run is repeated with more.
    """
    header = view_u64(I(shared[U(s.S_STATE)]), layout.STATE_WORDS)
    keys = view_u64(I(header[U(layout.STATE_KEYS)]), I(header[U(layout.STATE_CAPACITY)]) * layout.KEY_WORDS)
    kind = I(keys[U(stale * layout.KEY_WORDS + 2)] >> KIND_SHIFT)
    worker[U(s.W_ABORTS_BY_KIND + kind)] += U1
    worker[U(s.W_ABORTS)] += U1
    worker[U(s.W_WASTED_GAS)] += U(gas)
    note = allocate(shared, worker, s.ABORT_WORDS)
    if note != 0:
        arena = arena_of(shared)
        arena[U(note)] = U(stale)
        arena[U(note + 1)] = worker[U(s.W_ABORT_LIST)]
        worker[U(s.W_ABORT_LIST)] = U(note)


@kernel()
def abort(shared, worker, stale):
    """Mark the writes of the worker's transaction as estimates, and count what its incarnation cost for nothing."""
    lines, arena = transactions_of(shared), arena_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    writes = lines[U(transaction * s.T_WORDS + s.T_WRITES)]
    at, count = I(writes >> LIST_SHIFT), I(writes & LIST_MASK)
    for i in range(count):
        mark_estimate(shared, I(arena[U(at + i * s.WRITE_WORDS + 1)]))
    spend(shared, worker, COST_ABORT, 1)
    spend(shared, worker, COST_ABORT_WRITE, count)
    count_waste(shared, worker, stale, receipt_rows(shared)[U(transaction * R_WORDS + R_GAS)])


@kernel()
def store_final_words(shared, first, last):
    """Write the final words of locations `first` to `last` (exclusive) to the state."""
    values, arena = values_of(shared), arena_of(shared)
    for location in range(first, last):
        node = final_version(shared, location)
        if node != NODE_NONE:
            put(values, location, get_at(arena, node + N_WORD))
