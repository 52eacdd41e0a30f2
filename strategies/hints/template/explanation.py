"""Explanation of a location that a committed transaction touched: expressions that give it.

A location has several: the token that is an argument here is a constant there. All that are plausible are noted, with
the contexts that they are for, and which of them holds shows in the counts. In a call's contexts keys are arguments by
their place; in the context of a word, constants, so that what is learned of a pool in one place of a route holds in
another. Keys of mappings come from preimages of hashes (`preimages`); a mapping whose inner keys are no words of the
transaction is a mapping with fewer keys over a constant slot.
"""

from __future__ import annotations

from contend.evm.layout import KIND_BALANCE, KIND_CODE, KIND_SHIFT, KIND_STORAGE, STATE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import location_row
from contend.evm.u256 import ZERO, add, equal, fits_u64, get, is_zero, put, subtract
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import state_value
from contend.strategies.clocks import cost_table
from contend.strategies.hints.template.expression import (
    DEPTH_SHIFT,
    INDEX_ATOM_SHIFT,
    KEYS_SHIFT,
    NO_EXPRESSION,
    OFFSET_SHIFT,
    ORDER_SHIFT,
    intern_expression,
    loads_twice,
    note_load,
)
from contend.strategies.hints.template.layout import (
    CONSTANT,
    DEPTH,
    FIRST_ARGUMENT,
    IN_CALL,
    IN_VALUE,
    IS_GUESS,
    IS_WRITTEN,
    LOADED,
    OFFSETS,
    RECIPIENT,
    SENDER,
    SOLIDITY,
    VYPER,
)
from contend.strategies.hints.template.preimages import NOT_FOUND, find_preimage, preimage_at
from contend.strategies.hints.template.words import has_atom, match_atom, match_load, row_of

COST_LEARN_LOCATION = cost_table.LEARN_LOCATION
LARGEST_INDEX = U(64)  # of an array whose elements are told by an argument
FIRST_ARGUMENTS, MOST_INDICES = 8, 3  # arguments that may be indices, and how many of them are noted
LARGEST_SLOT = U(1 << 32)  # of a variable: others are hashes
NO_ORDER = -1
_LOW_32 = U(0xFFFFFFFF)


@kernel(inline=True)
def _is_slot(word):
    """Whether a mapping may lie there that lies in no other one."""
    return fits_u64(word) and word[0] < LARGEST_SLOT


@kernel()
def _order_of(learner, own, place):
    """Which of the hashed words is the key: the order that leaves a base; the one with a known key if both do."""
    row = preimage_at(learner, place)
    left, right = row.left, row.right
    left_is_hash = find_preimage(learner, left) != NOT_FOUND
    right_is_hash = find_preimage(learner, right) != NOT_FOUND
    if left_is_hash != right_is_hash:
        return I(VYPER) if left_is_hash else I(SOLIDITY)
    if not (right_is_hash or _is_slot(right)):
        return I(VYPER) if _is_slot(left) else I(NO_ORDER)
    if not (left_is_hash or _is_slot(left)):
        return I(SOLIDITY)
    if match_atom(own, right, True, 0) == 0 and match_atom(own, left, True, 0) != 0:
        return I(SOLIDITY)
    return I(VYPER)


@kernel()
def _trace_slot(learner, own, slot):
    """Take a slot in hand: the keys of its mappings, as far as the block's hashes tell, and the slots behind."""
    own.depth = I(0)
    own.offset = I(0)
    put(own.bases, 0, slot)
    if slot[3] == U0:
        return
    place = I(NOT_FOUND)
    hashed = slot
    for offset in range(OFFSETS):
        hashed = subtract(slot, (U(offset), U0, U0, U0))
        place = find_preimage(learner, hashed)
        if place != NOT_FOUND:
            own.offset = offset
            break
    order = _order_of(learner, own, place) if place != NOT_FOUND else I(NO_ORDER)
    if order == NO_ORDER:
        own.offset = I(0)
        return
    own.order = order
    put(own.bases, 0, hashed)
    depth = 0
    while place != NOT_FOUND and depth < DEPTH:
        row = preimage_at(learner, place)
        put(own.keys, depth, row.right if order == VYPER else row.left)
        base = row.left if order == VYPER else row.right
        depth += 1
        put(own.bases, depth, base)
        place = find_preimage(learner, base) if base[3] != U0 else I(NOT_FOUND)
    own.depth = depth


