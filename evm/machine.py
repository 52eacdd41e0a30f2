"""A machine: the memory in which one transaction at a time executes."""

from __future__ import annotations

import itertools

import numpy as np

from evm import layout, precompiles
from evm.rooms import sparse_zeros

_STACK_WORDS = (layout.STACK_LIMIT + 2) * (layout.CALL_DEPTH_LIMIT + 1) * 4
_FRAMES_WORDS = layout.F_WORDS * (layout.CALL_DEPTH_LIMIT + 2)
_PAGE = 4096
# Bytes of memory that a transaction can have. They cost 5 * 10**11 gas, some ten thousand blocks' worth: who has more
# gas than that comes from a test, or means harm.
MOST_MEMORY = 1 << 29
MANY_EPOCHS = 1 << 31  # no block has as many transactions and incarnations again


class Machine:
    """Everything private to an executing transaction: stack, memory, frames, access table, journal, logs, output.

    The arrays are large and the operating system backs only the pages that are touched, so a machine costs what its
    transactions use. A transaction that needs more ends in a fault, never in a wrong result.

    Parameters
    ----------
    block_image : int
        Address of a block's image (`evm.image.BlockImage`).
    codes : int
        Address of a code directory.
    mode : int
        `MODE_NORMAL`; `MODE_HINT` for a dry run in which nonce and funds are not checked; `MODE_GENESIS`, in which a
        contract may send a transaction.
    scale : int
        Multiplies the room for memory, entries, journal, logs, output and scratch space.
    """

    def __init__(self, block_image: int, codes: int, mode: int = layout.MODE_NORMAL, scale: int = 1) -> None:
        self.header = np.zeros(layout.M_WORDS, np.uint64)
        header = self.header
        # One mapping for all: the operating system allows a process some tens of thousands.
        rooms = (
            (layout.M_STACK, _STACK_WORDS, 8),
            (layout.M_MEMORY, min(scale << 26, MOST_MEMORY), 1),
            (layout.M_FRAMES, _FRAMES_WORDS, 8),
            (layout.M_ENTRIES, (scale << 16) * layout.ENTRY_WORDS, 8),
            (layout.M_INDEX, scale << 17, 8),
            (layout.M_JOURNAL, (scale << 18) * layout.JOURNAL_WORDS, 8),
            (layout.M_LOGS, scale << 22, 1),
            (layout.M_OUTPUT, scale << 24, 1),
            (layout.M_SCRATCH, scale << 24, 1),
        )
        sizes = [-(-count * width // _PAGE) * _PAGE for _, count, width in rooms]
        self._room = sparse_zeros(sum(sizes), np.uint8)
        views = {}
        for (field, count, width), size, end in zip(rooms, sizes, itertools.accumulate(sizes), strict=True):
            header[field], header[field + 1] = self._room.ctypes.data + end - size, count
            view = self._room[end - size : end - size + count * width]
            views[field] = view if width == 1 else view.view(np.uint64)
        self._stack, self._memory, self._frames = (views[f] for f in (layout.M_STACK, layout.M_MEMORY, layout.M_FRAMES))
        self._entries, self._index = views[layout.M_ENTRIES], views[layout.M_INDEX]
        self._logs, self._output = views[layout.M_LOGS], views[layout.M_OUTPUT]
        header[layout.M_MODE] = mode
        header[layout.M_COMPUTE] = precompiles.address()
        self.attach(block_image, codes)

    def attach(self, block_image: int, codes: int) -> None:
        """Use this machine for another block."""
        self.header[layout.M_BLOCK] = block_image
        self.header[layout.M_CODES] = codes
        # Slots of the index are told apart by epoch. An epoch has 32 bits; long before they run out, all start over.
        if self.header[layout.M_EPOCH] > MANY_EPOCHS:
            self.header[layout.M_EPOCH] = 0
            self._index[:] = 0

    @property
    def address(self) -> int:
        """Address of the header, for kernels."""
        return int(self.header.ctypes.data)

    def output(self) -> bytes:
        """Output of the transaction that ended last."""
        return self._output[: int(self.header[layout.M_OUTPUT_SIZE])].tobytes()
