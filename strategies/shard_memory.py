"""The memory of one shard: its part of the state, its locks, its slots, and its transactions of the block."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from evm import Changes, State, layout
from evm.codes import CodeDirectory
from evm.interpreter import resume
from evm.jit import Native
from evm.machine import Machine
from evm.receipts import ARENA_BYTES, ARENA_SIZE, ARENA_USED, ARENA_WORDS
from evm.rooms import sparse_zeros
from evm.state import location_key
from strategies import shard_layout as s
from strategies.costs import Costs, default_costs
from strategies.rings import RingEndpoint
from strategies.shard_results import apply

Words = npt.NDArray[np.uint64]

LOCK_NODES = 1 << 16
BLAMES_PER_TRANSACTION, SPARE_BLAMES = 16, 1 << 12


class Endpoint(Protocol):
    """One shard's end of an exchange; see `strategies.shard_messages`."""

    send: Native
    receive: Native

    @property
    def address(self) -> int:
        """First argument of both functions."""

    def reset(self) -> None:
        """Begin without a message under way."""


def coupling(
    control: int, exchange: type[Endpoint] = RingEndpoint, costs: Costs | None = None, overhead: int = 0
) -> Words:
    """The header that says how shards are coupled.

    Parameters
    ----------
    control : int
        Address of `C_WORDS` words that all shards share.
    exchange : type
        Of the shards' endpoints.
    costs : Costs, optional
    overhead : int
        Picoseconds that a message keeps its sender and its receiver busy, apart from the table's.
    """
    header = np.zeros(s.H_WORDS, np.uint64)
    header[s.H_RESUME] = resume.address
    header[s.H_SEND], header[s.H_RECEIVE] = exchange.send.address, exchange.receive.address
    header[s.H_CONTROL] = control
    header[s.H_COSTS] = (costs or default_costs()).table.ctypes.data
    header[s.H_OVERHEAD] = overhead
    return header


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
        Address of the store in which shards find the codes that others create (`evm.codestore`), or zero.
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
            self.state.codes.header[layout.CODES_STORE] = store
        self._scale, self._shares_codes = scale, codes is not None
        self._empty = self._before = self.state.snapshot()
        self._machines = [Machine(0, self.state.codes.address, scale=scale) for _ in range(slots)]
        self._inbox, self._outbox = np.zeros(s.MSG_WORDS, np.uint64), np.zeros(s.MSG_WORDS, np.uint64)
        self._locks = np.zeros(0, np.uint64)
        self._nodes = sparse_zeros(scale * LOCK_NODES * int(s.N_WORDS)).reshape(-1, int(s.N_WORDS))
        self._sessions = sparse_zeros(shards * slots * int(s.E_WORDS))
        self._slots = np.zeros((slots, s.S_WORDS), np.uint64)
        self._participants = np.zeros((slots, shards), np.uint64)
        self._tails = np.zeros(shards, np.uint64)
        self._ready = np.zeros(0, np.uint64)
        self._blames = np.zeros(0, np.uint64)
        self._arena = np.zeros(ARENA_WORDS, np.uint64)
        self.header = np.zeros(s.W_WORDS, np.uint64)
        for field, value in (
            (s.W_SHARD, shard),
            (s.W_SHARDS, shards),
            (s.W_SLOT_COUNT, slots),
            (s.W_ENDPOINT, endpoint.address),
            (s.W_INBOX, self._inbox.ctypes.data),
            (s.W_OUTBOX, self._outbox.ctypes.data),
            (s.W_STATE, self.state.address),
            (s.W_NODES, self._nodes.ctypes.data),
            (s.W_NODES_SIZE, len(self._nodes)),
            (s.W_SESSIONS, self._sessions.ctypes.data),
            (s.W_SLOTS, self._slots.ctypes.data),
            (s.W_TAILS, self._tails.ctypes.data),
            (s.W_RECEIPT_ARENA, self._arena.ctypes.data),
        ):
            self.header[field] = value

    @property
    def address(self) -> int:
        """Address of the worker header, for the step."""
        return int(self.header.ctypes.data)

    @property
    def lock_words(self) -> Words:
        """Lock words of all locations."""
        return self._locks

    def load(self, contents: Changes, spare: int) -> None:
        """Take over the state before the block: the words that this shard owns, and room for `spare` new locations.

        Locks are all free then. That a location was written is forgotten too: a node would remember it from block to
        block, but then a run would depend on those before it.
        """
        self.state.restore(self._empty)
        if not self._shares_codes:
            self.state.codes.reserve(self._scale)
        self.state.reserve(len(contents) + spare)
        apply(self.state, contents)
        self._before = self.state.snapshot()
        if len(self._locks) != self.state.capacity:
            self._locks = np.zeros(self.state.capacity, np.uint64)
        else:
            self._locks[:] = 0
        # A fresh mapping: few of the sessions of many shards are ever used, and clearing would touch them all.
        self._sessions = sparse_zeros(self._sessions.size)
        self.header[s.W_SESSIONS] = self._sessions.ctypes.data
        self.header[s.W_LOCKS], self.header[s.W_LOCKS_SIZE] = self._locks.ctypes.data, len(self._locks)
        self.header[s.W_FREE_NODE], self.header[s.W_FRESH_NODE] = s.NO_NODE, s.NO_NODE + 1
        self.endpoint.reset()

    def begin_block(
        self,
        image: int,
        coinbase: bytes,
        records: Words,
        receipts: Words,
        arena: int,
        size: int,
        ordered: bool = False,
    ) -> None:
        """Take over the transactions of a block whose home this shard is.

        Parameters
        ----------
        image : int
            Address of the image of a block of these transactions.
        coinbase : bytes
            The beneficiary.
        records : ndarray of uint64, shape (n, T_WORDS)
            The caller keeps it; commit times are left in it.
        receipts : ndarray of uint64, shape (n, R_WORDS)
            The caller keeps it; receipts are left in it.
        arena : int
            Address of `size` bytes for what receipts hold.
        ordered : bool
            Whether transactions commit in the block's order, see `strategies.shard_turn`.
        """
        count = len(records)
        if len(self._ready) < count:
            self._ready = np.zeros(count, np.uint64)
        receipts[:] = 0
        self._arena[ARENA_BYTES], self._arena[ARENA_SIZE], self._arena[ARENA_USED] = arena, size, 0
        self._slots[:] = 0
        for number, machine in enumerate(self._machines):
            machine.attach(image, self.state.codes.address)
            machine.header[layout.M_GAS_DONE] = machine.header[layout.M_WORK_DONE] = 0
            self._slots[number, s.S_MACHINE] = machine.address
            self._slots[number, s.S_PARTICIPANTS] = self._participants[number].ctypes.data
        header = self.header
        header[s.W_FREE] = (1 << len(self._machines)) - 1
        header[s.W_RUNNABLE], header[s.W_TURN] = 0, 0
        header[s.W_RECORDS], header[s.W_COUNT], header[s.W_NEXT] = records.ctypes.data, count, 0
        header[s.W_READY], header[s.W_READY_HEAD], header[s.W_READY_TAIL] = self._ready.ctypes.data, 0, 0
        header[s.W_RECEIPTS] = receipts.ctypes.data
        # Progress, clock, counters and fees lie together at the end.
        header[s.W_MODE] = s.MODE_BLOCK
        header[s.W_ENDED : s.W_TAIL_NEXT + 1] = 0
        header[s.W_CLOCK] = 0
        header[s.W_QUIET], header[s.W_TAIL_SHARD] = 0, 0
        header[s.W_EXECUTIONS : s.W_BENEFICIARY] = 0
        room = self._scale * (BLAMES_PER_TRANSACTION * count + SPARE_BLAMES)
        if len(self._blames) < room:
            self._blames = sparse_zeros(room)
        header[s.W_ORDERED] = ordered
        first = count > 0 and records[0, s.T_PLACE] == 0
        header[s.W_MAY_COMMIT] = 0 if first else s.NO_PLACE
        header[s.W_BLAMES], header[s.W_BLAMES_ROOM] = self._blames.ctypes.data, len(self._blames)
        header[s.W_BENEFICIARY :] = location_key(coinbase, layout.KIND_BALANCE)

    def blames(self) -> Words:
        """For each abort the location that caused it, as owner << 32 | number there."""
        return self._blames[: int(self.header[s.W_BLAME_COUNT])]

    def changes(self) -> Changes:
        """Locations of this shard that have another word than when they were loaded."""
        return self.state.changes_since(self._before)

    def counted(self) -> dict[str, int]:
        """What this shard counted in the block."""
        header = self.header
        found = {
            "executions": int(header[s.W_EXECUTIONS]),
            "aborts": int(header[s.W_ABORTS]),
            "cross_shard": int(header[s.W_CROSS_SHARD]),
            "messages": int(header[s.W_MESSAGES]),
            "deferred": int(header[s.W_DEFERRALS]),
            "lock_waits": int(header[s.W_LOCK_WAITS]),
            "wasted_gas": int(header[s.W_WASTED_GAS]),
        }
        for kind, name in enumerate(layout.KIND_NAMES):
            found[f"aborts_{name}"] = int(header[s.W_ABORTS_BY_KIND + kind])
        return found
