"""Memory of one shard: its part of the state, its locks, its slots, and its transactions of the block.

What a block costs. A shard's part of the state, with a lock word a location, is laid out by `ShardMemory.load` before a
block, and `ShardMemory.changes` reads off it what changed. Both take time in proportion to the state and neither is
timed: a node's shard keeps its part from block to block and would do neither. What is timed, `begin_block` and all that
the shard's step does, takes time in proportion to the block.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from contend.evm import Changes, State, layout
from contend.evm.access_list.building.access_log import AccessLog
from contend.evm.code.directory import CodeDirectory
from contend.evm.interpreter import resume
from contend.evm.layout import BLOCK, HERE, MACHINE
from contend.evm.receipts import RECEIPT_ARENA
from contend.evm.runtime.jit import Native
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.state import location_key
from contend.evm.vm.machine import Machine
from contend.strategies.backing import PartBacking
from contend.strategies.clocks import Clock
from contend.strategies.clocks.cost_table import CostTable, default_costs
from contend.strategies.sharded.protocol.layout import (
    CLUSTER,
    CONTEXT,
    LOCK,
    MESSAGE,
    MODE_BLOCK,
    NO_INDEX,
    NO_NODE,
    SHARD,
    SLOT,
)
from contend.strategies.sharded.transport.rings import RingEndpoint

Words = npt.NDArray[np.uint64]

LOCK_NODES = 1 << 16
CAUSES_PER_TRANSACTION, SPARE_CAUSES = 16, 1 << 12
REPORTED = {"deferrals": "deferred"}  # names of counters in records, where they differ
# What begins at zero with each block.
CLEARED = (
    *("runnable_slots", "next_slot", "next_position", "ready_head", "ready_tail", "ended", "deferred"),
    *("epilogue_position", "clock", "quiet_shards", "epilogue_shard", "executions", "aborts"),
    *("wait_restarts", "waits", "cross_shard", "messages", "deferrals", "wasted_gas", "aborts_by_kind"),
    *("abort_cause_count", "cost_ps", "activity", "txn_idx", "execution", "fees", "total_fees"),
)


class Endpoint(Protocol):
    """One shard's end of an exchange; see `strategies.sharded.protocol.messages`."""

    send: Native
    receive: Native

    @property
    def address(self) -> int:
        """First argument of both functions."""

    def reset(self) -> None:
        """Begin without a message under way."""


class Cluster:
    """Cluster: how shards are connected, for their steps.

    Parameters
    ----------
    control : int
        Address of a `CONTROL` that all shards share.
    exchange : type
        Of the shards' endpoints.
    costs : CostTable, optional
    overhead_ps : int
        Picoseconds that a message keeps its sender and its receiver busy, apart from the table's.
    """

    def __init__(
        self,
        control: int,
        exchange: type[Endpoint] = RingEndpoint,
        costs: CostTable | None = None,
        overhead_ps: int = 0,
    ) -> None:
        self._memory = CLUSTER.zeros()
        self._prices = (costs or default_costs()).table
        row: Any = self._memory[0]
        row["resume"], row["control"] = resume.address, control
        row["send"], row["receive"] = exchange.send.address, exchange.receive.address
        row["costs"], row["overhead_ps"] = self._prices.ctypes.data, overhead_ps

    @property
    def address(self) -> int:
        """Address of the header, first argument of a shard's step."""
        return int(self._memory.ctypes.data)


