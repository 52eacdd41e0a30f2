"""A timeline as text: a line a worker, a letter for what it did most of the time, and shares of all workers' time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from contend.harness.present.formatting import share
from contend.harness.record.content.execution_counts import EXECUTIONS, WASTED
from contend.strategies.clocks import ACT_WASTED, ACTIVITIES

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

_LETTERS = [name[0] for name in ACTIVITIES]
_LETTERS[ACT_WASTED] = "/"
_IDLE = "."
_MOST_LINES = 32


def lines(rows: Rows, workers: int, width: int) -> Iterator[str]:
    """One line for each worker; none where workers are too many to be looked at so.

    Parameters
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity, begin and end in picoseconds.
    workers : int
    width : int
        Of a line.
    """
    if workers > _MOST_LINES:
        return
    begin, end = int(rows[:, 2].min()), int(rows[:, 3].max())
    margin = len(str(workers - 1)) + 1
    edges = np.linspace(begin, end, max(width - margin, 10) + 1)
    for worker in range(workers):
        own = rows[rows[:, 0] == worker]
        spent = np.stack([_spent(own[own[:, 1] == number], edges) for number in range(len(ACTIVITIES))])
        most = spent.argmax(axis=0)
        busy = spent.sum(axis=0) > np.diff(edges) / 2
        text = "".join(_LETTERS[number] if works else _IDLE for number, works in zip(most, busy, strict=True))
        yield f"{worker:>{margin - 1}} {text}"


def legend(spent: Mapping[int, float]) -> str:
    """What the letters mean, and each activity's share of all workers' time.

    Parameters
    ----------
    spent : mapping
        Share by activity.
    """
    told = [f"{_LETTERS[number]} {ACTIVITIES[number]} {share(part)}" for number, part in spent.items()]
    return ", ".join([*told, f"{_IDLE} idle {share(max(1 - sum(spent.values()), 0))}"])


def account(counters: Mapping[str, float], transactions: int) -> str:
    """What became of the executions, as a sum; empty where the strategy does not count them."""
    if EXECUTIONS not in counters:
        return ""
    parts = "".join(f" + {counters[name]:,} {called}" for name, called in WASTED.items() if name in counters)
    return f"{counters[EXECUTIONS]:,} executions = {transactions:,} transactions{parts}"


def _spent(own: Rows, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Time of rows within each of the pieces between edges."""
    ends = np.sort(own[:, 2:4], axis=0)
    known = np.concatenate([[0], np.cumsum(ends[:, 1] - ends[:, 0])])

    def until(moment: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        begun = np.searchsorted(ends[:, 0], moment, side="right")
        found: npt.NDArray[np.float64] = known[begun].astype(float)
        if len(ends):
            last = ends[np.maximum(begun - 1, 0), 1]
            found -= np.where(begun > 0, np.maximum(last - moment, 0), 0)
        return found

    return np.diff(until(edges))
