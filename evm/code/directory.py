"""Code directory: every contract's decoded code, found by number, or by instruction set and hash.

Code is content-addressed and only ever added, so that copies of a state share one directory. It is added by Python
when a state is made, and by kernels when a transaction deploys a contract. Kernels of several workers add at once,
without locks, as they intern locations (`evm.state`): decode privately, take a number and a piece of the arena, fill
both, then enter the number in the index by one compare-and-swap. Who loses that race uses the winner's number, and his
own stays unused. Kernels never allocate: Python makes room between blocks (`CodeDirectory.reserve`), and a block that
needs more ends in a fault and is executed again with more.

A fork's instructions are settled when code is decoded, so a code has an entry for each instruction set that it has run
under; forks that have the same instructions share it. What a state brings is decoded by the default fork's set; a block
of a fork with another one has the codes that it meets decoded again, once, from the bytes that are there.

Init code is decoded into the machine's scratch space instead: it runs once, and nodes do not keep it either.

Where shards are processes each has its own directory. They share a store of raw codes (`evm.code.shared_store`), in
which what one of them deploys is found by the others.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm.code import cost_model, shared_store
from contend.evm.code.decoder import decode_into, decoded_room
from contend.evm.crypto.keccak import keccak_word
from contend.evm.forks import DEFAULT, INSTRUCTION_SETS, Fork, rules_address
from contend.evm.layout import BASIC_BLOCK, CODE, CODE_DIRECTORY, RULES
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import move_bytes, view_u8, view_u64

NO_CODE = 0  # number of the empty code, the first in every directory
UNKNOWN, NO_ROOM = -1, -2
# The hash of nothing. As the word of an account's code it says that the account has storage but neither code nor nonce,
# which no transaction can bring about: only a state that was read from a file has such accounts. They are told apart
# from others because no contract can be created there (EIP-7610), and code that is nothing behaves like no code.
EMPTY_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
EMPTY_HASH_WORD = tuple(U(int.from_bytes(EMPTY_HASH[i : i + 8], "big")) for i in (24, 16, 8, 0))

SPARE_CODES, SPARE_ARENA_WORDS = 1 << 10, 1 << 21
_SET_STEP = U(0x9E3779B97F4A7C15)  # keeps one code's entries by several instruction sets apart in the index


@kernel(inline=True)
def is_no_code(word):
    """Whether the word of an account's code says that it has none."""
    if (word[0] | word[1] | word[2] | word[3]) == U0:
        return True
    e = EMPTY_HASH_WORD
    return ((word[0] ^ e[0]) | (word[1] ^ e[1]) | (word[2] ^ e[2]) | (word[3] ^ e[3])) == U0


@kernel(inline=True)
def code_at(codes, number):
    """Descriptor of a code, of a directory at an address."""
    directory = CODE_DIRECTORY.at(codes)
    return CODE.item(directory.descriptors, directory.capacity, number)


@kernel(inline=True)
def _is_same(code, instruction_set, word):
    have = code.hash
    difference = (have[0] ^ word[0]) | (have[1] ^ word[1]) | (have[2] ^ word[2]) | (have[3] ^ word[3])
    return (difference | (code.instruction_set ^ instruction_set)) == U0


@kernel(inline=True)
def _first_slot(instruction_set, word, mask):
    return I((word[0] + instruction_set * _SET_STEP) & mask)


@kernel()
def find_code(codes, instruction_set, word):
    """Number of the code with this hash, decoded by an instruction set; or `UNKNOWN`."""
    directory = CODE_DIRECTORY.at(codes)
    mask = directory.index_mask
    index = view_u64(directory.index, I(mask) + 1)
    slot = _first_slot(instruction_set, word, mask)
    while True:
        found = atomics.load(index, slot)
        if found == U0:
            return I(UNKNOWN)
        number = I(found) - 1
        if _is_same(code_at(codes, number), instruction_set, word):
            return number
        slot = (slot + 1) & I(mask)


@kernel()
def find_code_of_any_fork(codes, word):
    """Number of a code with this hash, whatever fork it was decoded for; or `UNKNOWN`."""
    for instruction_set in range(INSTRUCTION_SETS):
        number = find_code(codes, U(instruction_set), word)
        if number != UNKNOWN:
            return number
    return I(UNKNOWN)


@kernel()
def set_work_of_code(codes, code):
    """Sum the work of a decoded code's basic blocks by the directory's cost model, where it has one."""
    model = view_u64(CODE_DIRECTORY.at(codes).cost_model, cost_model.COUNT)
    if model[U(cost_model.BASIC_BLOCK)] != U0:
        _sum_work(code, model)


