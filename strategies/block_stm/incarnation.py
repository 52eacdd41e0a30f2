"""One incarnation of a transaction over multi-version memory: begin, run, answer reads, record what it did.

VM.execute and MVMemory.record of Block-STM (arXiv 2203.06871, algorithms 1 to 3). The interpreter stops wherever it
needs a location, so a read is answered between two runs of it; the paper's ReadError is `BLOCKED` here, with the
transaction that must execute first.

The beneficiary's balance is special. Fees are credited lazily, so its versions lack the fees of the block; a
transaction that reads it is given the sum of the fees of all transactions below it, and that sum is part of its read
set, compared by value. A transaction below that is not executed counts like an ESTIMATE.
"""

from __future__ import annotations

from contend.evm import errors
from contend.evm.access_list.building.access_log import LOG, log_accesses
from contend.evm.code import cost_model as evm_costs
from contend.evm.drivers.read_ahead import read_ahead
from contend.evm.layout import PHASE_BEGIN
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, write_receipt
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_1, view_u64
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import intern_location
from contend.evm.u256 import ZERO, add, subtract
from contend.evm.vm.access_table import entry_at, is_write, supply_word
from contend.evm.vm.transaction import open_machine, start_transaction
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.expected_accesses import (
    ask_for_expected,
    expected_version,
    find_expected,
    lay_out_expected,
)
from contend.strategies.block_stm.layout import (
    ESTIMATE,
    FEES_SEEN,
    LIST_MASK,
    LIST_SHIFT,
    ORIGIN_SHIFT,
    READ,
    TAG_SHIFT,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    NO_VERSION,
    allocate,
    arena_offset,
    has_versions,
    is_written_by,
    mark_absent,
    read,
    read_below,
    row_of,
    write,
    write_own,
    writer_of,
)
from contend.strategies.block_stm.scheduler import doubt_those_above, is_executed, transaction_of, txn_status
from contend.strategies.block_stm.settled_words import settle, settled_word, settler_of
from contend.strategies.clocks import cost_table

COST_BEGIN, COST_READ, COST_FINISH, COST_FEE = cost_table.BEGIN, cost_table.READ, cost_table.FINISH, cost_table.FEE
COST_LIST_ACCESS, COST_READ_AHEAD = cost_table.LIST_ACCESS, evm_costs.STATE_READ_AHEAD
COST_PUBLISH_READ = cost_table.PUBLISH_READ

# What `run_machine` and `answer_read` return.
RAN_TO_END, RAN_TO_NEED, RAN_INTO_FAULT = range(3)
ANSWERED, BLOCKED, FAULTED = range(3)
NOBODY = -1


@kernel(inline=True)
def state_value(shared, location):
    """Word of a location in the state, in memory: as it was before the block, until commit."""
    return row_of(shared, location)


@kernel(inline=True)
def receipt_of(shared, txn_idx):
    """Receipt of a transaction."""
    return RECEIPT.item(shared.receipts, shared.block_size, txn_idx)


@kernel(inline=True)
def fees_seen_of(shared, txn_idx):
    """Sum of the fees before it that a transaction saw."""
    return FEES_SEEN.item(shared.fees_seen, shared.block_size, txn_idx)


@kernel(inline=True)
def list_address(shared, packed):
    """Address of a transaction's read set or write set."""
    return shared.arena + I(packed >> LIST_SHIFT) * WORD_BYTES


@kernel(inline=True)
def run_machine_by(shared, worker, resume):
    """As `run_machine`, by the interpreter at an address."""
    outcome = call_1(resume, worker.machine)
    machine = open_machine(worker.machine)
    worker.gas_spent += machine.gas_done
    worker.cost_ps += machine.work_done_ps
    machine.gas_done = U0
    machine.work_done_ps = U0
    if outcome == errors.NEED:
        return RAN_TO_NEED
    if outcome == errors.DONE:
        return RAN_TO_END
    note_fault(shared)
    return RAN_INTO_FAULT


@kernel(inline=True)
def run_machine(shared, worker):
    """Run the machine to its next need, or to its end: the private work of a step. Returns how it stopped."""
    return run_machine_by(shared, worker, shared.resume)


@kernel()
def count_writes(shared, worker):
    """How many locations the worker's incarnation, which has run to its end, has written.

    And how many of these words go to the state at once.
    """
    machine, settles = open_machine(worker.machine), worker.settles != U0
    count, settling = 0, 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry):
            count += 1
            settling += I(settles and not has_versions(shared, entry.location))
    return count, settling


@kernel()
def count_filled(worker):
    """Count the writes of the worker's incarnation, which has run to its end, that go to a version that is laid out.

    Those are filled in, all others searched for (`apply_write_set`), whatever else was expected.
    """
    if worker.expected_count == 0:
        return 0
    machine = open_machine(worker.machine)
    count = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry):
            count += I(expected_version(worker, entry.location) != NO_VERSION)
    return count


