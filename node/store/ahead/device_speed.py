"""Speed of a device: random pages of a file, so many reads under way, and nothing done with what they bring."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import (
    address_of_view,
    stack_buffer,
    view_u32,
    view_u64,
)
from contend.evm.runtime.structs import WORD_BYTES
from contend.node.store.ahead.layout import RING
from contend.node.store.ahead.ring import Ring, libc_address, why_no_ring
from contend.node.store.ahead.ring_reads import COMPLETION_WORDS, enter, queue_read, read_at
from contend.node.store.layout import PAGE_BYTES, PAGE_FILE
from contend.node.store.page_file import opened
from contend.node.store.page_reads import PAGE_WORDS, aligned, read_pages

_LOW = U(0xFFFFFFFF)
_ROOM = 2 * PAGE_WORDS


@kernel()
def _read_one_by_one(file_address, pages):
    """Read pages, each after the other. How many could be read."""
    file, target, read = PAGE_FILE.at(file_address), aligned(address_of_view(stack_buffer(_ROOM))), 0
    for i in range(pages.size):
        read += I(read_pages(file, target, pages[i], 1))
    return read


@kernel()
def _take_completions(ring):
    heads, mask, right = view_u32(ring.cq_head, 1), I(view_u32(ring.cq_mask, 1)[0]), 0
    head, tail = I(heads[0]), I(view_u32(ring.cq_tail, 1)[0])
    atomics.acquire_fence()
    while head != tail:
        completion = view_u64(ring.cq_entries + (head & mask) * COMPLETION_WORDS * WORD_BYTES, COMPLETION_WORDS)
        right += I(I(completion[1] & _LOW) == PAGE_BYTES)
        place = I(completion[0])
        read_at(ring, place).next = ring.free
        ring.free = place + 1
        ring.under_way -= 1
        head = (head + 1) & I(_LOW)
    atomics.release_fence()
    heads[0] = head
    return right


@kernel()
def _read_by_ring(ring_address, file_address, pages):
    """Read pages with as many under way as the ring takes. How many could be read."""
    ring, file = RING.at(ring_address), PAGE_FILE.at(file_address)
    begun, right = 0, 0
    while begun < pages.size or ring.under_way > 0:
        while ring.free > 0 and begun < pages.size:
            place = ring.free - 1
            read = read_at(ring, place)
            ring.free = read.next
            ring.under_way += 1
            read.page, read.pages = pages[begun], I(1)
            queue_read(ring, file, place)
            begun += 1
        if not enter(ring):
            return right
        right += _take_completions(ring)
    return right


def reads_per_second(descriptor: int, pages: npt.NDArray[np.int64], ring: Ring | None) -> float:
    """Random reads a second of a file that is open.

    Parameters
    ----------
    descriptor : int
    pages : ndarray of int64
        To be read.
    ring : Ring or None
        By which many reads are under way; None for one after the other.

    Raises
    ------
    OSError
        If one of them fails.
    """
    file: Any = PAGE_FILE.zeros()
    file[0]["descriptor"], file[0]["pread"] = descriptor, libc_address("pread")
    at = int(file.ctypes.data)
    if ring is not None:
        ring.reset()
    began = time.perf_counter()
    read = _read_one_by_one(at, pages) if ring is None else _read_by_ring(ring.address, at, pages)
    seconds = time.perf_counter() - began
    if read != len(pages):
        raise OSError(f"{len(pages) - read} of {len(pages)} reads failed")
    return len(pages) / seconds


def probe(folder: Path, pages: int = 8192, reads: int = 1000) -> tuple[float, float | None]:
    """Random reads a second of a new file in a folder: one after the other, and by a ring, None where there is none.

    Raises
    ------
    OSError
        If it cannot be written or read.
    """
    draw = np.random.default_rng(1)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        # What was never written would be read from nowhere.
        file.write(draw.bytes(pages * PAGE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        descriptor = opened(Path(file.name), direct=True)
        try:
            ring = None if why_no_ring() else Ring()
            found = []
            for way, count in ((None, reads), *([(ring, 4 * reads)] if ring else [])):
                wanted = draw.integers(0, pages, count)
                reads_per_second(descriptor, wanted[:64], way)
                found.append(reads_per_second(descriptor, wanted, way))
        finally:
            os.close(descriptor)
    return found[0], found[1] if len(found) > 1 else None
