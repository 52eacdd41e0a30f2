"""SLH-DSA-SHA2-128s: verification of signatures, by kernels (FIPS 205, August 2024; SPHINCS+ before).

A signature is a way from the message up to the root that is the key, and nothing in it but hashes: some leaves of a
forest of small trees (FORS, algorithm 17), whose roots are signed by a chain of hashes each (WOTS+, algorithm 8) under
the root of a tree (XMSS, algorithm 11), which is signed likewise, seven times. Each hash is SHA-256 of the key's seed,
of an address that says where in all this it stands, and of its input (section 11.2.1). The seed fills one block with
zeros, so the state behind that block is computed once, and nearly every hash is one block more: some two thousand of
them, most along chains.

The block of a hash lies in a buffer: 22 bytes of the address, the input behind it, the padding. What is signed is the
message itself with an empty context, as of `slh_verify` (algorithm 24).
"""

from __future__ import annotations

import numpy as np

from contend.evm.crypto.sha256 import sha256_into
from contend.evm.crypto.sha256_rounds import BLOCK_BYTES, INITIAL, compress
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import (
    address_of_view,
    keep_apart,
    move_bytes,
    stack_buffer,
    store_8,
    swap_bytes,
    view_u8,
)

N = 16  # bytes of a hash
LAYERS, HEIGHT = 7, 9  # of the trees above each other, and of each
FOREST, FOREST_HEIGHT = 14, 12  # trees of a forest, and their height
DIGITS, SUM_DIGITS, DIGIT_BITS = 32, 3, 4
CHAINS, LAST = DIGITS + SUM_DIGITS, 15
KEY_BYTES = 2 * N
FOREST_BYTES = FOREST * (1 + FOREST_HEIGHT) * N
TREE_BYTES = (CHAINS + HEIGHT) * N
SIGNATURE_BYTES = N + FOREST_BYTES + LAYERS * TREE_BYTES
MOST_MESSAGE = 256
CHAIN, CHAIN_ENDS, NODE, LEAF, ROOTS = (U(kind) for kind in (0, 1, 2, 3, 4))  # of addresses, section 4.2

_ADDRESS = 22
_TREE_BITS, _LEAF_MASK, _PICK_MASK = U(HEIGHT), U((1 << HEIGHT) - 1), U((1 << FOREST_HEIGHT) - 1)
_TREE_MASK = U((1 << HEIGHT * (LAYERS - 1)) - 1)
_INITIAL_PAIRS = np.array(INITIAL, "<u4").view("<u8")
_END_BIT = np.uint8(0x80)
_PICK_BYTES, _TREE_BYTES = 21, 7  # of the message's digest: of what is picked in the forest, and of the tree
# Places in the memory of a verification, in bytes.
_SEEDED, _STATE, _BLOCK = 0, 32, 64
_BLOCK_BYTES = 640  # the ends of all chains, the longest input
_MEMORY_WORDS = (_BLOCK + _BLOCK_BYTES) // 8


@kernel()
def _compress(state, message, blocks):
    """The compression function, compiled once."""
    keep_apart()
    compress(state, message, blocks)