@kernel()
def look_ahead(shared, txn_idx):
    """Ask for what a transaction will need that the worker is likely to execute next."""
    packed = atomics.load(transaction_of(shared, txn_idx), "write_set")
    ask_for_expected(shared, txn_idx, list_address(shared, packed), I(packed & LIST_MASK))


@kernel()
def use_hints(shared, worker):
    """Lay out what is expected of the worker's transaction, and ask for what its next ones will need.

    Which these are nobody knows; those as many places on as there are workers, or twice as many, are a guess.
    """
    if shared.expects == U0:
        read_ahead(open_machine(worker.machine), shared.state, I(0), worker.txn_idx, shared.workers)
        return
    packed = transaction_of(shared, worker.txn_idx).write_set
    lay_out_expected(shared, worker, list_address(shared, packed), I(packed & LIST_MASK))
    following = worker.txn_idx + shared.workers
    if following < shared.block_size:
        look_ahead(shared, following)


@kernel()
def begin(shared, worker):
    """Start the worker's incarnation."""
    start_transaction(open_machine(worker.machine), worker.txn_idx)
    use_hints(shared, worker)
    worker.read_count = 0
    worker.reads_final = U0
    worker.settles = U0
    fees_seen_of(shared, worker.txn_idx).seen = U0
    worker.gas_spent = U0
    spend(shared, worker, COST_BEGIN, 1)


@kernel()
def fees_below(shared, txn_idx, only_executed):
    """Sum of the fees of all transactions below; and the first that is not executed, or `NOBODY`.

    With `only_executed` those that are not executed are left out of the sum instead.
    """
    total = (U0, U0, U0, U0)
    for below in range(txn_idx):
        while True:
            status = txn_status(shared, below)
            if not is_executed(status):
                if only_executed:
                    break
                return below, total
            fee = receipt_of(shared, below).fee
            atomics.acquire_fence()
            if txn_status(shared, below) == status:
                total = add(total, fee)
                break
    return NOBODY, total


@kernel(inline=True)
def supply(shared, worker, location, version, tag, word):
    """Give the machine a word, and note in the read set where it is from. False when there is no room (a fault)."""
    count = worker.read_count
    if count >= worker.reads_room or not supply_word(open_machine(worker.machine), location, word):
        note_fault(shared)
        return False
    if worker.settles != U0:
        return True
    entry = READ.item(worker.reads, worker.reads_room, count)
    entry.origin = (U(location) << ORIGIN_SHIFT) | (tag >> TAG_SHIFT)
    entry.version = version
    worker.read_count = count + 1
    return True


@kernel()
def answer_read(shared, worker, never_wait):
    """Give the machine the word that it needs, from multi-version memory or the state.

    Parameters
    ----------
    never_wait : bool
        Take what is there now, where a lower transaction has not executed. Validation finds what was wrong.

    Returns
    -------
    tuple of int
        `ANSWERED`, `BLOCKED` or `FAULTED`; and the transaction that must execute first if it is blocked.
    """
    machine = open_machine(worker.machine)
    txn_idx = worker.txn_idx
    location, own = I(-1), I(NO_VERSION)
    if worker.expected_count > 0:
        location, own = find_expected(shared, worker, machine.pending_location)
    is_ahead = location >= 0 or (shared.expects == U0 and machine.phase == PHASE_BEGIN)
    spend(shared, worker, COST_READ_AHEAD if is_ahead else COST_READ, 1)
    if location < 0:
        location = I(intern_location(shared.state, machine.pending_location))
    if location < 0:
        note_fault(shared)
        return FAULTED, NOBODY
    worker.met_location = location
    if own != NO_VERSION:
        found, version, tag, word = read_below(own)
    elif has_versions(shared, location):
        found, version, tag, word = read(shared, location, txn_idx)
    else:
        found, version, tag, word = FOUND_STATE, I(NO_VERSION), U0, ZERO
    if found == FOUND_ESTIMATE:
        worker.met_version = version
        return BLOCKED, writer_of(version)
    if found == FOUND_STATE:
        tag, word = settled_word(shared, location)
        if tag & ESTIMATE != U0:
            return BLOCKED, settler_of(tag)
    if location == shared.coinbase:
        spend(shared, worker, COST_FEE, txn_idx)
        blocking, fees = fees_below(shared, txn_idx, never_wait)
        if blocking != NOBODY:
            return BLOCKED, blocking
        word = add(word, fees)
        seen = fees_seen_of(shared, txn_idx)
        seen.fees = fees
        seen.seen = U1
    return (ANSWERED if supply(shared, worker, location, version, tag, word) else FAULTED), NOBODY


