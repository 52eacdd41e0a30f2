"""Running workers over multi-version memory: what Block-STM and the planned strategies have in common in Python."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import CapacityError, State, atomics, layout
from evm.direct import credit_beneficiary
from evm.image import BlockImage
from evm.interpreter import resume
from evm.jit import Native, kernel, native
from evm.machine import Machine
from evm.pointers import view_u64
from evm.receipts import R_FEE, R_WORDS, ReceiptTable
from evm.rooms import sparse_zeros
from evm.words import add, get_at
from strategies import clocks, costs
from strategies import shared as s
from strategies.base import Outcome
from strategies.clocks import Clock, Team
from strategies.compiled import CompiledStrategy, beneficiary_location
from strategies.costs import Costs, default_costs
from strategies.incarnation import end_step, open_shared, open_worker, spend, store_final_words
from strategies.multiversion import CHUNK_WORDS

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Words = npt.NDArray[np.uint64]

ARENA_WORDS_PER_TRANSACTION = 512
SPARE_ARENA_WORDS = 1 << 18
FIRST_ARENA_WORD = atomics.CACHE_LINE  # so that 0 can mean "nothing"
READ_SET_WORDS = 1 << 18
RECEIPT_BYTES_PER_TRANSACTION = 1 << 11
SPARE_RECEIPT_BYTES = 1 << 20
FEW_WORKERS = 16
COMMIT_PIECE = 1024
COMMIT_LOCATION = costs.COMMIT_LOCATION


@native("int64(int64, int64)")
def commit_step(shared_address, worker_address):
    """Write the final words of one piece of the locations to the state."""
    shared, worker = open_shared(shared_address), open_worker(worker_address)
    end = I(shared[U(s.S_COMMIT_END)])
    counters = view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT)
    first = I(atomics.add(counters, s.C_COMMIT, U(COMMIT_PIECE)))
    if first >= end:
        return s.FINISHED
    last = min(first + COMMIT_PIECE, end)
    store_final_words(shared, first, last)
    worker[U(s.W_ACTIVITY)] = U(clocks.ACT_COMMIT)
    spend(shared, worker, COMMIT_LOCATION, last - first)
    return end_step(worker, s.WORKED)


@kernel()
def _sum_fees(rows, count):
    total = (U(0), U(0), U(0), U(0))
    for i in range(count):
        total = add(total, get_at(rows, i * R_WORDS + R_FEE))
    return total


# A worker that finds nothing to do has nothing to do until one of these counters changes.
SIGNALS = (s.C_DECREASES, s.C_DONE, s.C_READY_TAIL, s.C_FAULT)


@kernel()
def _list_aborts(arena, note, found):
    """Fill `found` with the locations of a worker's aborts, the last one first."""
    for i in range(found.size):
        found[i] = I(arena[note])
        note = I(arena[note + 1])


