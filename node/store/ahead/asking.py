"""Asking: which records are read ahead of a block, by its transactions or by its access list.

What is sure needs no knowledge: who sends a transaction, and whom it goes to, with the code there. An access list of
the kind ``reads`` names all accounts and slots that the block touches. It is walked once, by one worker; what it takes
is nothing beside the reads.

Codes come behind: which code an account has is in its record.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.code.directory import find_code_of_any_fork
from contend.evm.layout import BLOCK, STATE, TRANSACTION
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.state import find_location, intern_location, is_in_memory, key_in_state, location_row
from contend.evm.vm.access_table import account_key, storage_key
from contend.node.store.ahead.layout import AHEAD, ASK
from contend.node.store.layout import ACCOUNT, CODE, COLD, SLOT
from contend.node.store.record_hash import account_record, code_record, slot_record
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, address_at, item_at, word_at

MALFORMED, NO_ROOM = -1, -2


@kernel(inline=True)
def ask_at(ahead, number):
    """One of the records that are asked for."""
    return ASK.item(ahead.asks, ahead.room, number)


@kernel()
def _ask(ahead, kind, number, key):
    """Ask for a record. False when there is no room."""
    if number < 0 or ahead.count >= ahead.room:
        return False
    ask = ask_at(ahead, ahead.count)
    ask.kind, ask.number, ask.key = I(kind), I(number), key
    ahead.count += 1
    return True


@kernel()
def _ask_account(ahead, state, address):
    key = account_key(address, layout.KIND_NONCE)
    return _ask(ahead, ACCOUNT, I(intern_location(state, key)), account_record(key))


@kernel()
def _ask_slot(ahead, state, address, slot):
    key = storage_key(address, slot)
    if STATE.at(state).has_generations != U0:
        key = key_in_state(state, key)
    return _ask(ahead, SLOT, I(intern_location(state, key)), slot_record(key))


@kernel()
def ask_for_sure(ahead_address, image):
    """Ask for the accounts of all transactions of a block's image; how many, or `NO_ROOM`."""
    ahead, block = AHEAD.at(ahead_address), BLOCK.at(image)
    state = COLD.at(ahead.cold).state
    for index in range(block.size):
        transaction = TRANSACTION.item(block.transactions, block.size, index)
        if not _ask_account(ahead, state, transaction.sender):
            return I(NO_ROOM)
        if transaction.creates == U0 and not _ask_account(ahead, state, transaction.to):
            return I(NO_ROOM)
    return ahead.count


@kernel()
def _ask_slots(ahead, state, data, address, at, end):
    """Ask for the slots of an account, a list of words."""
    while at < end:
        form, first, last = item_at(data, at, end)
        if form == NO_ITEM or form == LIST or last - first > 32:
            return I(MALFORMED)
        if not _ask_slot(ahead, state, address, word_at(data, first, last)):
            return I(NO_ROOM)
        at = last
    return I(0)


@kernel()
def ask_for_listed(ahead_address, list_at, size):
    """Ask for all that an access list of the kind ``reads`` names; how many, or `NO_ROOM`, or `MALFORMED`."""
    ahead = AHEAD.at(ahead_address)
    state, data = COLD.at(ahead.cold).state, view_u8(list_at, size)
    form, at, end = item_at(data, 0, size)
    if form != LIST or end != size:
        return I(MALFORMED)
    while at < end:
        form, first, last = item_at(data, at, end)
        of_address, address_first, address_last = item_at(data, first, last)
        if form != LIST or of_address == NO_ITEM or address_last - address_first != 20:
            return I(MALFORMED)
        address = address_at(data, address_first)
        of_slots, slot, slots_end = item_at(data, address_last, last)
        if of_slots != LIST or slots_end != last:
            return I(MALFORMED)
        if not _ask_account(ahead, state, address):
            return I(NO_ROOM)
        ended = _ask_slots(ahead, state, data, address, slot, slots_end)
        if ended < 0:
            return ended
        at = last
    return ahead.count


@kernel()
def ask_for_codes(ahead_address, codes, count):
    """Ask for the codes of the first `count` that were asked for, which are in memory by now; how many in all."""
    ahead = AHEAD.at(ahead_address)
    cold = COLD.at(ahead.cold)
    state = STATE.at(cold.state)
    for i in range(count):
        ask = ask_at(ahead, i)
        if ask.kind != ACCOUNT:
            continue
        key = ask.key
        own = account_key((key[0], key[1], key[2] & U(0xFFFFFFFF)), layout.KIND_CODE)
        location = I(find_location(cold.state, own))
        if location < 0 or not is_in_memory(location_row(state, ask.number)):
            continue
        word = location_row(state, location).value
        number = I(find_code_of_any_fork(codes, word))
        if number >= 0 and number < cold.code_count and not _ask(ahead, CODE, number, code_record(word)):
            return I(NO_ROOM)
    return ahead.count
