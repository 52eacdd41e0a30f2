"""Sweep over what a confirmed access list names: last words go to the state, and what nobody touched is counted.

All writes are as the list has them, so the last change of each location is its word after the block. What is left to
check is what the list names without an index: slots that are only read, and accounts of which nothing changes. Whoever
touched one has left a mark; one without a mark is superfluous. That makes the list wrong and the words no less right.
"""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import location_row
from contend.strategies.accounting import end_step, spend
from contend.strategies.bal.layout import BAL_WORKER
from contend.strategies.block_list.layout import BLOCK_LIST, NAMED, PIECE, READ_ONLY, VALUED
from contend.strategies.block_list.listed_changes import (
    bytes_of_record,
    count_of_record,
    head_of,
    is_touched,
    location_of_record,
    what_of_record,
    word_seen,
)
from contend.strategies.block_stm.hint_table import next_hinted
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, cost_table

COST_COMMIT_LOCATION = cost_table.COMMIT_LOCATION


@kernel()
def _sweep_record(shared, own, record, head):
    what = what_of_record(head)
    if what == VALUED:
        location_row(STATE.at(shared.state), location_of_record(head)).value = word_seen(record, count_of_record(head))
    elif (what == READ_ONLY or what == NAMED) and not is_touched(head):
        own.untouched += U1


@kernel()
def _sweep_piece(shared, worker, piece):
    own = BAL_WORKER.at(worker.own)
    record, end, count = piece.records, piece.records + piece.record_words * WORD_BYTES, 0
    while record < end:
        head = head_of(record)
        _sweep_record(shared, own, record, head)
        record += bytes_of_record(head)
        count += 1
    spend(shared, worker, COST_COMMIT_LOCATION, count)


@native("int64(int64, int64)")
def sweep_step(shared_address, worker_address):
    """Sweep over the records of one piece of the list."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    block_list = BLOCK_LIST.at(shared.source)
    worker.activity = U(ACT_COMMIT)
    number = next_hinted(shared)
    if number >= I(block_list.published):
        return FINISHED
    _sweep_piece(shared, worker, PIECE.item(block_list.pieces, block_list.pieces_room, number))
    return end_step(worker, WORKED)


@kernel()
def list_changed(pieces, found):
    """Fill `found`, int64, with the locations that so many pieces change. How many there are, room or no room."""
    count = 0
    for number in range(found[0]):
        piece = PIECE.item(pieces, found[0], number)
        record, end = piece.records, piece.records + piece.record_words * WORD_BYTES
        while record < end:
            head = head_of(record)
            if what_of_record(head) == VALUED:
                count += 1
                if count < found.size:
                    found[count] = location_of_record(head)
            record += bytes_of_record(head)
    return count
