"""Hints from the access list that came with the block (EIP-7928): who writes what, and of some kinds who reads what.

The list is decoded by all workers (`strategies.block_list`) and turned around, from a location's changes to a
transaction's entries: entries are counted by transaction, rows get room for as many, and entries are put in their rows.
Counting and putting are atomic additions to a word of the row, in the order in which workers come. A location that very
many transactions change is shared by parts (`strategies.block_list.long_records`).

Who wants versions to stand for what is written (`HintSource.wants_versions`) gets them on the way: a list has a
location's writers together and in order, so they are laid out without a search, and what each transaction is expected
to write goes with its entries into rows.

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
from contend.evm.runtime.integers import U0, U1, I, U
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
from contend.strategies.block_list.long_records import PART_CHANGES, is_long, part_at, parts_of
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.hint_table import hint_of, location_in, next_hinted
from contend.strategies.block_stm.layout import LIST_SHIFT, SHARED, WORKER, WRITE
from contend.strategies.block_stm.mv_memory import allocate, arena_offset
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.standing_versions import make_room_for_versions, stand
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, Clock, cost_table
from contend.strategies.given import INDEXED, HintSource, Knowledge, MissingKnowledgeError

COST_HINT_LOCATION, COST_LIST_ITEM = cost_table.HINT_LOCATION, cost_table.LIST_ITEM
COST_STAND = cost_table.STAND

ROWS_A_STEP = 128  # that get their room together
NONE_STAND = -1  # in place of the address of versions


@kernel(inline=True)
def _entry_of(head):
    """What a record is as an entry of the hint table; -1 for what no transaction is named with."""
    what = what_of_record(head)
    if what == CHANGED:
        return location_of_record(head) | WRITE_BIT
    return location_of_record(head) if what == READERS else I(-1)


@kernel()
def _is_hinted(shared, head):
    """Whether a record becomes entries.

    The beneficiary's balance does not: it is credited by every transaction, lazily (`evm.drivers.serial`), and no one
    waits for that.
    """
    entry = _entry_of(head)
    return entry >= 0 and location_in(entry) != shared.coinbase


@kernel(inline=True)
def _transaction_of_change(shared, record, number):
    """Transaction of one of a record's changes; -1 for what the block does before and after its transactions."""
    txn_idx = index_at(record, number) - 1
    return txn_idx if txn_idx < shared.block_size else I(-1)


@kernel()
def _count_entries(shared, record, first, last):
    """Count some entries of a record, by transaction. How many."""
    found = 0
    for i in range(first, last):
        txn_idx = _transaction_of_change(shared, record, i)
        if txn_idx >= 0:
            atomics.add(hint_of(shared, txn_idx), "count", U1)
            found += 1
    return found


@kernel()
def _versions_for(shared, worker, record, head):
    """Make room for the versions that stand for a record's changes.

    Returns
    -------
    int
        Their address, or `NONE_STAND` if no transaction is among them; 0 when the arena is full.
    """
    count = count_of_record(head)
    # One change is of each index, at most, and they are in order: at most the first one and the last are of none.
    writers = count - I(index_at(record, 0) == 0) - I(index_at(record, count - 1) > shared.block_size)
    if writers == 0:
        return I(NONE_STAND)
    return make_room_for_versions(shared, worker, location_of_record(head), writers)


@kernel()
def _put_entries(shared, record, head, versions, first, last):
    """Put some entries of a record in the rows of their transactions, and have versions stand for them. How many.

    Parameters
    ----------
    versions : int
        Address of all the record's versions, or `NONE_STAND`.
    """
    entry, found = _entry_of(head), 0
    skipped = I(index_at(record, 0) == 0)
    for i in range(first, last):
        txn_idx = _transaction_of_change(shared, record, i)
        if txn_idx < 0:
            continue
        hint = hint_of(shared, txn_idx)
        place = I(atomics.add(hint, "count", U1))
        view_i64(hint.entries, place + 1)[U(place)] = entry
        if versions != NONE_STAND:
            listed = WRITE.item(hint.writes, place + 1, place)
            listed.location = location_in(entry)
            listed.version = stand(versions, i + 1 - skipped, txn_idx)
        found += 1
    return found


@kernel()
def _walk_part(shared, worker, block_list, number, puts):
    """Count or put the entries of a part of a long record. How many; -1 when the arena is full."""
    part = part_at(block_list, number)
    record, first = part.record, part.first
    head = head_of(record)
    if not _is_hinted(shared, head):
        return 0
    last = min(first + PART_CHANGES, count_of_record(head))
    if puts:
        versions = part.versions if block_list.expects != U0 else I(NONE_STAND)
        return _put_entries(shared, record, head, versions, first, last)
    if first == 0 and block_list.expects != U0:
        versions = _versions_for(shared, worker, record, head)
        if versions == 0:
            return -1
        for i in range(parts_of(head)):
            part_at(block_list, number + i).versions = versions
    return _count_entries(shared, record, first, last)


