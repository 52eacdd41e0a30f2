"""Kept logs: one execution ahead of its turn; answers its reads and logs them, keeps its result and the log.

What a transaction reads is committed, with one exception. Whose sender has a transaction below that is not committed
would find too low a nonce, be invalid, and have to be executed at its turn. Such a transaction is given the nonce that
it needs: a prediction, which its turn confirms like any other read.
"""

from __future__ import annotations

from contend.evm.layout import KIND_CODE, KIND_MASK, KIND_NONCE
from contend.evm.redo_log.around_frames import log_of, supply_input
from contend.evm.redo_log.dependent_results import PATCH, list_patches, may_be_written, number_of_write
from contend.evm.redo_log.log_layout import LOG_ENTRY
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import address_of_view, copy_words, stack_buffer, view_u64
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import intern_location
from contend.evm.u256 import fits_u64
from contend.evm.vm.access_table import KIND_SHIFT, entry_at, is_write
from contend.evm.vm.transaction import open_machine
from contend.evm.vm.transaction import transaction_of as row_of_transaction
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, FAULTED
from contend.strategies.block_stm.layout import LIST_SHIFT, READ
from contend.strategies.block_stm.mv_memory import allocate, arena_offset, head_of
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.occ_window.committed import word_behind
from contend.strategies.optimistic.occ_window.layout import COMMITTED
from contend.strategies.optimistic.occ_window.pending_results import keep_receipt, needs_its_turn
from contend.strategies.optimistic.redo.layout import (
    KEPT,
    PREDICTED,
    READ_WORD,
    REDO_WORKER,
    entries_of,
    kept_words,
    numbers_of,
    patches_of,
    reads_of,
)

COST_READ, COST_KEEP = cost_table.READ, cost_table.PUBLISH_READ
COST_LOG = cost_table.TURN_WRITE  # of an entry: the class nearest to what was measured, 10 to 20 ns with its copy
MOST_PATCHES = 256
_BUFFER_WORDS = 512  # of so many patches
assert MOST_PATCHES * PATCH.words == _BUFFER_WORDS
_READ_WORDS, _SEEN_WORDS, _ENTRY_WORDS = READ.words, READ_WORD.words, LOG_ENTRY.words
_SEEN_BYTES = _SEEN_WORDS * WORD_BYTES
_PATCH_WORDS, _COMMITTED_WORDS = PATCH.words, COMMITTED.words
NONCE, CODE, KIND_BITS = U(KIND_NONCE), U(KIND_CODE), U(KIND_MASK)


@kernel()
def _needed_nonce(machine, word):
    """The nonce that the transaction needs, where the pending location is its sender's nonce and still too low."""
    key, transaction = machine.pending_location, row_of_transaction(machine)
    sender = transaction.sender
    is_own = key[0] == sender[0] and key[1] == sender[1] and key[2] == sender[2] | (NONCE << KIND_SHIFT)
    return is_own and fits_u64(word) and word[0] < transaction.nonce


@kernel()
def predict(machine, head, word):
    """What to give to the machine in place of a committed word, and the head that goes with it."""
    if _needed_nonce(machine, word):
        return PREDICTED, (row_of_transaction(machine).nonce, U0, U0, U0)
    return head, word


@kernel()
def answer_and_log(shared, worker):
    """Give the machine the word that it needs: `ANSWERED`, `FAULTED`, or `BLOCKED` if only its turn can tell."""
    spend(shared, worker, COST_READ, 1)
    machine = open_machine(worker.machine)
    location = intern_location(shared.state, machine.pending_location)
    if location < 0:
        note_fault(shared)
        return FAULTED
    if needs_its_turn(shared, worker, location) or location == shared.coinbase:
        return BLOCKED
    head = head_of(shared, location)
    head, word = predict(machine, head, word_behind(shared, location, head))
    own, room = REDO_WORKER.at(worker.own), worker.reads_room * _READ_WORDS // _SEEN_WORDS
    is_code = (machine.pending_location[2] >> KIND_SHIFT) & KIND_BITS == CODE
    number = supply_input(machine, location, word) if worker.read_count + own.codes < room else I(-1)
    if number < 0:
        note_fault(shared)
        return FAULTED
    seen = READ_WORD.item(worker.reads, room, room - 1 - own.codes if is_code else worker.read_count)
    seen.location = location
    seen.head = head
    seen.number = number
    seen.word = word
    if is_code:
        own.codes += 1
    else:
        worker.read_count += 1
    return ANSWERED


