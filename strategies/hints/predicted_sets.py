"""Hints as planners in Python see them: access sets in compressed rows, copied from a block's hint table.

Hints number the locations that they name from zero, in the order of their first access, so that planners' arrays have
an element for each location that the block touches and not for each in the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT, AccessSets
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.strategies.block_stm.layout import HINT

Integers = npt.NDArray[np.int64]

_SALT = U(0x9E3779B97F4A7C15)


@kernel()
def _gather(rows, offsets, table, locations, writes, numbered):
    """Put transactions' accesses in the block's order, and number their locations by first access; how many there are.

    `rows` is the address of the hint table; `table` is an open-addressed map, all zero, its size a power of two:
    location << 32 | number + 1.
    """
    mask, size = U(table.size - 1), offsets.size - 1
    distinct = 0
    for i in range(size):
        hint = HINT.item(rows, size, i)
        entries = view_i64(hint.entries, hint.count)
        for j in range(hint.count):
            raw = entries[U(j)]
            location = raw & LOCATION_MASK
            slot = (U(location) * _SALT) >> U(20) & mask
            while table[slot] != U0 and table[slot] >> U(32) != U(location):
                slot = (slot + U1) & mask
            if table[slot] == U0:
                numbered[distinct] = location
                distinct += 1
                table[slot] = (U(location) << U(32)) | U(distinct)
            locations[offsets[i] + j] = I(table[slot] & U(0xFFFFFFFF)) - 1
            writes[offsets[i] + j] = raw & WRITE_BIT != 0
    return distinct


@kernel()
def _root(parents, node):
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@kernel()
def _join(offsets, locations, writes, written, first_user, parents):
    """Union-find with path halving (Tarjan and van Leeuwen, 1984) over transactions that share a written location."""
    for i in range(offsets.size - 1):
        for j in range(offsets[i], offsets[i + 1]):
            if writes[j]:
                written[locations[j]] = 1
    for i in range(offsets.size - 1):
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            if written[location] == 1:
                if first_user[location] < 0:
                    first_user[location] = i
                else:
                    a, b = _root(parents, first_user[location]), _root(parents, i)
                    parents[max(a, b)] = min(a, b)
    for i in range(parents.size):
        parents[i] = _root(parents, i)


@kernel()
def _conflict_edges(offsets, owners, locations, writes, last_writer, readers_head, readers_next, edges):
    """Fill `edges` with the edges of the dependency graph; how many there are."""
    count = 0
    for i in range(offsets.size - 1):
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            writer = last_writer[location]
            if writer >= 0:
                edges[count, 0], edges[count, 1] = writer, i
                count += 1
            if not writes[j]:
                readers_next[j] = readers_head[location]
                readers_head[location] = j + 1
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            if writes[j]:
                # Those who read it since its last writer must come before this one.
                reader = readers_head[location]
                while reader > 0:
                    edges[count, 0], edges[count, 1] = owners[reader - 1], i
                    count += 1
                    reader = readers_next[reader - 1]
                readers_head[location] = 0
                last_writer[location] = i
    return count


@dataclass(frozen=True)
class Hints(AccessSets):
    """Predicted access sets of a block's transactions, in compressed rows; `costs` is the gas that each may use.

    Attributes
    ----------
    state_locations : ndarray of int64, shape (location_count,)
        For each location number of the hints its number in the state.
    """

    state_locations: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def components(self) -> Integers:
        """Connected components of the conflict graph.

        Two transactions conflict if they touch the same location and at least one transaction of the block writes it.

        Returns
        -------
        ndarray of int64, shape (n,)
            For each transaction the lowest transaction of its component.
        """
        parents = np.arange(len(self), dtype=np.int64)
        written = np.zeros(self.location_count, np.uint8)
        first_user = np.full(self.location_count, -1, np.int64)
        _join(self.offsets, self.locations, self.writes, written, first_user, parents)
        return parents

    def conflict_edges(self) -> Integers:
        """Direct dependencies: write to read, read to write and write to write at the same location.

        Returns
        -------
        ndarray of int64, shape (k, 2)
            Rows (earlier, later) of transaction indices. Dependencies that follow from others along the same
            location are left out; pairs that conflict at several locations appear several times.
        """
        entries = len(self.locations)
        owners = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
        last_writer = np.full(self.location_count, -1, np.int64)
        readers_head, readers_next = np.zeros(self.location_count, np.int64), np.zeros(entries, np.int64)
        # Every entry is the later end of one edge at most, and a reader the earlier end of one more.
        edges = np.zeros((2 * entries, 2), np.int64)
        count = _conflict_edges(
            self.offsets, owners, self.locations, self.writes, last_writer, readers_head, readers_next, edges
        )
        return edges[:count]


def collect_hints(hints: npt.NDArray[np.void], table: npt.NDArray[np.uint64]) -> Hints:
    """Copy a block's hints out of the hint table.

    Parameters
    ----------
    hints : ndarray of `strategies.block_stm.layout.HINT`, shape (n,)
    table : ndarray of uint64
        Memory for the numbering of locations, whatever is in it; its size is a power of two, and at least twice the
        number of accesses.
    """
    offsets = np.zeros(len(hints) + 1, np.int64)
    np.cumsum(hints["count"], out=offsets[1:])
    entries = int(offsets[-1])
    locations, writes, numbered = np.zeros(entries, np.int64), np.zeros(entries, np.bool_), np.zeros(entries, np.int64)
    table.fill(0)
    count = _gather(int(hints.ctypes.data), offsets, table, locations, writes, numbered)
    return Hints(offsets, locations, writes, hints["gas"].copy(), count, numbered[:count])
