"""Features: what can be seen of a block before it is executed, as whole numbers.

A choice has to cost microseconds, or small blocks had better be executed serially at once. So no more than `SAMPLE`
transactions are looked at, evenly over the block, and of each what its row and the beginning of its call data say. What
tells most about conflicts is how often two transactions have something in common: the chance that two drawn at random
do is estimated without bias by the pairs of a sample, whatever its size (Simpson, "Measurement of diversity", Nature
163, 1949), so that blocks of all sizes are seen alike. Beside it stands the share of the commonest, which makes a star.
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

SAMPLE = 128
COMMON = ("sender", "target", "function", "first_argument", "second_argument", "last_argument")
"""What two transactions may have in common; of functions the target as well, of arguments the function."""
OF_BLOCK = ("transactions", "calls", "call_bytes", "gas_limit")
OF_PAST = ("past_gas", "past_repeats", "past_waits")
FEATURES: dict[str, str] = {
    "workers": "workers",
    "transactions": "transactions",
    "calls": "transactions of a thousand that have call data",
    "call_bytes": "bytes of call data, on the average",
    "gas_limit": "gas limit in thousands, on the average",
    **{f"same_{name}": f"pairs of ten thousand that have the {name.replace('_', ' ')} in common" for name in COMMON},
    **{f"most_{name}": f"transactions of a thousand that have the commonest {name.replace('_', ' ')}" for name in COMMON},
    "past_gas": "gas that a transaction of the block before has used; -1 where none is known",
    "past_repeats": "executions thrown away for a thousand transactions of the block before; -1 where none is known",
    "past_waits": "waits for a thousand transactions of the block before; -1 where none is known",
}
"""Names, and what they say, in their order."""
UNKNOWN = -1

_SLOTS = 2 * SAMPLE  # of a table, a power of two
_ARGUMENT_AT, _ARGUMENT_BYTES = 4, 32
_TABLES = len(COMMON)
_FIRST_SAME = 1 + len(OF_BLOCK)
_FIRST_MOST = _FIRST_SAME + _TABLES
_PAIRS, _SHARE, _GAS = 10_000, 1_000, 1_000


@kernel(inline=True)
def _counted(tables, kind, key):
    """How many of the sample had the key before, in the table of its kind; it is entered once more."""
    key |= U1  # zero is a free slot
    at = I(key >> U(40)) & (_SLOTS - 1)
    first = kind * 2 * _SLOTS
    while tables[U(first + 2 * at)] != U0 and tables[U(first + 2 * at)] != key:
        at = (at + 1) & (_SLOTS - 1)
    tables[U(first + 2 * at)] = key
    before = I(tables[U(first + 2 * at + 1)])
    tables[U(first + 2 * at + 1)] = U(before + 1)
    return before


@kernel(inline=True)
def _argument(data, at, size):
    """Half of an argument's bytes, the lower ones, as one word; 0 where there is none."""
    if at < 0 or at + _ARGUMENT_BYTES > size:
        return U0
    return mix(load_8(data, at + 16), load_8(data, at + 24))


@kernel()
def look_at(image, tables, found):
    """Fill `found` with the features of the block, by tables of `_TABLES` times `_SLOTS` keys with their counts."""
    block = BLOCK.at(image)
    count = min(block.size, SAMPLE)
    for at in range(tables.size):
        tables[U(at)] = U0
    for at in range(_FIRST_SAME, _FIRST_MOST + _TABLES):
        found[at] = 0
    calls, size, gas = 0, 0, 0
    for number in range(count):
        row = TRANSACTION.item(block.transactions, block.size, number * block.size // count)
        data = view_u8(block.data + row.data_at, row.data_size)
        to = row.to
        sender = row.sender
        calls += 1 if row.data_size > 0 else 0
        size += row.data_size
        gas += row.gas_limit // _GAS
        target = mix(mix(to[0], to[1]), to[2] + row.creates)
        selector = load_8(data, 0) & U(0xFFFFFFFF) if row.data_size >= 8 else U(row.data_size)
        function = mix(target, selector)
        first = mix(function, _argument(data, _ARGUMENT_AT, row.data_size))
        second = mix(function ^ U1, _argument(data, _ARGUMENT_AT + _ARGUMENT_BYTES, row.data_size))
        last = mix(function ^ U(2), _argument(data, row.data_size - _ARGUMENT_BYTES, row.data_size))
        keys = (mix(mix(sender[0], sender[1]), sender[2]), target, function, first, second, last)
        for kind in range(_TABLES):
            before = _counted(tables, kind, keys[kind])
            found[_FIRST_SAME + kind] += before
            found[_FIRST_MOST + kind] = max(found[_FIRST_MOST + kind], before + 1)
    pairs = max(count * (count - 1) // 2, 1)
    count = max(count, 1)
    for kind in range(_TABLES):
        found[_FIRST_SAME + kind] = found[_FIRST_SAME + kind] * _PAIRS // pairs
        found[_FIRST_MOST + kind] = found[_FIRST_MOST + kind] * _SHARE // count
    found[1] = block.size
    found[2] = calls * _SHARE // count
    found[3] = size // count
    found[4] = gas // count


class BlockFeatures:
    """Features of blocks, one after the other, in memory that is kept."""

    def __init__(self) -> None:
        self._tables = np.zeros(_TABLES * 2 * _SLOTS, np.uint64)
        self._found = np.zeros(len(FEATURES), np.int64)

    def of(self, image: BlockImage, workers: int, past: tuple[int, int, int]) -> Features:
        """Features of a block.

        Parameters
        ----------
        image : BlockImage
        workers : int
        past : tuple of int
            Those of `OF_PAST`.

        Returns
        -------
        ndarray of int64, shape (len(FEATURES),)
            In the order of `FEATURES`; valid until the next call.
        """
        self._found[0] = workers
        self._found[-len(OF_PAST) :] = past
        look_at(image.address, self._tables, self._found)
        return self._found

    @staticmethod
    def looked_up(transactions: int) -> int:
        """How many keys are looked up for a block of so many transactions."""
        return min(transactions, SAMPLE) * _TABLES
