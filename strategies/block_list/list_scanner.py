"""Scanner: finds where the parts of an encoded access list begin, so that workers can decode them independently.

RLP can be read from the front only: where an item ends stands at its beginning. But whoever wants no more than its end
reads only that, and jumps; so one worker after the other hops over accounts, and within large ones over slots, and
publishes pieces of some hundred bytes, while the others decode those that are published already. Order is checked by
who decodes a piece, but for accounts and slots that are cut: their addresses and numbers are looked at here.

The scanner's place lies in shared memory under a lock that is tried and never waited for: who does not get it decodes,
and if there is nothing to decode either, is idle until something is published. It is held for one step.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u8
from contend.evm.vm.access_table import account_key, storage_key
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.account_fields import CODE_FIELD, MOST_FIELDS, NONCE_BYTES, enter_account
from contend.strategies.block_list.layout import (
    ACCOUNTS,
    BLOCK_LIST,
    CHANGED,
    CHANGES,
    FIELDS,
    KIND_READS,
    PIECE,
    READERS,
    READS,
    SCAN_BEGIN,
    SCAN_CHANGES,
    SCAN_END,
    SCAN_FIELDS,
    SCAN_LIST,
    SCAN_READS,
    VALUED,
)
from contend.strategies.block_list.long_lists import LONG_LIST, is_long_list, publish_slices
from contend.strategies.block_list.malformed import NOT_ITS_SHAPE, NOT_RLP, is_refused, refuse
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, address_at, item_at, word_at
from contend.strategies.block_list.slot_lists import WORD_SIZE, is_slot_above
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FINISHED, WORKED, cost_table

COST_LIST_HOP = cost_table.LIST_HOP

PIECE_BYTES = 512  # a piece ends with the item that makes it so long
LARGE_ACCOUNT = 256  # an account of so many bytes is cut
PIECES_A_STEP = 8
LONG_SLOT = LONG_LIST + 64  # bytes of a slot with a long list, whatever its number and the sizes in front of both


@kernel(inline=True)
def _what_changes(block_list):
    """What a record of changes is."""
    return I(VALUED) if block_list.seeds != U0 else I(CHANGED)


@kernel()
def _publish(block_list, what, account, first, last, previous):
    """Let other workers find a piece."""
    number = I(block_list.published)
    check(number < block_list.pieces_room)
    piece = PIECE.item(block_list.pieces, block_list.pieces_room, number)
    piece.what = what
    piece.account = account
    piece.first = first
    piece.last = last
    piece.previous = previous
    piece.record_words = 0
    piece.changes = 0
    atomics.store(block_list, "published", U(number + 1))


@kernel()
def _begin(block_list, data):
    """Enter the list of accounts. Hops, or `MALFORMED`."""
    form, first, last = item_at(data, I(0), block_list.size)
    if form != LIST or last != block_list.size:
        return refuse(block_list, 0, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    block_list.at = first
    block_list.until = last
    block_list.what = SCAN_LIST
    return I(1)


@kernel()
def _publish_run(block_list, last):
    """Make a piece of the small accounts since the last piece."""
    if block_list.run != 0:
        _publish(block_list, ACCOUNTS, I(0), block_list.run, last, block_list.previous)
        block_list.run = 0


@kernel()
def _enter_account(block_list, data, begin):
    """Cut the large account at an offset: its lists of slots follow. Hops, or `MALFORMED`."""
    address, at, last = enter_account(block_list, data, begin, block_list.until, block_list.account_before)
    if address < 0:
        return address
    form, first, changes_last = item_at(data, at, last)
    if form != LIST:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    block_list.account = address
    block_list.account_before = begin
    block_list.account_end = last
    block_list.field = 0
    block_list.previous = 0
    block_list.at = first
    block_list.until = changes_last
    if block_list.kind == KIND_READS:
        if changes_last != last:
            return refuse(block_list, changes_last, NOT_ITS_SHAPE)
        block_list.what = SCAN_READS
        return I(2)
    form, reads_at, reads_last = item_at(data, changes_last, last)
    if form != LIST:
        return refuse(block_list, changes_last, NOT_ITS_SHAPE)
    block_list.reads_at = reads_at
    block_list.reads_until = reads_last
    block_list.what = SCAN_CHANGES
    slot_bytes = changes_last - first + reads_last - reads_at
    _publish(block_list, FIELDS, block_list.account, reads_last, last, slot_bytes)
    return I(3)


@kernel()
def _scan_accounts(block_list, data):
    """Hop over accounts to the end of a piece. Hops, or `MALFORMED`."""
    hops = 0
    while block_list.at < block_list.until:
        at = block_list.at
        form, _, last = item_at(data, at, block_list.until)
        if form == NO_ITEM:
            return refuse(block_list, at, NOT_RLP)
        hops += 1
        if last - at >= LARGE_ACCOUNT:
            _publish_run(block_list, at)
            entered = _enter_account(block_list, data, at)
            return entered if entered < 0 else hops + entered
        if block_list.run == 0:
            block_list.run = at
            block_list.previous = block_list.account_before
        block_list.account_before = at
        block_list.at = last
        if last - block_list.run >= PIECE_BYTES:
            _publish_run(block_list, last)
            return I(hops)
    _publish_run(block_list, block_list.at)
    block_list.what = SCAN_END
    return I(hops)


@kernel()
def _leave_items(block_list):
    """The list of slots is at its end: go on to the next one, or to what is behind."""
    block_list.previous = 0
    if block_list.what == SCAN_CHANGES:
        block_list.what = SCAN_READS
        block_list.at = block_list.reads_at
        block_list.until = block_list.reads_until
    else:
        block_list.what = SCAN_FIELDS
        block_list.until = block_list.account_end


@kernel()
def _cut_slot(shared, worker, block_list, data, at, last):
    """Publish the long slot in an item in slices. Hops, or a negative result."""
    form, first, _ = item_at(data, at, last)
    text, slot_first, slot_last = item_at(data, first, last)
    if form != LIST or not is_slot_above(block_list, data, at, text, slot_first, slot_last, block_list.previous):
        return refuse(block_list, at, NOT_ITS_SHAPE)
    form, changes_first, changes_last = item_at(data, slot_last, last)
    if form != LIST or changes_last != last:
        return refuse(block_list, slot_last, NOT_ITS_SHAPE)
    key = storage_key(address_at(data, block_list.account), word_at(data, slot_first, slot_last))
    what = _what_changes(block_list) if block_list.what == SCAN_CHANGES else I(READERS)
    hops = publish_slices(shared, worker, block_list, key, what, changes_first, changes_last, WORD_SIZE)
    return hops if hops < 0 else hops + 3


@kernel()
def _scan_items(shared, worker, block_list, data):
    """Hop over slots to the end of a piece, or over the changes of a long one. Hops, or a negative result."""
    first, hops = block_list.at, 0
    at, before = first, block_list.previous
    while at < block_list.until and at - first < PIECE_BYTES:
        form, _, last = item_at(data, at, block_list.until)
        if form == NO_ITEM:
            return refuse(block_list, at, NOT_RLP)
        if last - at >= LONG_SLOT:
            if hops > 0:
                break
            hops = _cut_slot(shared, worker, block_list, data, at, last)
            if hops < 0:
                return hops
            block_list.previous = at
            block_list.at = last
            return I(hops)
        before, at = at, last
        hops += 1
    if hops > 0:
        what = CHANGES if block_list.what == SCAN_CHANGES else READS
        _publish(block_list, what, block_list.account, first, at, block_list.previous)
    block_list.previous = before
    block_list.at = at
    if at == block_list.until:
        _leave_items(block_list)
    return I(hops)


@kernel()
def _kind_of_field(field):
    """Kind of the location that an account's list is of, by the list's number behind those of slots."""
    number = field % (CODE_FIELD + 1)
    return layout.KIND_BALANCE if number == 0 else (layout.KIND_NONCE if number == 1 else layout.KIND_CODE)


@kernel()
def _cut_field(shared, worker, block_list, data, field, first, last):
    """Publish a long list of an account's balance or nonce, or readers, in slices. Hops, or a negative result."""
    key = account_key(address_at(data, block_list.account), _kind_of_field(field))
    what = _what_changes(block_list) if field < CODE_FIELD else I(READERS)
    most_bytes = NONCE_BYTES if field == 1 else WORD_SIZE
    return publish_slices(shared, worker, block_list, key, what, first, last, most_bytes)


