"""Decoder: pieces of an encoded access list become records by location, by all workers.

Each piece is decoded by one worker, whole: its locations are interned, its order is checked, and for each location the
changes are laid out in the order of their indices, which is that of the list. So a location has one record, nobody
waits for anybody, and nothing is sorted. Where the list is to seed reads, the heads of the locations are set; two
workers meet at one head only if the list names a slot twice, and then the second one, who finds the head set, refuses.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.code import cost_model as evm_costs
from contend.evm.code.directory import intern_code
from contend.evm.crypto.keccak import keccak_word
from contend.evm.forks import FORK_COUNT
from contend.evm.layout import BLOCK, CODE_DIRECTORY, RULES
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u8
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import intern_location
from contend.evm.u256 import ZERO, less
from contend.evm.vm.access_table import account_key, scratch_address, scratch_left, storage_key
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_list.layout import (
    ACCOUNTS,
    BLOCK_LIST,
    CHANGED,
    CHANGES,
    COUNT_SHIFT,
    FIELDS,
    INDEX_SHIFT,
    KIND_INDEXED,
    KIND_LOCATIONS,
    KIND_READS,
    LIST_WORD,
    LISTED_VALUE,
    LOCATION_SHIFT,
    NAME_UNTOUCHED,
    NAMED,
    NOTHING_LISTED,
    OFFSET_MASK,
    PIECE,
    READ_ONLY,
    READ_UNTOUCHED,
    READERS,
    READS,
    VALUED,
)
from contend.strategies.block_list.list_scanner import try_scan
from contend.strategies.block_list.malformed import (
    FAULTED,
    INDEX_OUT_OF_RANGE,
    NAMED_TWICE,
    NO_CHANGE,
    NOT_AN_INTEGER,
    NOT_ITS_SHAPE,
    NOT_RLP,
    WRONG_ORDER,
    is_refused,
    refuse,
)
from contend.strategies.block_list.rlp_items import (
    LIST,
    NO_ITEM,
    TEXT,
    address_at,
    integer_at,
    is_integer,
    item_at,
    word_at,
)
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.layout import HEAD_SHIFT, SHARED, WORKER
from contend.strategies.block_stm.mv_memory import allocate, arena_offset, heads_of
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, IDLE, WORKED, cost_table

COST_LIST_ITEM, COST_LIST_LOCATION = cost_table.LIST_ITEM, cost_table.LIST_LOCATION
COST_LIST_CHANGE, COST_TASK = cost_table.LIST_CHANGE, cost_table.TASK

AHEAD = 32  # pieces that are to be known before they are needed
INDEX_BYTES, WORD_SIZE, NONCE_BYTES = 4, 32, 8
ANY_SIZE = -1  # of the text that a code is
_VALUE_WORDS = LISTED_VALUE.words


@kernel(inline=True)
def _append(piece, word):
    """Add a word to a piece's records; its address."""
    address = piece.records + piece.record_words * WORD_BYTES
    LIST_WORD.at(address).word = word
    piece.record_words += 1
    return address


@kernel()
def _set_head(shared, block_list, location, mark, at):
    """Let a location's head lead to what the list says of it. `MALFORMED` if it does already."""
    heads = heads_of(shared)
    # Two workers that name one slot at the same moment may both find nothing there. Then one of two records has no
    # head: its changes are never confirmed, or its mark is missing when the list is swept over, so the list is refused
    # later. An exchange would find it now, at the price of a cache miss that nothing else can overlap with.
    if atomics.load(heads, location) >> HEAD_SHIFT == shared.epoch:
        return refuse(block_list, at, NAMED_TWICE)
    atomics.store(heads, location, (shared.epoch << HEAD_SHIFT) | mark)
    return I(0)


@kernel()
def _open_record(shared, worker, block_list, piece, key, what, mark, at):
    """Begin the record of a location, and set its head.

    Parameters
    ----------
    mark : int
        What its head is set to; 0 for where the record lies.
    at : int
        Offset in the list, for who refuses it.

    Returns
    -------
    int
        Address of the record, `MALFORMED` or `FAULTED`.
    """
    location = I(intern_location(shared.state, key))
    if location < 0 or location >= shared.heads_count:
        note_fault(shared)
        return I(FAULTED)
    spend(shared, worker, COST_LIST_LOCATION, 1)
    address = _append(piece, (U(location) << LOCATION_SHIFT) | U(what))
    if block_list.seeds != U0:
        lead = arena_offset(shared, address) if mark == U0 else mark
        if _set_head(shared, block_list, location, lead, at) < 0:
            return refuse(block_list, at, NAMED_TWICE)
    return address


