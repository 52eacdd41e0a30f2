"""Hints: predicted access sets of transactions, from a dry run against the state before the block.

A dry run executes every transaction as if it were the first of the block, without checking its nonce or funds, since
an earlier transaction may have provided both. So a hint is right unless an earlier transaction of the block changes
which locations a later one touches. Hints are never trusted: what they get wrong is found by validation and repaired.

Hints number the locations that they name from zero, in the order of their first access, so that planners' arrays have
an element for each location that the block touches and not for each in the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contend.evm.code import cost_model as evm_costs
from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT, AccessSets, list_accesses
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.evm.state import intern_location
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.transaction import open_machine, start_transaction
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.incarnation import RAN_INTO_FAULT, RAN_TO_END, RAN_TO_NEED, run_machine, state_value
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, cost_table
from contend.strategies.planned.layout import HINT, PLAN, PLAN_WORKER

Integers = npt.NDArray[np.int64]

PHASE_NEXT, PHASE_READ = 0, 1
COST_TASK, COST_HINT_LOCATION = cost_table.TASK, cost_table.HINT_LOCATION
_SALT = U(0x9E3779B97F4A7C15)


@kernel(inline=True)
def _hint_of(shared, txn_idx):
    return HINT.item(PLAN.at(shared.own).hints, shared.block_size, txn_idx)


@kernel()
def _record_accesses(shared, worker, machine):
    """Append the locations of the transaction that has ended to the worker's list, writes marked."""
    own = PLAN_WORKER.at(worker.own)
    start = own.hint_count
    count = list_accesses(machine, view_i64(own.hints, own.hints_room), start)
    if count < 0:
        note_fault(shared)
        return FAILED
    own.hint_count = count
    spend(shared, worker, COST_HINT_LOCATION, count - start)
    hint = _hint_of(shared, worker.txn_idx)
    hint.gas = machine.gas_used
    hint.start = start
    hint.count = count - start
    hint.worker = own.index
    return WORKED


@kernel()
def _resume_dry(shared, worker, machine):
    stopped = run_machine(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return FAILED
    worker.phase = PHASE_READ if stopped == RAN_TO_NEED else PHASE_NEXT
    return _record_accesses(shared, worker, machine) if stopped == RAN_TO_END else WORKED


@kernel()
def _run_dry(shared, worker):
    machine = open_machine(worker.machine)
    if worker.phase == PHASE_NEXT:
        if has_fault(shared):
            return FAILED
        txn_idx = I(atomics.add(PLAN.at(shared.own), "next_hint", U1))
        if txn_idx >= shared.block_size:
            return FINISHED
        worker.txn_idx = txn_idx
        PLAN_WORKER.at(worker.own).dry_runs += U1
        spend(shared, worker, COST_TASK, 1)
        start_transaction(machine, txn_idx)
        return _resume_dry(shared, worker, machine)
    location = intern_location(shared.state, machine.pending_location)
    if location < 0 or not supply_word(machine, location, state_value(shared, location).value):
        note_fault(shared)
        return FAILED
    spend(shared, worker, evm_costs.STATE_READ, 1)
    return _resume_dry(shared, worker, machine)


@native("int64(int64, int64)")
def hint_step(shared_address, worker_address):
    """Take a transaction for a dry run, or answer one of its reads from the state, and run on."""
    worker = WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _run_dry(SHARED.at(shared_address), worker))


@kernel()
def _gather(gathered, starts, counts, offsets, table, locations, writes, numbered):
    """Put transactions' accesses in the block's order, and number their locations by first access; how many there are.

    `table` is an open-addressed map, all zero, its size a power of two: location << 32 | number + 1.
    """
    mask = U(table.size - 1)
    distinct = 0
    for i in range(counts.size):
        for j in range(counts[i]):
            raw = gathered[starts[i] + j]
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
    """Predicted access sets of a block's transactions, in compressed rows; `costs` is the gas that the dry run used.

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


def collect_hints(hints: npt.NDArray[np.void], lists: list[Integers], table: npt.NDArray[np.uint64]) -> Hints:
    """Put together what the workers of a dry run left.

    Parameters
    ----------
    hints : ndarray of `strategies.planned.layout.HINT`, shape (n,)
        What `hint_step` left for each transaction.
    lists : list of ndarray of int64
        Each worker's accesses, as far as used.
    table : ndarray of uint64
        Memory for the numbering of locations, whatever is in it; its size is a power of two, and at least twice the
        number of accesses.
    """
    counts = np.ascontiguousarray(hints["count"])
    offsets = np.zeros(len(hints) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    list_starts = np.zeros(len(lists), np.int64)
    np.cumsum([len(found) for found in lists[:-1]], out=list_starts[1:])
    entries = int(offsets[-1])
    locations, writes, numbered = np.zeros(entries, np.int64), np.zeros(entries, np.bool_), np.zeros(entries, np.int64)
    table.fill(0)
    starts = list_starts[hints["worker"]] + hints["start"]
    count = _gather(np.concatenate(lists), starts, counts, offsets, table, locations, writes, numbered)
    return Hints(offsets, locations, writes, hints["gas"].copy(), count, numbered[:count])
