"""A machine: the memory in which one transaction at a time executes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from contend.evm import layout
from contend.evm.layout import ENTRY, FRAME, JOURNAL, MACHINE, RECENT_HASH, WORD
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.vm import precompiles

_STACK_WORDS = (layout.STACK_LIMIT + 2) * (layout.CALL_DEPTH_LIMIT + 1) * WORD.words
_FRAMES_WORDS = FRAME.words * (layout.CALL_DEPTH_LIMIT + 2)
_PAGE = 4096
# Bytes of memory that all frames of a transaction together can have. In one frame they cost 2 * 10**12 gas, some forty
# thousand blocks' worth; in a thousand that call each other, more than 10**9: who has as much comes from a test, or
# means harm.
MOST_MEMORY = 1 << 30
MANY_EPOCHS = 1 << 31  # no block has as many transactions and incarnations again


class Machine:
    """Everything private to an executing transaction: stack, memory, frames, access table, journal, logs, output.

    The arrays are large and the operating system backs only the pages that are touched, so a machine costs what its
    transactions use. A transaction that needs more ends in a fault, never in a wrong result.

    Parameters
    ----------
    block_image : int
        Address of a block's image (`evm.block_image.BlockImage`).
    codes : int
        Address of a code directory.
    mode : int
        `MODE_NORMAL`; `MODE_HINT` for a dry run in which nonce and funds are not checked; `MODE_GENESIS`, in which a
        contract may send a transaction.
    scale : int
        Multiplies the room for memory, entries, journal, logs, output and scratch space.
    """

    def __init__(self, block_image: int, codes: int, mode: int = layout.MODE_NORMAL, scale: int = 1) -> None:
        self._header = MACHINE.zeros()
        # One mapping for all: the operating system allows a process some tens of thousands.
        rooms = (
            ("stack", "stack_words", _STACK_WORDS, 8),
            ("memory", "memory_bytes", min(scale << 26, MOST_MEMORY), 1),
            ("frames", "frames_words", _FRAMES_WORDS, 8),
            ("entries", "entries_words", (scale << 16) * ENTRY.words, 8),
            ("index", "index_words", scale << 17, 8),
            ("journal", "journal_words", (scale << 18) * JOURNAL.words, 8),
            ("logs", "logs_bytes", scale << 22, 1),
            ("output", "output_bytes", scale << 24, 1),
            ("scratch", "scratch_bytes", scale << 24, 1),
            ("recent_hashes", None, layout.RECENT_HASHES * RECENT_HASH.words, 8),
        )
        sizes = [-(-count * width // _PAGE) * _PAGE for *_, count, width in rooms]
        self._room = sparse_zeros(sum(sizes), np.uint8)
        views = {}
        for (field, room, count, width), size, end in zip(rooms, sizes, itertools.accumulate(sizes), strict=True):
            self._header[field] = self._room.ctypes.data + end - size
            if room is not None:
                self._header[room] = count
            view = self._room[end - size : end - size + count * width]
            views[field] = view if width == 1 else view.view(np.uint64)
        self._stack, self._memory, self._frames = views["stack"], views["memory"], views["frames"].view(FRAME.dtype)
        self._entries, self._index = views["entries"].view(ENTRY.dtype), views["index"]
        self._logs, self._output = views["logs"], views["output"]
        self._header["mode"] = mode
        self._header["compute"] = precompiles.address()
        self.attach(block_image, codes)

    def attach(self, block_image: int, codes: int) -> None:
        """Use this machine for another block, or for one run of it more: it keeps no hashes of former ones."""
        self.header["block"] = block_image
        self.header["codes"] = codes
        self.header["recent_generation"] += 1
        # Slots of the index are told apart by epoch. An epoch has 32 bits; long before they run out, all start over.
        if self.header["epoch"] > MANY_EPOCHS:
            self.header["epoch"] = 0
            self._index[:] = 0

    def forget_hashes(self) -> None:
        """Keep no hashes from now on: each is computed. For who measures what they are worth."""
        self.header["recent_hashes"] = 0

    @property
    def recent_hits(self) -> int:
        """How many hashes of 64 bytes were found among those that were computed last, since the machine was made."""
        return int(self.header["recent_hits"])

    @property
    def header(self) -> Any:
        """The machine's fields by name (`evm.layout.MACHINE`), a numpy structured scalar that is no copy."""
        return self._header[0]

    @property
    def address(self) -> int:
        """Address of the header, for kernels."""
        return int(self._header.ctypes.data)

    @property
    def error(self) -> int:
        """Error of the transaction that ended last, see `evm.errors`."""
        return int(self.header["error"])

    def output(self) -> bytes:
        """Output of the transaction that ended last."""
        return self._output[: int(self.header["output_size"])].tobytes()
