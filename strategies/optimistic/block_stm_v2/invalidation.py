"""Invalidation: a writer tells those that have read what it has changed, and they are executed again.

A reader is told by a mark that names its incarnation, so that no later one takes it for its own. Who still executes
looks for its mark at its next read, at its end and behind it, and begins again. Who has executed is aborted by the
writer: what it wrote becomes ESTIMATEs, and it goes on the writer's list of dependents, since that has not announced
its end: it would find words missing that the writer is about to write.

What an aborted transaction wrote makes nobody stale by itself. Its readers are told when it has executed again, and
only of words that have changed. But where a location is contended (`expected_writers`), the word will change; then
those that have read it are told at once, and all of a chain are executed again side by side, and not one after the
other has ended.

Memory order. A writer sets the mark, by compare-and-swap, and then looks at the status; a reader sets its status to
EXECUTED, by an exchange, and then looks for the mark (both loads sequentially consistent). So one of them sees the
other, and if both do, the status is swapped by one of them.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import count_abort
from contend.strategies.block_stm.incarnation import list_address, receipt_of
from contend.strategies.block_stm.layout import (
    ABORTING,
    EXECUTED,
    EXECUTING,
    LIST_MASK,
    STATUS_BITS,
    STATUS_MASK,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import NO_VERSION, leads_to, link_below, mark_estimate, next_below
from contend.strategies.block_stm.scheduler import (
    decrease_execution_idx,
    pack_status,
    set_ready_status,
    transaction_of,
)
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.contended_locations import is_contended, raise_score
from contend.strategies.optimistic.block_stm_v2.layout import (
    LOCATION_BITS,
    LOCATION_MASK,
    MARKS,
    READER,
    READERS,
    STM_V2,
    STM_V2_WORKER,
    WHO_BITS,
    WHO_MASK,
)
from contend.strategies.optimistic.block_stm_v2.readers import enter, first_reader, readers_of, readers_of_state

COST_ABORT, COST_ABORT_WRITE = cost_table.ABORT, cost_table.ABORT_WRITE
COST_TELL = cost_table.VALIDATE_READ
PATIENCE = U(2)  # incarnations of a transaction that are begun as soon as who has told it has executed
FRESH = -1  # nobody has told the incarnation of anything


@kernel(inline=True)
def marks_of(shared, txn_idx):
    """What is kept of a transaction beside its status."""
    return MARKS.item(STM_V2.at(shared.own).marks, shared.block_size, txn_idx)


@kernel(inline=True)
def stale_read_of(shared, txn_idx, incarnation):
    """The location at which an incarnation was found stale, or `FRESH`."""
    stale = atomics.load_seq_cst(marks_of(shared, txn_idx), "stale")
    if stale >> LOCATION_BITS != U(incarnation) + U1:
        return I(FRESH)
    return I(stale & LOCATION_MASK)


@kernel()
def _set_mark(shared, txn_idx, incarnation, location):
    """Mark an incarnation as stale. False if it, or a later one, is marked."""
    marks = marks_of(shared, txn_idx)
    mark = ((incarnation + U1) << LOCATION_BITS) | U(location)
    was = atomics.load(marks, "stale")
    while was >> LOCATION_BITS < incarnation + U1:
        found = atomics.compare_and_swap(marks, "stale", was, mark)
        if found == was:
            return True
        was = found
    return False


@kernel(inline=True)
def try_abort(shared, txn_idx, incarnation):
    """True for the one worker that may abort an incarnation that has executed."""
    expected, aborting = pack_status(incarnation, EXECUTED), pack_status(incarnation, ABORTING)
    return atomics.compare_and_swap(transaction_of(shared, txn_idx), "txn_status", expected, aborting) == expected


@kernel()
def try_to_abort(shared, worker, txn_idx, incarnation, location):
    """Abort an incarnation that has executed, for a location, unless another worker has; `see_to_aborted` follows."""
    expected, aborting = pack_status(incarnation, EXECUTED), pack_status(incarnation, ABORTING)
    line = transaction_of(shared, txn_idx)
    if atomics.compare_and_swap(line, "txn_status", expected, aborting) != expected:
        return False
    check(U(txn_idx) >= atomics.load(STM_V2.at(shared.own), "committed"))
    spend(shared, worker, COST_ABORT, 1)
    count_abort(shared, worker, location, U(receipt_of(shared, txn_idx).gas_used))
    own = STM_V2_WORKER.at(worker.own)
    line.next_dependent = own.aborted
    own.aborted = U(txn_idx + 1)
    return True


@kernel()
def invalidate(shared, worker, who, location):
    """Tell a reader that it is stale. False if it has been told, or is another incarnation by now."""
    txn_idx, incarnation = I(who >> WHO_BITS), who & WHO_MASK
    status = atomics.load(transaction_of(shared, txn_idx), "txn_status")
    if status >> STATUS_BITS != incarnation or not _set_mark(shared, txn_idx, incarnation, location):
        return False
    if atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status") == pack_status(incarnation, EXECUTED):
        try_to_abort(shared, worker, txn_idx, incarnation, location)
    return True


@kernel()
def _tell_above(shared, worker, txn_idx, readers, location):
    """Tell all those above a transaction, on a list of readers at an address, that they are stale."""
    entry = first_reader(shared, atomics.load_seq_cst(READERS.at(readers), "readers"))
    told = False
    while entry != 0:
        reader = READER.at(entry)
        spend(shared, worker, COST_TELL, 1)
        if I(reader.who >> WHO_BITS) > txn_idx:
            worker.validations += U1
            told |= invalidate(shared, worker, reader.who, location)
        entry = first_reader(shared, reader.next)
    if told:
        raise_score(shared, location)


@kernel()
def tell(shared, worker, readers, location):
    """As `_tell_above`, of what the worker's transaction writes."""
    _tell_above(shared, worker, worker.txn_idx, readers, location)


