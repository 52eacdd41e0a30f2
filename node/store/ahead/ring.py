"""Ring: an io_uring of this process, set up for a worker; or why there is none.

Containers often forbid it (a seccomp profile), and so do some systems (``kernel.io_uring_disabled``). A ring belongs to
the process that has made it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.node.store.ahead.layout import RING, RING_READ
from contend.node.store.base import StoreError
from contend.node.store.layout import PAGE_BYTES
from contend.node.store.page_reads import CODE_PAGES

DEPTH = 32
_SETUP = 425
_RINGS_AT, _COMPLETIONS_AT, _ENTRIES_AT = 0, 0x8000000, 0x10000000
_ENTRY_BYTES, _COMPLETION_BYTES = 64, 16
_PARAMETERS = np.dtype(
    [
        ("sq_entries", "<u4"),
        ("cq_entries", "<u4"),
        ("flags", "<u4"),
        ("cpu", "<u4"),
        ("idle", "<u4"),
        ("features", "<u4"),
        ("queue", "<u4"),
        ("reserved", "<u4", 3),
        ("sq", "<u4", 10),  # where head, tail, mask, entries, flags, dropped, array are
        ("cq", "<u4", 10),  # where head, tail, mask, entries, overflow, completions are
    ]
)
assert _PARAMETERS.itemsize == 120


def libc_address(name: str) -> int:
    """Address of a function of the C library."""
    found = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    assert found is not None
    return found


class Ring:
    """An io_uring, and memory for the reads that are under way.

    Parameters
    ----------
    depth : int
        How many that are at most.

    Raises
    ------
    StoreError
        If the system gives none, with its reason.
    """

    def __init__(self, depth: int = DEPTH) -> None:
        if not sys.platform.startswith("linux"):
            raise StoreError(f"io: io_uring is Linux's; this is {sys.platform}")
        parameters: Any = np.zeros(1, _PARAMETERS)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        entries = 1 << max(depth - 1, 0).bit_length()
        at = ctypes.c_void_p(parameters.ctypes.data)
        self.descriptor = int(libc.syscall(ctypes.c_long(_SETUP), ctypes.c_uint(entries), at))
        if self.descriptor < 0:
            code = ctypes.get_errno()
            raise StoreError(f"io: the system gives no io_uring: {os.strerror(code)}")
        row = parameters[0]
        rooms = (
            (int(row["sq"][6]) + int(row["sq_entries"]) * 4, _RINGS_AT),
            (int(row["cq"][5]) + int(row["cq_entries"]) * _COMPLETION_BYTES, _COMPLETIONS_AT),
            (int(row["sq_entries"]) * _ENTRY_BYTES, _ENTRIES_AT),
        )
        # The views keep the mappings alive.
        self._views = [
            np.frombuffer(mmap.mmap(self.descriptor, size, mmap.MAP_SHARED, offset=offset), np.uint8)
            for size, offset in rooms
        ]
        sq, cq, sq_entries = (int(view.ctypes.data) for view in self._views)
        self._memory: Any = RING.zeros()
        self._set(
            {
                "syscall": libc_address("syscall"),
                "descriptor": self.descriptor,
                "depth": depth,
                "sq_tail": sq + int(row["sq"][1]),
                "sq_mask": sq + int(row["sq"][2]),
                "sq_array": sq + int(row["sq"][6]),
                "sq_entries": sq_entries,
                "cq_head": cq + int(row["cq"][0]),
                "cq_tail": cq + int(row["cq"][1]),
                "cq_mask": cq + int(row["cq"][2]),
                "cq_entries": cq + int(row["cq"][5]),
            }
        )
        self._reads: npt.NDArray[np.void] = RING_READ.zeros(depth)
        size = CODE_PAGES * PAGE_BYTES
        self._buffers = np.zeros((depth + 1) * size, np.uint8)
        first = int(self._buffers.ctypes.data)
        first += -first % PAGE_BYTES
        for place in range(depth):
            self._reads[place]["buffer"] = first + place * size
        self.reset()

    def _set(self, fields: Mapping[str, int]) -> None:
        for name, value in fields.items():
            self._memory[0][name] = value

    def reset(self) -> None:
        """Have nothing under way."""
        depth = len(self._reads)
        for place in range(depth):
            self._reads[place]["next"] = place + 2 if place + 1 < depth else 0
        self._reads["device_reads"] = 0
        self._set({"reads": int(self._reads.ctypes.data), "free": 1, "under_way": 0, "queued": 0, "cost_ps": 0})

    @property
    def address(self) -> int:
        """Address of the worker's header (`node.store.ahead.layout.RING`)."""
        return int(self._memory.ctypes.data)

    def close(self) -> None:
        """Give it back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __del__(self) -> None:
        if getattr(self, "descriptor", -1) >= 0:
            self.close()


@cache
def why_no_ring() -> str:
    """Why there is no io_uring here; empty where there is one."""
    try:
        Ring(1).close()
    except StoreError as error:
        return str(error).removeprefix("io: ")
    return ""
