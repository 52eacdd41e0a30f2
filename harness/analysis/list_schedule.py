"""Longest paths and list schedules of a dependency graph.

A list schedule (Graham, "Bounds on multiprocessing timing anomalies", 1969) never leaves a worker idle while a
transaction is ready, and takes the one with the longest path to the end of the block first. It is a plan that could be
followed if everything were known beforehand and nothing cost anything but execution. A transaction is ready once it can
run to its end without ever waiting: what it needs of others, which have begun, is there when it reads it. For whole
transactions, each begun when those before it have ended, the schedule is at most 2 - 1/W times as long as the best. So
it is what is achievable where the bound is what is conceivable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.jit import kernel
from contend.harness.analysis.dependencies import DependencyGraph

Integers = npt.NDArray[np.int64]
NOTHING = -1


@kernel()
def _longest(
    starts: Integers, sources: Integers, lags: Integers, weights: Integers, ends: Integers, best: Integers
) -> int:
    """Earliest end of each node with any number of workers; the edge that decides it; the node that ends last."""
    last = NOTHING
    for node in range(weights.size):
        begin, decisive = 0, NOTHING
        for edge in range(starts[node], starts[node + 1]):
            if ends[sources[edge]] - lags[edge] > begin:
                begin, decisive = ends[sources[edge]] - lags[edge], edge
        ends[node] = begin + weights[node]
        best[node] = decisive
        if last < 0 or ends[node] > ends[last]:
            last = node
    return last


@kernel()
def _ranks(starts: Integers, sources: Integers, lags: Integers, weights: Integers, ranks: Integers) -> None:
    """Longest path from each node's begin to the end of the block. `ranks` holds the weights at first."""
    for back in range(weights.size):
        node = weights.size - 1 - back
        for edge in range(starts[node], starts[node + 1]):
            source = sources[edge]
            ranks[source] = max(ranks[source], weights[source] - lags[edge] + ranks[node])


@kernel()
def _successors(
    starts: Integers, sources: Integers, lags: Integers, targets: Integers, ordered: Integers, at: Integers
) -> None:
    """The same edges and their lags by their source. `at` holds the running sum of out-degrees, and is used up."""
    for node in range(starts.size - 1):
        for edge in range(starts[node], starts[node + 1]):
            source = sources[edge]
            targets[at[source]] = node
            ordered[at[source]] = lags[edge]
            at[source] += 1