@kernel()
def tell_below(shared, worker, location, version):
    """Tell those above the worker's transaction that have read, or come past, what is below its version."""
    below = next_below(version)
    readers = readers_of_state(shared, location) if below == NO_VERSION else readers_of(below)
    tell(shared, worker, readers, location)


@kernel()
def _take_back(shared, worker, txn_idx):
    """Let what an aborted transaction wrote be ESTIMATEs; at contended locations its readers are told at once."""
    line = transaction_of(shared, txn_idx)
    check(line.txn_status & STATUS_MASK == U(ABORTING))
    writes, count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    spend(shared, worker, COST_ABORT_WRITE, count)
    for i in range(count):
        one = WRITE.item(writes, count, i)
        mark_estimate(one.version)
        if is_contended(shared, one.location):
            _tell_above(shared, worker, txn_idx, readers_of(one.version), one.location)


@kernel()
def _let_depend(shared, worker, txn_idx):
    """Put an aborted transaction on the list of the worker's own, which is about to announce its end."""
    line, own = transaction_of(shared, txn_idx), transaction_of(shared, worker.txn_idx)
    check(own.txn_status == pack_status(worker.incarnation, EXECUTING))
    head = atomics.load(own, "txn_dependency")
    while True:
        line.next_dependent = head
        found = atomics.compare_and_swap(own, "txn_dependency", head, U(txn_idx + 1))
        if found == head:
            return
        head = found


@kernel()
def _let_follow(shared, worker, txn_idx):
    """Put an aborted transaction on the list of those that begin when the worker's own is committed.

    That is executing: nobody commits it, and so takes the list, before its worker has announced it.
    """
    own = marks_of(shared, worker.txn_idx)
    transaction_of(shared, txn_idx).next_dependent = own.followers
    own.followers = U(txn_idx + 1)


@kernel()
def _let_wait(shared, worker, txn_idx):
    """Have an aborted transaction executed again when the worker's own has ended, which it is about to.

    One that has been told time and again is so by others that are wrong themselves: it waits until that is right.
    """
    if transaction_of(shared, txn_idx).txn_status >> STATUS_BITS < PATIENCE:
        _let_depend(shared, worker, txn_idx)
    else:
        _let_follow(shared, worker, txn_idx)


@kernel()
def resume_followers(shared, txn_idx):
    """Have those executed again that have waited for a transaction, which has just been committed."""
    following, lowest = marks_of(shared, txn_idx).followers, shared.block_size
    while following != U0:
        resumed = I(following) - 1
        following = transaction_of(shared, resumed).next_dependent
        set_ready_status(shared, resumed)
        lowest = min(lowest, resumed)
    if lowest < shared.block_size:
        decrease_execution_idx(shared, lowest)


@kernel()
def see_to_aborted(shared, worker, waits):
    """Take back what those wrote that the worker has aborted, and have them executed again.

    Parameters
    ----------
    waits : bool
        Not before the worker's own transaction has ended, which it is about to.
    """
    own, lowest = STM_V2_WORKER.at(worker.own), shared.block_size
    while own.aborted != U0:
        txn_idx = I(own.aborted) - 1
        own.aborted = transaction_of(shared, txn_idx).next_dependent
        _take_back(shared, worker, txn_idx)
        if waits:
            _let_wait(shared, worker, txn_idx)
        else:
            set_ready_status(shared, txn_idx)
            lowest = min(lowest, txn_idx)
    if lowest < shared.block_size:
        decrease_execution_idx(shared, lowest)


@kernel()
def _enter_again(shared, worker, who, location, version):
    """Enter a reader at the worker's version as well, or tell it if that is not what it would read now.

    The reader's own protocol (`readers`): whoever inserts a version in between either finds the entry, or is found.
    """
    link, held, read_now = link_below(shared, location, I(who >> WHO_BITS))
    if not enter(shared, worker, readers_of(version), who):
        return False
    if read_now != version or leads_to(link) != held:
        invalidate(shared, worker, who, location)
    return True


@kernel()
def take_over(shared, worker, readers, location, version):
    """Enter those above the worker's transaction, on a list, at its own version as well. False without room.

    What it has written is what they have read below.
    """
    entry = first_reader(shared, atomics.load_seq_cst(READERS.at(readers), "readers"))
    while entry != 0:
        reader = READER.at(entry)
        who, txn_idx = reader.who, I(reader.who >> WHO_BITS)
        spend(shared, worker, COST_TELL, 1)
        if txn_idx > worker.txn_idx:
            worker.validations += U1
            status = atomics.load(transaction_of(shared, txn_idx), "txn_status")
            if status >> STATUS_BITS == who & WHO_MASK and not _enter_again(shared, worker, who, location, version):
                return False
        entry = first_reader(shared, reader.next)
    return True
