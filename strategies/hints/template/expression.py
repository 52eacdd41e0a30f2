"""Expressions: what a location is in terms of a transaction's words, and the dictionary in which each has a number.

The form of an expression says where each part is from, a byte each (`layout.SENDER` and its like, 0 for what is
constant): the address; the depth of mappings and the compiler's order of hashing; the keys of up to three mappings,
the innermost first; slots to be added afterwards, and the word that is added to them (the index in an array). So
``balances[sender]`` is one mapping whose key is the sender, over the constant slot of ``balances``;
``allowances[sender][pool]`` is two. A loaded word is what another expression's location held before the block; that
one may load, too, and no further.
"""

from __future__ import annotations

from contend.evm.code import cost_model
from contend.evm.crypto.keccak import keccak_pair
from contend.evm.layout import KIND_SHIFT, KIND_STORAGE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import find_location, is_in_memory
from contend.evm.u256 import ZERO, add, equal, get, get_at, put_at
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import state_value
from contend.strategies.clocks import cost_table
from contend.strategies.hints.template.layout import (
    CONSTANT,
    DEPTH,
    DICTIONARY,
    EXPRESSION,
    EXPRESSIONS,
    INDEX,
    INDEX_MASK,
    INDEX_SHIFT,
    LOADED,
    LOADS,
    MEMO,
    SOLIDITY,
)
from contend.strategies.hints.template.words import has_atom, mix, mix_word

COST_HASH, COST_HASH_BLOCK, COST_STATE_READ = cost_model.HASH, cost_model.HASH_BLOCK, cost_model.STATE_READ
COST_TEMPLATE = cost_table.PREDICT_TEMPLATE
DEPTH_SHIFT, ORDER_SHIFT, KEYS_SHIFT, OFFSET_SHIFT, INDEX_ATOM_SHIFT = U(8), U(12), 16, U(40), U(48)
BYTE, FOUR_BITS = U(0xFF), U(0xF)
NO_EXPRESSION = -1
_KIND_MASK = U(0xFFFFFFFF << KIND_SHIFT)
_MEMO_WORDS = 14
_STORAGE = U(KIND_STORAGE)


@kernel(inline=True)
def expression_at(dictionary, number):
    """One of a dictionary's expressions."""
    return EXPRESSION.item(DICTIONARY.at(dictionary).rows, EXPRESSIONS, number)


@kernel()
def _hash_of(form, load, key, constant):
    hashed = mix(form, load ^ key[0])
    hashed = mix(hashed ^ key[1], key[2])
    return mix_word(mix_word(hashed, (key[3], key[4], key[5], key[6])), constant)


@kernel()
def _is(expression, form, load, key, constant):
    have = expression.key
    difference = (expression.form ^ form) | (expression.load ^ load) | (have[0] ^ key[0]) | (have[1] ^ key[1])
    difference |= (have[2] ^ key[2]) | (have[3] ^ key[3]) | (have[4] ^ key[4])
    difference |= (have[5] ^ key[5]) | (have[6] ^ key[6])
    return difference == U0 and equal(expression.constant, constant)


@kernel()
def intern_expression(address, form, load, key, constant):
    """Number of an expression in the dictionary at an address, where it is entered; `NO_EXPRESSION` without room.

    As locations are interned (`evm.state`): who meets a new expression takes a number, fills its row, and enters it by
    a compare-and-swap, which releases the row; the loser uses the winner's number, and his own stays unused.
    """
    dictionary = DICTIONARY.at(address)
    index = view_u64(dictionary.index, INDEX)
    mask = U(INDEX - 1)
    slot = _hash_of(form, load, key, constant) & mask
    fresh = I(NO_EXPRESSION)
    while True:
        found = atomics.load(index, I(slot))
        if found >> INDEX_SHIFT != dictionary.generation:
            if fresh == NO_EXPRESSION:
                fresh = I(atomics.add(dictionary, "used", U1))
                if fresh >= EXPRESSIONS:
                    atomics.subtract(dictionary, "used", U1)
                    return I(NO_EXPRESSION)
                row = expression_at(address, fresh)
                row.form = form
                row.load = load
                row.key = key
                row.constant = constant
                row.forward = U0
            entered = (dictionary.generation << INDEX_SHIFT) | U(fresh + 1)
            before = atomics.compare_and_swap(index, I(slot), found, entered)
            if before == found:
                return fresh
            found = before
        number = I(found & INDEX_MASK) - 1
        if _is(expression_at(address, number), form, load, key, constant):
            return number
        slot = (slot + U1) & mask