@kernel()
def _source_of(own, word, uses_arguments, skip):
    """Where a key is from: its atom, 0 for none; the load, if it is `LOADED`; and whether there was one to skip."""
    atom = match_atom(own, word, uses_arguments, skip)
    if atom != 0:
        return atom, U0, skip > 0
    if skip > 0:
        atom = match_atom(own, word, uses_arguments, 0)
        if atom != 0:
            return atom, U0, False
    load = match_load(own, word) if uses_arguments else U0
    return (I(LOADED) if load != U0 else I(0)), load, False


@kernel()
def _draft(own, uses_arguments, skip):
    """Form, load, slot and constant key of the slot in hand, and whether it is another form than without skipping."""
    level = own.depth
    while level > 0:
        atom, _, _ = _source_of(own, get(own.keys, level - 1), uses_arguments, skip)
        if atom != 0:
            break
        level -= 1
    form, load, constant = U0, U0, ZERO
    skipped = False
    slot = get(own.bases, 0)
    for k in range(level):
        word = get(own.keys, level - 1 - k)
        atom, found, other = _source_of(own, word, uses_arguments, skip)
        skipped |= other
        if atom == 0:
            # A second constant key, or a second load, has no place: the slot is a constant.
            if not is_zero(constant):
                return U0, U0, _whole(own, slot), ZERO, False
            constant = word
            atom = I(CONSTANT)
        elif atom == LOADED:
            if load != U0 and load != found:
                return U0, U0, _whole(own, slot), ZERO, False
            load = found
        form |= U(atom) << U(KEYS_SHIFT + 8 * k)
    if level == 0:
        return U0, U0, _whole(own, slot), ZERO, False
    form |= (U(level) << DEPTH_SHIFT) | (U(own.order) << ORDER_SHIFT) | (U(own.offset) << OFFSET_SHIFT)
    return form, load, get(own.bases, level), constant, skipped


@kernel(inline=True)
def _whole(own, slot):
    """The slot itself, for a form without mappings: `slot` is where its outermost mapping's element begins."""
    return add(slot, (U(own.offset), U0, U0, U0))


@kernel()
def _note(learner, own, key, address_atom, draft, marks):
    """Enter an expression and note it for the transaction in hand; its number, or `NO_EXPRESSION`."""
    form, load, slot, constant, _ = draft
    a0, a1, a2 = key[0], key[1], key[2]
    if address_atom != 0:
        a0 = U0
        a1 = U0
        a2 = (a2 >> U(KIND_SHIFT)) << U(KIND_SHIFT)
    full = (a0, a1, a2, slot[0], slot[1], slot[2], slot[3])
    number = intern_expression(learner.dictionary, form | U(address_atom), load, full, constant)
    count = own.entry_count
    if number != NO_EXPRESSION and count < own.entry_room:
        view_u64(own.entries, own.entry_room)[U(count)] = U(number) | marks
        own.entry_count = count + 1
    return number


@kernel()
def _index_by(draft, offset, atom, load, word):
    """Whether a slot may be an array's element whose index is this word, or is the word, and its draft as such."""
    form, loads, slot, constant, _ = draft
    index, at = word[0], U(atom) << INDEX_ATOM_SHIFT
    if not fits_u64(word):
        return form == U0 and equal(slot, word), (at, loads | load, ZERO, constant, False)
    if form != U0:
        # In a mapping: some of the slots behind the hash are the index.
        return index <= U(offset), ((form | at) - (index << OFFSET_SHIFT), loads | load, slot, constant, False)
    possible = index < LARGEST_INDEX and fits_u64(slot) and slot[0] < LARGEST_SLOT and index <= slot[0]
    return possible, (at, loads | load, (slot[0] - index, U0, U0, U0), constant, False)


