"""Shared code store: codes that several processes have in common, raw bytes by hash, only ever added, without locks.

It holds no address, so every process may map it where it likes. Entries hang in chains from a table of heads; a new
one is written first and then put in front of its chain by one compare-and-swap. The same code may be there twice, when
two processes deploy it at once: the first one found is as good.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import move_bytes, view_u8, view_u64

# The store: its size and what is used of it, in words, then the heads of the chains.
SIZE, USED, HEADS = 0, 8, 16
HEAD_COUNT = 1 << 10
HEADER_WORDS = HEADS + HEAD_COUNT
# An entry: the next of its chain, the hash as a word, the size in bytes, the bytes.
E_NEXT, E_HASH, E_SIZE, E_BYTES = 0, 1, 5, 6


@kernel()
def find(store, word):
    """Address and size of the code with this hash; zeros when there is none."""
    header = view_u64(store, HEADER_WORDS)
    view = view_u64(store, I(header[U(SIZE)]))
    at = I(atomics.load(header, HEADS + I(word[0] & U(HEAD_COUNT - 1))))
    while at != 0:
        same = view[U(at + E_HASH)] == word[0] and view[U(at + E_HASH + 1)] == word[1]
        if same and view[U(at + E_HASH + 2)] == word[2] and view[U(at + E_HASH + 3)] == word[3]:
            return store + (at + E_BYTES) * 8, I(view[U(at + E_SIZE)])
        at = I(view[U(at + E_NEXT)])
    return 0, I(0)


@kernel()
def append(store, source, size, word):
    """Add a code unless it is there. False when there is no room."""
    if find(store, word)[0] != 0:
        return True
    header = view_u64(store, HEADER_WORDS)
    words = E_BYTES + ((size + 7) >> 3)
    at = I(atomics.add(header, USED, U(words)))
    if at + words > I(header[U(SIZE)]):
        return False
    view = view_u64(store, I(header[U(SIZE)]))
    for i in range(4):
        view[U(at + E_HASH + i)] = word[i]
    view[U(at + E_SIZE)] = U(size)
    move_bytes(view_u8(store + (at + E_BYTES) * 8, size), 0, view_u8(source, size), 0, size)
    head = HEADS + I(word[0] & U(HEAD_COUNT - 1))
    while True:
        first = atomics.load(header, head)
        view[U(at + E_NEXT)] = first
        if atomics.compare_and_swap(header, head, first, U(at)) == first:
            return True


def clear(store: npt.NDArray[np.uint64]) -> None:
    """Make a store empty, or a new one of memory that has `HEADER_WORDS` words at least."""
    store[:HEADER_WORDS] = 0
    store[SIZE], store[USED] = len(store), HEADER_WORDS


def codes_in(store: npt.NDArray[np.uint64]) -> Iterator[bytes]:
    """All codes of a store, each perhaps more than once."""
    for head in store[HEADS:HEADER_WORDS][store[HEADS:HEADER_WORDS] != 0]:
        at = int(head)
        while at:
            yield ctypes.string_at(store.ctypes.data + (at + E_BYTES) * 8, int(store[at + E_SIZE]))
            at = int(store[at + E_NEXT])
