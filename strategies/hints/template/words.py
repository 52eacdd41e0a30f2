"""Words of a transaction from which expressions are made, and the contexts that it is a sample of.

A context is a kind of calls, and stands for itself by a hash: all calls of one function of a contract; those with as
many bytes of call data (which tells a swap over one pool from one over two); and those that have a certain word in
them, or a certain sender. The last learn what belongs to a word though nothing in the transaction
says it, such as the second token of a pool.

Not every word makes a context: amounts hardly return. Words that name something do, which are small numbers, each in
its place, and addresses or hashes in any.
"""

from __future__ import annotations

from contend.evm.layout import BLOCK, TRANSACTION
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, multiply_wide, swap_bytes, view_u8
from contend.evm.u256 import equal, get, is_zero, put
from contend.strategies.hints.template.layout import (
    ARGUMENTS,
    CALL,
    CALL_SIZE,
    CONTEXTS,
    FIRST_ARGUMENT,
    FIRST_VALUE,
    RECIPIENT,
    SENDER,
)

SELECTOR_BYTES = 4
SMALL = U(1 << 24)
_SALT_1, _SALT_2 = U(0x9E3779B97F4A7C15), U(0xC2B2AE3D27D4EB4F)


@kernel(inline=True)
def mix(a, b):
    """Hash of two uint64."""
    low, high = multiply_wide(a ^ _SALT_1, b ^ _SALT_2)
    return low ^ high


@kernel(inline=True)
def mix_word(hashed, word):
    """Hash of a uint64 and a word."""
    return mix(mix(hashed, word[0] ^ (word[1] << U(1))), word[2] ^ (word[3] << U(1)))


@kernel(inline=True)
def has_atom(own, atom):
    """Whether the transaction in hand has a word of this kind."""
    return own.present >> U(atom) & U1 != U0


@kernel(inline=True)
def row_of(image, txn_idx):
    """Row of a transaction of the block at an address."""
    block = BLOCK.at(image)
    return TRANSACTION.item(block.transactions, block.size, txn_idx)


@kernel(inline=True)
def _set_atom(own, atom, word):
    put(own.atoms, atom, word)
    own.present |= U1 << U(atom)


@kernel(inline=True)
def _is_small(word):
    return (word[1] | word[2] | word[3]) == U0 and word[0] < SMALL


@kernel(inline=True)
def _is_name(word):
    """Whether a word that is not small may be the name of something, not an amount: it is as long as an address."""
    return word[2] != U0 or word[3] != U0


@kernel()
def _add_value(own, hashed):
    """Add a context, once."""
    count = own.context_count
    contexts = own.contexts
    for i in range(FIRST_VALUE, count):
        if contexts[U(i)] == hashed:
            return
    if count < CONTEXTS:
        contexts[U(count)] = hashed
        own.context_count = count + 1


@kernel()
def read_words(own, image, txn_idx):
    """Take a transaction in hand: its words, and its contexts."""
    transaction = row_of(image, txn_idx)
    block = BLOCK.at(image)
    own.epoch += U1
    own.present = U0
    own.load_count = I(0)
    sender, to = transaction.sender, transaction.to
    _set_atom(own, SENDER, (sender[0], sender[1], sender[2], U0))
    _set_atom(own, RECIPIENT, (to[0], to[1], to[2], U0))
    size = transaction.data_size
    data = view_u8(block.data + transaction.data_at, size)
    selector = U0
    for i in range(min(size, SELECTOR_BYTES)):
        selector = (selector << U(8)) | U(data[U(i)])
    count = min((size - SELECTOR_BYTES) // 32, ARGUMENTS) if size > SELECTOR_BYTES else 0
    contexts = own.contexts
    hashed = mix(mix_word(selector + U1, (to[0], to[1], to[2], U0)), transaction.creates)
    contexts[U(CALL)] = hashed
    contexts[U(CALL_SIZE)] = mix(hashed, U(size) + U1)
    own.context_count = I(FIRST_VALUE)
    _add_value(own, mix_word(hashed, (sender[0], sender[1], sender[2], U0)))
    for i in range(count):
        at = SELECTOR_BYTES + 32 * i
        word = (
            swap_bytes(load_8(data, at + 24)),
            swap_bytes(load_8(data, at + 16)),
            swap_bytes(load_8(data, at + 8)),
            swap_bytes(load_8(data, at)),
        )
        _set_atom(own, FIRST_ARGUMENT + i, word)
        if _is_small(word):
            _add_value(own, mix_word(mix(hashed, U(i) + U1), word))
        elif _is_name(word):
            _add_value(own, mix_word(hashed, word))


@kernel()
def match_atom(own, word, uses_arguments, skip):
    """Atom of the transaction in hand that is this word, passing over so many; 0 if there is none."""
    last = FIRST_ARGUMENT + ARGUMENTS if uses_arguments else FIRST_ARGUMENT
    for atom in range(SENDER, last):
        if has_atom(own, atom) and equal(get(own.atoms, atom), word):
            if skip == 0:
                return I(atom)
            skip -= 1
    return I(0)


@kernel()
def match_load(own, word):
    """Number plus one of the expression that has loaded this word for the transaction in hand; 0 if none has."""
    if is_zero(word):
        return U0
    for i in range(own.load_count):
        if equal(get(own.load_words, i), word):
            return own.load_numbers[U(i)]
    return U0