@kernel()
def _index_of(shared, block_list, data, at, form, first, last, previous):
    """Block access index in an item, which is above the one before; or `MALFORMED`."""
    if not is_integer(data, form, first, last, INDEX_BYTES):
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_AN_INTEGER)
    index = I(integer_at(data, first, last))
    if index > shared.block_size + 1:
        return refuse(block_list, at, INDEX_OUT_OF_RANGE)
    if index <= previous:
        return refuse(block_list, at, WRONG_ORDER)
    return index


@kernel()
def _append_change(shared, block_list, data, piece, at, end, most_bytes, previous):
    """Add a change, index and value, to the record in hand. Its index and end; or `MALFORMED` and anything."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE), last
    form, index_first, index_last = item_at(data, first, last)
    index = _index_of(shared, block_list, data, at, form, index_first, index_last, previous)
    if index < 0:
        return index, last
    form, value_first, value_last = item_at(data, index_last, last)
    if form == NO_ITEM or value_last != last:
        return refuse(block_list, index_last, NOT_ITS_SHAPE), last
    sound = form == TEXT if most_bytes == ANY_SIZE else is_integer(data, form, value_first, value_last, most_bytes)
    if not sound:
        return refuse(block_list, index_last, NOT_AN_INTEGER), last
    _append(piece, (U(index) << INDEX_SHIFT) | U(index_last))
    return index, last


@kernel()
def _append_index(shared, block_list, data, piece, at, end, previous):
    """Add an index without a value; results as of `_append_change`."""
    form, first, last = item_at(data, at, end)
    index = _index_of(shared, block_list, data, at, form, first, last, previous)
    if index >= 0:
        _append(piece, U(index) << INDEX_SHIFT)
    return index, last


@kernel()
def _append_changes(shared, worker, block_list, data, piece, record, first, last, most_bytes, valued):
    """Add all changes of a list to the record in hand, or indices only. How many, or `MALFORMED`."""
    at, index, count = first, I(-1), 0
    while at < last:
        if valued:
            index, at = _append_change(shared, block_list, data, piece, at, last, most_bytes, index)
        else:
            index, at = _append_index(shared, block_list, data, piece, at, last, index)
        if index < 0:
            return index
        count += 1
    LIST_WORD.at(record).word |= U(count) << COUNT_SHIFT
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)


@kernel()
def _enter_code(shared, worker, block_list, data, first, last):
    """Enter a code in the directory. Whether there was room, and its hash as a word: zero for no code."""
    size = last - first
    if size == 0:
        return True, ZERO
    machine = open_machine(worker.machine)
    rules = RULES.item(CODE_DIRECTORY.at(machine.codes).rules, FORK_COUNT, I(BLOCK.at(machine.block).fork))
    code_hash = keccak_word(data, first, size)
    scratch, room = scratch_address(machine), scratch_left(machine)
    spend(shared, worker, evm_costs.HASH_BLOCK, size // evm_costs.HASH_BLOCK_BYTES + 1)
    spend(shared, worker, evm_costs.CODE_BYTE, size)
    entered = intern_code(machine.codes, rules, block_list.bytes + first, size, code_hash, scratch, room)
    return entered >= 0, code_hash


@kernel()
def _append_words(shared, worker, block_list, data, piece, record, count, are_codes):
    """Add the words after a record's changes behind them. A negative result if something is full."""
    LIST_WORD.at(record).word |= U(VALUED)
    for i in range(count):
        offset = I(LIST_WORD.at(record + (1 + i) * WORD_BYTES).word & OFFSET_MASK)
        _, first, last = item_at(data, offset, block_list.size)
        word = ZERO
        if are_codes:
            fitted, word = _enter_code(shared, worker, block_list, data, first, last)
            if not fitted:
                note_fault(shared)
                return I(FAULTED)
        else:
            word = word_at(data, first, last)
        LISTED_VALUE.at(piece.records + piece.record_words * WORD_BYTES).word = word
        piece.record_words += _VALUE_WORDS
    return I(0)