@kernel()
def _scan_fields(shared, worker, block_list, data):
    """Hop over what is behind an account's lists of slots, and over the changes of a long list. Hops, or negative."""
    hops = 0
    while block_list.until - block_list.at >= LONG_LIST and block_list.field < MOST_FIELDS:
        form, first, last = item_at(data, block_list.at, block_list.until)
        if form != LIST:
            break  # who decodes the fields refuses it
        field = block_list.field
        block_list.field = field + 1
        block_list.at = last
        hops += 1
        if field != CODE_FIELD and is_long_list(first, last):
            cut = _cut_field(shared, worker, block_list, data, field, first, last)
            return cut if cut < 0 else hops + cut
    block_list.what = SCAN_LIST
    block_list.at = block_list.account_end
    block_list.until = block_list.size
    return I(hops)


@kernel()
def _scan_piece(shared, worker, block_list, data):
    what = block_list.what
    if what == SCAN_BEGIN:
        return _begin(block_list, data)
    if what == SCAN_LIST:
        return _scan_accounts(block_list, data)
    if what == SCAN_FIELDS:
        return _scan_fields(shared, worker, block_list, data)
    return _scan_items(shared, worker, block_list, data)


@kernel()
def try_scan(shared, worker, block_list):
    """Publish some more pieces. False if another worker scans."""
    if atomics.compare_and_swap(block_list, "scanner", U0, U1) != U0:
        return False
    data = view_u8(block_list.bytes, block_list.size)
    most = block_list.published + U(PIECES_A_STEP)
    while block_list.published < most and block_list.what != SCAN_END and not is_refused(block_list):
        hops = _scan_piece(shared, worker, block_list, data)
        if hops < 0:
            break
        spend(shared, worker, COST_LIST_HOP, hops)
    if block_list.what == SCAN_END:
        atomics.store(block_list, "is_scanned", U1)
    atomics.store(block_list, "scanner", U0)
    return True


@kernel()
def _rewind(shared, worker, block_list):
    """Know nothing of the list, as at first, and have all of the arena for the only worker."""
    shared.arena_used = U0
    worker.chunk = 0
    worker.chunk_end = 0
    block_list.what = SCAN_BEGIN
    block_list.account_before = 0
    block_list.previous = 0
    block_list.run = 0
    block_list.published = U0
    block_list.is_scanned = U0


@native("int64(int64, int64)")
def scan_step(shared_address, worker_address):
    """Find all pieces and decode none, as many times as `block_size` says.

    What calibration times: beside decoding a scan hardly shows, and one alone takes less than a thread to begin.
    """
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    block_list = BLOCK_LIST.at(shared.source)
    worker.activity = U(ACT_PLAN)
    if I(shared.next_hint) >= shared.block_size:
        return end_step(worker, FINISHED)
    shared.next_hint += U1
    _rewind(shared, worker, block_list)
    while block_list.is_scanned == U0 and not is_refused(block_list) and not has_fault(shared):
        try_scan(shared, worker, block_list)
    return end_step(worker, WORKED)