@kernel()
def _begin(memory, key):
    """Compute the state behind the block of the key's seed."""
    base = address_of_view(memory)
    for i in range(len(_INITIAL_PAIRS)):
        store_8(memory, _SEEDED + 8 * i, _INITIAL_PAIRS[i])
    for i in range(BLOCK_BYTES // 8):
        store_8(memory, _BLOCK + 8 * i, U0)
    move_bytes(memory, _BLOCK, key, 0, N)
    _compress(base + _SEEDED, base + _BLOCK, 1)


@kernel(inline=True)
def _put_4(memory, at, number):
    """Write four bytes, the highest first, and zeros over the four behind them."""
    store_8(memory, at, swap_bytes(number << U(32)))


@kernel()
def _stand_at(memory, layer, tree, kind, pair):
    """Address what is hashed next: the layer, the tree there, what it is, and whose; all else is zero."""
    memory[_BLOCK] = np.uint8(layer)
    store_8(memory, _BLOCK + 1, swap_bytes(tree))
    memory[_BLOCK + 9] = np.uint8(kind)
    _put_4(memory, _BLOCK + 10, pair)
    _put_4(memory, _BLOCK + 14, U0)


@kernel(inline=True)
def _place(memory, height, number):
    """Address a node by its height and its number from the left; or a step of a chain by its chain and number."""
    store_8(memory, _BLOCK + 14, swap_bytes((height << U(32)) | number))


@kernel()
def _hash(memory, size):
    """Hash so many bytes of input behind the address, into the beginning of the input."""
    base = address_of_view(memory)
    end = _BLOCK + _ADDRESS + size
    blocks = (_ADDRESS + size + 8) // BLOCK_BYTES + 1
    last = _BLOCK + blocks * BLOCK_BYTES
    for i in range(end, last - 8):
        memory[i] = np.uint8(0)
    memory[end] = _END_BIT
    store_8(memory, last - 8, swap_bytes(U(8 * (BLOCK_BYTES + _ADDRESS + size))))
    move_bytes(memory, _STATE, memory, _SEEDED, 32)
    _compress(base + _STATE, base + _BLOCK, blocks)
    for i in range(N):
        memory[_BLOCK + _ADDRESS + i] = memory[_STATE + (i ^ 3)]


@kernel()
def _climb(memory, signature, at, height, number):
    """From a node, which lies where the input begins, up to a root; its siblings are in the signature."""
    node = _BLOCK + _ADDRESS
    for level in range(height):
        sibling = at + level * N
        if number >> U(level) & U1 == U0:
            move_bytes(memory, node + N, signature, sibling, N)
        else:
            move_bytes(memory, node + N, memory, node, N)
            move_bytes(memory, node, signature, sibling, N)
        _place(memory, U(level + 1), number >> U(level + 1))
        _hash(memory, 2 * N)


@kernel(inline=True)
def _picked(digest, tree):
    """The leaf of a tree of the forest that the digest picks: so many of its bits, the highest first."""
    bit = tree * FOREST_HEIGHT
    word = (U(digest[bit // 8]) << U(16)) | (U(digest[bit // 8 + 1]) << U(8)) | U(digest[bit // 8 + 2])
    return word >> U(24 - FOREST_HEIGHT - bit % 8) & _PICK_MASK


@kernel()
def _forest_key(memory, roots, signature, digest, tree, leaf):
    """Key of the forest under a leaf, of the leaves that the signature has; where the input begins (algorithm 17)."""
    node, at = _BLOCK + _ADDRESS, N
    for i in range(FOREST):
        _stand_at(memory, 0, tree, LEAF, leaf)
        number = _picked(digest, i) + (U(i) << U(FOREST_HEIGHT))
        _place(memory, U0, number)
        move_bytes(memory, node, signature, at, N)
        _hash(memory, N)
        _climb(memory, signature, at + N, FOREST_HEIGHT, number)
        move_bytes(roots, i * N, memory, node, N)
        at += (1 + FOREST_HEIGHT) * N
    _stand_at(memory, 0, tree, ROOTS, leaf)
    move_bytes(memory, node, roots, 0, FOREST * N)
    _hash(memory, FOREST * N)


@kernel(inline=True)
def _digit(message, sum_left, chain):
    """A digit of what is signed: four bits of it, or behind these of what its digits lack in sum."""
    if chain < DIGITS:
        return I(message[chain // 2] >> np.uint8(DIGIT_BITS * (1 - chain % 2)) & np.uint8(LAST))
    return (sum_left >> (DIGIT_BITS * (CHAINS - 1 - chain))) & LAST


@kernel()
def _chains_key(memory, message, ends, signature, at, layer, tree, leaf):
    """Key by which the input has been signed, from the ends of its chains; where the input begins (algorithm 8)."""
    node, lacks = _BLOCK + _ADDRESS, 0
    move_bytes(message, 0, memory, node, N)
    for chain in range(DIGITS):
        lacks += LAST - _digit(message, 0, chain)
    _stand_at(memory, layer, tree, CHAIN, leaf)
    for chain in range(CHAINS):
        move_bytes(memory, node, signature, at + chain * N, N)
        for step in range(_digit(message, lacks, chain), LAST):
            _place(memory, U(chain), U(step))
            _hash(memory, N)
        move_bytes(ends, chain * N, memory, node, N)
    _stand_at(memory, layer, tree, CHAIN_ENDS, leaf)
    move_bytes(memory, node, ends, 0, CHAINS * N)
    _hash(memory, CHAINS * N)


@kernel()
def _digest_of(digest, signature, key, message, at, size):
    """Hash the message to what it picks, 30 bytes: `H_msg` of section 11.2.1, whose mask is one hash here."""
    buffer = stack_buffer(48)
    text = view_u8(address_of_view(buffer), 48 * 8)
    move_bytes(text, 0, signature, 0, N)
    move_bytes(text, N, key, 0, KEY_BYTES)
    text[N + KEY_BYTES] = np.uint8(0)  # the message itself is signed
    text[N + KEY_BYTES + 1] = np.uint8(0)  # of no context
    move_bytes(text, N + KEY_BYTES + 2, message, at, size)
    sha256_into(text, N + KEY_BYTES + 2 + size, digest)
    move_bytes(text, 2 * N, digest, 0, 32)
    for i in range(4):
        text[2 * N + 32 + i] = np.uint8(0)
    sha256_into(text, 2 * N + 32 + 4, digest)


@kernel(inline=True)
def _number(digest, first, count):
    number = U0
    for i in range(first, first + count):
        number = (number << U(8)) | U(digest[i])
    return number


@kernel()
def verify(signature, signature_size, message, message_at, message_size, key):
    """Whether a signature of a message is by a key (`slh_verify_internal`, algorithm 20).

    Parameters
    ----------
    signature : array of uint8
    signature_size : int
    message : array of uint8
    message_at, message_size : int
        Where the message lies there; it has at most `MOST_MESSAGE` bytes.
    key : array of uint8
        `KEY_BYTES` of them: the seed and the root.
    """
    if signature_size != SIGNATURE_BYTES or message_size > MOST_MESSAGE:
        return False
    words, digest_words = stack_buffer(88), stack_buffer(4)
    message_words, ends_words = stack_buffer(2), stack_buffer(70)
    memory = view_u8(address_of_view(words), 8 * _MEMORY_WORDS)
    digest = view_u8(address_of_view(digest_words), 32)
    signed, ends = view_u8(address_of_view(message_words), N), view_u8(address_of_view(ends_words), CHAINS * N)
    _digest_of(digest, signature, key, message, message_at, message_size)
    tree = _number(digest, _PICK_BYTES, _TREE_BYTES) & _TREE_MASK
    leaf = _number(digest, _PICK_BYTES + _TREE_BYTES, 2) & _LEAF_MASK
    _begin(memory, key)
    _forest_key(memory, ends, signature, digest, tree, leaf)
    at = N + FOREST_BYTES
    for layer in range(LAYERS):
        _chains_key(memory, signed, ends, signature, at, layer, tree, leaf)
        _stand_at(memory, layer, tree, NODE, U0)
        _climb(memory, signature, at + CHAINS * N, HEIGHT, leaf)
        leaf, tree = tree & _LEAF_MASK, tree >> _TREE_BITS
        at += TREE_BYTES
    differs = U0
    for i in range(N):
        differs |= U(memory[_BLOCK + _ADDRESS + i] ^ key[N + i])
    return differs == U0
