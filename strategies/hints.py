"""Hints: what each transaction is expected to read and write, from a dry run against the state before the block.

A dry run executes every transaction as if it were the first of the block, without checking its nonce or funds, since
an earlier transaction may have provided both. So a hint is right unless an earlier transaction of the block changes
which locations a later one touches. Hints are never trusted: what they get wrong is found by validation and repaired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import atomics, layout
from evm import costs as evm_costs
from evm.access import provide
from evm.access_sets import LOCATION_MASK, WRITE_BIT, AccessSets, list_accesses
from evm.jit import kernel, native
from evm.pointers import view_i64, view_u64
from evm.state import intern_location
from evm.transaction import open_machine, start_transaction
from evm.words import get
from strategies import clocks, costs
from strategies import shared as s
from strategies.incarnation import (
    RAN_INTO_FAULT,
    RAN_TO_END,
    RAN_TO_NEED,
    advance,
    end_step,
    has_fault,
    note_fault,
    open_shared,
    open_worker,
    spend,
    values_of,
)

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

# A transaction's row: gas used, where its locations begin in the list of the worker that ran it, how many, which list.
H_COST, H_START, H_COUNT, H_WORKER = range(4)
H_WORDS = 4
PHASE_NEXT, PHASE_READ = 0, 1
COST_TASK = costs.TASK


@kernel()
def _record(shared, worker, machine):
    """Append the locations of the transaction that has ended to the worker's list, writes marked."""
    start = I(worker[U(s.W_HINT_COUNT)])
    count = list_accesses(machine, view_i64(I(worker[U(s.W_HINTS)]), I(worker[U(s.W_HINTS_ROOM)])), start)
    if count < 0:
        note_fault(shared)
        return s.FAILED
    worker[U(s.W_HINT_COUNT)] = U(count)
    spend(shared, worker, costs.HINT_LOCATION, count - start)
    rows = view_i64(I(shared[U(s.S_HINT_ROWS)]), I(shared[U(s.S_SIZE)]) * H_WORDS)
    at = I(worker[U(s.W_TRANSACTION)]) * H_WORDS
    rows[U(at + H_COST)] = I(machine[U(layout.M_GAS_USED)])
    rows[U(at + H_START)] = start
    rows[U(at + H_COUNT)] = count - start
    return 0


@kernel()
def _resume_dry(shared, worker, machine):
    stopped = advance(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return s.FAILED
    worker[U(s.W_PHASE)] = U(PHASE_READ if stopped == RAN_TO_NEED else PHASE_NEXT)
    if stopped == RAN_TO_END and _record(shared, worker, machine) == s.FAILED:
        return s.FAILED
    return s.WORKED


@kernel()
def _run_dry(shared, worker):
    machine = open_machine(I(worker[U(s.W_MACHINE)]))
    if worker[U(s.W_PHASE)] == U(PHASE_NEXT):
        if has_fault(shared):
            return s.FAILED
        transaction = I(atomics.add(view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT), s.C_HINTS, U(1)))
        if transaction >= I(shared[U(s.S_SIZE)]):
            return s.FINISHED
        worker[U(s.W_TRANSACTION)] = U(transaction)
        spend(shared, worker, COST_TASK, 1)
        rows = view_i64(I(shared[U(s.S_HINT_ROWS)]), I(shared[U(s.S_SIZE)]) * H_WORDS)
        rows[U(transaction * H_WORDS + H_WORKER)] = I(worker[U(s.W_NUMBER)])
        start_transaction(machine, transaction)
        return _resume_dry(shared, worker, machine)
    location = intern_location(I(shared[U(s.S_STATE)]), machine, layout.M_WANTED)
    if location < 0 or not provide(machine, location, get(values_of(shared), location)):
        note_fault(shared)
        return s.FAILED
    spend(shared, worker, evm_costs.STATE_READ, 1)
    return _resume_dry(shared, worker, machine)


@native("int64(int64, int64)")
def hint_step(shared_address, worker_address):
    """Take a transaction for a dry run, or answer one of its reads from the state, and run on."""
    worker = open_worker(worker_address)
    worker[U(s.W_ACTIVITY)] = U(clocks.ACT_PLAN)
    return end_step(worker, _run_dry(open_shared(shared_address), worker))


@kernel()
def _gather(rows, lists, list_starts, offsets, locations, writes):
    for i in range(rows.shape[0]):
        of = list_starts[rows[i, H_WORKER]] + rows[i, H_START]
        for j in range(rows[i, H_COUNT]):
            raw = lists[of + j]
            locations[offsets[i] + j] = raw & LOCATION_MASK
            writes[offsets[i] + j] = raw & WRITE_BIT != 0


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
    """Predicted access sets of a block's transactions, in compressed rows; `costs` is the gas that the dry run used."""

    def components(self) -> npt.NDArray[np.int64]:
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

    def conflict_edges(self) -> npt.NDArray[np.int64]:
        """Direct dependencies: write to read, read to write and write to write at the same location.

        Returns
        -------
        ndarray of int64, shape (k, 2)
            Rows (earlier, later) of places in the block. Dependencies that follow from others along the same
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


def collect_hints(rows: npt.NDArray[np.int64], lists: list[npt.NDArray[np.int64]], location_count: int) -> Hints:
    """Put together what the workers of a dry run left.

    Parameters
    ----------
    rows : ndarray of int64, shape (n, 4)
        What `hint_step` left for each transaction.
    lists : list of ndarray of int64
        Each worker's locations, as far as used.
    location_count : int
    """
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(rows[:, H_COUNT], out=offsets[1:])
    starts = np.zeros(len(lists), np.int64)
    np.cumsum([len(found) for found in lists[:-1]], out=starts[1:])
    locations, writes = np.zeros(int(offsets[-1]), np.int64), np.zeros(int(offsets[-1]), np.bool_)
    _gather(rows, np.concatenate(lists), starts, offsets, locations, writes)
    return Hints(offsets, locations, writes, rows[:, H_COST].copy(), location_count)
