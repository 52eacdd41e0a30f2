"""Redoing: a transaction at its turn held against what is committed, and redone from its log where that differs.

All its predecessors are committed, so what its reads give now is final. Whatever was read otherwise is an input of its
log, which is computed anew, with what depends on it; words of its writes, logs and output are taken from there. Where a
guard does not hold, or a word has changed that the log cannot do without, the transaction has to be executed again.
"""

from __future__ import annotations

from contend.evm.forks import FORK_COUNT
from contend.evm.layout import BLOCK, CODE_DIRECTORY, RULES, TRANSACTION
from contend.evm.redo_log.dependent_results import apply_patches
from contend.evm.redo_log.log_layout import CHANGED, LOG_ENTRY
from contend.evm.redo_log.recompute import HOLDS, change_input
from contend.evm.redo_log.settlement import redo
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.u256 import equal
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import list_address, receipt_of
from contend.strategies.block_stm.layout import LIST_MASK
from contend.strategies.block_stm.mv_memory import head_of
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.occ_window.committed import word_behind
from contend.strategies.optimistic.occ_window.layout import COMMITTED, WINDOW
from contend.strategies.optimistic.redo.layout import (
    KEPT,
    READ_WORD,
    REDO_WORKER,
    entries_of,
    numbers_of,
    patches_of,
    reads_of,
)

COST_VALIDATE, COST_TURN_READ, COST_REDO = cost_table.VALIDATE, cost_table.TURN_READ, cost_table.LIST_ACCESS
COST_PASS = cost_table.FEE
RIGHT = -1  # no location is in the way


@kernel()
def _patch(shared, worker, address):
    """Bring the log's words to the versions and the receipt of the worker's transaction."""
    kept, entries = KEPT.at(address), entries_of(address)
    packed = transaction_of(shared, worker.txn_idx).write_set
    writes, count = list_address(shared, packed), I(packed & LIST_MASK)
    numbers = view_u64(numbers_of(address), count)
    for i in range(count):
        number = numbers[U(i)]
        if number != U0:
            entry = LOG_ENTRY.item(entries, kept.entries, I(number))
            if entry.operation & CHANGED != U0:
                COMMITTED.item(writes, count, i).word = entry.word
    receipt = receipt_of(shared, worker.txn_idx)
    size = receipt.logs_size + ((receipt.output_size + 7) & ~7)
    apply_patches(entries, kept.entries, patches_of(address), kept.patches, receipt.payload, size)


@kernel()
def make_right(shared, worker):
    """Have the result of the worker's transaction, whose turn it is, be the right one.

    `RIGHT`, or the location that makes it necessary to execute the transaction again.
    """
    address = list_address(shared, transaction_of(shared, worker.txn_idx).read_set)
    kept = KEPT.at(address)
    # Where no transaction has written a code, all codes are those of the state.
    reads = kept.reads if WINDOW.at(shared.own).code_writes != U0 else kept.reads - kept.codes
    spend(shared, worker, COST_VALIDATE, 1)
    spend(shared, worker, COST_TURN_READ, reads)
    changed, first = I(RIGHT), kept.entries
    for i in range(reads):
        seen = READ_WORD.item(reads_of(address), kept.reads, i)
        now = head_of(shared, seen.location)
        if now == seen.head:
            continue
        word = word_behind(shared, seen.location, now)
        if equal(word, seen.word):
            continue
        if seen.number == 0 or kept.entries == 0:
            return seen.location
        change_input(entries_of(address), kept.entries, seen.number, word)
        first = min(first, seen.number)
        changed = seen.location
    REDO_WORKER.at(worker.own).code_writes = kept.code_writes
    if changed == RIGHT:
        return changed
    own, machine = REDO_WORKER.at(worker.own), open_machine(worker.machine)
    # Not the machine's own rules, which are those of what it executed last.
    rules = RULES.item(CODE_DIRECTORY.at(machine.codes).rules, FORK_COUNT, I(BLOCK.at(machine.block).fork))
    block, entries = BLOCK.at(machine.block), entries_of(address)
    transaction, receipt = (
        TRANSACTION.item(block.transactions, block.size, worker.txn_idx),
        receipt_of(shared, worker.txn_idx),
    )
    left, floor_gas = kept.left, kept.floor_gas
    found, done = redo(
        entries, kept.entries, first, left, kept.refund, floor_gas, kept.gas_seen, transaction, rules, receipt
    )
    spend(shared, worker, COST_PASS, kept.entries - first)
    spend(shared, worker, COST_REDO, done + kept.patches)
    if found != HOLDS:
        return changed
    _patch(shared, worker, address)
    own.redone += U1
    own.recomputed += U(done)
    return I(RIGHT)