@kernel()
def _sum_work(code, model):
    stream = view_u64(code.stream, code.stream_size)
    basic_blocks = view_u64(code.basic_blocks, code.basic_blocks_size * BASIC_BLOCK.words)
    cost_model.sum_work(stream, basic_blocks, cost_model.CLASS_OF, model)


@kernel()
def _sum_all_work(codes, count, model):
    for number in range(count):
        _sum_work(code_at(codes, number), model)


@kernel()
def intern_code(codes, rules, source, size, word, scratch, room):
    """Enter a code of which the hash is known; its number, or `NO_ROOM`. Safe among workers.

    Parameters
    ----------
    rules : RULES
        Of the fork that it is to be decoded for.
    source, size : int
        Address of the bytes, and how many there are.
    scratch, room : int
        Address of private memory to decode in, and its size in bytes.
    """
    known = find_code(codes, rules.instruction_set, word)
    if known != UNKNOWN:
        return known
    if room < decoded_room(size):
        return I(NO_ROOM)
    used = decode_into(rules, source, size, scratch)
    decoded = CODE.at(scratch)
    set_work_of_code(codes, decoded)
    # The decoded pieces lie in one piece behind the descriptor; the bytes themselves go in front of them.
    body = used - I(CODE.words) * 8
    padded = (size + 7) & ~7
    directory = CODE_DIRECTORY.at(codes)
    words = (padded + body) >> 3
    at = I(atomics.add(directory, "arena_used", U(words)))
    if at + words > directory.arena_words:
        return I(NO_ROOM)
    number = I(atomics.add(directory, "count", U1))
    if number >= directory.capacity:
        return I(NO_ROOM)
    target = directory.arena + at * 8
    bytes_ = view_u8(target, padded + body)
    move_bytes(bytes_, 0, view_u8(source, size), 0, size)
    move_bytes(bytes_, padded, view_u8(scratch + I(CODE.words) * 8, body), 0, body)
    code = code_at(codes, number)
    moved = target + padded - (scratch + I(CODE.words) * 8)
    code.bytes = target
    code.size = size
    code.stream = decoded.stream + moved
    code.stream_size = decoded.stream_size
    code.basic_blocks = decoded.basic_blocks + moved
    code.basic_blocks_size = decoded.basic_blocks_size
    code.constants = decoded.constants + moved
    code.constants_size = decoded.constants_size
    code.targets = decoded.targets + moved
    code.hash = word
    code.instruction_set = rules.instruction_set
    mask = directory.index_mask
    index = view_u64(directory.index, I(mask) + 1)
    slot = _first_slot(rules.instruction_set, word, mask)
    while True:
        found = atomics.compare_and_swap(index, slot, U0, U(number + 1))
        if found == U0:
            return number
        if _is_same(code_at(codes, I(found) - 1), rules.instruction_set, word):
            return I(found) - 1
        slot = (slot + 1) & I(mask)


@kernel()
def publish_code(codes, source, size, word):
    """Let other processes find a code, where there are any. False when there is no room."""
    store = CODE_DIRECTORY.at(codes).store
    return store == 0 or shared_store.append(store, source, size, word)


@kernel()
def code_number(codes, rules, word, scratch, room):
    """Number of the code with this hash as a word; the empty code for zero. `NO_ROOM` when it cannot be decoded."""
    if (word[0] | word[1] | word[2] | word[3]) == U0:
        return I(NO_CODE)
    number = find_code(codes, rules.instruction_set, word)
    if number != UNKNOWN:
        return number
    other = find_code_of_any_fork(codes, word)
    if other != UNKNOWN:
        code = code_at(codes, other)
        return intern_code(codes, rules, code.bytes, code.size, word, scratch, room)
    store = CODE_DIRECTORY.at(codes).store
    source, size = shared_store.find(store, word) if store != 0 else (I(0), I(0))
    if source == 0:
        return I(NO_CODE)
    return intern_code(codes, rules, source, size, word, scratch, room)


@kernel()
def _enter_all(codes, count, index):
    """Enter the codes in a new index. A number that lost a race repeats a code; either will do."""
    mask = U(index.size - 1)
    for number in range(count):
        code = code_at(codes, number)
        slot = _first_slot(code.instruction_set, code.hash, mask)
        while index[U(slot)] != U0:
            slot = (slot + 1) & I(mask)
        index[U(slot)] = U(number + 1)


class Code(NamedTuple):
    """A code of the directory: its bytes, and their keccak-256."""

    code: bytes
    hash: bytes