@kernel()
def mapped(shared, worker, own, order, base, key):
    """Slot of a mapping's element; hashed once for a transaction."""
    place = (mix(base[0] ^ key[0], base[3] ^ key[1]) & U(MEMO - 1)) * U(_MEMO_WORDS)
    memo = own.memo
    if memo[place] == own.epoch and memo[place + U1] == order:
        if equal(get_at(memo, place + U(2)), base) and equal(get_at(memo, place + U(6)), key):
            return get_at(memo, place + U(10))
    spend(shared, worker, COST_HASH, 1)
    spend(shared, worker, COST_HASH_BLOCK, 1)
    slot = keccak_pair(key, base) if order == U(SOLIDITY) else keccak_pair(base, key)
    memo[place] = own.epoch
    memo[place + U1] = order
    put_at(memo, place + U(2), base)
    put_at(memo, place + U(6), key)
    put_at(memo, place + U(10), slot)
    return slot


@kernel()
def _word(own, expression, atom, loaded):
    """Whether the transaction in hand has a word, and the word."""
    if atom == U(CONSTANT):
        return True, expression.constant
    if atom == U(LOADED):
        return True, loaded
    return has_atom(own, I(atom)), get(own.atoms, I(atom))


@kernel()
def _evaluate(shared, worker, own, expression, loaded):
    """Whether an expression has a value for the transaction in hand, and the location's key."""
    form, key = expression.form, expression.key
    a0, a1, a2 = key[0], key[1], key[2]
    slot = (key[3], key[4], key[5], key[6])
    if form & BYTE != U0:
        has, word = _word(own, expression, form & BYTE, loaded)
        if not has or word[3] != U0 or word[2] >> U(KIND_SHIFT) != U0:
            return False, key
        a0 = word[0]
        a1 = word[1]
        a2 = word[2] | (a2 & _KIND_MASK)
    depth, order = I((form >> DEPTH_SHIFT) & FOUR_BITS), (form >> ORDER_SHIFT) & U1
    for level in range(min(depth, DEPTH)):
        has, word = _word(own, expression, (form >> U(KEYS_SHIFT + 8 * level)) & BYTE, loaded)
        if not has:
            return False, key
        slot = mapped(shared, worker, own, order, slot, word)
    slot = add(slot, ((form >> OFFSET_SHIFT) & BYTE, U0, U0, U0))
    index = (form >> INDEX_ATOM_SHIFT) & BYTE
    if index != U0:
        has, word = _word(own, expression, index, loaded)
        if not has:
            return False, key
        slot = add(slot, word)
    return True, (a0, a1, a2, slot[0], slot[1], slot[2], slot[3])


@kernel()
def _load_at(shared, worker, key):
    """Word that a location had before the block; zero where there is no such location yet, or it is not in memory."""
    spend(shared, worker, COST_STATE_READ, 1)
    location = find_location(shared.state, key)
    if location < 0:
        return ZERO
    row = state_value(shared, location)
    return row.value if is_in_memory(row) else ZERO


@kernel()
def _load_plainly(shared, worker, own, expression):
    has, key = _evaluate(shared, worker, own, expression, ZERO)
    if not has:
        return False, ZERO
    return True, _load_at(shared, worker, key)


@kernel()
def _loaded(shared, worker, own, dictionary, load):
    """Word that an expression loads, by the number plus one in its field `load`; read once for a transaction."""
    for i in range(own.load_count):
        if own.load_numbers[U(i)] == load:
            return True, get(own.load_words, i)
    expression = expression_at(dictionary, I(load) - 1)
    inner = ZERO
    if expression.load != U0:
        has, inner = _load_plainly(shared, worker, own, expression_at(dictionary, I(expression.load) - 1))
        if not has:
            return False, ZERO
    has, key = _evaluate(shared, worker, own, expression, inner)
    if not has:
        return False, ZERO
    word = _load_at(shared, worker, key)
    note_load(own, load, word)
    return True, word


@kernel(inline=True)
def note_load(own, load, word):
    """Remember a loaded word of the transaction in hand, as long as there is room."""
    count = own.load_count
    if count < LOADS:
        own.load_numbers[U(count)] = load
        put_at(own.load_words, 4 * count, word)
        own.load_count = count + 1


@kernel()
def key_of_expression(shared, worker, own, dictionary, number):
    """Whether an expression has a value for the transaction in hand, and the key of the location."""
    spend(shared, worker, COST_TEMPLATE, 1)
    expression = expression_at(dictionary, number)
    loaded = ZERO
    if expression.load != U0:
        has, loaded = _loaded(shared, worker, own, dictionary, expression.load)
        if not has:
            return False, expression.key
    return _evaluate(shared, worker, own, expression, loaded)


@kernel()
def loads_twice(dictionary, number):
    """Whether an expression loads a word by one that loads: no further expression can load what it gives."""
    load = expression_at(dictionary, number).load
    return load != U0 and expression_at(dictionary, I(load) - 1).load != U0
