"""Arrival times of transactions: bursts over the blocks of a scenario.

A chain makes a block every twelve seconds of the transactions that arrived. Each burst is a shape of the arrival rate,
relative to its ordinary level; the blocks of a scenario share its transactions in proportion. Sources: the opening
second of NASDAQ has 808 times the orders of the median second; a token sale is a plateau of 7 times the ordinary rate
over minutes; the busiest second of something viral has 25 times the median.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contend.workloads.base import Dial
from contend.workloads.building.sampling import RandomStream

if TYPE_CHECKING:
    from contend.workloads.base import Milliseconds

BLOCK_SECONDS = 12
# Rate of the busiest second, relative to the ordinary one.
OPENING, PLATEAU, VIRAL = 808, 7, 25
BURSTS = ("steady", "opening", "plateau", "viral")
BURST = Dial("burst", "steady", "how arrivals spread over several blocks; one block holds all of them", choices=BURSTS)


def rates(burst: str, blocks: int) -> list[list[int]]:
    """Arrival rates in each second of each block, shape (blocks, 12), relative to the ordinary rate."""
    seconds = [[1] * BLOCK_SECONDS for _ in range(blocks)]
    if burst == "opening":
        seconds[0][0] = OPENING
    elif burst == "viral":
        seconds[blocks // 2][BLOCK_SECONDS // 2] = VIRAL
    elif burst == "plateau":
        # The middle third of the blocks, at least one.
        for block in range(blocks // 3, max(blocks // 3 + 1, 2 * blocks // 3)):
            seconds[block] = [PLATEAU] * BLOCK_SECONDS
    return seconds


def block_sizes(burst: str, block_size: int, blocks: int) -> list[int]:
    """Numbers of transactions in each block: `block_size` on average, at least one, in proportion to the arrivals.

    Parameters
    ----------
    burst : str
        One of `BURSTS`.
    block_size : int
        At least one.
    blocks : int
        Number of blocks.

    Examples
    --------
    >>> block_sizes("plateau", 100, 3)
    [34, 232, 34]
    """
    if burst == "steady":
        return [block_size] * blocks
    weights = [sum(seconds) for seconds in rates(burst, blocks)]
    total = block_size * blocks
    # Each gets one, the rest is shared; what rounding leaves goes to the busiest.
    sizes = [1 + (total - blocks) * weight // sum(weights) for weight in weights]
    sizes[weights.index(max(weights))] += total - sum(sizes)
    return sizes


def arrival_times(burst: str, sizes: list[int], stream: RandomStream) -> list[Milliseconds]:
    """Arrival times of the transactions of each block, in milliseconds since the first block's interval began.

    Parameters
    ----------
    burst : str
        One of `BURSTS`.
    sizes : list[int]
        Transactions in each block.
    stream : RandomStream

    Returns
    -------
    list of ndarray of int64
        An array of shape (transactions of the block,) for each block, ascending: transactions execute in the order of
        their arrival.
    """
    arrived = []
    for block, (size, seconds) in enumerate(zip(sizes, rates(burst, len(sizes)), strict=True)):
        # A second of rate r is r times as long on this scale.
        ends = np.cumsum(np.array(seconds, dtype=np.int64)) * 1_000
        points = np.sort(stream.below(int(ends[-1]), size))
        second = np.searchsorted(ends, points, side="right")
        begins = np.concatenate([[0], ends[:-1]])[second]
        within = (points - begins) // np.array(seconds, dtype=np.int64)[second]
        arrived.append(((block * BLOCK_SECONDS + second) * 1_000 + within).astype(np.int64))
    return arrived
