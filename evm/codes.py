"""The code directory: every contract's decoded code, found by number or by hash.

Code is content-addressed and only ever added, so that copies of a state share one directory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import costs, layout
from evm.bytecode import DecodedCode, decode
from evm.jit import kernel
from evm.keccak import keccak256
from evm.pointers import view_u64

DESCRIPTORS, INDEX, INDEX_MASK = layout.CODES_DESCRIPTORS, layout.CODES_INDEX, layout.CODES_INDEX_MASK
CODES_WORDS, CODE_WORDS, CODE_HASH = layout.CODES_WORDS, layout.CODE_WORDS, layout.CODE_HASH
CODES_COUNT = layout.CODES_COUNT

NO_CODE = 0  # number of the empty code, the first in every directory
EMPTY_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


@kernel()
def code_number(codes, word):
    """Number of the code with this hash as a word; the empty code for zero and for a hash that is not known."""
    if (word[0] | word[1] | word[2] | word[3]) == U(0):
        return NO_CODE
    header = view_u64(codes, CODES_WORDS)
    mask = np.int64(header[INDEX_MASK])
    index = view_u64(np.int64(header[INDEX]), mask + 1)
    descriptors = view_u64(np.int64(header[DESCRIPTORS]), np.int64(header[CODES_COUNT]) * CODE_WORDS)
    slot = np.int64(word[0]) & mask
    while index[U(slot)] != U(0):
        number = np.int64(index[U(slot)]) - 1
        at = number * CODE_WORDS + CODE_HASH
        if (
            descriptors[U(at)] == word[0]
            and descriptors[U(at + 1)] == word[1]
            and descriptors[U(at + 2)] == word[2]
            and descriptors[U(at + 3)] == word[3]
        ):
            return number
        slot = (slot + 1) & mask
    return NO_CODE


class CodeDirectory:
    """Decoded codes by number. Number 0 is the empty code."""

    def __init__(self) -> None:
        self._codes: list[DecodedCode] = []
        self._by_hash: dict[bytes, int] = {}
        self._header = np.zeros(layout.CODES_WORDS, np.uint64)
        self._descriptors = np.zeros((0, layout.CODE_WORDS), np.uint64)
        self._index = np.zeros(0, np.uint64)
        self._costs = costs.NO_COSTS
        self._header[layout.CODES_COSTS] = self._costs.ctypes.data
        self._grow(64)
        self.add(b"")

    @property
    def address(self) -> int:
        """Address of the directory's header, for kernels. It stays the same as codes are added."""
        return int(self._header.ctypes.data)

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, number: int) -> DecodedCode:
        return self._codes[number]

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
        for decoded in self._codes:
            self._price(decoded)

    def _price(self, decoded: DecodedCode) -> None:
        costs.price_stream(decoded.stream, decoded.blocks, costs.CLASS_OF, self._costs)

    def number_of(self, code_hash: bytes) -> int:
        """Number of the code with this keccak-256; KeyError when there is none."""
        return self._by_hash[code_hash]

    def add(self, code: bytes) -> int:
        """Decode `code` unless it is known; its number."""
        code_hash = keccak256(code)
        known = self._by_hash.get(code_hash)
        if known is not None:
            return known
        if 2 * (len(self._codes) + 1) > len(self._index):
            self._grow(2 * len(self._index))
        decoded = decode(code)
        if self._costs is not costs.NO_COSTS:
            self._price(decoded)
        number = len(self._codes)
        self._codes.append(decoded)
        self._by_hash[code_hash] = number
        self._enter(number)
        self._header[layout.CODES_COUNT] = len(self._codes)
        return number

    def _enter(self, number: int) -> None:
        decoded, row = self._codes[number], self._descriptors[number]
        row[layout.CODE_BYTES] = decoded.code.ctypes.data
        row[layout.CODE_SIZE] = decoded.code.size
        row[layout.CODE_STREAM] = decoded.stream.ctypes.data
        row[layout.CODE_STREAM_SIZE] = decoded.stream.size
        row[layout.CODE_BLOCKS] = decoded.blocks.ctypes.data
        row[layout.CODE_BLOCKS_SIZE] = decoded.blocks.size
        row[layout.CODE_CONSTANTS] = decoded.constants.ctypes.data
        row[layout.CODE_CONSTANTS_SIZE] = decoded.constants.size
        row[layout.CODE_TARGETS] = decoded.targets.ctypes.data
        row[layout.CODE_HASH : layout.CODE_HASH + 4] = np.frombuffer(decoded.hash[::-1], np.uint64)
        mask = len(self._index) - 1
        slot = int(row[layout.CODE_HASH]) & mask
        while self._index[slot]:
            slot = (slot + 1) & mask
        self._index[slot] = number + 1

    def _grow(self, size: int) -> None:
        self._descriptors = np.zeros((size, layout.CODE_WORDS), np.uint64)
        self._index = np.zeros(size, np.uint64)
        for number in range(len(self._codes)):
            self._enter(number)
        self._header[layout.CODES_DESCRIPTORS] = self._descriptors.ctypes.data
        self._header[layout.CODES_INDEX] = self._index.ctypes.data
        self._header[layout.CODES_INDEX_MASK] = size - 1
