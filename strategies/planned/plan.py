"""Plans: who executes what after what, decided before execution, in plain Python.

A plan may be wrong. The engine (`strategies.planned.engine`) executes it, finds by validation what strayed, and repairs
it; so a plan decides only how fast the serial result is reached.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def _empty_edges() -> Indices:
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Plan:
    """Either lanes or a dependency graph.

    Attributes
    ----------
    lanes : sequence of arrays of int64, or None
        Transaction indices. A lane is executed in its order by one worker; workers take lanes in the order given.
        A transaction in no lane is executed when all lanes have ended; one that is named again is not repeated.
    edges : ndarray of int64, shape (k, 2)
        Used when there are no lanes: pairs of transactions that conflict. The one that comes first in the block is
        executed first.
    """

    lanes: Sequence[Indices] | None = None
    edges: Indices = field(default_factory=_empty_edges)


@dataclass(frozen=True)
class PlanArrays:
    """A plan as kernels read it.

    Attributes
    ----------
    lanes, lane_starts : ndarray of int64
        Transactions lane by lane; where each lane begins, and the end of the last.
    waits : ndarray of uint64
        For a graph: how many predecessors each transaction has.
    successors, successor_starts : ndarray of int64
        For a graph: who waits for each transaction.
    ready : ndarray of uint64
        For a graph: the queue, holding at first those that wait for nobody (each plus one).
    planned : int
        Transactions in the plan.
    ready_count : int
        How many the queue holds at first.
    missing : int
        The first transaction that is not in the plan; the block's size if there is none.
    """

    lanes: Indices
    lane_starts: Indices
    waits: npt.NDArray[np.uint64]
    successors: Indices
    successor_starts: Indices
    ready: npt.NDArray[np.uint64]
    planned: int
    ready_count: int
    missing: int

    @classmethod
    def of(cls, plan: Plan, size: int) -> PlanArrays:
        """Check a plan for a block of `size` transactions and lay it out.

        Raises
        ------
        ValueError
            If it has both lanes and edges, names a transaction that is not in the block, or names one by what is no
            integer.
        TypeError
            If it is no plan.
        """
        if not isinstance(plan, Plan):
            raise TypeError(f"plan returned {type(plan).__name__}, not a Plan")
        if plan.lanes is not None and len(plan.edges):
            raise ValueError("plan: it has lanes and edges; the engine follows one or the other")
        return cls._of_graph(plan.edges, size) if plan.lanes is None else cls._of_lanes(plan.lanes, size)

    @classmethod
    def _of_lanes(cls, lanes: Sequence[Indices], size: int) -> PlanArrays:
        arrays = [_indices(lane, "a lane").reshape(-1) for lane in lanes]
        indices = np.concatenate([np.zeros(0, np.int64), *arrays])
        if len(indices) and not (indices.min() >= 0 and indices.max() < size):
            wrong = int(indices[(indices < 0) | (indices >= size)][0])
            raise ValueError(f"plan: a lane names transaction {wrong}, but the block has {size}")
        lane_of = np.repeat(np.arange(len(arrays)), [len(lane) for lane in arrays])
        _, first = np.unique(indices, return_index=True)
        kept = np.sort(first)
        indices, lane_of = indices[kept], lane_of[kept]
        starts = np.searchsorted(lane_of, np.arange(len(arrays) + 1)).astype(np.int64)
        present = np.zeros(size + 1, np.bool_)
        present[indices] = True
        none, no_words = np.zeros(1, np.int64), np.zeros(1, np.uint64)
        return cls(indices, starts, no_words, none, none, no_words, len(indices), 0, int(present.argmin()))

    @classmethod
    def _of_graph(cls, edges: Indices, size: int) -> PlanArrays:
        edges = _indices(edges, "an edge").reshape(-1, 2)
        if len(edges) and not (edges.min() >= 0 and edges.max() < size):
            wrong = int(edges[(edges < 0) | (edges >= size)][0])
            raise ValueError(f"plan: an edge names transaction {wrong}, but the block has {size}")
        earlier, later = edges.min(axis=1), edges.max(axis=1)
        apart = earlier != later
        earlier, later = earlier[apart], later[apart]
        order = np.argsort(earlier, kind="stable")
        starts = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(earlier, minlength=size), out=starts[1:])
        waits = np.bincount(later, minlength=size).astype(np.uint64)
        free = np.flatnonzero(waits == 0)
        ready = np.zeros(size, np.uint64)
        ready[: len(free)] = free + 1
        none = np.zeros(1, np.int64)
        return cls(none, none, waits, later[order], starts, ready, size, len(free), size)


def _indices(given: object, what: str) -> Indices:
    """Transaction indices as int64; floats would be cut off in silence."""
    found = np.asarray(given)
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"plan: {what} holds {found.dtype}; transaction indices are integers")
    return found.astype(np.int64)


def pack_longest_first(costs: npt.NDArray[np.int64], bins: int) -> Indices:
    """Spread items over bins, the costliest first, each into the bin with the least so far.

    Graham's LPT rule (1969): never more than 4/3 of the best possible, less a little.

    Parameters
    ----------
    costs : ndarray of int64, shape (n,)
    bins : int

    Returns
    -------
    ndarray of int64, shape (n,)
        The bin of each item.
    """
    loads = [(0, number) for number in range(bins)]
    found = np.zeros(len(costs), np.int64)
    for item in np.argsort(-costs, kind="stable"):
        load, number = loads[0]
        found[item] = number
        heapq.heapreplace(loads, (load + int(costs[item]), number))
    return found
