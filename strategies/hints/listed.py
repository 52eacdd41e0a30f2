"""Hints from the access list that came with the block (EIP-7928): who writes what, and of some kinds who reads what.

The list is decoded by all workers (`strategies.block_list`) and turned around, from a location's changes to a
transaction's entries: entries are counted by transaction, rows get room by the sums of those counts, and entries are
put in their rows. Counting and putting are atomic additions to a word of the row, in the order in which workers come.

A list of EIP-7928 does not say who reads. Of the kind ``indexed`` it does; of the kind ``reads`` it does not even say
who writes, and rows stay empty.
"""

from __future__ import annotations

from typing import Any

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.drivers.access_sets import WRITE_BIT
from contend.evm.layout import BLOCK, TRANSACTION
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.encoded_list import EncodedList
from contend.strategies.block_list.layout import BLOCK_LIST, CHANGED, PIECE, READERS
from contend.strategies.block_list.listed_changes import (
    bytes_of_record,
    count_of_record,
    head_of,
    index_at,
    location_of_record,
    what_of_record,
)
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import hint_of, location_in, next_hinted
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.mv_memory import allocate
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, Clock, cost_table
from contend.strategies.given import HintSource, Knowledge, MissingKnowledgeError

COST_HINT_LOCATION, COST_LIST_ITEM = cost_table.HINT_LOCATION, cost_table.LIST_ITEM


@kernel(inline=True)
def _entry_of(head):
    """What a record is as an entry of the hint table; -1 for what no transaction is named with."""
    what = what_of_record(head)
    if what == CHANGED:
        return location_of_record(head) | WRITE_BIT
    return location_of_record(head) if what == READERS else I(-1)


@kernel()
def _count_entries(shared, record, head):
    """Count the entries of a record, by transaction. How many; what the block does outside of transactions is none."""
    found = 0
    for i in range(count_of_record(head)):
        txn_idx = index_at(record, i) - 1
        if 0 <= txn_idx < shared.block_size:
            atomics.add(hint_of(shared, txn_idx), "count", U1)
            found += 1
    return found


@kernel()
def _put_entries(shared, record, head):
    """Put the entries of a record in the rows of their transactions. How many."""
    entry, found = _entry_of(head), 0
    for i in range(count_of_record(head)):
        txn_idx = index_at(record, i) - 1
        if 0 <= txn_idx < shared.block_size:
            hint = hint_of(shared, txn_idx)
            place = I(atomics.add(hint, "count", U1))
            view_i64(hint.entries, place + 1)[U(place)] = entry
            found += 1
    return found


@kernel()
def _walk_piece(shared, worker, block_list, puts):
    """Count or put the entries of the next piece."""
    if has_fault(shared):
        return FAILED
    number = next_hinted(shared)
    if number >= I(block_list.published):
        return FINISHED
    piece = PIECE.item(block_list.pieces, block_list.pieces_room, number)
    record, found, end = piece.records, 0, piece.records + piece.record_words * WORD_BYTES
    while record < end:
        head = head_of(record)
        # The beneficiary is credited by every transaction, lazily (`evm.drivers.serial`): no one waits for that.
        if _entry_of(head) >= 0 and location_in(_entry_of(head)) != shared.coinbase:
            found += _put_entries(shared, record, head) if puts else _count_entries(shared, record, head)
        record += bytes_of_record(head)
    spend(shared, worker, COST_HINT_LOCATION, found)
    return WORKED


@kernel()
def _make_room(shared, worker):
    """Give every row room for its entries, and the gas that its transaction may use: the first worker does."""
    if next_hinted(shared) > 0:
        return FINISHED
    total = 0
    for txn_idx in range(shared.block_size):
        total += hint_of(shared, txn_idx).count
    entries = allocate(shared, worker, total + 1)
    if entries == 0:
        note_fault(shared)
        return FAILED
    block = BLOCK.at(open_machine(worker.machine).block)
    for txn_idx in range(shared.block_size):
        hint = hint_of(shared, txn_idx)
        hint.entries = entries
        entries += hint.count * WORD_BYTES
        hint.count = 0
        hint.gas = TRANSACTION.item(block.transactions, block.size, txn_idx).gas_limit
    spend(shared, worker, COST_LIST_ITEM, shared.block_size)
    return WORKED


@native("int64(int64, int64)")
def count_step(shared_address, worker_address):
    """Count the entries of one piece."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _walk_piece(shared, worker, BLOCK_LIST.at(shared.source), False))


@native("int64(int64, int64)")
def room_step(shared_address, worker_address):
    """Make room for all entries."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _make_room(shared, worker))


@native("int64(int64, int64)")
def put_step(shared_address, worker_address):
    """Put the entries of one piece in their rows."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _walk_piece(shared, worker, BLOCK_LIST.at(shared.source), True))


class Listed(HintSource):
    """Gives what the block's access list says. A list that is malformed gives nothing: the block has to be executed."""

    def __init__(self) -> None:
        self._list = EncodedList()
        self._is_sound = True

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table; see `HintSource.fill`."""
        if knowledge.access_list is None:
            raise MissingKnowledgeError("block: the block came without an access list")
        self._is_sound = self._list.decode(space, knowledge.access_list, knowledge.list_kind, clock, seeds=False)
        if self._is_sound:
            for step in (count_step, room_step, put_step):
                space.run_hint_step(step, clock, self._list.memory)

    def counters(self) -> dict[str, int]:
        """Bytes of the list, and whether it was malformed and so of no use."""
        return {"list_bytes": self._list.size, "malformed_lists": int(not self._is_sound)}
