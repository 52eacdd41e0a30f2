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

from contend.strategies.planned.layout import EDGE_SHIFT, END_OF_LANE

Indices = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


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
    lanes : ndarray of int64
        The first transaction of each lane.
    next_in_lane : ndarray of int64, shape (size,)
        Which transaction comes behind each in its lane; `END_OF_LANE` where none does.
    waits : ndarray of uint64, shape (size,)
        How many predecessors each transaction has.
    successors : ndarray of uint64, shape (size,)
        The first edge to those that wait for each transaction, plus one; zero where nobody does.
    edges : ndarray of uint64
        The next edge from the same transaction, plus one, ``<< EDGE_SHIFT``; and whom it leads to.
    ready : ndarray of uint64, shape (size,)
        The queue of those that wait for nobody, each plus one.
    planned : int
        Transactions in the plan.
    ready_count : int
        How many the queue holds at first.
    missing : int
        The first transaction that is not in the plan; the block's size if there is none.
    """

    lanes: Indices
    next_in_lane: Indices
    waits: Words
    successors: Words
    edges: Words
    ready: Words
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
        begins = np.append(True, lane_of[1:] != lane_of[:-1])[: len(indices)]
        next_in_lane = np.full(size, END_OF_LANE, np.int64)
        next_in_lane[indices[:-1][~begins[1:]]] = indices[1:][~begins[1:]]
        present = np.zeros(size + 1, np.bool_)
        present[indices] = True
        nobody = np.zeros(size, np.uint64)
        waits, edges, ready = (np.zeros(size, np.uint64) for _ in range(3))
        missing = int(present.argmin())
        return cls(indices[begins], next_in_lane, waits, nobody, edges, ready, len(indices), 0, missing)

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
        earlier, later = earlier[order], later[order]
        # A list for each transaction, its edges in the order in which they stand here.
        behind = np.arange(2, len(earlier) + 2, dtype=np.uint64)
        behind[np.append(earlier[1:] != earlier[:-1], True)[: len(earlier)]] = 0
        links: Words = behind << np.uint64(EDGE_SHIFT) | later.astype(np.uint64)
        first = np.flatnonzero(np.append(True, earlier[1:] != earlier[:-1])[: len(earlier)])
        successors = np.zeros(size, np.uint64)
        successors[earlier[first]] = first + 1
        waits = np.bincount(later, minlength=size).astype(np.uint64)
        free = np.flatnonzero(waits == 0)
        ready = np.zeros(size, np.uint64)
        ready[: len(free)] = free + 1
        none = np.zeros(0, np.int64)
        return cls(none, np.zeros(size, np.int64), waits, successors, links, ready, size, len(free), size)


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