@kernel()
def _note_indexed(learner, own, key, address_atom, draft, marks):
    """Note the slot as the element of an array, whose index is an argument or a loaded word."""
    noted = 0
    for atom in range(FIRST_ARGUMENT, FIRST_ARGUMENT + FIRST_ARGUMENTS):
        if noted < MOST_INDICES and has_atom(own, atom):
            possible, indexed = _index_by(draft, own.offset, atom, U0, get(own.atoms, atom))
            if possible:
                _note(learner, own, key, address_atom, indexed, marks)
                noted += 1
    noted = 0
    if draft[1] == U0:
        for i in range(own.load_count):
            if noted < MOST_INDICES:
                load = own.load_numbers[U(i)]
                possible, indexed = _index_by(draft, own.offset, LOADED, load, get(own.load_words, i))
                if possible:
                    _note(learner, own, key, address_atom, indexed, marks)
                    noted += 1


@kernel()
def _is_protocol(learner, own, txn_idx, kind, address):
    """Whether every transaction of this sender and recipient touches the location: nothing is to be learned."""
    if kind != KIND_STORAGE and equal(address, get(own.atoms, SENDER)):
        return True
    if not equal(address, get(own.atoms, RECIPIENT)):
        return False
    return kind == KIND_CODE or (kind == KIND_BALANCE and not is_zero(row_of(learner.image, txn_idx).value))


@kernel()
def _address_source(own, address):
    """Where an address is from: 0 for a constant, which the recipient is for all calls of a context."""
    if equal(address, get(own.atoms, RECIPIENT)):
        return I(0), U0
    atom = match_atom(own, address, True, 0)
    load = match_load(own, address) if atom == 0 else U0
    return (I(LOADED) if load != U0 else atom), load


@kernel()
def explain_location(shared, worker, learner, own, txn_idx, location, is_written):
    """Note the expressions that give a location for the transaction in hand, and the word that it has as a load."""
    spend(shared, worker, COST_LEARN_LOCATION, 1)
    key = location_row(STATE.at(shared.state), location).key
    kind = I(key[2] >> U(KIND_SHIFT))
    address = key[0], key[1], key[2] & _LOW_32, U0
    if _is_protocol(learner, own, txn_idx, kind, address):
        return
    marks = IS_WRITTEN if is_written else U0
    slot = key[3], key[4], key[5], key[6]
    _trace_slot(learner, own, slot)
    atom, load = _address_source(own, address)
    full, plain = _draft(own, True, 0), _draft(own, False, 0)
    in_place = full[0] != plain[0] or full[1] != plain[1] or not equal(full[2], plain[2])
    # Only one word is loaded: an address is a constant where the slot needs another.
    if atom == LOADED and full[1] != U0 and full[1] != load:
        atom = I(0)
    if atom == LOADED:
        full = full[0], load, full[2], full[3], full[4]
    by_place = atom >= FIRST_ARGUMENT or atom == LOADED
    anywhere = I(0) if by_place else atom
    if in_place or by_place:
        first = _note(learner, own, key, atom, full, marks | IN_CALL)
        # Equality with a word may be a coincidence: then the constant is right in the call's contexts, too.
        also = IN_CALL if by_place or full[1] != U0 else U0
        _note(learner, own, key, anywhere, plain, marks | IN_VALUE | also)
    else:
        first = _note(learner, own, key, atom, plain, marks | IN_CALL | IN_VALUE)
    second = _draft(own, True, 1)
    if second[4]:
        if atom == LOADED:
            second = second[0], load, second[2], second[3], second[4]
        _note(learner, own, key, atom, second, marks | IN_CALL)
    if kind != KIND_STORAGE:
        return
    _note_indexed(learner, own, key, atom, full, marks | IN_CALL | IS_GUESS)
    word = state_value(shared, location).value
    if first != NO_EXPRESSION and not loads_twice(learner.dictionary, first):
        note_load(own, U(first) + U1, word)
