"""Worker of `bal`: executes a transaction from the values of the block's access list, and holds it against the list.

EIP-7928's promise is that a list with the values after each transaction makes all of them independent: each is seeded
with the last values before its own index. What it then reads, writes and touches is compared with what the list says;
whether the list is right shows when all have been. By induction over the transactions in the block's order: the first
one sees the state before the block. If all below a transaction wrote what the list says of them, and nothing else, it
saw what a serial execution would have shown it. So if every transaction wrote just what the list says, all values are
those of the serial execution; and if some did not, those up to the first such are.

That the list says nothing else is found by counting: each write that is as listed belongs to one change in the list,
and no two to the same one, so all changes are confirmed when there are as many of these as of those. What is read has
no index. Reads mark the record, so that in the end what is unmarked is superfluous (`strategies.bal.sweep`).

A read looks its key up in the list, once: what it found, the record and how many of its changes come before
the transaction, is in the read set, to which the machine's entry leads by its number. So a write is held against the
list without another search: if it is listed, it is the change that comes next.

The list does not change while transactions execute, nor does the state; marks are stored by whoever comes first, and
by whoever comes at the same time, with the same value. So a step is a whole transaction: taking it is the only
interaction with other workers. Transactions are taken several at a time, fewer as the end comes nearer (guided
self-scheduling: Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987): a counter that 32 workers add
to for every payment would be what they wait for.
"""

from __future__ import annotations

from contend.evm import errors, layout
from contend.evm.layout import BLOCK, STATE
from contend.evm.receipts import RECEIPT_ARENA, write_receipt
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.evm.state import intern_location, location_row
from contend.evm.u256 import add, equal
from contend.evm.vm.access_table import (
    KIND_CODE,
    KIND_SHIFT,
    LOADED,
    TOUCHED,
    account_key,
    entry_at,
    is_write,
    supply_word,
)
from contend.evm.vm.call import to_address
from contend.evm.vm.transaction import open_machine, start_transaction
from contend.strategies.accounting import end_step, spend
from contend.strategies.bal.layout import BAL, BAL_WORKER, WRITE_LOG
from contend.strategies.block_list.change_rows import find_for, prefetch_records, prefetch_row
from contend.strategies.block_list.layout import BLOCK_LIST, NAMED, READ_ONLY, RECORD
from contend.strategies.block_list.listed_changes import (
    change_at,
    changes_before,
    count_of_record,
    head_of,
    location_of_record,
    touch_record,
    what_of_record,
    word_seen,
)
from contend.strategies.block_list.record_index import NO_RECORD, find_record
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.incarnation import (
    RAN_INTO_FAULT,
    RAN_TO_NEED,
    keep_accesses,
    receipt_of,
    record_read_set,
    run_machine,
)
from contend.strategies.block_stm.layout import LIST_SHIFT, ORIGIN_MASK, ORIGIN_SHIFT, READ, SHARED, WORKER
from contend.strategies.block_stm.mv_memory import allocate, arena_offset
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import ACT_EXECUTE, FAILED, FINISHED, WORKED, cost_table

COST_TASK, COST_LIST_READ = cost_table.TASK, cost_table.LIST_READ
COST_LIST_COMPARE, COST_LIST_CONFIRM = cost_table.LIST_COMPARE, cost_table.LIST_CONFIRM

SHARE = 4  # a worker takes what is left, divided by the number of workers and this
KIND_STORAGE, KIND_MASK = U(layout.KIND_STORAGE), U(layout.KIND_MASK)


@kernel()
def _take_places(shared, worker, bal, own):
    """Take the next places in the order for this worker. False when there are none left."""
    size = U(shared.block_size)
    taken = atomics.load(bal, "next")
    while taken < size:
        count = (size - taken) // (U(SHARE) * U(bal.workers)) + U1
        found = atomics.compare_and_swap(bal, "next", taken, taken + count)
        if found == taken:
            own.next = I(taken)
            own.end = I(taken + count)
            spend(shared, worker, COST_TASK, 1)
            return True
        taken = found
    return False


@kernel(inline=True)
def _transaction_at(shared, bal, place):
    return place if bal.order == 0 else view_i64(bal.order, shared.block_size)[U(place)]


