"""Decoder: pieces of an encoded access list become records by location, by all workers.

Each piece is decoded by one worker, whole: its order is checked, and for each location the changes are laid out in the
order of their indices, which is that of the list. So a location has one record, nobody waits for anybody, and nothing
is sorted; one that very many transactions change is decoded in slices (`strategies.block_list.long_lists`). Then the
locations of all its records are looked up, and where the list is to seed reads the records are entered in the index.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u8
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.account_fields import CODE_FIELD, MOST_FIELDS, decode_account, decode_fields
from contend.strategies.block_list.layout import ACCOUNTS, BLOCK_LIST, CHANGES, FIELDS, PIECE, READS, RECORD, SLICE
from contend.strategies.block_list.list_scanner import try_scan
from contend.strategies.block_list.long_lists import decode_slice, is_long_list
from contend.strategies.block_list.malformed import FAULTED, UNFIT, is_refused
from contend.strategies.block_list.record_locations import locate_records
from contend.strategies.block_list.rlp_items import LIST, address_at, item_at
from contend.strategies.block_list.slot_lists import decode_slots
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.mv_memory import allocate
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, IDLE, WORKED, cost_table

COST_TASK = cost_table.TASK

AHEAD = 32  # pieces that are to be known before they are needed
# Words of records that a byte of the list makes: usually, and at most, where each is a slot that is read.
USUAL_WORDS, MOST_WORDS = 3, RECORD.words
SPARE_WORDS = 8 * RECORD.words


@kernel()
def _bytes_of(data, piece):
    """Bytes of a piece that become records of its own: not a list that is cut, and of a code only its hash."""
    if piece.what != FIELDS:
        return piece.last - piece.first
    at, size, codes, codes_last = piece.first, 0, piece.first, piece.first
    for field in range(MOST_FIELDS):
        if at == piece.last:
            break
        form, first, last = item_at(data, at, piece.last)
        if form != LIST:
            return piece.last - piece.first
        if field == CODE_FIELD:
            codes, codes_last = first, last
        elif not is_long_list(first, last):
            size += last - at
        at = last
    while codes < codes_last:
        form, _, codes = item_at(data, codes, codes_last)
        if form != LIST:
            return piece.last - piece.first
        size += 2
    return size


@kernel()
def _decode_parts(shared, worker, block_list, data, piece):
    """Decode a piece; a negative result if that cannot be done."""
    what, at = piece.what, piece.first
    piece.record_words = 0
    piece.changes = 0
    if what == ACCOUNTS:
        previous = piece.previous
        while 0 <= at < piece.last:
            previous, at = at, decode_account(shared, worker, block_list, piece, at, piece.last, previous)
        return at
    account = address_at(data, piece.account)
    if what == CHANGES or what == READS:
        changes = what == CHANGES
        return decode_slots(shared, worker, block_list, piece, account, at, piece.last, piece.previous, changes)
    return decode_fields(shared, worker, block_list, piece, account, at, piece.last, piece.previous > 0)


@kernel()
def _decode_within(shared, worker, block_list, data, piece, words):
    """Decode a piece in so much room; `UNFIT` if that is too little, or another negative result."""
    piece.room = words
    piece.records = allocate(shared, worker, words)
    if piece.records == 0:
        return I(FAULTED)
    decoded = _decode_parts(shared, worker, block_list, data, piece)
    if worker.chunk == piece.records + words * WORD_BYTES:
        # Nothing was taken from the worker's piece of the arena meanwhile: what is left goes back.
        worker.chunk = piece.records + piece.record_words * WORD_BYTES
    return decoded


@kernel()
def _decode_piece(shared, worker, block_list, piece):
    """Decode a piece into records; a negative result if that cannot be done."""
    if piece.what == SLICE:
        decoded = decode_slice(shared, worker, block_list, piece)
        return decoded if decoded < 0 else locate_records(shared, worker, block_list, piece)
    data = view_u8(block_list.bytes, block_list.size)
    size = _bytes_of(data, piece)
    decoded = _decode_within(shared, worker, block_list, data, piece, USUAL_WORDS * size + SPARE_WORDS)
    if decoded == UNFIT:
        decoded = _decode_within(shared, worker, block_list, data, piece, MOST_WORDS * size + SPARE_WORDS)
        check(decoded != UNFIT)
    if decoded < 0:
        return decoded
    return locate_records(shared, worker, block_list, piece)


@kernel()
def _decode_next(shared, worker, block_list):
    if has_fault(shared):
        return FAILED
    if is_refused(block_list):
        return FINISHED
    is_scanned = atomics.load(block_list, "is_scanned") != U0
    published, taken = atomics.load(block_list, "published"), atomics.load(block_list, "taken")
    if not is_scanned and published < taken + U(AHEAD) and try_scan(shared, worker, block_list):
        return WORKED
    if taken >= published:
        return FINISHED if is_scanned else IDLE
    if atomics.compare_and_swap(block_list, "taken", taken, taken + U(1)) == taken:
        spend(shared, worker, COST_TASK, 1)
        piece = PIECE.item(block_list.pieces, block_list.pieces_room, I(taken))
        if _decode_piece(shared, worker, block_list, piece) == FAULTED:
            return FAILED
    return WORKED


@native("int64(int64, int64)")
def decode_step(shared_address, worker_address):
    """Find pieces of the list, or decode one."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _decode_next(shared, worker, BLOCK_LIST.at(shared.source)))
