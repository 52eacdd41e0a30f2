"""Ready set: transactions that can be executed, or go on; whoever is free takes the lowest.

The lowest first, since a chain of dependent transactions falls behind what does not depend on anything, and what is
behind is low: so the chains that decide how long a block takes go first, without anybody computing how long they are.
And what is low holds up validation.

A bit a transaction, in words, and a count for each group of words, so that a search looks at few of them. A count is
raised before its bit is set and lowered after it is taken: it is never too low, and a group that counts none has none.
A search may miss what is added behind its back; the counter `readied`, raised last, then wakes who found nothing.

Kernels take any header that has the fields `ready`, `ready_words`, `ready_groups`, `ready_group_count` and `readied`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import LINE_U64, Struct

WORD_BITS = 64
WORDS_PER_GROUP = 64
READY_GROUP = Struct("ReadyGroup", count=LINE_U64)
NOTHING_READY = -1


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _lowest_bit(typing_context: Any, word: Any) -> Any:
    """Number of the lowest bit that is set in a word that is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@macro
def _words_of(header):
    """View of the words."""
    return view_u64(header.ready, header.ready_words)


@kernel(inline=True)
def _group_of(header, word):
    return READY_GROUP.item(header.ready_groups, header.ready_group_count, word // WORDS_PER_GROUP)


@kernel()
def add_ready(header, txn_idx):
    """Add a transaction; nothing changes if it is in the set."""
    words, word = _words_of(header), txn_idx // WORD_BITS
    group = _group_of(header, word)
    atomics.add(group, "count", U1)
    bit = U1 << U(txn_idx % WORD_BITS)
    content = atomics.load(words, word)
    while content & bit == U0:
        found = atomics.compare_and_swap(words, word, content, content | bit)
        if found == content:
            atomics.add(header, "readied", U1)
            return
        content = found
    atomics.subtract(group, "count", U1)


@kernel()
def _take_from(header, first, last):
    """Take the lowest transaction of so many words of one group."""
    words = _words_of(header)
    for word in range(first, last):
        content = atomics.load(words, word)
        while content != U0:
            found = atomics.compare_and_swap(words, word, content, content & (content - U1))
            if found == content:
                atomics.subtract(_group_of(header, word), "count", U1)
                return I(word * WORD_BITS) + _lowest_bit(content)
            content = found
    return I(NOTHING_READY)


@kernel()
def take_lowest(header, above):
    """Take the lowest transaction of the set, or `NOTHING_READY`. None is below `above`: the search begins there."""
    first = above // WORD_BITS
    for group in range(first // WORDS_PER_GROUP, header.ready_group_count):
        start = max(first, group * WORDS_PER_GROUP)
        if atomics.load(_group_of(header, start), "count") == U0:
            continue
        found = _take_from(header, start, min((group + 1) * WORDS_PER_GROUP, header.ready_words))
        if found >= 0:
            return found
    return I(NOTHING_READY)


class ReadyMemory:
    """Memory of a set, made in Python, outside the time.

    Parameters
    ----------
    size : int
        Transactions in the block.

    Attributes
    ----------
    words : ndarray of uint64
        A bit a transaction.
    """

    def __init__(self, size: int) -> None:
        self.words = np.zeros(-(-max(size, 1) // WORD_BITS), np.uint64)
        self._groups = READY_GROUP.lines(-(-len(self.words) // WORDS_PER_GROUP))

    def fill(self, size: int) -> None:
        """Put the first so many transactions into the set, which is empty and nobody uses yet."""
        whole, rest = divmod(size, WORD_BITS)
        self.words[:whole] = ~np.uint64(0)
        if rest:
            self.words[whole] = (1 << rest) - 1
        for number, group in enumerate(self._groups):
            first = number * WORDS_PER_GROUP * WORD_BITS
            group["count"] = min(max(size - first, 0), WORDS_PER_GROUP * WORD_BITS)

    def open(self, header: Any) -> None:
        """Empty the set, and fill the fields of the header that leads to it. Timed."""
        self.words.fill(0)
        self._groups[:] = np.zeros((), self._groups.dtype)
        header["ready"], header["ready_words"] = self.words.ctypes.data, len(self.words)
        header["ready_groups"], header["ready_group_count"] = self._groups.ctypes.data, len(self._groups)
