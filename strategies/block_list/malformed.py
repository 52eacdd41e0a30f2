"""What makes an encoded list malformed: noted by whoever finds it, the lowest offset counts."""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_list.layout import REASON_SHIFT, SOUND

# What the kernels of this package return instead of a count or an offset.
MALFORMED, FAULTED, UNFIT = -1, -2, -3  # it breaks a rule; something is full; the room of the piece is too small

NOT_RLP, NOT_ITS_SHAPE, NOT_AN_INTEGER, WRONG_ORDER, INDEX_OUT_OF_RANGE, NO_CHANGE, NAMED_TWICE = range(7)
REASONS = (
    "the bytes are not RLP",
    "the items are not those of an access list",
    "an integer is too long or has a leading zero",
    "wrong order",
    "an index is beyond the block's end",
    "a slot without a change",
    "a slot stands in storage_changes and in storage_reads",
)


@kernel()
def refuse(block_list, at, reason):
    """Note that the list breaks a rule at an offset; `MALFORMED`."""
    atomics.minimum(block_list, "malformed", (U(at) << REASON_SHIFT) | U(reason))
    return I(MALFORMED)


@kernel(inline=True)
def is_refused(block_list):
    """Whether a rule is known to be broken."""
    return atomics.load(block_list, "malformed") != SOUND
