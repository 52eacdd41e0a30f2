"""Ready set: transactions that were put aside and can go on, the lowest first.

A bit a transaction. Those that are alive, begun and not executed, are never more than there are machines, and lie
close together, so that the lowest is found within a few words. It starts where everything below has been executed:
`first_live` never points behind a transaction that is alive, and whoever searches moves it forward. Workers may store
it in any order, since each value was true when it was found and stays so.

`ready_count` spares the search where there is nothing to find. It is raised before a bit is set and lowered after one
is taken, so that it is never less than there are bits; a worker that finds no bit behind it looks again, since `news`
changes when the bit is there.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64, view_u64
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.placeholder.layout import FILLED

NOBODY_READY = -1
_WORD_SHIFT, _BIT_MASK = U(6), U(63)
WORD_BITS = 64


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _lowest_bit(typing_context: Any, word: Any) -> Any:
    """Number of the lowest bit that is set in a word that is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@kernel()
def make_ready(space, txn_idx):
    """Let any worker take up a transaction that was put aside."""
    ready = view_u64(space.ready, space.ready_words)
    atomics.add(space, "ready_count", U1)
    # No two workers set the same bit, and none is set that is set already: to add is to set.
    atomics.add(ready, I(U(txn_idx) >> _WORD_SHIFT), U1 << (U(txn_idx) & _BIT_MASK))


@kernel()
def _first_live(shared, space):
    """Move `first_live` forward over all that have filled their placeholders; where it is then."""
    first = I(atomics.load(space, "first_live"))
    before = first
    while first < shared.block_size and atomics.load(transaction_of(shared, first), "waiters") == FILLED:
        first += 1
    if first != before:
        atomics.store(space, "first_live", U(first))
    return first


@kernel()
def take_ready(shared, space):
    """Take the lowest transaction that can go on, or `NOBODY_READY`."""
    if atomics.load(space, "ready_count") == U0:
        return I(NOBODY_READY)
    ready = view_u64(space.ready, space.ready_words)
    begun = min(I(atomics.load(space, "next_transaction")), shared.block_size)
    at = I(U(_first_live(shared, space)) >> _WORD_SHIFT)
    while at * WORD_BITS < begun:
        word = atomics.load(ready, at)
        if word == U0:
            at += 1
            continue
        bit = _lowest_bit(word)
        if atomics.compare_and_swap(ready, at, word, word & (word - U1)) == word:
            atomics.subtract(space, "ready_count", U1)
            return at * WORD_BITS + bit
    return I(NOBODY_READY)


@kernel(inline=True)
def context_number(shared, space, txn_idx):
    """Number of the context that a transaction was put aside with."""
    return view_i64(space.context_of, shared.block_size)[U(txn_idx)]