@kernel()
def _next_transaction(shared, bal, own):
    """Take the worker's next transaction, and ask for what the two behind it will look for: the nearer, the more."""
    place, block_list = own.next, BLOCK_LIST.at(shared.source)
    own.next = place + 1
    if place + 2 < own.end:
        prefetch_row(shared, block_list, _transaction_at(shared, bal, place + 2))
    if place + 1 < own.end:
        prefetch_records(shared, block_list, _transaction_at(shared, bal, place + 1))
    return _transaction_at(shared, bal, place)


@kernel()
def _note_read(shared, worker, location, record, seen, word):
    """Give the machine the word that it needs, and note what was read. False when something is full.

    The machine's entry gets the number of the read in place of the location.
    """
    count = worker.read_count
    if count >= worker.reads_room:
        return False
    entry = READ.item(worker.reads, worker.reads_room, count)
    entry.origin = (U(location) << ORIGIN_SHIFT) | U(seen)
    entry.version = record
    worker.read_count = count + 1
    return supply_word(open_machine(worker.machine), count, word)


@kernel()
def _answer_unlisted(shared, worker, own, key):
    """Answer from the state, since the list does not name the location. False when something is full."""
    location = I(intern_location(shared.state, key))
    if location < 0:
        return False
    if (key[2] >> KIND_SHIFT) & KIND_MASK == KIND_STORAGE:
        own.unlisted += U1
    word = location_row(STATE.at(shared.state), location).value
    return _note_read(shared, worker, location, I(NO_RECORD), I(0), word)


@kernel()
def _answer(shared, worker, own):
    """Give the machine the word that it needs: that of the list, or the state's. False when something is full."""
    key = open_machine(worker.machine).pending_location
    spend(shared, worker, COST_LIST_READ, 1)
    record = find_for(shared, BLOCK_LIST.at(shared.source), worker.txn_idx, key)
    if record == NO_RECORD:
        return _answer_unlisted(shared, worker, own, key)
    head, seen = head_of(record), I(0)
    count = count_of_record(head)
    if count > 0:
        seen = changes_before(shared, record, count, worker.txn_idx)
    elif what_of_record(head) == READ_ONLY:
        touch_record(record, head)
    if seen == 0 and BLOCK.at(open_machine(worker.machine).block).cold != 0:
        # The word was not in memory when the list was laid out. Whoever else does this writes the same.
        RECORD.at(record).before = location_row(STATE.at(shared.state), location_of_record(head)).value
    return _note_read(shared, worker, location_of_record(head), record, seen, word_seen(record, seen))


@kernel()
def _touch_account(own, record):
    """Note that an account was touched, by the record of its code: the list has one of each account that it names."""
    if record == NO_RECORD:
        own.unlisted += U1
        return
    head = head_of(record)
    if what_of_record(head) == NAMED:
        touch_record(record, head)


@kernel()
def _confirm_write(own, record, seen, txn_idx, word):
    """Hold a write against the list: against the change behind those that come before the transaction."""
    if record != NO_RECORD:
        if seen < count_of_record(head_of(record)):
            change = change_at(record, seen)
            if change.index == txn_idx + 1 and equal(change.word, word):
                own.confirmed += U1
                return
    own.wrong_writes += U1


@kernel()
def _name_beneficiary(shared, own, machine):
    """Note that the beneficiary is touched, as it is by every transaction, and which record its balance has."""
    if own.names_beneficiary == U0:
        own.names_beneficiary = U1
        block_list, address = BLOCK_LIST.at(shared.source), to_address(BLOCK.at(machine.block).coinbase)
        _touch_account(own, find_record(shared, block_list, account_key(address, layout.KIND_CODE)))
        own.beneficiary = find_record(shared, block_list, account_key(address, layout.KIND_BALANCE))


@kernel()
def _confirm_beneficiary(shared, own, machine, txn_idx, paid):
    """Hold the beneficiary's balance against the list: what the transaction left of it, and its fee.

    Parameters
    ----------
    paid : int
        The balance's entry in the access table; -1 if the transaction did not look at it.
    """
    _name_beneficiary(shared, own, machine)
    record, seen = own.beneficiary, I(0)
    before = location_row(STATE.at(shared.state), shared.coinbase).value
    if record != NO_RECORD:
        seen = changes_before(shared, record, count_of_record(head_of(record)), txn_idx)
        before = word_seen(record, seen)
    after = add(before if paid < 0 else entry_at(machine, paid).current, machine.fee)
    if not equal(before, after):
        _confirm_write(own, record, seen, txn_idx, after)


