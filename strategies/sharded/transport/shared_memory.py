"""Shared memory of processes: anonymous files, mapped, and handed over by descriptor.

A segment has no name, so nothing is left behind however its processes end, and nobody has to clean up; it does not
count against the size of ``/dev/shm`` either. Pages are backed as they are touched.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile

import numpy as np
import numpy.typing as npt


def words_at(address: int, count: int) -> npt.NDArray[np.uint64]:
    """View of `count` words at an address. The owner of that memory must outlive the view."""
    return np.ctypeslib.as_array((ctypes.c_uint64 * count).from_address(address))


def _anonymous_file(size: int) -> int:
    if sys.platform == "linux":
        descriptor = os.memfd_create("contend", os.MFD_CLOEXEC)
    else:
        # Deleted as soon as it is open: only the descriptor keeps it.
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


class Segment:
    """Memory that another process can map too.

    Parameters
    ----------
    words : int
        Size, in words of 64 bits.
    descriptor : int, optional
        Of a segment of that size that another process made; it is closed here. A new one is made without it.
    """

    def __init__(self, words: int, descriptor: int | None = None) -> None:
        self.words = max(words, 1)
        self._own = descriptor is None
        self.descriptor = _anonymous_file(self.words * 8) if descriptor is None else descriptor
        self._map = mmap.mmap(self.descriptor, self.words * 8)
        # The address stays valid as long as the map; the view that tells it does not keep the map from closing.
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        if not self._own:
            os.close(self.descriptor)

    def view(self) -> npt.NDArray[np.uint64]:
        """All words, to be used only as long as the segment is not closed."""
        return words_at(self.address, self.words)

    def close(self) -> None:
        """Unmap the memory; every view of it is invalid from then on."""
        self._map.close()
        if self._own:
            os.close(self.descriptor)
            self._own = False
