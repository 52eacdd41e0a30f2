"""Contended locations: where those who read are, as a rule, the next to write.

A score for each location says it: a write of which readers are told adds one, as does who was expected to write and
has; who was expected to and has not takes eight away, since all that stood at its version stood for nothing. So where
few of many readers write, nobody is expected to for long. Scores are of this block alone, and are hints: two workers
that change one at the same moment may count one.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.layout import HEAD_SHIFT
from contend.strategies.block_stm.mv_memory import row_of
from contend.strategies.optimistic.block_stm_v2.layout import EVEN, LEAST_SCORE, MOST_SCORE, SCORE_MASK, STM_V2

DISAPPOINTMENT = U(8)


@kernel(inline=True)
def _score_of(shared, location):
    contended = atomics.load(row_of(shared, location), "contended")
    return contended & SCORE_MASK if contended >> HEAD_SHIFT == shared.epoch else EVEN


@kernel(inline=True)
def _set_score(shared, location, score):
    atomics.store(row_of(shared, location), "contended", (shared.epoch << HEAD_SHIFT) | score)


@kernel(inline=True)
def is_contended(shared, location):
    """Whether who reads a location is expected to write there."""
    return (
        STM_V2.at(shared.own).expects_writers != U0
        and _score_of(shared, location) > EVEN
        and location != shared.coinbase
    )


@kernel()
def raise_score(shared, location):
    """Readers of the location have been told of a write, or one that was expected to write has."""
    _set_score(shared, location, min(_score_of(shared, location) + U1, MOST_SCORE))


@kernel()
def lower_score(shared, location):
    """A reader of the location was expected to write there, and has not."""
    _set_score(shared, location, max(_score_of(shared, location), LEAST_SCORE + DISAPPOINTMENT) - DISAPPOINTMENT)
