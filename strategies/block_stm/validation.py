"""Validation of an incarnation, and what follows a failed one (arXiv 2203.06871, algorithms 2 and 3).

The paper's validate_read_set compares versions, not words; so does this one, except for the fees before a transaction
that has read the beneficiary's balance (`strategies.block_stm.incarnation`). But of what a
repair leaves in sight (`convert_writes_to_estimates`), a version that gets the same word once more stays the version
that it was (`strategies.block_stm.mv_memory`): where a transaction is executed again and writes the same, nobody above
is. It says which location was stale, since aborts are counted by their cause.

A repaired transaction's writes stay in sight, and may be read and found valid, while it executes again. If it then
writes another word, those above are validated once more, as if it had written to a new location (`finish_execution`):
its new words, its status, and the sweep's way back come in that order, and a validation that was taken from the sweep
before is followed by one that is taken after.

Where all that is expected to be written stood as ESTIMATEs before anything executed, most read sets need not be walked.
Who reads then takes of each location the version of the highest transaction below that will write there, or waits for
it; that is what it would read now, unless somebody below has written what was not expected, or was aborted, since what
it writes next may be another thing. `first_doubt` is behind the lowest of those. It is lowered before its status says
that it has executed again, or may be, and before the sweep of validations goes back on its account: a validation that
follows sees it. Between the two stands the pair of `finish_execution` (`strategies.block_stm.scheduler`): it lowers
the mark, then reads `validation_idx`; who validates moves `validation_idx`, then reads the mark, sequentially
consistent like the other two. The fees before a transaction are no location that anybody writes: who has read them is
never certain.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import count_abort
from contend.strategies.block_stm.incarnation import NOBODY, fees_below, fees_seen_of, list_address, receipt_of
from contend.strategies.block_stm.layout import (
    ABORTING,
    ESTIMATE,
    LIST_MASK,
    ORIGIN_MASK,
    ORIGIN_SHIFT,
    READ,
    TAG_SHIFT,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    FOUND_WORD,
    NO_VERSION,
    mark_estimate,
    read,
    read_from,
    row_of,
)
from contend.strategies.block_stm.scheduler import doubt_those_above, pack_status, transaction_of
from contend.strategies.block_stm.settled_words import settled_tag, settled_word
from contend.strategies.clocks import cost_table

COST_VALIDATE, COST_VALIDATE_READ = cost_table.VALIDATE, cost_table.VALIDATE_READ
COST_ABORT, COST_ABORT_WRITE = cost_table.ABORT, cost_table.ABORT_WRITE
VALID = -1  # no read is stale


@kernel()
def _has_same_word(shared, location, entry, found, word):
    """Whether what a transaction would read now is the word that it read, as far as that can still be told.

    It can where the version that it read stands there as it was, behind another one now. The state before the block has
    not changed as long as nobody has settled a word there.
    """
    if shared.compares_values == U0 or found == FOUND_ESTIMATE:
        return False
    if entry.version == NO_VERSION:
        if entry.origin & ORIGIN_MASK != U0 or settled_tag(shared, location) != U0:
            return False
        then = row_of(shared, location).value
        atomics.acquire_fence()
        return equal(then, word) and settled_tag(shared, location) == U0
    then_found, version, tag, then = read_from(entry.version)
    if then_found != FOUND_WORD or version != entry.version or tag >> TAG_SHIFT != entry.origin & ORIGIN_MASK:
        return False
    return equal(then, word)


@kernel()
def _first_stale_read(shared, txn_idx, reads, count):
    """Walk a read set: the first location whose version is not the one that was read, or `VALID`."""
    for i in range(count):
        entry = READ.item(reads, count, i)
        location = I(entry.origin >> ORIGIN_SHIFT)
        found, version, tag, word = read(shared, location, txn_idx)
        if found == FOUND_STATE:
            tag, word = settled_word(shared, location)
        if tag & ESTIMATE != U0 or version != entry.version or tag >> TAG_SHIFT != entry.origin & ORIGIN_MASK:
            if tag & ESTIMATE != U0 or not _has_same_word(shared, location, entry, found, word):
                return location
    seen = fees_seen_of(shared, txn_idx)
    if seen.seen != U0:
        blocking, fees = fees_below(shared, txn_idx, False)
        if blocking != NOBODY or not equal(fees, seen.fees):
            return shared.coinbase
    return I(VALID)


@kernel()
def is_certain(shared, txn_idx):
    """Whether a transaction has certainly read what it would read now."""
    if U(txn_idx) >= atomics.load_seq_cst(shared, "first_doubt"):
        return False
    return fees_seen_of(shared, txn_idx).seen == U0


@kernel()
def validate_read_set(shared, worker):
    """Validate the worker's transaction: the first location that it would now read otherwise, or `VALID`."""
    packed = atomics.load(transaction_of(shared, worker.txn_idx), "read_set")
    count = I(packed & LIST_MASK)
    spend(shared, worker, COST_VALIDATE, 1)
    spend(shared, worker, COST_VALIDATE_READ, count)
    return _first_stale_read(shared, worker.txn_idx, list_address(shared, packed), count)


@kernel()
def validate_unless_certain(shared, worker):
    """As `validate_read_set`, without a walk where nothing can be stale."""
    if is_certain(shared, worker.txn_idx):
        spend(shared, worker, COST_VALIDATE, 1)
        return I(VALID)
    return validate_read_set(shared, worker)


@kernel()
def validate_unrecorded(shared, worker):
    """As `validate_read_set`, for the worker's incarnation, which has run to its end and recorded nothing."""
    spend(shared, worker, COST_VALIDATE_READ, worker.read_count)
    return _first_stale_read(shared, worker.txn_idx, worker.reads, worker.read_count)


@kernel()
def convert_writes_to_estimates(shared, worker, stale):
    """Mark writes of the worker's transaction, which it aborts, as estimates: those that will change, it is thought.

    An incarnation that was executed as planned is nearly right: what it reads and writes at the stale location will
    change, and nothing else. What it has written elsewhere stays in sight meanwhile, and is compared when the next
    incarnation writes (`mv_memory.write`). After that all is marked, as in the paper.
    """
    line = transaction_of(shared, worker.txn_idx)
    check(line.txn_status == pack_status(worker.incarnation, ABORTING))
    writes, count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    marked = 0
    for i in range(count):
        one = WRITE.item(writes, count, i)
        if line.is_planned == U0 or one.location == stale:
            mark_estimate(one.version)
            marked += 1
    doubt_those_above(shared, worker.txn_idx)
    spend(shared, worker, COST_ABORT, 1)
    spend(shared, worker, COST_ABORT_WRITE, marked)


@kernel()
def abort(shared, worker, stale):
    """Take back what the worker's transaction wrote, and count what its incarnation cost for nothing."""
    convert_writes_to_estimates(shared, worker, stale)
    count_abort(shared, worker, stale, U(receipt_of(shared, worker.txn_idx).gas_used))
