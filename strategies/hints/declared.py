"""Hints that transactions declare: their own access lists (EIP-2930), and what the protocol says by itself.

A list names accounts and slots, and not what is done with them. What a transaction of the block must touch is known
without one: it writes the nonce and the balance of its sender, reads the code of both sides, and credits whom it pays.

Listed slots count as written. Who takes a read for a write makes others wait for nothing; who takes a write for a read
lets them read what is about to change, and executes them again (`docs/decisions.md` has both measured). Listed accounts
count as code that is read: a list has them because they are called.

A list may name a location twice; the machine's access table tells.
"""

from __future__ import annotations

from typing import Any

from contend.evm import State, layout
from contend.evm.block_image import BlockImage
from contend.evm.layout import STATE, TRANSACTION
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import LINE_U64, U64, Struct, is_null
from contend.evm.state import intern_location, key_in_state
from contend.evm.u256 import is_zero
from contend.evm.vm.access_table import account_key, entry_at, find_or_insert, storage_key
from contend.evm.vm.create import ONE
from contend.evm.vm.transaction import open_machine, start_transaction
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import add_entry, next_hinted, open_hint
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, Clock, cost_table
from contend.strategies.given import HintSource, Knowledge

COST_TASK, COST_HINT_LOCATION = cost_table.TASK, cost_table.HINT_LOCATION

DECLARED = Struct(
    "DeclaredLists",
    slots_are_written=U64,  # whether a slot that a list names is expected to be written
    with_list=LINE_U64,  # transactions that have a list
)


@kernel()
def _note(machine, key, is_written):
    """Note a location as touched, once. False when there is no room."""
    entry = find_or_insert(machine, key)
    if is_null(entry):
        return False
    if is_written:
        entry.current = ONE
    return True


@kernel()
def _note_accounts(machine, transaction):
    """Note what the protocol touches for a transaction, whatever its code does."""
    sender, to = transaction.sender, transaction.to
    noted = _note(machine, account_key(sender, layout.KIND_NONCE), True)
    noted &= _note(machine, account_key(sender, layout.KIND_BALANCE), True)
    noted &= _note(machine, account_key(sender, layout.KIND_CODE), False)
    if transaction.creates == U0:
        noted &= _note(machine, account_key(to, layout.KIND_CODE), False)
        if not is_zero(transaction.value):
            noted &= _note(machine, account_key(to, layout.KIND_BALANCE), True)
    return noted


@kernel()
def _note_list(machine, transaction, is_written):
    """Note what a transaction's access list names; its layout is that of `evm.block_image`."""
    size = (transaction.data_size + 7) & ~7
    words = view_u64(machine.calldata + size, (transaction.data_room - size) >> 3)
    at, noted = 0, True
    for _ in range(transaction.list_addresses):
        address = words[U(at)], words[U(at + 1)], words[U(at + 2)]
        slots = I(words[U(at + 3)])
        noted &= _note(machine, account_key(address, layout.KIND_CODE), False)
        at += 4
        for _ in range(slots):
            slot = words[U(at)], words[U(at + 1)], words[U(at + 2)], words[U(at + 3)]
            noted &= _note(machine, storage_key(address, slot), is_written)
            at += 4
    return noted


@kernel()
def _add_noted(shared, worker, machine, hint):
    """Make entries of what was noted. False when something is full."""
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        key = entry.key
        if STATE.at(shared.state).has_generations != U0:
            key = key_in_state(shared.state, key)
        location = I(intern_location(shared.state, key))
        if location < 0:
            note_fault(shared)
            return False
        if not add_entry(shared, worker, hint, location, not is_zero(entry.current)):
            return False
    spend(shared, worker, COST_HINT_LOCATION, machine.entry_count)
    return True


@kernel()
def _declare_next(shared, worker, declared):
    """Fill the row of the next transaction."""
    if has_fault(shared):
        return FAILED
    txn_idx = next_hinted(shared)
    if txn_idx >= shared.block_size:
        return FINISHED
    spend(shared, worker, COST_TASK, 1)
    machine = open_machine(worker.machine)
    start_transaction(machine, txn_idx)
    transaction = TRANSACTION.at(machine.transaction)
    noted = _note_accounts(machine, transaction)
    if transaction.list_addresses != 0:
        atomics.add(declared, "with_list", U1)
        noted &= _note_list(machine, transaction, declared.slots_are_written != U0)
    if not noted:
        note_fault(shared)
        return FAILED
    return WORKED if _add_noted(shared, worker, machine, open_hint(shared, worker, txn_idx)) else FAILED


@native("int64(int64, int64)")
def declared_step(shared_address, worker_address):
    """Fill one row of the hint table."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _declare_next(shared, worker, DECLARED.at(shared.source)))


class Declared(HintSource):
    """Gives what the transactions declare.

    Parameters
    ----------
    slots_are_written : bool
        Whether listed slots count as written, or as read.
    """

    def __init__(self, slots_are_written: bool = True) -> None:
        self._memory = DECLARED.lines(1)
        self._memory["slots_are_written"] = slots_are_written

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table; see `HintSource.fill`."""
        self._memory["with_list"] = 0
        space.run_hint_step(declared_step, clock, self._memory)

    def counters(self) -> dict[str, int]:
        """How many transactions declared anything."""
        return {"declared": int(self._memory[0]["with_list"])}