@kernel()
def count_possible_writes(worker):
    """How many locations the worker's execution has written, or would have with other words."""
    machine = open_machine(worker.machine)
    log, count = log_of(machine), 0
    for i in range(machine.entry_count):
        count += I(may_be_written(log, entry_at(machine, i)))
    return count


@kernel()
def _keep_writes(shared, worker, numbers):
    """Prepare the versions of what may be written, and note their numbers. False when the arena is full."""
    machine = open_machine(worker.machine)
    log, count = log_of(machine), worker.write_count
    address = allocate(shared, worker, max(count * _COMMITTED_WORDS, 1))
    if address == 0:
        return False
    made, found = 0, view_u64(numbers, count)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if may_be_written(log, entry):
            version = COMMITTED.item(address, count, made)
            version.location = entry.location
            version.word = entry.current
            found[U(made)] = U(number_of_write(log, entry))
            made += 1
    line = transaction_of(shared, worker.txn_idx)
    line.write_set = (arena_offset(shared, address) << LIST_SHIFT) | U(count)
    return True


@kernel()
def count_code_writes(machine):
    """How many codes the machine's transaction has written."""
    count = U0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        count += U(entry.key[2] >> KIND_SHIFT == CODE and is_write(entry))
    return count


@kernel()
def _keep_log(shared, worker):
    """Keep reads, log, and versions of what may be written. False when the arena is full."""
    machine = open_machine(worker.machine)
    log = log_of(machine)
    buffer = stack_buffer(_BUFFER_WORDS)
    listed = address_of_view(buffer)
    codes, others, writes = REDO_WORKER.at(worker.own).codes, worker.read_count, worker.write_count
    reads, room = codes + others, worker.reads_room * _READ_WORDS // _SEEN_WORDS
    patches = list_patches(machine, log, listed, MOST_PATCHES)
    # There may be more patches than fit.
    entries = log.count if log.broken == U0 and patches < MOST_PATCHES else I(0)
    address = allocate(shared, worker, kept_words(reads, entries, patches, writes))
    if address == 0:
        return False
    kept = KEPT.at(address)
    kept.reads, kept.codes, kept.entries, kept.patches, kept.writes = reads, codes, entries, patches, writes
    kept.code_writes = count_code_writes(machine)
    kept.left, kept.refund, kept.floor_gas, kept.gas_seen = log.left, log.refund, log.floor_gas, log.gas_seen
    target, source = reads_of(address), worker.reads
    copy_words(target, source, others * _SEEN_WORDS)
    copy_words(target + others * _SEEN_BYTES, source + (room - codes) * _SEEN_BYTES, codes * _SEEN_WORDS)
    copy_words(entries_of(address), log.entries, entries * _ENTRY_WORDS)
    copy_words(patches_of(address), listed, patches * _PATCH_WORDS)
    line = transaction_of(shared, worker.txn_idx)
    line.read_set = (arena_offset(shared, address) << LIST_SHIFT) | U(reads)
    spend(shared, worker, COST_KEEP, reads)
    spend(shared, worker, COST_LOG, entries)
    return _keep_writes(shared, worker, numbers_of(address))


@kernel()
def keep_result_and_log(shared, worker):
    """Keep all that the worker's execution, which has run to its end, comes to. False when something is full."""
    if keep_receipt(shared, worker) and _keep_log(shared, worker):
        return True
    note_fault(shared)
    return False