@kernel(inline=True)
def _read_of(worker, entry):
    """What was read for an entry of the access table that has its word."""
    return READ.item(worker.reads, worker.reads_room, entry.location)


@kernel()
def _log_writes(shared, worker, machine, writes):
    """Keep what the transaction wrote, for a repair. False when the arena is full."""
    address = allocate(shared, worker, max(writes * WRITE_LOG.words, 1))
    if address == 0:
        return False
    at = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry):
            log = WRITE_LOG.item(address, writes, at)
            log.location = I(_read_of(worker, entry).origin >> ORIGIN_SHIFT)
            log.word = entry.current
            at += 1
    line = transaction_of(shared, worker.txn_idx)
    line.write_set = (arena_offset(shared, address) << LIST_SHIFT) | U(writes)
    return True


@kernel()
def _confirm_account(shared, worker, own, entry, read_record):
    """Hold an account that was touched against the list: by the record of its code, which is known if it was read."""
    if entry.flags & LOADED == U0:
        read_record = find_for(shared, BLOCK_LIST.at(shared.source), worker.txn_idx, entry.key)
    _touch_account(own, read_record)


@kernel()
def _confirm_entries(shared, worker, own, machine):
    """Hold all that the transaction touched against the list. Writes, and the entry of the beneficiary's balance."""
    writes, paid = 0, -1
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        read, is_loaded = _read_of(worker, entry), entry.flags & LOADED != U0
        if entry.flags & TOUCHED != U0 and entry.key[2] >> KIND_SHIFT == KIND_CODE:
            _confirm_account(shared, worker, own, entry, read.version)
        if not is_loaded:
            continue
        wrote = is_write(entry)
        writes += I(wrote)
        if I(read.origin >> ORIGIN_SHIFT) == shared.coinbase:
            paid = i
        elif wrote:
            _confirm_write(own, read.version, I(read.origin & ORIGIN_MASK), worker.txn_idx, entry.current)
    return writes, paid


@kernel()
def _confirm(shared, worker, own):
    """Hold the transaction that has ended against the list, and keep what it did. False when something is full."""
    machine, txn_idx = open_machine(worker.machine), worker.txn_idx
    writes, paid = _confirm_entries(shared, worker, own, machine)
    if machine.status != errors.STATUS_INVALID:
        _confirm_beneficiary(shared, own, machine, txn_idx, paid)
    spend(shared, worker, COST_LIST_COMPARE, writes + 1)
    if not _log_writes(shared, worker, machine, writes) or not record_read_set(shared, worker):
        return False
    if not keep_accesses(shared, worker):
        return False
    return write_receipt(machine, receipt_of(shared, txn_idx), RECEIPT_ARENA.at(worker.receipt_arena))


@kernel()
def _execute(shared, worker, own):
    """Execute the worker's transaction from its first instruction to its receipt."""
    worker.executions += U1
    worker.read_count = 0
    worker.gas_spent = U0
    spend(shared, worker, COST_LIST_CONFIRM, 1)
    start_transaction(open_machine(worker.machine), worker.txn_idx)
    while True:
        stopped = run_machine(shared, worker)
        if stopped == RAN_INTO_FAULT:
            return FAILED
        if stopped != RAN_TO_NEED:
            break
        if not _answer(shared, worker, own):
            note_fault(shared)
            return FAILED
    if not _confirm(shared, worker, own):
        note_fault(shared)
        return FAILED
    return WORKED


@native("int64(int64, int64)")
def seeded_step(shared_address, worker_address):
    """Execute one transaction from the list's values."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    bal, own = BAL.at(shared.own), BAL_WORKER.at(worker.own)
    worker.activity = U(ACT_EXECUTE)
    if has_fault(shared):
        return FAILED
    if own.next == own.end and not _take_places(shared, worker, bal, own):
        return FINISHED
    worker.txn_idx = _next_transaction(shared, bal, own)
    return end_step(worker, _execute(shared, worker, own))