class Workspace:
    """The memory of one block execution by some workers. Kept for the next block of no larger size."""

    def __init__(self, size: int, workers: int, capacity: int, scale: int, image: BlockImage, state: State) -> None:
        self.fits = (size, workers, capacity, scale)
        self.header = np.zeros(s.S_WORDS, np.uint64)
        self.counters = np.zeros(s.C_COUNT, np.uint64)
        self.lines = np.zeros(max(size, 1) * s.T_WORDS + atomics.CACHE_LINE, np.uint64)
        self.heads = np.zeros(capacity, np.uint64)
        arena = scale * (size * ARENA_WORDS_PER_TRANSACTION + SPARE_ARENA_WORDS) + workers * CHUNK_WORDS
        self.arena = np.zeros(arena, np.uint64)
        self.prefixes = np.zeros(max(size, 1) * s.PREFIX_WORDS, np.uint64)
        # Any worker may execute far more than its share, but hardly all of a large block.
        share = size if workers <= FEW_WORKERS else size * FEW_WORKERS // workers
        room = scale * (share * RECEIPT_BYTES_PER_TRANSACTION + SPARE_RECEIPT_BYTES)
        self.receipts = ReceiptTable(workers, room)
        self.machines = [Machine(image.address, state.codes.address, scale=scale) for _ in range(workers)]
        self.reads = [sparse_zeros(scale * READ_SET_WORDS) for _ in range(workers)]
        self.workers = np.zeros((workers, s.W_WORDS), np.uint64)

    def reset(self, image: BlockImage, state: State, costs: Costs) -> None:
        """Make ready for a block: nothing written, nothing read, nothing handed out."""
        size = len(image)
        self.receipts.reset(size)
        for array in (self.counters, self.lines, self.heads, self.prefixes, self.workers):
            array.fill(0)
        self.counters[s.C_ARENA] = FIRST_ARENA_WORD
        # One cache line for each transaction, wherever the allocator put the array.
        lines = (self.lines.ctypes.data + 63) & ~63
        for field, value in (
            (s.S_SIZE, size),
            (s.S_WORKERS, len(self.workers)),
            (s.S_STATE, state.address),
            (s.S_RESUME, resume.address),
            (s.S_COINBASE, beneficiary_location(image, state)),
            (s.S_RECEIPTS, self.receipts.address),
            (s.S_COUNTERS, self.counters.ctypes.data),
            (s.S_TRANSACTIONS, lines),
            (s.S_HEADS, self.heads.ctypes.data),
            (s.S_HEADS_SIZE, self.heads.size),
            (s.S_ARENA, self.arena.ctypes.data),
            (s.S_ARENA_WORDS, self.arena.size),
            (s.S_PREFIXES, self.prefixes.ctypes.data),
            (s.S_COSTS, costs.table.ctypes.data),
        ):
            self.header[field] = value
        for number, worker in enumerate(self.workers):
            self.machines[number].attach(image.address, state.codes.address)
            worker[s.W_MACHINE] = self.machines[number].address
            worker[s.W_RECEIPT_ARENA] = self.receipts.arena_address(number)
            worker[s.W_READS] = self.reads[number].ctypes.data
            worker[s.W_READS_ROOM] = self.reads[number].size

    @property
    def address(self) -> int:
        """Address of the shared header."""
        return int(self.header.ctypes.data)

    @property
    def worker_addresses(self) -> list[int]:
        """Addresses of the workers' headers."""
        return [int(worker.ctypes.data) for worker in self.workers]

    def run(self, step: Native, clock: Clock, signals: tuple[int, ...] = SIGNALS, alike: bool = True) -> None:
        """Drive a step by all workers until all have finished.

        Parameters
        ----------
        step : Native
        clock : Clock
        signals : tuple of int
            Counters of which one changes whenever a worker that was idle may find something to do.
        alike : bool
            See `Team`.

        Raises
        ------
        CapacityError
            If something was full.
        """
        counters = int(self.counters.ctypes.data)
        addresses = tuple(counters + 8 * number for number in signals)
        ended = clock.run(Team(step, self.address, self.worker_addresses, addresses, s.W_ACTIVITY, alike=alike))
        if s.FAILED in ended and not self.counters[s.C_FAULT]:
            raise RuntimeError("a step returned FAILED without noting a fault, so there is no room to be made for it")
        if s.FAILED in ended or self.counters[s.C_FAULT]:
            raise CapacityError("a machine, the arena, the state or the receipts are too small for the block")

    def commit(self, state: State, clock: Clock) -> None:
        """Write all final words to the state, and credit the beneficiary."""
        self.header[s.S_COMMIT_END] = state.count
        self.counters[s.C_COMMIT] = 0
        self.run(commit_step, clock)
        fees = np.array(_sum_fees(self.receipts.rows.reshape(-1), int(self.header[s.S_SIZE])), np.uint64)
        credit_beneficiary(state.address, int(self.header[s.S_COINBASE]), int(fees.ctypes.data))

    def abort_locations(self, state: State) -> tuple[Words, npt.NDArray[np.int64]]:
        """Keys of the locations that aborts were due to, and how many each."""
        aborts = self.workers[:, s.W_ABORTS].astype(np.int64)
        found = np.zeros(int(aborts.sum()), np.int64)
        at = 0
        for head, count in zip(self.workers[:, s.W_ABORT_LIST].tolist(), aborts.tolist(), strict=True):
            _list_aborts(self.arena, head, found[at : at + count])
            at += count
        locations, counts = np.unique(found, return_counts=True)
        return state.keys[locations], counts.astype(np.int64)

    def counted(self) -> dict[str, int]:
        """What the workers counted, summed."""
        total = self.workers.sum(axis=0)
        found = {
            "executions": int(total[s.W_EXECUTIONS]),
            "aborts": int(total[s.W_ABORTS]),
            "validations": int(total[s.W_VALIDATIONS]),
            "dependency_waits": int(total[s.W_DEPENDENCIES]),
            "wasted_gas": int(total[s.W_WASTED_GAS]),
        }
        for kind, name in enumerate(layout.KIND_NAMES):
            found[f"aborts_{name}"] = int(total[s.W_ABORTS_BY_KIND + kind])
        return found


class OptimisticStrategy(CompiledStrategy):
    """A strategy whose workers execute over multi-version memory and validate.

    Attributes
    ----------
    step : Native
        What a worker does: ``step(shared, worker) -> cost``, see `strategies.clocks.Team`.
    signals : tuple of int
        Counters of `strategies.shared` of which one changes whenever a worker that was idle may find something to do.
        A step that is idle for want of anything else waits for ever under the virtual clock.
    alike : bool
        Whether idle workers all wait for the same; False where each waits for something of its own, its turn for one.
    """

    step: ClassVar[Native]
    signals: ClassVar[tuple[int, ...]] = SIGNALS
    alike: bool = True

    def __init__(self) -> None:
        super().__init__()
        self._workspace: Workspace | None = None

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """The workspace for these sizes: the last one if it fits."""
        wanted = (len(image), workers, state.capacity, scale)
        if self._workspace is None or self._workspace.fits != wanted:
            self._workspace = Workspace(*wanted, image, state)
        return self._workspace

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        space = self.workspace(image, state, workers, scale)
        began = self.clock.now()
        space.reset(image, state, self.clock.costs or default_costs())
        self.prepare(space, image, state)
        prepared = self.clock.now()
        space.run(self.step, self.clock, self.signals, self.alike)
        executed = self.clock.now()
        space.commit(state, self.clock)
        self.spend(costs.FEE, len(image), clocks.ACT_COMMIT)
        committed = self.clock.now()
        receipts = space.receipts.collect(len(image))
        phases = {"prepare": prepared - began, "execute": executed - prepared, "commit": committed - executed}
        aborted = space.abort_locations(state)
        return Outcome(None, receipts, phases, space.counted(), abort_locations=aborted)

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """What has to be done before the workers start. Timed. The default has nothing to do."""
