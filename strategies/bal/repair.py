"""Repair of a block whose list was wrong: what was executed goes to multi-version memory, and is validated there.

Every transaction has been executed, from values of which some were wrong, and what it read and wrote was kept. First
all writes become versions; then those of who was misled are taken from the list (`strategies.bal.trust`), and it is
to be executed again. Each read of the others is looked up there. Where the word is the one that the transaction saw, it
has read that version, whatever the list said: its execution stands. Where it is not, the read is entered as one of a
version that does not exist, and the transaction is to be executed again, too; what it wrote stays in sight, since as a
rule it was shown the right word, and the one that is there is another's mistake.

Block-STM's scheduler then validates what stands and executes the rest, all at once. Who was to be executed again, and
writes what is there already, costs nobody else anything.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.u256 import add, equal, subtract
from contend.strategies.accounting import end_step, spend
from contend.strategies.bal.layout import WRITE_LOG
from contend.strategies.block_list.listed_changes import word_seen
from contend.strategies.block_list.record_index import NO_RECORD
from contend.strategies.block_stm.accounting import count_abort, has_fault, note_fault
from contend.strategies.block_stm.hint_table import next_hinted
from contend.strategies.block_stm.incarnation import fees_below, fees_seen_of, list_address, receipt_of, state_value
from contend.strategies.block_stm.layout import (
    LIST_MASK,
    LIST_SHIFT,
    ORIGIN_MASK,
    ORIGIN_SHIFT,
    READ,
    SHARED,
    TAG_SHIFT,
    WORKER,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import FOUND_STATE, NO_VERSION, allocate, arena_offset, read, write
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.validation import VALID
from contend.strategies.clocks import ACT_VALIDATE, FAILED, FINISHED, WORKED, cost_table

COST_PUBLISH_WRITE, COST_FEE = cost_table.PUBLISH_WRITE, cost_table.FEE
COST_VALIDATE, COST_VALIDATE_READ = cost_table.VALIDATE, cost_table.VALIDATE_READ
NEVER = -1  # the address of no version, and not of the state either


@kernel()
def _next_transaction(shared, worker):
    worker.activity = U(ACT_VALIDATE)
    worker.txn_idx = next_hinted(shared)
    return worker.txn_idx < shared.block_size


@kernel()
def _publish_writes(shared, worker):
    """Make the writes of the worker's transaction visible. False when something is full."""
    txn_idx = worker.txn_idx
    line = transaction_of(shared, txn_idx)
    logged, count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    address = allocate(shared, worker, max(count * WRITE.words, 1))
    if address == 0:
        return False
    for i in range(count):
        log = WRITE_LOG.item(logged, count, i)
        location, word = log.location, log.word
        if location == shared.coinbase:
            # The list's balance has the fees of those before; versions do not.
            spend(shared, worker, COST_FEE, txn_idx)
            _, fees = fees_below(shared, txn_idx, True)
            word = subtract(word, fees)
        version, _ = write(shared, worker, location, txn_idx, U0, word)
        if version == NO_VERSION:
            return False
        made = WRITE.item(address, count, i)
        made.location = location
        made.version = version
    line.write_set = (arena_offset(shared, address) << LIST_SHIFT) | U(count)
    spend(shared, worker, COST_PUBLISH_WRITE, count)
    return True


@kernel()
def _enter_read(shared, worker, entry):
    """Replace what a transaction saw by the version that it should have seen, or by none if the word is another one."""
    txn_idx = worker.txn_idx
    location, seen = I(entry.origin >> ORIGIN_SHIFT), I(entry.origin & ORIGIN_MASK)
    was = state_value(shared, location).value
    saw = word_seen(entry.version, seen) if entry.version != NO_RECORD else was
    found, version, tag, word = read(shared, location, txn_idx)
    if found == FOUND_STATE:
        word = was
    if location == shared.coinbase:
        spend(shared, worker, COST_FEE, txn_idx)
        _, fees = fees_below(shared, txn_idx, True)
        word = add(word, fees)
        noted = fees_seen_of(shared, txn_idx)
        noted.fees = fees
        noted.seen = U1
    entry.origin = (U(location) << ORIGIN_SHIFT) | (tag >> TAG_SHIFT)
    entry.version = version if equal(word, saw) else I(NEVER)


@kernel()
def _enter_reads(shared, worker):
    line = transaction_of(shared, worker.txn_idx)
    if line.is_planned == U0:
        # It was misled, and is executed again whatever it has read.
        return
    reads, count = list_address(shared, line.read_set), I(line.read_set & LIST_MASK)
    stale = I(VALID)
    for i in range(count):
        entry = READ.item(reads, count, i)
        location = I(entry.origin >> ORIGIN_SHIFT)
        _enter_read(shared, worker, entry)
        if entry.version == NEVER:
            stale = location
    if stale != VALID:
        count_abort(shared, worker, stale, U(receipt_of(shared, worker.txn_idx).gas_used))
    spend(shared, worker, COST_VALIDATE, 1)
    spend(shared, worker, COST_VALIDATE_READ, count)


@native("int64(int64, int64)")
def publish_step(shared_address, worker_address):
    """Make the writes of one transaction visible."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    if has_fault(shared):
        return FAILED
    if not _next_transaction(shared, worker):
        return FINISHED
    if not _publish_writes(shared, worker):
        note_fault(shared)
        return FAILED
    return end_step(worker, WORKED)


@native("int64(int64, int64)")
def enter_step(shared_address, worker_address):
    """Enter the reads of one transaction."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    if not _next_transaction(shared, worker):
        return FINISHED
    _enter_reads(shared, worker)
    return end_step(worker, WORKED)
