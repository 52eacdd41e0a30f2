"""The code directory: every contract's decoded code, found by number or by hash.

Code is content-addressed and only ever added, so that copies of a state share one directory. It is added by Python
when a state is made, and by kernels when a transaction deploys a contract. Kernels of several workers add at once,
without locks, as they intern locations (`evm.state`): decode privately, take a number and a piece of the arena, fill
both, then enter the number in the index by one compare-and-swap. Who loses that race uses the winner's number, and his
own stays unused. Kernels never allocate: Python makes room between blocks (`CodeDirectory.reserve`), and a block that
needs more ends in a fault and is executed again with more.

Init code is decoded into the machine's scratch space instead: it runs once, and nodes do not keep it either.

Where shards are processes each has its own directory. They share a store of raw codes (`evm.codestore`), in which what
one of them deploys is found by the others.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import atomics, codestore, costs, layout
from evm.bytecode import decode_into, decoded_room
from evm.jit import kernel
from evm.keccak import keccak_word
from evm.pointers import move_bytes, view_u8, view_u64

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
DESCRIPTORS, INDEX, INDEX_MASK = layout.CODES_DESCRIPTORS, layout.CODES_INDEX, layout.CODES_INDEX_MASK

CAPACITY, COUNT, STORE = layout.CODES_CAPACITY, layout.CODES_COUNT, layout.CODES_STORE
ARENA, ARENA_WORDS, ARENA_USED = layout.CODES_ARENA, layout.CODES_ARENA_WORDS, layout.CODES_ARENA_USED
NO_CODE = 0  # number of the empty code, the first in every directory
UNKNOWN, NO_ROOM = -1, -2
# The hash of nothing. As the word of an account's code it says that the account has storage but neither code nor nonce,
# which no transaction can bring about: only a state that was read from a file has such accounts. They are told apart
# from others because no contract can be created there (EIP-7610), and code that is nothing behaves like no code.
EMPTY_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
EMPTY_HASH_WORD = tuple(U(int.from_bytes(EMPTY_HASH[i : i + 8], "big")) for i in (24, 16, 8, 0))

SPARE_CODES, SPARE_ARENA_WORDS = 1 << 10, 1 << 21


@kernel(inline=True)
def is_no_code(word):
    """Whether the word of an account's code says that it has none."""
    if (word[0] | word[1] | word[2] | word[3]) == U(0):
        return True
    e = EMPTY_HASH_WORD
    return ((word[0] ^ e[0]) | (word[1] ^ e[1]) | (word[2] ^ e[2]) | (word[3] ^ e[3])) == U(0)


@kernel(inline=True)
def _has_hash(descriptors, number, word):
    at = number * layout.CODE_WORDS + layout.CODE_HASH
    return (
        descriptors[U(at)] == word[0]
        and descriptors[U(at + 1)] == word[1]
        and descriptors[U(at + 2)] == word[2]
        and descriptors[U(at + 3)] == word[3]
    )


@kernel()
def find_code(codes, word):
    """Number of the code with this hash, or `UNKNOWN`."""
    header = view_u64(codes, layout.CODES_WORDS)
    mask = I(header[U(INDEX_MASK)])
    index = view_u64(I(header[U(INDEX)]), mask + 1)
    descriptors = view_u64(I(header[U(DESCRIPTORS)]), I(header[U(CAPACITY)]) * layout.CODE_WORDS)
    slot = I(word[0]) & mask
    while True:
        found = atomics.load(index, slot)
        if found == U(0):
            return UNKNOWN
        number = I(found) - 1
        if _has_hash(descriptors, number, word):
            return number
        slot = (slot + 1) & mask


@kernel()
def price_code(codes, descriptor_at):
    """Price the blocks of a decoded code by the directory's table, where it has one (`evm.costs`)."""
    table = view_u64(I(view_u64(codes, layout.CODES_WORDS)[U(layout.CODES_COSTS)]), costs.COUNT)
    if table[U(costs.BLOCK)] != U(0):
        price_descriptor(view_u64(descriptor_at, layout.CODE_WORDS), table)


@kernel()
def price_descriptor(descriptor, table):
    """Price the blocks of one decoded code."""
    stream = view_u64(I(descriptor[U(layout.CODE_STREAM)]), I(descriptor[U(layout.CODE_STREAM_SIZE)]))
    blocks = view_u64(I(descriptor[U(layout.CODE_BLOCKS)]), I(descriptor[U(layout.CODE_BLOCKS_SIZE)]))
    costs.price_stream(stream, blocks, costs.CLASS_OF, table)