@kernel()
def _decode_field(shared, worker, block_list, data, piece, key, at, end, what, most_bytes):
    """Decode the changes of an account's balance, nonce or code. The end of their list, or a negative result."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    if first == last:
        return last
    record = _open_record(shared, worker, block_list, piece, key, what, U0, at)
    if record < 0:
        return record
    valued = block_list.kind != KIND_LOCATIONS and what != READERS
    count = _append_changes(shared, worker, block_list, data, piece, record, first, last, most_bytes, valued)
    if count < 0:
        return count
    if what == READERS:
        return last
    piece.changes += count
    if block_list.seeds != U0:
        are_codes = most_bytes == ANY_SIZE
        if _append_words(shared, worker, block_list, data, piece, record, count, are_codes) < 0:
            return I(FAULTED)
    return last


@kernel()
def _decode_fields(shared, worker, block_list, data, piece, account, at, end, has_slots):
    """Decode what stands behind an account's lists of slots; `end`, or a negative result."""
    balance, nonce = account_key(account, layout.KIND_BALANCE), account_key(account, layout.KIND_NONCE)
    code = account_key(account, layout.KIND_CODE)
    first = at
    words_before = piece.record_words
    at = _decode_field(shared, worker, block_list, data, piece, balance, at, end, CHANGED, WORD_SIZE)
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, nonce, at, end, CHANGED, NONCE_BYTES)
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, code, at, end, CHANGED, ANY_SIZE)
    if block_list.kind == KIND_INDEXED:
        for key in (balance, nonce, code):
            if at >= 0:
                at = _decode_field(shared, worker, block_list, data, piece, key, at, end, READERS, WORD_SIZE)
    if at < 0:
        return at
    if at != end:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    if piece.record_words == words_before and block_list.seeds != U0:
        # Whoever touches the account has to find that it is named.
        mark = NOTHING_LISTED if has_slots else NAME_UNTOUCHED
        record = _open_record(shared, worker, block_list, piece, code, NAMED, mark, first)
        if record < 0:
            return record
    return at


@kernel()
def _slot_above(block_list, data, at, form, first, last, previous):
    """Whether an item is a slot above the one in the item at `previous` (0 for none); otherwise the list is refused."""
    if not is_integer(data, form, first, last, WORD_SIZE):
        refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_AN_INTEGER)
        return False
    if previous != 0:
        form, one, other = item_at(data, previous, block_list.size)
        if form == LIST:
            form, one, other = item_at(data, one, other)
        if not less(word_at(data, one, other), word_at(data, first, last)):
            refuse(block_list, at, WRONG_ORDER)
            return False
    return True


@kernel()
def _decode_slot(shared, worker, block_list, data, piece, account, at, end, previous, what):
    """Decode a slot with its changes or its readers; its end, or a negative result."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    form, slot_first, slot_last = item_at(data, first, last)
    if not _slot_above(block_list, data, at, form, slot_first, slot_last, previous):
        return I(-1)
    form, changes_first, changes_last = item_at(data, slot_last, last)
    if form != LIST or changes_last != last:
        return refuse(block_list, slot_last, NOT_ITS_SHAPE)
    if changes_first == changes_last:
        return refuse(block_list, slot_last, NO_CHANGE)
    key = storage_key(account, word_at(data, slot_first, slot_last))
    record = _open_record(shared, worker, block_list, piece, key, what, U0, at)
    if record < 0:
        return record
    valued = block_list.kind != KIND_LOCATIONS and what == CHANGED
    count = _append_changes(
        shared, worker, block_list, data, piece, record, changes_first, changes_last, WORD_SIZE, valued
    )
    if count < 0:
        return count
    if what == CHANGED:
        piece.changes += count
        if block_list.seeds != U0:
            _append_words(shared, worker, block_list, data, piece, record, count, False)
    return last


@kernel()
def _decode_read(shared, worker, block_list, data, piece, account, at, end, previous):
    """Decode a slot that is read and never written; its end, or a negative result."""
    form, first, last = item_at(data, at, end)
    if not _slot_above(block_list, data, at, form, first, last, previous):
        return I(-1)
    key = storage_key(account, word_at(data, first, last))
    record = _open_record(shared, worker, block_list, piece, key, READ_ONLY, READ_UNTOUCHED, at)
    return record if record < 0 else last


@kernel()
def _decode_slots(shared, worker, block_list, data, piece, account, first, last, previous, are_changes):
    """Decode a part of an account's lists of slots; `last`, or a negative result."""
    at = first
    while at < last:
        begin = at
        if are_changes:
            at = _decode_slot(shared, worker, block_list, data, piece, account, at, last, previous, CHANGED)
        elif block_list.kind == KIND_INDEXED:
            at = _decode_slot(shared, worker, block_list, data, piece, account, at, last, previous, READERS)
        else:
            at = _decode_read(shared, worker, block_list, data, piece, account, at, last, previous)
        if at < 0:
            return at
        previous = begin
    return at


