"""Scanner: finds where the parts of an encoded access list begin, so that workers can decode them independently.

RLP can be read from the front only: where an item ends stands at its beginning. But whoever wants no more than its end
reads only that, and jumps; so one worker after the other hops over accounts, and within large ones over slots, and
publishes pieces of some hundred bytes, while the others decode those that are published already. The order of accounts
is checked here, where consecutive ones meet; that within an account, by who decodes it.

The scanner's place lies in shared memory under a lock that is tried and never waited for: who does not get it decodes,
and if there is nothing to decode either, is idle until something is published. It is held for one step.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u8
from contend.evm.u256 import less
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.layout import (
    ACCOUNTS,
    BLOCK_LIST,
    CHANGES,
    FIELDS,
    KIND_READS,
    PIECE,
    READS,
    SCAN_BEGIN,
    SCAN_CHANGES,
    SCAN_END,
    SCAN_LIST,
    SCAN_READS,
)
from contend.strategies.block_list.malformed import (
    MALFORMED,
    NOT_ITS_SHAPE,
    NOT_RLP,
    WRONG_ORDER,
    is_refused,
    refuse,
)
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, TEXT, address_at, item_at
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FINISHED, WORKED, cost_table

COST_LIST_HOP = cost_table.LIST_HOP

PIECE_BYTES = 512  # a piece ends with the item that makes it so long
LARGE_ACCOUNT = 256  # an account of so many bytes is cut
PIECES_A_STEP = 8
ADDRESS_BYTES = 20


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
        _publish(block_list, ACCOUNTS, I(0), block_list.run, last, I(0))
        block_list.run = 0


@kernel()
def _enter_account(block_list, data, at, last):
    """Cut a large account whose fields begin at an offset: its lists of slots follow. Hops, or `MALFORMED`."""
    form, first, changes_last = item_at(data, at, last)
    if form != LIST:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    block_list.account_end = last
    block_list.previous = 0
    block_list.at = first
    block_list.until = changes_last
    if block_list.kind == KIND_READS:
        if changes_last != last:
            return refuse(block_list, changes_last, NOT_ITS_SHAPE)
        block_list.what = SCAN_READS
        return I(1)
    form, reads_at, reads_last = item_at(data, changes_last, last)
    if form != LIST:
        return refuse(block_list, changes_last, NOT_ITS_SHAPE)
    block_list.reads_at = reads_at
    block_list.reads_until = reads_last
    block_list.what = SCAN_CHANGES
    slot_bytes = changes_last - first + reads_last - reads_at
    _publish(block_list, FIELDS, block_list.account, reads_last, last, slot_bytes)
    return I(2)


@kernel()
def _scan_accounts(block_list, data):
    """Hop over accounts to the end of a piece. Hops, or `MALFORMED`."""
    hops = 0
    while block_list.at < block_list.until:
        at = block_list.at
        form, first, last = item_at(data, at, block_list.until)
        text, address, address_last = item_at(data, first, last)
        if form != LIST or text != TEXT or address_last - address != ADDRESS_BYTES:
            return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
        hops += 2
        if block_list.account != 0:
            one, other = address_at(data, block_list.account), address_at(data, address)
            if not less((one[0], one[1], one[2], U0), (other[0], other[1], other[2], U0)):
                return refuse(block_list, at, WRONG_ORDER)
        block_list.account = address
        block_list.at = last
        if last - at >= LARGE_ACCOUNT:
            _publish_run(block_list, at)
            entered = _enter_account(block_list, data, address_last, last)
            return entered if entered < 0 else hops + entered
        if block_list.run == 0:
            block_list.run = at
        if last - block_list.run >= PIECE_BYTES:
            _publish_run(block_list, last)
            return I(hops)
    _publish_run(block_list, block_list.at)
    block_list.what = SCAN_END
    return I(hops)


@kernel()
def _leave_items(block_list):
    """The list of slots is at its end: go on to the next one, or to the next account."""
    block_list.previous = 0
    if block_list.what == SCAN_CHANGES:
        block_list.what = SCAN_READS
        block_list.at = block_list.reads_at
        block_list.until = block_list.reads_until
    else:
        block_list.what = SCAN_LIST
        block_list.at = block_list.account_end
        block_list.until = block_list.size


@kernel()
def _scan_items(block_list, data):
    """Hop over slots to the end of a piece. Hops, or `MALFORMED`."""
    first, hops = block_list.at, 0
    at, before = first, block_list.previous
    while at < block_list.until and at - first < PIECE_BYTES:
        form, _, last = item_at(data, at, block_list.until)
        if form == NO_ITEM:
            return refuse(block_list, at, NOT_RLP)
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
def _scan_piece(block_list, data):
    what = block_list.what
    if what == SCAN_BEGIN:
        return _begin(block_list, data)
    if what == SCAN_LIST:
        return _scan_accounts(block_list, data)
    return _scan_items(block_list, data)


@kernel()
def try_scan(shared, worker, block_list):
    """Publish some more pieces. False if another worker scans."""
    if atomics.compare_and_swap(block_list, "scanner", U0, U1) != U0:
        return False
    data = view_u8(block_list.bytes, block_list.size)
    most = block_list.published + U(PIECES_A_STEP)
    while block_list.published < most and block_list.what != SCAN_END and not is_refused(block_list):
        hops = _scan_piece(block_list, data)
        if hops == MALFORMED:
            break
        spend(shared, worker, COST_LIST_HOP, hops)
    if block_list.what == SCAN_END:
        atomics.store(block_list, "is_scanned", U1)
    atomics.store(block_list, "scanner", U0)
    return True


@kernel()
def _rewind(block_list):
    """Know nothing of the list, as at first."""
    block_list.what = SCAN_BEGIN
    block_list.account = 0
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
    _rewind(block_list)
    while block_list.is_scanned == U0 and not is_refused(block_list):
        try_scan(shared, worker, block_list)
    return end_step(worker, WORKED)