@kernel()
def _price_all(descriptors, count, table):
    for number in range(count):
        price_descriptor(descriptors[number * layout.CODE_WORDS : (number + 1) * layout.CODE_WORDS], table)


@kernel()
def intern_code(codes, source, size, word, scratch, room):
    """Enter a code of which the hash is known; its number, or `NO_ROOM`. Safe among workers.

    Parameters
    ----------
    source, size : int
        Address of the bytes, and how many there are.
    scratch, room : int
        Address of private memory to decode in, and its size in bytes.
    """
    known = find_code(codes, word)
    if known != UNKNOWN:
        return known
    if room < decoded_room(size):
        return NO_ROOM
    used = decode_into(source, size, scratch)
    price_code(codes, scratch)
    decoded = view_u64(scratch, layout.CODE_WORDS)
    # The decoded pieces lie in one piece behind the descriptor; the bytes themselves go in front of them.
    body = used - layout.CODE_WORDS * 8
    padded = (size + 7) & ~7
    header = view_u64(codes, layout.CODES_WORDS)
    words = (padded + body) >> 3
    at = I(atomics.add(header, ARENA_USED, U(words)))
    if at + words > I(header[U(ARENA_WORDS)]):
        return NO_ROOM
    number = I(atomics.add(header, COUNT, U(1)))
    if number >= I(header[U(CAPACITY)]):
        return NO_ROOM
    target = I(header[U(ARENA)]) + at * 8
    bytes_ = view_u8(target, padded + body)
    move_bytes(bytes_, 0, view_u8(source, size), 0, size)
    move_bytes(bytes_, padded, view_u8(scratch + layout.CODE_WORDS * 8, body), 0, body)
    descriptors = view_u64(I(header[U(DESCRIPTORS)]), I(header[U(CAPACITY)]) * layout.CODE_WORDS)
    row = number * layout.CODE_WORDS
    moved = U(target + padded - (scratch + layout.CODE_WORDS * 8))
    for i in range(layout.CODE_HASH):
        descriptors[U(row + i)] = decoded[U(i)]
    descriptors[U(row + layout.CODE_BYTES)] = U(target)
    for i in (layout.CODE_STREAM, layout.CODE_BLOCKS, layout.CODE_CONSTANTS, layout.CODE_TARGETS):
        descriptors[U(row + i)] = decoded[U(i)] + moved
    for i in range(4):
        descriptors[U(row + layout.CODE_HASH + i)] = word[i]
    mask = I(header[U(INDEX_MASK)])
    index = view_u64(I(header[U(INDEX)]), mask + 1)
    slot = I(word[0]) & mask
    while True:
        found = atomics.compare_and_swap(index, slot, U(0), U(number + 1))
        if found == U(0):
            break
        if _has_hash(descriptors, I(found) - 1, word):
            return I(found) - 1
        slot = (slot + 1) & mask
    return number


@kernel()
def publish_code(codes, source, size, word):
    """Let other processes find a code, where there are any. False when there is no room."""
    store = I(view_u64(codes, layout.CODES_WORDS)[U(STORE)])
    return store == 0 or codestore.append(store, source, size, word)


@kernel()
def code_number(codes, word, scratch, room):
    """Number of the code with this hash as a word; the empty code for zero. `NO_ROOM` when it cannot be decoded."""
    if (word[0] | word[1] | word[2] | word[3]) == U(0):
        return NO_CODE
    number = find_code(codes, word)
    if number == UNKNOWN:
        store = I(view_u64(codes, layout.CODES_WORDS)[U(STORE)])
        source, size = codestore.find(store, word) if store != 0 else (0, 0)
        if source == 0:
            return NO_CODE
        return intern_code(codes, source, size, word, scratch, room)
    return number


@kernel()
def _enter_all(descriptors, count, index):
    """Enter the codes in a new index. A number that lost a race repeats a hash; either will do."""
    mask = index.size - 1
    for number in range(count):
        slot = I(descriptors[U(number * layout.CODE_WORDS + layout.CODE_HASH)]) & mask
        while index[U(slot)] != U(0):
            slot = (slot + 1) & mask
        index[U(slot)] = U(number + 1)


class Code(NamedTuple):
    """A code of the directory: its bytes, and their keccak-256."""

    code: bytes
    hash: bytes