@kernel()
def _decode_account(shared, worker, block_list, data, piece, at, end):
    """Decode a whole account; its end, or a negative result."""
    _, first, last = item_at(data, at, end)
    _, address, address_last = item_at(data, first, last)
    account = address_at(data, address)
    spend(shared, worker, COST_LIST_ITEM, 2)
    reads_at, has_slots = address_last, False
    if block_list.kind != KIND_READS:
        form, slots_first, slots_last = item_at(data, address_last, last)
        if form != LIST:
            return refuse(block_list, address_last, NOT_ITS_SHAPE)
        found = _decode_slots(shared, worker, block_list, data, piece, account, slots_first, slots_last, I(0), True)
        if found < 0:
            return found
        reads_at, has_slots = slots_last, slots_last > slots_first
    form, slots_first, slots_last = item_at(data, reads_at, last)
    if form != LIST:
        return refuse(block_list, reads_at, NOT_ITS_SHAPE)
    found = _decode_slots(shared, worker, block_list, data, piece, account, slots_first, slots_last, I(0), False)
    if found < 0:
        return found
    if block_list.kind == KIND_READS:
        return last if slots_last == last else refuse(block_list, slots_last, NOT_ITS_SHAPE)
    has_slots |= slots_last > slots_first
    return _decode_fields(shared, worker, block_list, data, piece, account, slots_last, last, has_slots)


@kernel()
def _words_needed(data, piece):
    """At most so many words have the records of a piece.

    A change is three bytes of the list at least, and a word with the four of its value; a slot that changes is six
    bytes, and one word more; a slot that is read, or an index alone, may be one byte and is one word. But a code, of
    which a block may have long ones, is no more than its hash.
    """
    most = 2 * (piece.last - piece.first) + 2
    if piece.what != FIELDS:
        return most
    at, codes = piece.first, piece.first
    for _ in range(3):
        form, first, last = item_at(data, at, piece.last)
        if form != LIST:
            return most
        codes, at = first, last
    words = 2 * (codes - piece.first) + 2 * (piece.last - at) + 8
    while codes < at:
        form, _, codes = item_at(data, codes, at)
        if form == NO_ITEM:
            return most
        words += 1 + _VALUE_WORDS
    return words


@kernel()
def _decode_parts(shared, worker, block_list, data, piece):
    """Decode a piece; a negative result if that cannot be done."""
    what, at = piece.what, piece.first
    if what == ACCOUNTS:
        while 0 <= at < piece.last:
            at = _decode_account(shared, worker, block_list, data, piece, at, piece.last)
        return at
    account = address_at(data, piece.account)
    if what == CHANGES or what == READS:
        changes = what == CHANGES
        return _decode_slots(shared, worker, block_list, data, piece, account, at, piece.last, piece.previous, changes)
    return _decode_fields(shared, worker, block_list, data, piece, account, at, piece.last, piece.previous > 0)


@kernel()
def _decode_piece(shared, worker, block_list, piece):
    """Decode a piece into records of its own; a negative result if that cannot be done."""
    data = view_u8(block_list.bytes, block_list.size)
    words = _words_needed(data, piece)
    piece.records = allocate(shared, worker, words)
    if piece.records == 0:
        return I(FAULTED)
    decoded = _decode_parts(shared, worker, block_list, data, piece)
    check(piece.record_words <= words)
    if worker.chunk == piece.records + words * WORD_BYTES:
        # Nothing was taken from the worker's piece of the arena meanwhile: what is left goes back.
        worker.chunk = piece.records + piece.record_words * WORD_BYTES
    return decoded


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