class ShardMemory:
    """Everything that one shard's step works on.

    Parameters
    ----------
    shard, shards : int
        Which shard, of how many.
    slots : int
        Transactions that can be under way at once, at most `MOST_SLOTS`.
    endpoint : Endpoint
        Where it sends and receives.
    scale : int
        Multiplies the room of machines, lock nodes and codes.
    store : int
        Address of the store in which shards find the codes that others create (`evm.code.shared_store`), or zero.
    codes : CodeDirectory, optional
        That shards of one process share; otherwise it has one of its own.
    """

    def __init__(
        self,
        shard: int,
        shards: int,
        slots: int,
        endpoint: Endpoint,
        scale: int = 1,
        store: int = 0,
        codes: CodeDirectory | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.state = State(1, codes)
        if codes is None:
            self.state.codes.header["store"] = store
        self._reader = MACHINE.zeros()
        self._reader[0]["codes"] = self.state.codes.address
        self._backing: PartBacking | None = None
        self._scale, self._shares_codes = scale, codes is not None
        self._empty = self._before = self.state.snapshot()
        self._machines = [Machine(0, self.state.codes.address, scale=scale) for _ in range(slots)]
        self._inbox, self._outbox = MESSAGE.zeros(), MESSAGE.zeros()
        self._locks = np.zeros(0, np.uint64)
        self._nodes = sparse_zeros(scale * LOCK_NODES * LOCK.words)
        self._contexts = sparse_zeros(shards * slots * CONTEXT.words)
        self.slots = SLOT.zeros(slots)
        self._participants = np.zeros((slots, shards), np.int64)
        self._deferred_by_shard = np.zeros(shards, np.int64)
        self._ready = np.zeros(0, np.int64)
        self._abort_causes = np.zeros(0, np.uint64)
        self.access_log: AccessLog | None = None
        self.receipt_arena = RECEIPT_ARENA.zeros()
        self._memory = SHARD.zeros()
        self.header: Any = self._memory[0]
        for field, value in {
            "number": shard,
            "shard_count": shards,
            "slot_count": slots,
            "endpoint": endpoint.address,
            "inbox": self._inbox.ctypes.data,
            "outbox": self._outbox.ctypes.data,
            "state": self.state.address,
            "reader": self._reader.ctypes.data,
            "nodes": self._nodes.ctypes.data,
            "node_count": scale * LOCK_NODES,
            "contexts": self._contexts.ctypes.data,
            "slots": self.slots.ctypes.data,
            "deferred_by_shard": self._deferred_by_shard.ctypes.data,
            "receipt_arena": self.receipt_arena.ctypes.data,
        }.items():
            self.header[field] = value

    @property
    def address(self) -> int:
        """Address of the shard's header, for the step."""
        return int(self._memory.ctypes.data)

    @property
    def lock_words(self) -> Words:
        """Lock words of all locations."""
        return self._locks

    @property
    def contexts(self) -> Any:
        """Transaction contexts, structured as `CONTEXT`, shape (shards * slots,)."""
        return self._contexts.view(CONTEXT.dtype)

    @property
    def nodes(self) -> Any:
        """Pool of lock nodes, structured as `LOCK`."""
        return self._nodes.view(LOCK.dtype)

    def load(self, contents: Changes, spare: int) -> None:
        """Take over the state before the block: the words that this shard owns, and room for `spare` new locations.

        Locks are all free then. That a location was written is forgotten too: a node would remember it from block to
        block, but then a run would depend on those before it.
        """
        self.state.restore(self._empty)
        if not self._shares_codes:
            self.state.codes.reserve(self._scale)
        self.state.reserve(len(contents) + spare)
        self.state.apply(contents)
        self._before = self.state.snapshot()
        if len(self._locks) != self.state.capacity:
            self._locks = np.zeros(self.state.capacity, np.uint64)
        else:
            self._locks[:] = 0
        # A fresh mapping: few of the contexts of many shards are ever used, and clearing would touch them all.
        self._contexts = sparse_zeros(self._contexts.size)
        self.header["contexts"] = self._contexts.ctypes.data
        self.header["locks"], self.header["lock_count"] = self._locks.ctypes.data, len(self._locks)
        self.header["free_node"], self.header["unused_node"] = NO_NODE, NO_NODE + 1
        self.state.arrivals[:] = HERE
        self.header["cold"], self._backing = 0, None
        self.endpoint.reset()

    def put_behind(
        self, backing: PartBacking, kept: npt.NDArray[np.bool_], coinbase: bytes, shards: int, clock: Clock
    ) -> None:
        """Have something lie behind this shard's part of the state, from `load` until `changes`. Outside the time.

        Parameters
        ----------
        backing : PartBacking
        kept : ndarray of bool
            As `PartBacking.begin` has it, for what was loaded.
        coinbase : bytes
        shards : int
        clock : Clock
        """
        self._backing = backing
        place = int(self.header["number"]), shards
        self.header["cold"] = backing.begin(self.state, kept, coinbase, place, clock)
        self._reader[0]["work_done_ps"] = 0

    def begin_block(
        self,
        image: int,
        coinbase: bytes,
        queue: npt.NDArray[np.void],
        receipts: npt.NDArray[np.void],
        arena: int,
        size: int,
        ordered: bool = False,
        logs: bool = False,
    ) -> None:
        """Take over the transactions of a block that this shard coordinates.

        Parameters
        ----------
        image : int
            Address of the image of a block of these transactions.
        coinbase : bytes
            The beneficiary.
        queue : ndarray of `QUEUED`, shape (n,)
            The caller keeps it; commit times are left in it.
        receipts : ndarray of `evm.receipts.RECEIPT`, shape (n,)
            The caller keeps it; receipts are left in it.
        arena : int
            Address of `size` bytes for what receipts hold.
        ordered : bool
            Whether transactions commit in the block's order, see `strategies.sharded.protocol.commit_order`.
        logs : bool
            Whether to log what transactions touch (`access_log`).
        """
        count = len(queue)
        if len(self._ready) < count:
            self._ready = np.zeros(count, np.int64)
        causes = self._scale * (CAUSES_PER_TRANSACTION * count + SPARE_CAUSES)
        if len(self._abort_causes) < causes:
            self._abort_causes = sparse_zeros(causes)
        receipts.view(np.uint64)[:] = 0
        self.receipt_arena["address"], self.receipt_arena["size"], self.receipt_arena["used"] = arena, size, 0
        self._begin_slots(image)
        self.access_log = AccessLog(count, scale=self._scale) if logs else None
        header = self.header
        for field in CLEARED:
            header[field] = 0
        is_first_here = count > 0 and queue[0]["index"] == 0
        for field, value in {
            "free_slots": (1 << len(self._machines)) - 1,
            "queue": queue.ctypes.data,
            "queue_size": count,
            "ready": self._ready.ctypes.data,
            "receipts": receipts.ctypes.data,
            "access_rows": 0 if self.access_log is None else self.access_log.address,
            "access_log": 0 if self.access_log is None else self.access_log.log_address(0),
            "mode": MODE_BLOCK,
            "keeps_order": ordered,
            "commit_index": 0 if is_first_here else NO_INDEX,
            "abort_causes": self._abort_causes.ctypes.data,
            "abort_cause_room": len(self._abort_causes),
            "beneficiary": location_key(coinbase, layout.KIND_BALANCE),
        }.items():
            header[field] = value

    def _begin_slots(self, image: int) -> None:
        """Empty all slots, and let their machines execute transactions of a block."""
        self.slots[:] = np.zeros(1, SLOT.dtype)
        BLOCK.array_at(image)[0]["cold"] = self.header["cold"]
        for number, machine in enumerate(self._machines):
            machine.attach(image, self.state.codes.address)
            machine.header["gas_done"] = machine.header["work_done_ps"] = 0
            self.slots[number]["machine"] = machine.address
            self.slots[number]["participants"] = self._participants[number].ctypes.data

    def abort_causes(self) -> Words:
        """For each abort the location that caused it, as owner << 32 | number there."""
        return self._abort_causes[: int(self.header["abort_cause_count"])]

    def uncover(self) -> dict[str, int]:
        """Have nothing lie behind the state any more; what was counted there. Nothing where nothing was.

        Raises
        ------
        CapacityError
            If the state had no room for what was read.
        """
        backing, self._backing = self._backing, None
        self.header["cold"] = 0
        return {} if backing is None else backing.end(self.state, self._before)

    def changes(self) -> Changes:
        """Locations of this shard that have another word than when they were loaded."""
        return self.state.changes_since(self._before)

    def counted(self) -> dict[str, int]:
        """Counters of this shard for the block."""
        header = self.header
        names = ("executions", "aborts", "wait_restarts", "waits", "cross_shard", "messages", "deferrals", "wasted_gas")
        found = {REPORTED.get(name, name): int(header[name]) for name in names}
        for kind, name in enumerate(layout.KIND_NAMES):
            found[f"aborts_{name}"] = int(header["aborts_by_kind"][kind])
        return found
