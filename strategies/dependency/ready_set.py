"""Set of ready transactions: whoever is free takes the lowest.

The lowest first, since a chain of dependent transactions falls behind what does not depend on anything, and what is
behind is low: so the chains that decide how long a block takes go first, without anybody computing how long they are.
And what is low holds up validation.

A bit a transaction, in words, and a count for each group of words, so that a search looks at few of them. A count is
raised before its bit is set and lowered after it is taken: it is never too low, and a group that counts none has none.
A search may miss what is added behind its back; the counter `readied`, raised last, then wakes who found nothing.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.dependency.layout import READY_GROUP, WORDS_PER_GROUP

WORD_BITS = 64
_M1, _M2, _M4 = U(0x5555555555555555), U(0x3333333333333333), U(0x0F0F0F0F0F0F0F0F)
_ONES = U(0x0101010101010101)
NOTHING_READY = -1


@macro
def ready_words(graph):
    """View of the words."""
    return view_u64(graph.ready, graph.ready_count)


@kernel(inline=True)
def lowest_bit(word):
    """Number of the lowest bit that is set in a word other than zero: the ones below it, counted."""
    below = (word & (~word + U1)) - U1
    below -= (below >> U1) & _M1
    below = (below & _M2) + ((below >> U(2)) & _M2)
    below = (below + (below >> U(4))) & _M4
    return I((below * _ONES) >> U(56))


@kernel()
def add_ready(graph, txn_idx):
    """Add a transaction; nothing changes if it is in the set."""
    words, word = ready_words(graph), txn_idx // WORD_BITS
    group = READY_GROUP.item(graph.groups, graph.group_count, word // WORDS_PER_GROUP)
    atomics.add(group, "count", U1)
    bit = U1 << U(txn_idx % WORD_BITS)
    content = atomics.load(words, word)
    while content & bit == U0:
        found = atomics.compare_and_swap(words, word, content, content | bit)
        if found == content:
            atomics.add(graph, "readied", U1)
            return
        content = found
    atomics.subtract(group, "count", U1)


@kernel()
def _take_from(graph, group, first, last):
    """Take the lowest transaction of so many words."""
    words = ready_words(graph)
    for word in range(first, last):
        content = atomics.load(words, word)
        while content != U0:
            found = atomics.compare_and_swap(words, word, content, content & (content - U1))
            if found == content:
                atomics.subtract(READY_GROUP.item(graph.groups, graph.group_count, group), "count", U1)
                return I(word * WORD_BITS) + lowest_bit(content)
            content = found
    return I(NOTHING_READY)


@kernel()
def take_lowest(graph, above):
    """Take the lowest transaction of the set, but for those below `above`; or `NOTHING_READY`."""
    first = above // WORD_BITS
    for group in range(first // WORDS_PER_GROUP, graph.group_count):
        if atomics.load(READY_GROUP.item(graph.groups, graph.group_count, group), "count") == U0:
            continue
        start = max(first, group * WORDS_PER_GROUP)
        found = _take_from(graph, group, start, min((group + 1) * WORDS_PER_GROUP, graph.ready_count))
        if found >= 0:
            return found
    return I(NOTHING_READY)
