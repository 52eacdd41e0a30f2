"""Reading ahead: what is known to be touched is read before a block is executed, many records at a time.

All workers do, each with an io_uring of its own (`node.store.ahead.ring_reads`); where there is none, threads wait side
by side (`node.store.ahead.reader`). Accounts and slots are read first, then the codes that the accounts have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import Block, CapacityError, State
from contend.evm.access_list.encoding import READS
from contend.evm.access_list.serial_maker import access_list_of
from contend.evm.block_image import BlockImage
from contend.node.base import StageError
from contend.node.store.ahead.asking import NO_ROOM, ask_for_codes, ask_for_listed, ask_for_sure
from contend.node.store.ahead.layout import AHEAD, ASK, READER
from contend.node.store.ahead.reader import THREADS, read_step
from contend.node.store.ahead.ring import Ring, why_no_ring
from contend.node.store.ahead.ring_reads import ring_step
from contend.node.store.base import Store
from contend.node.store.page_file import PageFile
from contend.strategies.clocks import Clock, Workers, cost_table
from contend.strategies.serial import Serial

SURE, BLOCK = KINDS = ("sure", "block")
URING, THREADED, AUTO = IO = ("uring", "threads", "auto")
SIMULATED = "simulated"
# Work of a worker that hands a read over and takes what came of it, fitted to io_uring with 32 reads under way.
READ_CPU_PS = 1_900_000
_ASKS_PER_TRANSACTION, _SPARE_ASKS = 4, 1 << 10


def io_of(asked: str, store: Store, simulated: bool) -> str:
    """How records are read ahead, where an option asks for a way.

    Raises
    ------
    StageError
        If it cannot be had.
    """
    if simulated:
        return SIMULATED
    why = why_no_ring() if isinstance(store, PageFile) else f"a {store.name} store is not read by io_uring"
    if asked == URING and why:
        raise StageError(f"io: {why}; --io threads does without")
    return THREADED if asked == THREADED or why else URING


def lists_of(blocks: Sequence[Block], genesis: State) -> list[bytes]:
    """Access list of each of some blocks in a row, of the kind ``reads``; the state is left as it is."""
    state, serial, found = genesis.copy(), Serial(), []
    for place, block in enumerate(blocks):
        found.append(access_list_of(block, state, READS))
        if place + 1 < len(blocks):
            serial.execute(block, state, 1)
    return found


class ReadAhead:
    """Reads what is known of a block before it is executed.

    Parameters
    ----------
    kind : str
        One of `KINDS`: what transactions are sure to read, or all that the block's access list names.
    blocks : sequence of Block
    lists : sequence of bytes
        Access list of each of them, of the kind ``reads``; for the kind ``block``.
    io : str
        As `io_of` gives it.
    depth : int, optional
        Reads that a worker has under way at most, where it has a ring.
    threads : int, optional
        That read side by side, where there is none.
    """

    def __init__(
        self,
        kind: str,
        blocks: Sequence[Block],
        lists: Sequence[bytes],
        io: str,
        depth: int | None = None,
        threads: int = THREADS,
    ) -> None:
        self.kind, self.io, self._blocks, self.threads = kind, io, blocks, threads
        self._lists = [np.frombuffer(one, np.uint8) for one in lists]
        self._depth = depth
        self._rings: list[Ring] = []
        self._readers: Any = READER.lines(1)
        self._asks: npt.NDArray[np.void] = ASK.zeros(1)
        self._memory: Any = AHEAD.zeros()
        self._no_costs = np.zeros(cost_table.COUNT, np.uint64)

    @property
    def facts(self) -> dict[str, Any]:
        """What is read and how, as a record has it."""
        facts: dict[str, Any] = {"read_ahead": self.kind, "ahead_io": self.io}
        return {**facts, "io_threads": self.threads} if self.io == THREADED else facts

    def again(self) -> ReadAhead:
        """Another of the same, which can be at work at the same time."""
        other = ReadAhead(self.kind, self._blocks, (), self.io, self._depth, self.threads)
        other._lists = self._lists
        return other

    def make_ready(self, workers: int) -> None:
        """Have rings, memory and kernels for so many workers. Outside the time."""
        if self.io == URING:
            while len(self._rings) < workers:
                self._rings.append(Ring() if self._depth is None else Ring(self._depth))
            _ = ring_step.address
        else:
            count = workers if self.io == SIMULATED else max(self.threads, workers)
            if len(self._readers) < count:
                self._readers = READER.lines(count)
            _ = read_step.address
        longest = max((len(one) for one in self._lists), default=0)
        room = _ASKS_PER_TRANSACTION * max(map(len, self._blocks), default=0) + longest // 8 + _SPARE_ASKS
        if len(self._asks) < room:
            self._asks = ASK.zeros(room)

    def run(self, cold: int, image: BlockImage, state: State, workers: int, clock: Clock) -> None:
        """Read ahead for a block. Within the time.

        Raises
        ------
        CapacityError
            If the state has no room for what is asked for.
        StageError
            If the block's list is none.
        """
        row = self._memory[0]
        costs = self._no_costs if clock.costs is None else clock.costs.table
        row["cold"], row["costs"] = cold, costs.ctypes.data
        row["asks"], row["room"], row["count"] = self._asks.ctypes.data, len(self._asks), 0
        row["cpu_ps"] = READ_CPU_PS if clock.costs is not None else 0
        count = self._checked(self._ask(image))
        clock.spend(int(costs[cost_table.LIST_LOCATION]) * count)
        self._read(workers, clock)
        taken = count
        total = self._checked(int(ask_for_codes(self._address, state.codes.address, count)))
        clock.spend(int(costs[cost_table.LIST_LOCATION]) * count)
        if total > taken:
            row["taken"] = taken
            self._read(workers, clock)

    @property
    def _address(self) -> int:
        return int(self._memory.ctypes.data)

    def _ask(self, image: BlockImage) -> int:
        self._memory[0]["taken"] = 0
        if self.kind == SURE:
            return int(ask_for_sure(self._address, image.address))
        place = next(place for place, block in enumerate(self._blocks) if block is image.block)
        listed = self._lists[place]
        return int(ask_for_listed(self._address, listed.ctypes.data, len(listed)))

    @staticmethod
    def _checked(count: int) -> int:
        if count == NO_ROOM:
            raise CapacityError("the state is too small for what is read ahead")
        if count < 0:
            raise StageError("read ahead: the block's access list is none")
        return count

    def _read(self, workers: int, clock: Clock) -> None:
        if self.io == URING:
            for ring in self._rings[:workers]:
                ring.reset()
            clock.run(Workers(ring_step, self._address, [ring.address for ring in self._rings[:workers]]))
            return
        count = workers if self.io == SIMULATED else max(self.threads, workers)
        self._readers["until_ps"] = 0
        stride, first = self._readers.strides[0], int(self._readers.ctypes.data)
        clock.run(Workers(read_step, self._address, [first + number * stride for number in range(count)]))