@kernel()
def _push(heap: Integers, keys: Integers, size: int, item: int, sign: int) -> int:
    """Put an item into a binary heap: the least ``sign * key`` first, then the lowest item. The new size."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        other = heap[above]
        if sign * keys[item] > sign * keys[other] or (keys[item] == keys[other] and item > other):
            break
        heap[place] = other
        place = above
    heap[place] = item
    return size + 1


@kernel()
def _pop(heap: Integers, keys: Integers, size: int, sign: int) -> int:
    """Remove the first item of a heap of `size` items, which has one less then."""
    first: int = heap[0]
    item = heap[size - 1]
    size -= 1
    place = 0
    while 2 * place + 1 < size:
        below = 2 * place + 1
        other = heap[below]
        if below + 1 < size:
            right = heap[below + 1]
            if sign * keys[right] < sign * keys[other] or (keys[right] == keys[other] and right < other):
                below, other = below + 1, right
        if sign * keys[item] < sign * keys[other] or (keys[item] == keys[other] and item < other):
            break
        heap[place] = other
        place = below
    heap[place] = item
    return first


@kernel()
def _begin(
    first: int,
    at: int,
    to_starts: Integers,
    targets: Integers,
    lags: Integers,
    waits: Integers,
    joins: npt.NDArray[np.bool_],
    weights: Integers,
    ends: Integers,
    releases: Integers,
    coming: Integers,
    coming_count: int,
    begun: Integers,
) -> int:
    """Begin a node, and say from when on those may begin that waited for it alone; how many are coming then."""
    ends[first] = at + weights[first]
    begun[0] = first
    begun_count = 1
    while begun_count > 0:
        begun_count -= 1
        node = begun[begun_count]
        for edge in range(to_starts[node], to_starts[node + 1]):
            target = targets[edge]
            releases[target] = max(releases[target], ends[node] - lags[edge])
            waits[target] -= 1
            if waits[target] > 0:
                continue
            # A join needs no worker: it ends as soon as its last summand does.
            if joins[target]:
                ends[target] = releases[target]
                begun[begun_count] = target
                begun_count += 1
            else:
                coming_count = _push(coming, releases, coming_count, target, 1)
    return coming_count


@kernel()
def _schedule(
    workers: int,
    to_starts: Integers,
    targets: Integers,
    lags: Integers,
    waits: Integers,
    joins: npt.NDArray[np.bool_],
    weights: Integers,
    ranks: Integers,
    ready: Integers,
    coming: Integers,
    running: Integers,
    begun: Integers,
    releases: Integers,
    ends: Integers,
) -> int:
    """Time at which the last node ends. `waits` holds in-degrees, `releases` zeros; the rest is room."""
    ready_count, coming_count, running_count, now, last = 0, 0, 0, 0, 0
    for node in range(weights.size):
        if waits[node] == 0:
            ready_count = _push(ready, ranks, ready_count, node, -1)
    while ready_count > 0 or coming_count > 0:
        while coming_count > 0 and releases[coming[0]] <= now:
            node = _pop(coming, releases, coming_count, 1)
            coming_count -= 1
            ready_count = _push(ready, ranks, ready_count, node, -1)
        if ready_count > 0 and running_count < workers:
            node = _pop(ready, ranks, ready_count, -1)
            ready_count -= 1
            coming_count = _begin(
                node, now, to_starts, targets, lags, waits, joins, weights, ends, releases, coming, coming_count, begun
            )
            running_count = _push(running, ends, running_count, node, 1)
            last = max(last, ends[node])
            continue
        # Nobody can begin now: on to the next moment at which a worker is free or a transaction may begin.
        if running_count > 0 and (coming_count == 0 or ends[running[0]] <= releases[coming[0]]):
            now = ends[running[0]]
        else:
            now = releases[coming[0]]
        while running_count > 0 and ends[running[0]] <= now:
            _pop(running, ends, running_count, 1)
            running_count -= 1
    return last


@dataclass(frozen=True)
class Chain:
    """A longest path.

    Attributes
    ----------
    length : int
        Sum of its weights.
    transactions : ndarray of int64, shape (k,)
        In order.
    links : ndarray of int64, shape (k - 1,)
        The location through which each depends on the one before.
    """

    length: int
    transactions: Integers
    links: Integers


def longest_chain(graph: DependencyGraph, weights: Integers, lags: Integers | None = None) -> Chain:
    """The chain of transactions whose weights add up to the most.

    Parameters
    ----------
    graph : DependencyGraph
    weights : ndarray of int64, shape (n,)
        Of the transactions, positive; ones for the chain with the most transactions.
    lags : ndarray of int64, shape (e,), optional
        What of a transaction's cost may pass before it needs what each edge brings: a transaction can begin before the
        one that it depends on has ended, and be held up only where it reads. By default nothing.
    """
    if not len(graph):
        nothing = np.zeros(0, np.int64)
        return Chain(0, nothing, nothing)
    ends, best = np.zeros(len(graph), np.int64), np.zeros(len(graph), np.int64)
    held_off = np.zeros(len(graph.sources), np.int64) if lags is None else lags
    node = int(_longest(graph.starts, graph.sources, held_off, graph.node_weights(weights), ends, best))
    length = int(ends[node])
    transactions, links = [], []
    while True:
        if graph.transaction_of[node] >= 0:
            transactions.append(int(graph.transaction_of[node]))
        edge = int(best[node])
        if edge < 0:
            break
        # Both edges of a join, into it and out of it, are at the same location.
        if graph.transaction_of[node] >= 0:
            links.append(int(graph.through[edge]))
        node = int(graph.sources[edge])
    return Chain(length, np.array(transactions[::-1], np.int64), np.array(links[::-1], np.int64))


class ListSchedule:
    """List schedules of one graph for any number of workers.

    Parameters
    ----------
    graph : DependencyGraph
    weights : ndarray of int64, shape (n,)
        Of the transactions, positive.
    lags : ndarray of int64, shape (e,), optional
        As for `longest_chain`.
    """

    def __init__(self, graph: DependencyGraph, weights: Integers, lags: Integers | None = None) -> None:
        held_off = np.zeros(len(graph.sources), np.int64) if lags is None else lags
        self._weights = graph.node_weights(weights)
        self._waits = np.diff(graph.starts)
        self._joins = graph.transaction_of < 0
        self._ranks = self._weights.copy()
        _ranks(graph.starts, graph.sources, held_off, self._weights, self._ranks)
        self._to_starts = np.zeros(len(graph) + 1, np.int64)
        np.cumsum(np.bincount(graph.sources, minlength=len(graph)), out=self._to_starts[1:])
        self._targets = np.zeros(len(graph.sources), np.int64)
        self._lags = np.zeros(len(graph.sources), np.int64)
        _successors(graph.starts, graph.sources, held_off, self._targets, self._lags, self._to_starts.copy())

    def length(self, workers: int) -> int:
        """Time that the schedule takes with so many workers, in the unit of the weights.

        Raises
        ------
        ValueError
            If there is no worker.
        """
        if workers < 1:
            raise ValueError(f"workers = {workers}: at least 1 is needed")
        rooms = [np.zeros(max(len(self._weights), 1), np.int64) for _ in range(6)]
        return int(
            _schedule(
                workers,
                self._to_starts,
                self._targets,
                self._lags,
                self._waits.copy(),
                self._joins,
                self._weights,
                self._ranks,
                *rooms,
            )
        )
