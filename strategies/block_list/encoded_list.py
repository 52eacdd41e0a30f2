"""An encoded access list in the hands of a strategy: its memory, and the run that decodes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.access_list import AccessList, first_difference
from contend.evm.access_list.difference import MALFORMED, WRONG_ORDER
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_list.change_rows import ROW_WORDS
from contend.strategies.block_list.layout import BLOCK_LIST, MOST_EPOCHS, PART, PIECE, REASON_SHIFT, SOUND
from contend.strategies.block_list.list_decoder import decode_step
from contend.strategies.block_list.long_records import LONG_RECORD, PART_CHANGES
from contend.strategies.block_list.malformed import REASONS
from contend.strategies.clocks import Clock
from contend.strategies.given import FULL, INDEXED, LOCATIONS, READS

KINDS = (FULL, LOCATIONS, READS, INDEXED)  # by their numbers in `strategies.block_list.layout`
# No account is shorter, and one that is cut makes no more pieces beside those of its slots.
ACCOUNT_BYTES, PIECES_AN_ACCOUNT = 27, 3
SPARE_PIECES = 64
_PIECE_BYTES = 256
# Of the list, for each word of the index: a location takes some thirty. Where it takes far less, there has to be more
# room than is usual.
_BYTES_A_SLOT = 8
_FEWEST_SLOTS = 1 << 10
TOO_LARGE = f"{MALFORMED}: it names more than there is room for"


class EncodedList:
    """Decodes one block's access list after another; memory is kept.

    Attributes
    ----------
    header : record of `strategies.block_list.layout.BLOCK_LIST`
    """

    def __init__(self) -> None:
        self.memory: Any = BLOCK_LIST.lines(1)
        self.header: Any = self.memory[0]
        self._data = b""
        self._pieces: Any = PIECE.zeros(0)
        self._parts: Any = PART.zeros(0)
        self._index: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._epoch = 0
        self._rows: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._forgone: bytes | None = None

    @property
    def is_forgone(self) -> bool:
        """Whether the list in hand is one that is not tried again (`forgo`)."""
        return self._data is self._forgone

    @property
    def size(self) -> int:
        """Bytes of the list."""
        return len(self._data)

    @property
    def pieces(self) -> Any:
        """Pieces of the list, after `decode`."""
        return self._pieces[: int(self.header["published"])]

    def _wake_address(self, name: str) -> int:
        return int(self.memory.ctypes.data) + WORD_BYTES * BLOCK_LIST.offsets[name]

    def _fit_index(self, slots: int, transactions: int) -> int:
        """Have rows, and an index of at least so many words, all of former lists; how many of these are to be used."""
        slots = 1 << (max(slots, _FEWEST_SLOTS) - 1).bit_length()
        self._epoch += 1
        if len(self._index) < slots or len(self._rows) < transactions * ROW_WORDS or self._epoch >= MOST_EPOCHS:
            self._index, self._epoch = sparse_zeros(max(slots, len(self._index))), 1
            self._rows = sparse_zeros(max(transactions * ROW_WORDS, len(self._rows)))
        return slots

    def decode(self, space: Any, data: bytes, kind: str, clock: Clock, seeds: bool) -> bool:
        """Decode a list by all workers.

        Parameters
        ----------
        space : strategies.block_stm.workspace.Workspace
            Reset for the block. Records lie in its arena.
        data : bytes
        kind : str
            One of `strategies.given.LIST_KINDS`.
        clock : Clock
        seeds : bool
            Whether transactions are to be seeded: words are laid out, and records are found by key.

        Returns
        -------
        bool
            False if the list is malformed.

        Raises
        ------
        CapacityError
            If the arena, the index, the state or a machine was too small.
        """
        self._data = data
        if self.is_forgone:
            return False
        size, _, scale = space.fits
        self.lay_out(data, kind, self._fit_index(scale * len(data) // _BYTES_A_SLOT, size) if seeds else 0)
        wakes = tuple(self._wake_address(name) for name in ("published", "is_scanned", "malformed"))
        space.run_hint_step(decode_step, clock, self.memory, (*wakes, "fault"))
        return bool(self.header["malformed"] == SOUND)

    def lay_out(self, data: bytes, kind: str, slots: int = 0) -> None:
        """Make the header ready for a list of which nothing is known yet.

        Parameters
        ----------
        data : bytes
        kind : str
            One of `strategies.given.LIST_KINDS`.
        slots : int
            Words of the index that are to be used; 0 where transactions are not to be seeded.
        """
        self._data = data
        room = len(data) // ACCOUNT_BYTES * PIECES_AN_ACCOUNT + len(data) // _PIECE_BYTES + SPARE_PIECES
        if len(self._pieces) < room:
            self._pieces = sparse_zeros(room * PIECE.words).view(PIECE.dtype)
        # A change has a byte at least, and a record as many parts as it has changes for, and one.
        parts = len(data) // PART_CHANGES + len(data) // LONG_RECORD + 1
        if len(self._parts) < parts:
            self._parts = sparse_zeros(parts * PART.words).view(PART.dtype)
        self.memory[:] = np.zeros((), self.memory.dtype)
        for field, value in (
            ("bytes", np.frombuffer(data, np.uint8).ctypes.data if data else 0),
            ("size", len(data)),
            ("kind", KINDS.index(kind)),
            ("seeds", slots > 0),
            ("index", self._index.ctypes.data),
            ("index_mask", max(slots, 1) - 1),
            ("epoch", self._epoch),
            ("rows", self._rows.ctypes.data),
            ("pieces", self._pieces.ctypes.data),
            ("pieces_room", len(self._pieces)),
            ("parts", self._parts.ctypes.data),
            ("parts_room", len(self._parts)),
            ("malformed", SOUND),
        ):
            self.header[field] = value

    def forgo(self) -> bool:
        """Take the list in hand as malformed from now on: there is no room for what it names. False if it was before.

        The same bytes are not tried again.
        """
        if self.is_forgone or not self._data:
            return False
        self._forgone = self._data
        return True

    def flaw(self, transactions: int) -> str:
        """Why the list is malformed, in one line. Outside the time.

        Parameters
        ----------
        transactions : int
            Of the block.
        """
        if self.is_forgone:
            return TOO_LARGE
        found = first_difference(self._data, AccessList(), transactions, kind=KINDS[int(self.header["kind"])])
        if found is not None and found.kind in (MALFORMED, WRONG_ORDER):
            return str(found)
        noted = int(self.header["malformed"])
        return f"{MALFORMED}: byte {noted >> int(REASON_SHIFT)}: {REASONS[noted & 0xFF]}"