@kernel()
def _walk_piece(shared, worker, block_list, piece, puts):
    """Count or put the entries of all records of a piece but the long ones. How many; -1 when the arena is full."""
    record, found, end = piece.records, 0, piece.records + piece.record_words * WORD_BYTES
    while record < end:
        head = head_of(record)
        if _is_hinted(shared, head) and not is_long(head):
            count = count_of_record(head)
            if puts:
                versions = _versions_for(shared, worker, record, head) if block_list.expects != U0 else I(NONE_STAND)
                if versions == 0:
                    return -1
                found += _put_entries(shared, record, head, versions, 0, count)
            else:
                found += _count_entries(shared, record, 0, count)
        record += bytes_of_record(head)
    return found


@kernel()
def _walk_next(shared, worker, block_list, puts):
    """Count or put the entries of the next part of a long record, or of the next piece."""
    if has_fault(shared):
        return FAILED
    number, parts = next_hinted(shared), I(block_list.part_count)
    if number >= parts + I(block_list.published):
        return FINISHED
    if number < parts:
        found = _walk_part(shared, worker, block_list, number, puts)
    else:
        piece = PIECE.item(block_list.pieces, block_list.pieces_room, number - parts)
        found = _walk_piece(shared, worker, block_list, piece, puts)
    if found < 0:
        return FAILED
    spend(shared, worker, COST_HINT_LOCATION, found)
    if puts and block_list.expects != U0:
        spend(shared, worker, COST_STAND, found)
    return WORKED


@kernel()
def _give_room(shared, hint, txn_idx, entries, writes):
    """Give a row its room, and where versions are to stand (`writes` is no zero) the transaction its list of them."""
    hint.entries = entries
    hint.writes = writes
    if writes != 0:
        transaction_of(shared, txn_idx).write_set = (arena_offset(shared, writes) << LIST_SHIFT) | U(hint.count)
    hint.count = 0


@kernel()
def _make_room(shared, worker, block_list):
    """Give some rows room for their entries, and the gas that their transactions may use."""
    first = next_hinted(shared) * ROWS_A_STEP
    if first >= shared.block_size:
        return FINISHED
    last, total = min(first + ROWS_A_STEP, shared.block_size), 0
    for txn_idx in range(first, last):
        total += hint_of(shared, txn_idx).count
    entries, writes = allocate(shared, worker, total + 1), I(0)
    if block_list.expects != U0:
        writes = allocate(shared, worker, total * WRITE.words + 1)
    if has_fault(shared):
        return FAILED
    block = BLOCK.at(open_machine(worker.machine).block)
    for txn_idx in range(first, last):
        hint = hint_of(shared, txn_idx)
        count = hint.count
        _give_room(shared, hint, txn_idx, entries, writes)
        hint.gas = TRANSACTION.item(block.transactions, block.size, txn_idx).gas_limit
        entries += count * WORD_BYTES
        if writes != 0:
            writes += count * WRITE.words * WORD_BYTES
    spend(shared, worker, COST_LIST_ITEM, last - first)
    return WORKED


@native("int64(int64, int64)")
def count_step(shared_address, worker_address):
    """Count the entries of one piece, or of a part of a long record."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _walk_next(shared, worker, BLOCK_LIST.at(shared.source), False))


@native("int64(int64, int64)")
def room_step(shared_address, worker_address):
    """Make room for the entries of some transactions."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _make_room(shared, worker, BLOCK_LIST.at(shared.source)))


@native("int64(int64, int64)")
def put_step(shared_address, worker_address):
    """Put the entries of one piece, or of a part of a long record, in their rows."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _walk_next(shared, worker, BLOCK_LIST.at(shared.source), True))


class Listed(HintSource):
    """Gives what the block's access list says. A list that is malformed gives nothing: the block has to be executed."""

    def __init__(self) -> None:
        self._list = EncodedList()
        self._is_sound = True

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table, and have versions stand where they are wanted; see `HintSource.fill`."""
        if knowledge.access_list is None:
            raise MissingKnowledgeError("block: the block came without an access list")
        kind = knowledge.list_kind
        self._is_sound = self._list.decode(space, knowledge.access_list, kind, clock, seeds=False)
        # Rows that have readers, too, are not those of what is written.
        self.versions_stand = self.wants_versions and self._is_sound and kind != INDEXED
        self._list.header["expects"] = self.versions_stand
        if self._is_sound:
            for step in (count_step, room_step, put_step):
                space.run_hint_step(step, clock, self._list.memory)

    def forgo_list(self) -> bool:
        """Take a list that names more than fits in the largest room as not being of this block."""
        return self._list.forgo()

    def flaw(self, transactions: int) -> str | None:
        """Why the list gave nothing; see `HintSource.flaw`."""
        return None if self._is_sound else self._list.flaw(transactions)

    def counters(self) -> dict[str, int]:
        """Bytes of the list, and whether it was malformed and so of no use."""
        return {"list_bytes": self._list.size, "malformed_lists": int(not self._is_sound)}
