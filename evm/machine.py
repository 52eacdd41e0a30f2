"""A machine: the memory in which one transaction at a time executes."""

from __future__ import annotations

import numpy as np

from evm import layout, precompiles
from evm.rooms import sparse_zeros

_STACK_WORDS = (layout.STACK_LIMIT + 2) * (layout.CALL_DEPTH_LIMIT + 1) * 4
_FRAMES_WORDS = layout.F_WORDS * (layout.CALL_DEPTH_LIMIT + 2)
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
        self._stack = sparse_zeros(_STACK_WORDS, np.uint64)
        self._memory = sparse_zeros(scale << 26, np.uint8)
        self._frames = sparse_zeros(_FRAMES_WORDS, np.uint64)
        self._entries = sparse_zeros((scale << 16) * layout.ENTRY_WORDS, np.uint64)
        self._index = sparse_zeros(scale << 17, np.uint64)
        self._journal = sparse_zeros((scale << 18) * layout.JOURNAL_WORDS, np.uint64)
        self._logs = sparse_zeros(scale << 22, np.uint8)
        self._output = sparse_zeros(scale << 24, np.uint8)
        self._scratch = sparse_zeros(scale << 24, np.uint8)
        header = self.header
        for field, array in (
            (layout.M_STACK, self._stack),
            (layout.M_MEMORY, self._memory),
            (layout.M_FRAMES, self._frames),
            (layout.M_ENTRIES, self._entries),
            (layout.M_INDEX, self._index),
            (layout.M_JOURNAL, self._journal),
            (layout.M_LOGS, self._logs),
            (layout.M_OUTPUT, self._output),
            (layout.M_SCRATCH, self._scratch),
        ):
            header[field], header[field + 1] = array.ctypes.data, array.size
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
