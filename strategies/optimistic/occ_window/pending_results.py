"""Pending results: one execution over committed versions; answers its reads, keeps what it did for its turn.

The beneficiary's balance lacks the fees of the block, which are credited lazily. The sum of the fees of all committed
transactions is known exactly and grows with every commit: only at its turn does a transaction know what it must add.
One that needs the balance before its turn is therefore given up, which costs the least, and executed at its turn.
"""

from __future__ import annotations

from contend.evm.receipts import RECEIPT_ARENA, write_receipt
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import intern_location
from contend.evm.u256 import add, subtract
from contend.evm.vm.access_table import entry_at, is_write, supply_word
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    FAULTED,
    fees_seen_of,
    keep_accesses,
    receipt_of,
)
from contend.strategies.block_stm.layout import LIST_SHIFT
from contend.strategies.block_stm.mv_memory import allocate, arena_offset, head_of
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.occ_window.committed import word_behind
from contend.strategies.optimistic.occ_window.layout import COMMITTED, SEEN, WINDOW

COST_READ, COST_FINISH, COST_KEEP = cost_table.READ, cost_table.FINISH, cost_table.PUBLISH_READ
_COMMITTED_WORDS, _SEEN_WORDS = COMMITTED.words, SEEN.words


@kernel(inline=True)
def needs_its_turn(shared, worker, location):
    """Whether a location's word is not known before all transactions below the worker's are committed."""
    return location == shared.coinbase and atomics.load(WINDOW.at(shared.own), "committed") != U(worker.txn_idx)


@kernel()
def answer_from_committed(shared, worker):
    """Give the machine the word that it needs: `ANSWERED`, `FAULTED`, or `BLOCKED` if only its turn can tell."""
    spend(shared, worker, COST_READ, 1)
    machine = open_machine(worker.machine)
    location = intern_location(shared.state, machine.pending_location)
    if location < 0:
        note_fault(shared)
        return FAULTED
    if needs_its_turn(shared, worker, location):
        return BLOCKED
    head = head_of(shared, location)
    word = word_behind(shared, location, head)
    if location == shared.coinbase:
        fees = WINDOW.at(shared.own).fees
        word = add(word, fees)
        fees_seen_of(shared, worker.txn_idx).fees = fees
    count = worker.read_count
    if count >= worker.reads_room or not supply_word(machine, location, word):
        note_fault(shared)
        return FAULTED
    seen = SEEN.item(worker.reads, worker.reads_room, count)
    seen.location = location
    seen.head = head
    worker.read_count = count + 1
    return ANSWERED


@kernel()
def keep_reads(shared, worker):
    """Keep the read set of the worker's execution until its turn. False when the arena is full."""
    count = worker.read_count
    size = count * _SEEN_WORDS
    address = allocate(shared, worker, max(size, 1))
    if address == 0:
        return False
    source, target = view_u64(worker.reads, size), view_u64(address, size)
    for i in range(size):
        target[U(i)] = source[U(i)]
    transaction_of(shared, worker.txn_idx).read_set = (arena_offset(shared, address) << LIST_SHIFT) | U(count)
    spend(shared, worker, COST_KEEP, count)
    return True


@kernel()
def keep_writes(shared, worker):
    """Prepare the versions of what the worker's execution wrote. False when the arena is full."""
    machine = open_machine(worker.machine)
    txn_idx, count = worker.txn_idx, worker.write_count
    address = allocate(shared, worker, max(count * _COMMITTED_WORDS, 1))
    if address == 0:
        return False
    made = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry):
            version = COMMITTED.item(address, count, made)
            version.location = entry.location
            version.word = entry.current
            if entry.location == shared.coinbase:
                version.word = subtract(entry.current, fees_seen_of(shared, txn_idx).fees)
            made += 1
    transaction_of(shared, txn_idx).write_set = (arena_offset(shared, address) << LIST_SHIFT) | U(count)
    return True


@kernel()
def keep_receipt(shared, worker):
    """Keep the receipt of the worker's execution, and what it touched for an access list. False without room."""
    spend(shared, worker, COST_FINISH, 1)
    receipt, arena = receipt_of(shared, worker.txn_idx), RECEIPT_ARENA.at(worker.receipt_arena)
    return write_receipt(open_machine(worker.machine), receipt, arena) and keep_accesses(shared, worker)


@kernel()
def keep_result(shared, worker, with_reads):
    """Keep all that the worker's execution, which has run to its end, comes to. False when something is full."""
    if keep_receipt(shared, worker) and keep_writes(shared, worker):
        if not with_reads or keep_reads(shared, worker):
            return True
    note_fault(shared)
    return False


@kernel()
def give_up(shared, worker):
    """Count the worker's execution as one that had to wait, and is begun again at its turn."""
    worker.wait_restarts += U1
    worker.wasted_gas += worker.gas_spent
