"""Features: what can be seen of a block before it is executed, as whole numbers.

A choice has to cost microseconds, or small blocks had better be executed serially at once. So no more than `SAMPLE`
transactions are looked at, evenly over the block; of each what its row and a part of its call data say; and that only
when it is asked for (`decision_tree`). What tells most about conflicts is how often two transactions have something in
common: the chance that two drawn at random do is estimated without bias by the pairs of a sample, whatever its size
(Simpson, "Measurement of diversity", Nature 163, 1949), so that blocks of all sizes are seen alike. Beside it stands
the share of the commonest, which makes a star.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contend.evm.block_image import BlockImage
from contend.evm.layout import BLOCK, TRANSACTION
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, view_u8
from contend.strategies.hints.template.words import mix

Features = npt.NDArray[np.int64]

SAMPLE = 64
COMMON = ("sender", "target", "function", "first_argument", "second_argument", "last_argument")
"""What two transactions may have in common; of functions the target as well, of arguments the function."""
OF_PAST = ("past_gas", "past_repeats", "past_waits")
FEATURES: dict[str, str] = {
    "workers": "workers",
    "transactions": "transactions",
    "past_gas": "gas that a transaction of the block before has used",
    "past_repeats": "executions thrown away for a thousand transactions of the block before",
    "past_waits": "waits for a thousand transactions of the block before",
    "calls": "transactions of a thousand that have call data",
    "call_bytes": "bytes of call data, on the average",
    "gas_limit": "thousands of gas that a transaction may use, on the average",
    "most_gas": "thousandths of the gas of all that the largest transaction may use",
    **{f"same_{name}": f"pairs of ten thousand that have the {name.replace('_', ' ')} in common" for name in COMMON},
    **{f"most_{name}": f"transactions of a thousand with the commonest {name.replace('_', ' ')}" for name in COMMON},
}
"""Names, and what they say, in their order."""
UNKNOWN = -1
"""What is not known of a block before."""

TABLE_WORDS = 2 * 2 * SAMPLE
"""Of a table of keys with their counts."""
OF_ROWS = 1
"""The group of features that rows tell; before it that of what needs no look, behind it one for each of `COMMON`."""
_SLOTS = 2 * SAMPLE
_ARGUMENT_AT, _ARGUMENT_BYTES = 4, 32
_SENDER, _TARGET, _FUNCTION, _FIRST, _SECOND = range(5)
_FIRST_OF_ROWS, _FIRST_SAME = 5, 9
_FIRST_MOST = _FIRST_SAME + len(COMMON)
_PAIRS, _SHARE, _GAS = 10_000, 1_000, 1_000


@kernel(inline=True)
def group_of(feature):
    """The group that a feature is in; 0 needs no look at transactions."""
    if feature < _FIRST_OF_ROWS:
        return I(0)
    if feature < _FIRST_SAME:
        return I(OF_ROWS)
    return I(OF_ROWS + 1) + (feature - _FIRST_SAME) % (_FIRST_MOST - _FIRST_SAME)


@kernel(inline=True)
def _row(block, number, count):
    """A transaction of the sample."""
    return TRANSACTION.item(block.transactions, block.size, number * block.size // count)


@kernel()
def _look_at_rows(block, count, found):
    calls, size, gas, largest = I(0), I(0), I(0), I(0)
    for number in range(count):
        row = _row(block, number, count)
        calls += I(1) if row.data_size > 0 else I(0)
        size += row.data_size
        limit = row.gas_limit // _GAS
        gas += limit
        largest = max(largest, limit)
    count = max(count, 1)
    found[_FIRST_OF_ROWS] = calls * _SHARE // count
    found[_FIRST_OF_ROWS + 1] = size // count
    found[_FIRST_OF_ROWS + 2] = gas // count
    found[_FIRST_OF_ROWS + 3] = largest * _SHARE // max(gas, 1)


@kernel(inline=True)
def _argument(data, at, size):
    """The lower half of an argument's bytes, hashed; 0 where there is none."""
    if at < 0 or at + _ARGUMENT_BYTES > size:
        return U0
    return mix(load_8(data, at + 16), load_8(data, at + 24))


@kernel()
def _key_of(block, row, kind):
    """A hash of what a transaction has of a kind."""
    if kind == _SENDER:
        sender = row.sender
        return mix(mix(sender[0], sender[1]), sender[2])
    to = row.to
    target = mix(mix(to[0], to[1]), to[2] + row.creates)
    if kind == _TARGET:
        return target
    size = row.data_size
    data = view_u8(block.data + row.data_at, size)
    function = mix(target, load_8(data, 0) & U(0xFFFFFFFF) if size >= 8 else U(size))
    if kind == _FUNCTION:
        return function
    if kind == _FIRST:
        return mix(function, _argument(data, I(_ARGUMENT_AT), size))
    if kind == _SECOND:
        return mix(function, _argument(data, I(_ARGUMENT_AT + _ARGUMENT_BYTES), size))
    return mix(function, _argument(data, size - _ARGUMENT_BYTES, size))


@kernel(inline=True)
def _counted(table, key):
    """How many of the sample had the key before; it is entered once more."""
    key |= U1  # zero is a free slot
    at = I(key >> U(40)) & (_SLOTS - 1)
    while table[U(2 * at)] != U0 and table[U(2 * at)] != key:
        at = (at + 1) & (_SLOTS - 1)
    table[U(2 * at)] = key
    before = I(table[U(2 * at + 1)])
    table[U(2 * at + 1)] = U(before + 1)
    return before


@kernel()
def _look_at_keys(block, count, kind, table, found):
    for at in range(table.size):
        table[U(at)] = U0
    pairs, most = I(0), I(0)
    for number in range(count):
        before = _counted(table, _key_of(block, _row(block, number, count), kind))
        pairs += before
        most = max(most, before + 1)
    found[_FIRST_SAME + kind] = pairs * _PAIRS // max(count * (count - 1) // 2, 1)
    found[_FIRST_MOST + kind] = most * _SHARE // max(count, 1)


@kernel()
def look(image, group, table, found):
    """Fill in the features of a group, by a table of `TABLE_WORDS`; how many transactions were looked at."""
    if group < OF_ROWS:
        return I(0)
    block = BLOCK.at(image)
    count = min(block.size, I(SAMPLE))
    if group == OF_ROWS:
        _look_at_rows(block, count, found)
    else:
        _look_at_keys(block, count, group - (OF_ROWS + 1), table, found)
    return count


def all_features(image: BlockImage, workers: int) -> Features:
    """All features of a block, nothing being known of the one before.

    Returns
    -------
    ndarray of int64, shape (len(FEATURES),)
        In the order of `FEATURES`.
    """
    found, table = np.full(len(FEATURES), UNKNOWN, np.int64), np.zeros(TABLE_WORDS, np.uint64)
    found[:2] = workers, len(image)
    for group in range(OF_ROWS + 1 + len(COMMON)):
        look(image.address, group, table, found)
    return found


def with_past(features: Features, past: tuple[int, ...]) -> Features:
    """The same features, where the block before has told something (`OF_PAST`)."""
    found = features.copy()
    found[2 : 2 + len(past)] = past
    return found