@kernel()
def record_read_set(shared, worker):
    """Publish the read set, where the last incarnation's was if it fits. False when the arena is full.

    A validator may still be walking the former incarnation's read set in that place, and so see entries of both,
    even halves of them (and, in what the transaction saw of the fees below it, limbs of both). That is harmless. Every
    word that it reads was at some time the same word of an entry of this transaction, so its location is one, and
    versions are compared and not followed. What it concludes has no effect: the former incarnation was aborted before
    this one began, so "stale" loses the compare-and-swap in `try_validation_abort`; and "valid" changes nothing but
    the count of active tasks, since the abort has sent the sweep of validations back, which therefore comes to this
    incarnation after it is executed.
    """
    count = worker.read_count
    line = transaction_of(shared, worker.txn_idx)
    words = count * READ.words
    first = line.read_set >> LIST_SHIFT
    if words > line.read_set_words:
        address = allocate(shared, worker, words)
        if address == 0:
            return False
        line.read_set_words = words
        first = arena_offset(shared, address)
    source = view_u64(worker.reads, words)
    target = view_u64(shared.arena + I(first) * WORD_BYTES, words)
    for i in range(words):
        target[U(i)] = source[U(i)]
    atomics.store(line, "read_set", (first << LIST_SHIFT) | U(count))
    spend(shared, worker, COST_PUBLISH_READ, count)
    return True


@kernel()
def apply_write_set(shared, worker):
    """Make the writes visible, and mark those of the last incarnation that were not repeated.

    Returns whether it succeeded, and whether somebody may have read what is no longer so: where the last incarnation
    did not write, or where it wrote, or did, another word and no ESTIMATE has stood since. What it costs was spent in
    the step before (`worker.run_paying`).
    """
    machine = open_machine(worker.machine)
    txn_idx, incarnation = worker.txn_idx, worker.incarnation
    line = transaction_of(shared, txn_idx)
    count = worker.write_count
    address = I(0)
    surprises = False
    written = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if not is_write(entry):
            continue
        word, location = entry.current, entry.location
        if location == shared.coinbase:
            word = subtract(word, fees_seen_of(shared, txn_idx).fees)
        if worker.settles != U0 and not has_versions(shared, location):
            if not settle(shared, worker, location, word):
                return False, False
            surprises = True
            continue
        if address == 0:
            # The old list is compared with the new one at the end, so the new one goes elsewhere.
            address = allocate(shared, worker, count * WRITE.words)
            if address == 0:
                return False, False
        version = expected_version(worker, location) if worker.expected_count > 0 else I(NO_VERSION)
        if version != NO_VERSION:
            check(writer_of(version) == txn_idx)
            repeated = write_own(version, incarnation, word)
        else:
            version, repeated = write(shared, worker, location, txn_idx, incarnation, word)
            if version == NO_VERSION:
                return False, False
        surprises |= not repeated
        made = WRITE.item(address, count, written)
        made.location = location
        made.version = version
        written += 1
    old_address, old_count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    for i in range(old_count):
        version = WRITE.item(old_address, old_count, i).version
        if not is_written_by(version, incarnation):
            surprises |= not mark_absent(version, incarnation)
    if surprises:
        doubt_those_above(shared, txn_idx)
    list_at = U0 if address == 0 else arena_offset(shared, address)
    atomics.store(line, "write_set", (list_at << LIST_SHIFT) | U(written))
    return True, surprises


@kernel()
def keep_accesses(shared, worker):
    """Keep what the incarnation touched, where an access list is made. False when the log is full.

    The row is the transaction's alone, and the worker's that executes it; the next one comes to it by the status.
    """
    if shared.access_rows == 0:
        return True
    machine = open_machine(worker.machine)
    spend(shared, worker, COST_LIST_ACCESS, machine.entry_count)
    rows, log = shared.access_rows, LOG.at(worker.access_log)
    return log_accesses(machine, rows, worker.txn_idx + 1, shared.block_size + 2, log)


@kernel()
def record_outcome(shared, worker):
    """Receipt and read set of the worker's incarnation, whose writes are visible. False without room for them."""
    spend(shared, worker, COST_FINISH, 1)
    machine = open_machine(worker.machine)
    if not write_receipt(machine, receipt_of(shared, worker.txn_idx), RECEIPT_ARENA.at(worker.receipt_arena)):
        note_fault(shared)
        return False
    if not keep_accesses(shared, worker) or not record_read_set(shared, worker):
        note_fault(shared)
        return False
    return True


@kernel()
def record(shared, worker):
    """MVMemory.record: write set, read set and receipt of the worker's incarnation, which has run to its end.

    The writes come first: others wait for them, and for nothing else.

    Returns whether there was room, and whether others may have read what is no longer so, see `apply_write_set`.
    """
    applied, surprises = apply_write_set(shared, worker)
    if not applied:
        note_fault(shared)
        return False, False
    return record_outcome(shared, worker), surprises