class CodeDirectory:
    """Decoded codes by number. Number 0 is the empty code."""

    def __init__(self) -> None:
        self._directory = CODE_DIRECTORY.zeros()
        self._codes = CODE.zeros(0)
        self._index = np.zeros(0, np.uint64)
        self._cost_model = cost_model.NO_COSTS
        self._directory["cost_model"] = self._cost_model.ctypes.data
        self._directory["rules"] = rules_address()
        self._arenas: list[npt.NDArray[np.uint64]] = []
        self._grow_arena(1 << 12)
        self._grow(64)
        self.add(b"")

    @property
    def address(self) -> int:
        """Address of the directory's header, for kernels. It stays the same as codes are added."""
        return int(self._directory.ctypes.data)

    @property
    def header(self) -> Any:
        """The directory's fields by name (`evm.layout.CODE_DIRECTORY`), a numpy structured scalar that is no copy."""
        return self._directory[0]

    def __len__(self) -> int:
        return min(int(self._directory["count"][0]), len(self._codes))

    def __getitem__(self, number: int) -> Code:
        if not 0 <= number < len(self):
            raise IndexError(f"there is no code {number}")
        row = self._codes[number]
        code = ctypes.string_at(int(row["bytes"]), int(row["size"]))
        return Code(code, row["hash"].tobytes()[::-1])

    def basic_blocks(self, number: int) -> npt.NDArray[np.void]:
        """Requirements and work of each basic block of a code (`evm.code.decoder`), copied out."""
        row = self._codes[number]
        size = int(row["basic_blocks_size"]) * BASIC_BLOCK.words * 8
        return np.frombuffer(ctypes.string_at(int(row["basic_blocks"]), size), BASIC_BLOCK.dtype).copy()

    def set_cost_model(self, model: npt.NDArray[np.uint64]) -> None:
        """Let machines count the work of these codes, and of those added later, by a table (`evm.code.cost_model`).

        Parameters
        ----------
        model : ndarray of uint64
            Picoseconds by class, those of `evm.code.cost_model.CLASSES` first. Kept, and not to be changed afterwards.
        """
        if model is self._cost_model:
            return
        self._cost_model = model
        self._directory["cost_model"] = model.ctypes.data
        _sum_all_work(self.address, len(self), model)

    def number_of(self, code_hash: bytes) -> int:
        """Number of a code with this keccak-256, decoded for any fork; KeyError when there is none."""
        found = int(find_code_of_any_fork(self.address, tuple(np.frombuffer(code_hash[::-1], np.uint64))))
        if found < 0:
            raise KeyError(code_hash)
        return found

    def add(self, code: bytes, fork: Fork = DEFAULT) -> int:
        """Decode `code` for a fork unless it is known; its number."""
        array = np.frombuffer(code, np.uint8)
        room = int(decoded_room(len(code)))
        if len(self) + 1 > len(self._codes):
            self._grow(2 * len(self._codes))
        if self._arena_left() * 8 < room + len(code) + 8:
            self._grow_arena(max(2 * len(self._arenas[-1]), (room + len(code) + 8) // 8))
        scratch = np.zeros(room // 8 + 1, np.uint64)
        source = array if len(array) else np.zeros(1, np.uint8)
        word = tuple(U(limb) for limb in keccak_word(array, 0, len(code)))
        rules = RULES.ref(rules_address(fork))
        size, room, scratch_at = len(code), scratch.nbytes, scratch.ctypes.data
        return int(intern_code(self.address, rules, source.ctypes.data, size, word, scratch_at, room))

    def reserve(self, scale: int = 1) -> None:
        """Make room for what a block's transactions deploy: `scale` times the usual."""
        self._directory["count"] = len(self)
        if len(self) + scale * SPARE_CODES > len(self._codes):
            self._grow(1 << (len(self) + scale * SPARE_CODES).bit_length())
        if self._arena_left() < scale * SPARE_ARENA_WORDS:
            self._grow_arena(2 * scale * SPARE_ARENA_WORDS)

    def _arena_left(self) -> int:
        return len(self._arenas[-1]) - int(self._directory["arena_used"][0])

    def _grow_arena(self, words: int) -> None:
        # The arenas before stay: codes are where they are.
        self._arenas.append(np.zeros(words, np.uint64))
        self._directory["arena"], self._directory["arena_words"] = self._arenas[-1].ctypes.data, words
        self._directory["arena_used"] = 0

    def _grow(self, size: int) -> None:
        count = len(self)
        codes = CODE.zeros(size)
        codes[:count] = self._codes[:count]
        self._codes, self._index = codes, np.zeros(2 * size, np.uint64)
        directory = self._directory
        directory["descriptors"], directory["capacity"] = codes.ctypes.data, size
        directory["index"], directory["index_mask"] = self._index.ctypes.data, 2 * size - 1
        _enter_all(self.address, count, self._index)