class CodeDirectory:
    """Decoded codes by number. Number 0 is the empty code."""

    def __init__(self) -> None:
        self._header = np.zeros(layout.CODES_WORDS, np.uint64)
        self._descriptors = np.zeros((0, layout.CODE_WORDS), np.uint64)
        self._index = np.zeros(0, np.uint64)
        self._costs = costs.NO_COSTS
        self._header[layout.CODES_COSTS] = self._costs.ctypes.data
        self._arenas: list[npt.NDArray[np.uint64]] = []
        self._grow_arena(1 << 12)
        self._grow(64)
        self.add(b"")

    @property
    def address(self) -> int:
        """Address of the directory's header, for kernels. It stays the same as codes are added."""
        return int(self._header.ctypes.data)

    @property
    def header(self) -> npt.NDArray[np.uint64]:
        """The header, for whoever couples directories of several processes."""
        return self._header

    def __len__(self) -> int:
        return min(int(self._header[COUNT]), len(self._descriptors))

    def __getitem__(self, number: int) -> Code:
        if not 0 <= number < len(self):
            raise IndexError(f"there is no code {number}")
        row = self._descriptors[number]
        code = ctypes.string_at(int(row[layout.CODE_BYTES]), int(row[layout.CODE_SIZE]))
        return Code(code, row[layout.CODE_HASH : layout.CODE_HASH + 4].tobytes()[::-1])

    def blocks(self, number: int) -> npt.NDArray[np.uint64]:
        """Requirements and work of each straight-line block of a code (`evm.bytecode`), copied out."""
        row = self._descriptors[number]
        size = int(row[layout.CODE_BLOCKS_SIZE]) * 8
        return np.frombuffer(ctypes.string_at(int(row[layout.CODE_BLOCKS]), size), np.uint64).copy()

    def price(self, table: npt.NDArray[np.uint64]) -> None:
        """Let machines that use these codes count their work (`evm.costs`) by this table; codes added later too.

        Parameters
        ----------
        table : ndarray of uint64
            Picoseconds by class, those of `evm.costs.CLASSES` first. Kept, and not to be changed afterwards.
        """
        if table is self._costs:
            return
        self._costs = table
        self._header[layout.CODES_COSTS] = table.ctypes.data
        _price_all(self._descriptors.reshape(-1), len(self), table)

    def number_of(self, code_hash: bytes) -> int:
        """Number of the code with this keccak-256; KeyError when there is none."""
        found = int(find_code(self.address, tuple(np.frombuffer(code_hash[::-1], np.uint64))))
        if found < 0:
            raise KeyError(code_hash)
        return found

    def add(self, code: bytes) -> int:
        """Decode `code` unless it is known; its number."""
        array = np.frombuffer(code, np.uint8)
        room = int(decoded_room(len(code)))
        if len(self) + 1 > len(self._descriptors):
            self._grow(2 * len(self._descriptors))
        if self._arena_left() * 8 < room + len(code) + 8:
            self._grow_arena(max(2 * len(self._arenas[-1]), (room + len(code) + 8) // 8))
        scratch = np.zeros(room // 8 + 1, np.uint64)
        source = array if len(array) else np.zeros(1, np.uint8)
        word = tuple(U(limb) for limb in keccak_word(array, 0, len(code)))
        number = intern_code(self.address, source.ctypes.data, len(code), word, scratch.ctypes.data, scratch.nbytes)
        return int(number)

    def reserve(self, scale: int = 1) -> None:
        """Make room for what a block's transactions deploy: `scale` times the usual."""
        self._header[COUNT] = len(self)
        if len(self) + scale * SPARE_CODES > len(self._descriptors):
            self._grow(1 << (len(self) + scale * SPARE_CODES).bit_length())
        if self._arena_left() < scale * SPARE_ARENA_WORDS:
            self._grow_arena(2 * scale * SPARE_ARENA_WORDS)

    def _arena_left(self) -> int:
        return len(self._arenas[-1]) - int(self._header[ARENA_USED])

    def _grow_arena(self, words: int) -> None:
        # The arenas before stay: codes are where they are.
        self._arenas.append(np.zeros(words, np.uint64))
        self._header[ARENA], self._header[ARENA_WORDS] = self._arenas[-1].ctypes.data, words
        self._header[ARENA_USED] = 0

    def _grow(self, size: int) -> None:
        count = len(self)
        descriptors = np.zeros((size, layout.CODE_WORDS), np.uint64)
        descriptors[:count] = self._descriptors[:count]
        index = np.zeros(2 * size, np.uint64)
        _enter_all(descriptors.reshape(-1), count, index)
        self._descriptors, self._index = descriptors, index
        self._header[DESCRIPTORS], self._header[CAPACITY] = descriptors.ctypes.data, size
        self._header[INDEX], self._header[INDEX_MASK] = index.ctypes.data, len(index) - 1
