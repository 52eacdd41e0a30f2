"""Filling: an executed transaction's words go into the placeholders that stand for them, and who waits can go on.

Bohm makes a version's placeholder before any transaction executes and has its reader wait for the writer (Faleiro and
Abadi, "Rethinking serializable multiversion concurrency control", VLDB 2015, sections 3.2 and 3.3). There the writes
are known; here they are hinted (`strategies.block_stm.estimates` makes the placeholders), and a hint may be wrong:

- A write that was expected and does not come leaves its placeholder ABSENT, which fills it, too: who waits goes on to
  the version below.
- A write that was not expected is inserted as Block-STM inserts any. Transactions above may have read past it, so none
  of them is sure any more (`first_doubt`).

Where no unexpected write was made below a transaction, nothing that it has read can be wrong. For the placeholders of
all that write a location below it stood before it began; of these it took the highest, waited until that was filled,
and went on to the next one below if it was ABSENT; and what is filled stays as it is while transactions execute for
the first time. By induction over the block, the words are the serial ones. So those below the first doubt need no
validation at all, and where hints are right there is none.

Words are stored with their versions' tags, then the list of those that wait is closed, and each is put into the set of
ready ones: `strategies.block_stm.waiters` says why nobody is missed. Where somebody waits when a transaction has run to
its end, the list is closed first, the words that are waited for are filled before all others, and each waiter is woken
behind its own: along a chain of transactions the other words then cost the chain nothing. Who comes later finds the
list closed, and stands at its read for the moment that it takes.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.evm.u256 import subtract
from contend.evm.vm.access_table import entry_at, is_write
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import fees_seen_of, list_address
from contend.strategies.block_stm.layout import LIST_MASK, LIST_SHIFT, TRANSACTION, WRITE
from contend.strategies.block_stm.mv_memory import (
    NO_VERSION,
    allocate,
    arena_offset,
    fill,
    is_written_by,
    mark_absent,
    version_of,
    write,
    writer_of,
)
from contend.strategies.block_stm.scheduler import decrease_validation_idx, transaction_of
from contend.strategies.block_stm.waiters.ready_set import add_ready
from contend.strategies.block_stm.waiters.waiter_list import close, is_closed, join, last_of
from contend.strategies.clocks import cost_table
from contend.strategies.placeholder.contexts import context_at
from contend.strategies.placeholder.layout import CONTEXT

COST_FILL, COST_PUBLISH_WRITE = cost_table.FILL, cost_table.PUBLISH_WRITE
_WAITERS, _NEXT = WORD_BYTES * TRANSACTION.offsets["waiters"], WORD_BYTES * CONTEXT.offsets["next"]
_LOOKS = 8  # along the expected writes, before the location's versions are searched


@kernel()
def doubt(shared, space, txn_idx):
    """Transactions from this one on may have read something wrong: the sweep of validations begins no higher.

    Called before the transaction that is the reason says that it has executed. The sweep stays behind that.
    """
    if U(txn_idx) < atomics.load(space, "first_doubt"):
        atomics.minimum(space, "first_doubt", U(txn_idx))
        decrease_validation_idx(shared, txn_idx)


@kernel(inline=True)
def has_doubts(shared, space):
    """Whether any transaction may have read something wrong."""
    return atomics.load_seq_cst(space, "first_doubt") < U(shared.block_size)


@kernel(inline=True)
def _word_of(shared, worker, entry):
    """The word that a written location gets: the beneficiary's balance without the fees of those before."""
    word = entry.current
    if entry.location == shared.coinbase:
        word = subtract(word, fees_seen_of(shared, worker.txn_idx).fees)
    return word


@kernel()
def _placeholder(shared, txn_idx, location, expected, count, nearest):
    """Address of a transaction's placeholder at a location, or `NO_VERSION`; its place in the list of those expected.

    Looked for from the place behind the last one, since most hints name locations in the order in which a machine
    meets them.
    """
    at = nearest
    for _ in range(min(count, _LOOKS)):
        if at >= count:
            at = 0
        found = WRITE.item(expected, count, at)
        if found.location == location:
            return found.version, at
        at += 1
    return version_of(shared, location, txn_idx), nearest


@kernel()
def _fill_expected(shared, worker, expected, count):
    """Fill the placeholders of what was written that are not; how many are, and how many writes have none.

    What it costs was spent in the step before (`block_stm.worker.run_paying`).
    """
    machine = open_machine(worker.machine)
    filled, unexpected, nearest = 0, 0, 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if not is_write(entry):
            continue
        version, at = _placeholder(shared, worker.txn_idx, entry.location, expected, count, nearest)
        if version == NO_VERSION:
            unexpected += 1
            continue
        if not is_written_by(version, worker.incarnation):
            fill(version, worker.incarnation, _word_of(shared, worker, entry))
        filled += 1
        nearest = at + 1
    return filled, unexpected


@kernel()
def _write_unexpected(shared, worker, address, room, made):
    """Insert versions of what was written without being expected, and list them. False when the arena is full."""
    machine = open_machine(worker.machine)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if not is_write(entry):
            continue
        location = entry.location
        if version_of(shared, location, worker.txn_idx) != NO_VERSION:
            continue
        word = _word_of(shared, worker, entry)
        version, _ = write(shared, worker, location, worker.txn_idx, worker.incarnation, word)
        if version == NO_VERSION:
            return False
        listed = WRITE.item(address, room, made)
        listed.location = location
        listed.version = version
        made += 1
    check(made == room)
    return True


