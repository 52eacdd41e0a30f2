"""Trust in the rest of a wrong list: what a misled transaction wrote is taken from the list until it executes again.

Where a list leaves a change out, or has one that nobody makes, whoever reads there next was shown a wrong word, and
what it wrote is wrong as a rule. What the list says that it writes is right as a rule, and those behind it were shown
just that. So the list's words take the place of the computed ones, and what is misled is executed again, all at once:
each reads the words that it will most likely have been right to read, whatever becomes of the others. This is value
prediction (Lipasti, Wilkerson and Shen, "Value locality and load value prediction", ASPLOS 1996) with a predictor that
came with the block. Without it, one change that is missing from a hot chain has everything behind it judged by the
words of who was misled, and the chain executed in turn.

What it wrote and the list does not say is an ESTIMATE meanwhile: nobody knows the word.

Whether a transaction was misled is guessed, and nothing but time depends on it: who is taken for misled is executed
again. A guess that it saw rightly leaves its own words in memory, and `strategies.bal.repair` decides. It is taken for
misled where it saw the word of another writer than the last one below it. Where the writer is the same and the word is
not, the writer itself was misled, or the list is wrong about the word.

Words are replaced before anybody has noted what it read of them (`repair.enter_step` does that later), so that for
those who note it a version has one word.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.u256 import equal
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.change_rows import ROW_WORDS, record_in_row
from contend.strategies.block_list.layout import BLOCK_LIST, VALUED
from contend.strategies.block_list.listed_changes import (
    change_at,
    changes_before,
    count_of_record,
    head_of,
    location_of_record,
    what_of_record,
    word_seen,
)
from contend.strategies.block_list.record_index import NO_RECORD
from contend.strategies.block_stm.accounting import count_abort, has_fault, note_fault
from contend.strategies.block_stm.hint_table import next_hinted
from contend.strategies.block_stm.incarnation import NOBODY, list_address, receipt_of, state_value
from contend.strategies.block_stm.layout import (
    LIST_MASK,
    LIST_SHIFT,
    ORIGIN_MASK,
    ORIGIN_SHIFT,
    READ,
    SHARED,
    WORKER,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import (
    FOUND_STATE,
    NO_VERSION,
    allocate,
    arena_offset,
    mark_estimate,
    read,
    write,
    writer_of,
)
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.validation import VALID
from contend.strategies.clocks import ACT_VALIDATE, FAILED, FINISHED, WORKED, cost_table

COST_ABORT, COST_PUBLISH_WRITE = cost_table.ABORT, cost_table.PUBLISH_WRITE
COST_VALIDATE, COST_VALIDATE_READ = cost_table.VALIDATE, cost_table.VALIDATE_READ


@kernel()
def _listed_writer(record, seen):
    """Transaction whose word a read saw by the list, or `NOBODY`."""
    return I(NOBODY) if seen == 0 else change_at(record, seen - 1).index - 1


@kernel()
def _is_misled(shared, txn_idx):
    return txn_idx >= 0 and atomics.load(transaction_of(shared, txn_idx), "is_planned") == U0


@kernel()
def _misleads(shared, txn_idx, location, record, seen):
    """Whether a read saw another word than the last writer's, since the list has another writer.

    Of whichever writer is the higher one either the list is wrong, or what it did: that it was misled itself.
    """
    listed = _listed_writer(record, seen) if record != NO_RECORD else I(NOBODY)
    found, version, _, word = read(shared, location, txn_idx)
    writer = writer_of(version) if found != FOUND_STATE else I(NOBODY)
    if writer == listed or _is_misled(shared, max(writer, listed)):
        return False
    was = state_value(shared, location).value
    return not equal(was if found == FOUND_STATE else word, word_seen(record, seen) if record != NO_RECORD else was)


@kernel()
def _first_misleading(shared, worker, reads, count):
    """The first location at which the list has misled the worker's transaction, or `VALID`.

    The beneficiary's balance is left to validation: it has the fees of all below.
    """
    for i in range(count):
        entry = READ.item(reads, count, i)
        location = I(entry.origin >> ORIGIN_SHIFT)
        if location != shared.coinbase:
            if _misleads(shared, worker.txn_idx, location, entry.version, I(entry.origin & ORIGIN_MASK)):
                return location
    return I(VALID)


@kernel()
def _is_among(writes, room, count, location):
    is_among = False
    for i in range(count):
        is_among |= WRITE.item(writes, room, i).location == location
    return is_among


@kernel()
def _write_as_listed(shared, worker, record, writes, room, made):
    """Have the word that a record gives the worker's transaction stand for what that wrote.

    Returns
    -------
    int
        How many writes are listed from `writes` on, which has so much room; -1 when the arena is full.
    """
    txn_idx, head = worker.txn_idx, head_of(record)
    location, count = location_of_record(head), count_of_record(head)
    if what_of_record(head) != VALUED or location == shared.coinbase or _is_among(writes, room, made, location):
        return made
    seen = changes_before(shared, record, count, txn_idx)
    if seen >= count or change_at(record, seen).index != txn_idx + 1:
        return made
    version, _ = write(shared, worker, location, txn_idx, U0, change_at(record, seen).word)
    if version == NO_VERSION:
        return I(-1)
    listed = WRITE.item(writes, room, made)
    listed.location = location
    listed.version = version
    spend(shared, worker, COST_PUBLISH_WRITE, 1)
    return made + 1


@kernel()
def _keep_unlisted(old, written, writes, room, made):
    """List what the transaction wrote and the list does not say: nobody knows the word. How many are listed then."""
    for i in range(written):
        source = WRITE.item(old, written, i)
        if not _is_among(writes, room, made, source.location):
            mark_estimate(source.version)
            copied = WRITE.item(writes, room, made)
            copied.location = source.location
            copied.version = source.version
            made += 1
    return made


@kernel()
def _write_what_is_listed(shared, worker, reads, count):
    """Have the list's words stand for what the worker's transaction wrote. False when the arena is full.

    Who was misled may have looked at little of what it is to write: so all is asked for that rows have of it, too.
    """
    line, block_list = transaction_of(shared, worker.txn_idx), BLOCK_LIST.at(shared.source)
    old, written = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    room, made = written + count + ROW_WORDS, 0
    writes = allocate(shared, worker, room * WRITE.words)
    if writes == 0:
        return False
    for i in range(count + ROW_WORDS):
        if i < count:
            record = READ.item(reads, count, i).version
        else:
            record = record_in_row(shared, block_list, worker.txn_idx, i - count)
        if record != NO_RECORD:
            made = _write_as_listed(shared, worker, record, writes, room, made)
            if made < 0:
                return False
    made = _keep_unlisted(old, written, writes, room, made)
    atomics.store(line, "write_set", (arena_offset(shared, writes) << LIST_SHIFT) | U(made))
    return True


@kernel()
def _trust(shared, worker):
    """Look whether the worker's transaction was misled; if so, it counts as repaired, and is no longer planned."""
    line = transaction_of(shared, worker.txn_idx)
    reads, count = list_address(shared, line.read_set), I(line.read_set & LIST_MASK)
    spend(shared, worker, COST_VALIDATE, 1)
    spend(shared, worker, COST_VALIDATE_READ, count)
    stale = _first_misleading(shared, worker, reads, count)
    if stale == VALID:
        return True
    spend(shared, worker, COST_ABORT, 1)
    count_abort(shared, worker, stale, U(receipt_of(shared, worker.txn_idx).gas_used))
    return _write_what_is_listed(shared, worker, reads, count)


@native("int64(int64, int64)")
def trust_step(shared_address, worker_address):
    """Look at one transaction, in the block's order."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_VALIDATE)
    if has_fault(shared):
        return FAILED
    worker.txn_idx = next_hinted(shared)
    if worker.txn_idx >= shared.block_size:
        return FINISHED
    if not _trust(shared, worker):
        note_fault(shared)
        return FAILED
    return end_step(worker, WORKED)
