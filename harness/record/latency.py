"""Latency from arrival to commit, of several blocks in a row: computed from measured seconds of each block.

The model is an open system, as a chain is: transactions arrive whether or not the node keeps up.

- Transactions arrive as the workload's burst says (`workloads.building.arrivals`), at a rate that is, on average over
all
  blocks, a share of what the serial strategy executes (the load), or a number of transactions per second.
- Block k takes in what arrives in the k-th interval, and is closed at its end. All intervals are of one length, that
  which makes the rate what it is: more arrive, so a burst makes larger blocks, not more of them.
- A block begins to execute when it is closed and the block before it has been executed. So what one block takes longer
  than an interval, all that follow wait for: a backlog.
- A transaction is committed when its block has been executed, and its latency is that moment minus its arrival.

The load is relative to the serial run of the same round, so that a slow minute of the machine slows arrivals down as it
slows execution down, and all strategies of a round are offered the same. At the default of 0.8 a steady stream leaves
the serial strategy a fifth of its time; a burst exceeds what it can do, for as long as it lasts. The ratio of offered
to possible load is what queueing theory calls utilisation: at one and above, the backlog of a steady stream grows for
ever, and percentiles say only how long one has looked.

Arrivals are kept as counts in equal parts of each interval, and the transactions of a part are taken as spread evenly
over it, which is how bursts are defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

PARTS = 12
"""Of an interval: seconds of a block, where blocks come every twelve seconds."""
_PERCENTILES = (50, 99)

Seconds = npt.NDArray[np.float64]


def counted(arrivals: Sequence[npt.NDArray[np.int64]], sizes: Sequence[int], interval: int) -> list[list[int]]:
    """Arrivals of each block by part of its interval.

    Parameters
    ----------
    arrivals : sequence of ndarray of int64
        For each block, when its transactions arrived, in the unit of `interval`, since the first interval began. Empty
        where nobody knows: then they arrive evenly.
    sizes : sequence of int
        Transactions in each block.
    interval : int
        Length of each block's interval.

    Returns
    -------
    list of list of int
        `PARTS` counts for each block.

    Raises
    ------
    ValueError
        If there is not one arrival for each transaction, or one lies outside its block's interval.
    """
    if not len(arrivals):
        return [[size * (part + 1) // PARTS - size * part // PARTS for part in range(PARTS)] for size in sizes]
    if [len(one) for one in arrivals] != list(sizes):
        raise ValueError("arrivals: not one for each transaction of each block")
    found = []
    for block, one in enumerate(arrivals):
        parts = (np.asarray(one) - block * interval) * PARTS // interval
        if len(parts) and not 0 <= parts.min() <= parts.max() < PARTS:
            raise ValueError(f"arrivals: those of block {block} are not all within its interval")
        found.append(np.bincount(parts, minlength=PARTS).tolist())
    return found


def arrival_seconds(counts: Iterable[Sequence[int]], interval: float) -> list[Seconds]:
    """Arrival times of the transactions of each block, in seconds since the first interval began.

    Parameters
    ----------
    counts : iterable of sequences of int
        As `counted` gives them.
    interval : float
        Seconds.

    Returns
    -------
    list of ndarray of float64
        One ascending array a block.
    """
    found = []
    for block, parts in enumerate(counts):
        within = [part + (np.arange(count) + 0.5) / count for part, count in enumerate(parts) if count]
        places = np.concatenate(within) if within else np.zeros(0)
        found.append((block + places / len(parts)) * interval)
    return found


def commit_seconds(block_seconds: Sequence[float], interval: float) -> list[float]:
    """Commit time of each block, in seconds since the first interval began."""
    found, free = [], 0.0
    for block, seconds in enumerate(block_seconds):
        free = max(free, (block + 1) * interval) + seconds
        found.append(free)
    return found


def latencies(counts: Sequence[Sequence[int]], block_seconds: Sequence[float], interval: float) -> list[Seconds]:
    """Seconds from arrival to commit of the transactions of each block, descending in each."""
    commits = commit_seconds(block_seconds, interval)
    return [commit - arrived for commit, arrived in zip(commits, arrival_seconds(counts, interval), strict=True)]


def summary(cell: Mapping[str, Any]) -> dict[str, Any] | None:
    """Latency figures of a cell's samples.

    Parameters
    ----------
    cell : mapping
        Of a record: with ``samples``, ``transactions``, ``arrivals``, and ``load`` or ``rate``.

    Returns
    -------
    dict or None
        Medians over the samples: ``offered_tx_per_second``, ``interval_seconds``, ``p50_seconds``, ``p99_seconds`` over
        all transactions, and ``by_block``: the same two, lists, over those of each block. None without samples.
    """
    counts, samples = cell["arrivals"], cell["samples"]
    if not samples:
        return None
    offered, intervals, whole, single = [], [], [], []
    for sample in samples:
        rate = cell.get("rate") or cell["load"] * cell["transactions"] / sample["baseline_seconds"]
        interval = cell["transactions"] / len(counts) / rate
        found = latencies(counts, sample["block_seconds"], interval)
        offered.append(rate)
        intervals.append(interval)
        whole.append(np.percentile(np.concatenate(found), _PERCENTILES))
        single.append([np.percentile(one, _PERCENTILES) for one in found])
    p50, p99 = np.median(whole, axis=0)
    by_block = np.median(single, axis=0)
    return {
        "offered_tx_per_second": float(np.median(offered)),
        "interval_seconds": float(np.median(intervals)),
        "p50_seconds": float(p50),
        "p99_seconds": float(p99),
        "by_block": {"p50_seconds": by_block[:, 0].tolist(), "p99_seconds": by_block[:, 1].tolist()},
    }