@kernel()
def _list_anew(shared, worker, expected, count, filled, unexpected):
    """Make the write set what was written, where it is not what was expected. False when the arena is full."""
    line, room = transaction_of(shared, worker.txn_idx), filled + unexpected
    address = allocate(shared, worker, max(room * WRITE.words, 1))
    if address == 0:
        return False
    made = 0
    for i in range(count):
        one = WRITE.item(expected, count, i)
        if not is_written_by(one.version, worker.incarnation):
            mark_absent(one.version, worker.incarnation)
            continue
        listed = WRITE.item(address, room, made)
        listed.location = one.location
        listed.version = one.version
        made += 1
    spend(shared, worker, COST_FILL, count - filled)
    if unexpected > 0:
        spend(shared, worker, COST_PUBLISH_WRITE, unexpected)
        if not _write_unexpected(shared, worker, address, room, made):
            return False
    atomics.store(line, "write_set", (arena_offset(shared, address) << LIST_SHIFT) | U(room))
    return True


@kernel()
def fill_placeholders(shared, space, worker):
    """Make visible what the worker's transaction, which has run to its end, has written. False when the arena is full.

    Who waits for the transaction may have been told before, when one was filled (`fill_waited_for`).
    """
    packed = transaction_of(shared, worker.txn_idx).write_set
    expected, count = list_address(shared, packed), I(packed & LIST_MASK)
    filled, unexpected = _fill_expected(shared, worker, expected, count)
    if filled != count or unexpected != 0:
        if not _list_anew(shared, worker, expected, count, filled, unexpected):
            return False
    if unexpected != 0:
        doubt(shared, space, worker.txn_idx + 1)
    return True


@kernel(inline=True)
def _waiters_of(shared, txn_idx):
    """Address of the list of those that wait for a transaction, by context; closed when what it waits for is filled."""
    return address_of(transaction_of(shared, txn_idx)) + _WAITERS


@kernel(inline=True)
def is_waited_for(shared, txn_idx):
    """Whether somebody waits for a transaction that has filled nothing yet."""
    return last_of(_waiters_of(shared, txn_idx)) != U0


@kernel(inline=True)
def has_told(shared, txn_idx):
    """Whether those that waited for a transaction have been told."""
    return is_closed(_waiters_of(shared, txn_idx))


@kernel()
def wake_waiters(shared, space, txn_idx):
    """Tell all that wait for a transaction that what they wait for is filled, or about to be."""
    waiting = close(_waiters_of(shared, txn_idx))
    while waiting != U0:
        context = context_at(space, I(waiting) - 1)
        woken = context.txn_idx
        check(woken > txn_idx)
        # Who takes it up may make it wait again, and link it elsewhere.
        waiting = context.next
        add_ready(space, woken)


@kernel()
def _fill_one(shared, worker, location, version):
    """Fill the worker's own placeholder at an address, if its transaction has written there."""
    machine = open_machine(worker.machine)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if entry.location == location and is_write(entry):
            fill(version, worker.incarnation, _word_of(shared, worker, entry))
            return True
    return False


@kernel()
def fill_waited_for(shared, space, worker, own):
    """Close the list of those that wait, fill the placeholder that the first of them waits at, and wake who can go on.

    Where the next one waits for another word, that is left to the next step, which is paid for. Whoever waits where
    nothing was written is woken, too: it stands at its read until all is filled.

    Returns
    -------
    bool
        Whether somebody is left to be woken, by the next call.
    """
    if own.to_wake == U0:
        own.to_wake = close(_waiters_of(shared, worker.txn_idx))
    may_fill = True
    while own.to_wake != U0:
        context = context_at(space, I(own.to_wake) - 1)
        version = context.version
        if writer_of(version) == worker.txn_idx and not is_written_by(version, worker.incarnation):
            if not may_fill:
                return True
            if _fill_one(shared, worker, context.location, version):
                own.filled += 1
                may_fill = False
        # Who takes it up may make it wait again, and link it elsewhere.
        woken, own.to_wake = context.txn_idx, context.next
        check(woken > worker.txn_idx)
        add_ready(space, woken)
    return False


@kernel()
def wait_for(shared, space, number, blocking_txn_idx):
    """Put a context on the list of those that wait for a transaction. False if that has told them by now.

    Neither the context nor its transaction must be touched afterwards: another worker may have taken it up already.
    """
    context = context_at(space, number)
    check(blocking_txn_idx < context.txn_idx)
    return join(_waiters_of(shared, blocking_txn_idx), address_of(context) + _NEXT, number)


@kernel()
def first_unfilled(shared, space):
    """Move `first_live` forward over all that wait for nothing any more; where it is then.

    Workers may store it in any order, since each value was true when it was found and stays so.
    """
    first = I(atomics.load(space, "first_live"))
    before = first
    while first < shared.block_size and is_closed(_waiters_of(shared, first)):
        first += 1
    if first != before:
        atomics.store(space, "first_live", U(first))
    return first
