"""Workspace: the memory of Block-STM's workers, made in Python, and the run of a step over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, State, layout
from contend.evm.access_list.building.access_log import AccessLog
from contend.evm.access_list.building.builder import ListBuilder
from contend.evm.block_image import BlockImage
from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT
from contend.evm.drivers.serial import credit_beneficiary
from contend.evm.interpreter import resume
from contend.evm.receipts import ReceiptTable
from contend.evm.runtime.atomics import CACHE_LINE
from contend.evm.runtime.jit import Native
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.runtime.structs import WORD_BYTES, Struct
from contend.evm.vm.machine import Machine
from contend.strategies.base import HintedSets
from contend.strategies.block_stm.commit import (
    commit_step,
    count_aborts,
    count_written,
    list_aborts,
    list_written,
    sum_fees,
)
from contend.strategies.block_stm.epochs import next_epoch, rows_of
from contend.strategies.block_stm.expected_accesses import MOST
from contend.strategies.block_stm.hint_table import copy_entries
from contend.strategies.block_stm.layout import (
    EXPECTED,
    FEES_SEEN,
    HINT,
    READ,
    SHARED,
    TRANSACTION,
    WORKER,
)
from contend.strategies.block_stm.mv_memory import CHUNK_WORDS
from contend.strategies.clocks import FAILED, Clock, Workers
from contend.strategies.clocks.cost_table import CostTable
from contend.strategies.compiled import beneficiary_location

Words = npt.NDArray[np.uint64]
Locations = npt.NDArray[np.int64]

ARENA_WORDS_PER_TRANSACTION = 512
SPARE_ARENA_WORDS = 1 << 18
FIRST_ARENA_WORD = CACHE_LINE  # so that 0 can mean "nothing"
READ_SET_ENTRIES = 1 << 17
RECEIPT_BYTES_PER_TRANSACTION = 1 << 11
SPARE_RECEIPT_BYTES = 1 << 20
FEW_WORKERS = 16
FAR = 64  # see `strategies.block_stm.layout.SHARED`
HINTS_PER_TRANSACTION = 64
BUCKETS_PER_WORKER = 4
SPARE_HINTS = 1 << 16

# A worker that finds nothing to do has nothing to do until one of these fields changes.
WAKE_COUNTERS = ("decrease_cnt", "done_marker", "fault")


class Workspace:
    """The memory of one block execution by some workers.

    Kept for the next block if that has as many transactions, and is executed by as many workers in as much room.

    Parameters
    ----------
    size : int
        Transactions in the block.
    workers : int
    scale : int
        Multiplies the usual room.
    image : BlockImage
    state : State
    own_shared, own_worker : Struct, optional
        What a strategy brings itself: one for all workers, and one for each.
    machines_per_worker : int
        Machines that there are for each worker, but no more beside those in hand than transactions.

    Attributes
    ----------
    shared : record of `strategies.block_stm.layout.SHARED`
    workers : ndarray of `WORKER`, shape (workers,)
    own_shared : record of the strategy's own struct, or None
    own_workers : ndarray of the strategy's own struct, shape (workers,), or None
    machines : list of Machine
        The first ones are those of the workers.
    reads : list of ndarray of uint64
        For each machine, room for the read set of the transaction that executes on it.
    """

    def __init__(
        self,
        size: int,
        workers: int,
        scale: int,
        image: BlockImage,
        state: State,
        own_shared: Struct | None = None,
        own_worker: Struct | None = None,
        machines_per_worker: int = 1,
    ) -> None:
        self.fits = (size, workers, scale)
        self._shared = SHARED.lines(1)
        self.shared: Any = self._shared[0]
        self.workers: Any = WORKER.lines(workers)
        self._own_struct = own_shared
        self._own = own_shared.lines(1) if own_shared else None
        self.own_shared: Any = None if self._own is None else self._own[0]
        self.own_workers: Any = own_worker.lines(workers) if own_worker else None
        self.transactions = TRANSACTION.zeros(max(size, 1))
        self.fees_seen = FEES_SEEN.zeros(max(size, 1))
        arena = scale * (size * ARENA_WORDS_PER_TRANSACTION + SPARE_ARENA_WORDS) + workers * CHUNK_WORDS
        self.arena = np.zeros(arena, np.uint64)
        # Any worker may execute far more than its share, but hardly all of a large block.
        share = size if workers <= FEW_WORKERS else size * FEW_WORKERS // workers
        room = scale * (share * RECEIPT_BYTES_PER_TRANSACTION + SPARE_RECEIPT_BYTES)
        self.receipts = ReceiptTable(workers, room)
        count = workers + min((machines_per_worker - 1) * workers, size)
        self.machines = [Machine(image.address, state.codes.address, scale=scale) for _ in range(count)]
        self.reads_room = scale * READ_SET_ENTRIES
        self.reads = [sparse_zeros(self.reads_room * READ.words) for _ in range(count)]
        self._written_chunks = [0]
        self.hints = HINT.zeros(0)
        self._hint_lists: list[Locations] = []
        self._expected: list[Words] = []
        self._source: Words | None = None
        self.lists: ListBuilder | None = None

    def make_hint_table(self) -> None:
        """Have room for hints: a row a transaction, and a list a worker. Outside the time."""
        size, workers, scale = self.fits
        if not self._hint_lists:
            room = scale * (size * HINTS_PER_TRANSACTION + SPARE_HINTS)
            self._hint_lists = [sparse_zeros(room, np.int64) for _ in range(workers)]
            self.hints = HINT.zeros(max(size, 1))
            self._expected = [sparse_zeros(MOST * EXPECTED.words) for _ in range(workers)]

    def fit_lists(self, wanted: bool) -> None:
        """Have memory for an access list where one is wanted, and none where not. Outside the time."""
        size, workers, scale = self.fits
        if not wanted:
            self.lists = None
        elif self.lists is None:
            buckets = BUCKETS_PER_WORKER * workers if workers > 1 else 1
            self.lists = ListBuilder(AccessLog(size, workers, scale), buckets)

    def reset(self, image: BlockImage, state: State, costs: CostTable) -> None:
        """Make ready for a block: nothing written, nothing read, nothing handed out."""
        self.receipts.reset(len(image))
        for array in (self._shared, self.transactions, self.fees_seen, self.workers, self._own, self.own_workers):
            if array is not None:
                clear(array)
        for field, value in (
            ("block_size", len(image)),
            ("state", state.address),
            ("resume", resume.address),
            ("coinbase", beneficiary_location(image, state)),
            ("receipts", self.receipts.address),
            ("costs", costs.table.ctypes.data),
            ("transactions", self.transactions.ctypes.data),
            ("rows", rows_of(state)),
            ("rows_count", state.capacity),
            ("epoch", next_epoch(state)),
            ("fees_seen", self.fees_seen.ctypes.data),
            ("arena", self.arena.ctypes.data),
            ("arena_words", len(self.arena)),
            ("arena_used", FIRST_ARENA_WORD),
            ("own", 0 if self._own is None else self._own.ctypes.data),
            ("workers", len(self.workers)),
            ("hints", self.hints.ctypes.data),
        ):
            self.shared[field] = value
        if self._hint_lists:
            clear(self.hints)
            self.workers["hint_list"] = [one.ctypes.data for one in self._hint_lists]
            self.workers["hint_room"] = len(self._hint_lists[0])
            self.workers["expected"] = [one.ctypes.data for one in self._expected]
        if self.lists is not None:
            log = self.lists.log
            log.reset()
            self.shared["access_rows"] = log.address
            self.workers["access_log"] = [log.log_address(number) for number in range(len(self.workers))]
        own_addresses = [0] * len(self.workers) if self.own_workers is None else addresses_of(self.own_workers)
        for machine in self.machines:
            machine.attach(image.address, state.codes.address)
        for number in range(len(self.workers)):
            worker = self.workers[number]
            worker["machine"] = self.machines[number].address
            worker["receipt_arena"] = self.receipts.arena_address(number)
            worker["reads"], worker["reads_room"] = self.reads[number].ctypes.data, self.reads_room
            worker["own"] = own_addresses[number]

    def speculate(self, clock: Clock, settles: bool) -> None:
        """Make ready for workers whose whole step is Block-STM's.

        Parameters
        ----------
        clock : Clock
            Where workers do not take turns, a step goes on as long as there is something to do.
        settles : bool
            Whether final words go to the state at once (`strategies.block_stm.settled_words`).
        """
        self.workers["runs_on"] = not clock.takes_turns
        self.shared["settles"] = settles
        self.shared["far"] = FAR

    @property
    def address(self) -> int:
        """Address of the shared header."""
        return int(self._shared.ctypes.data)

    def _wake_address(self, name: str) -> int:
        if self._own is not None and self._own_struct is not None and name in self._own_struct.offsets:
            return int(self._own.ctypes.data) + WORD_BYTES * self._own_struct.offsets[name]
        if name in SHARED.offsets:
            return self.address + WORD_BYTES * SHARED.offsets[name]
        known = [*WAKE_COUNTERS, *(self._own_struct.offsets if self._own_struct else ())]
        raise ValueError(f"wake counter {name!r} is no field of the shared memory; known: {', '.join(known)}")

    def run(
        self,
        step: Native,
        clock: Clock,
        wake_counters: tuple[str | int, ...] = WAKE_COUNTERS,
        interchangeable: bool = True,
    ) -> None:
        """Drive a step by all workers until all have finished.

        Parameters
        ----------
        step : Native
        clock : Clock
        wake_counters : tuple of str or int
            Fields of the shared header, or of the strategy's own struct, or addresses of words elsewhere, of which one
            changes whenever a worker that was idle may find something to do.
        interchangeable : bool
            Whether idle workers all wait for the same; see `strategies.clocks.Workers`.

        Raises
        ------
        CapacityError
            If something was full.
        """
        addresses = tuple(one if isinstance(one, int) else self._wake_address(one) for one in wake_counters)
        activity = WORKER.offsets["activity"]
        workers = addresses_of(self.workers)
        execution = WORKER.offsets["txn_idx"], WORKER.offsets["executions"]
        ended = clock.run(
            Workers(step, self.address, workers, addresses, activity, execution, interchangeable=interchangeable)
        )
        if FAILED in ended and not self.shared["fault"]:
            raise RuntimeError("a step returned FAILED without noting a fault, so there is no room to be made for it")
        if FAILED in ended or self.shared["fault"]:
            raise CapacityError("a machine, the arena, the state or the receipts are too small for the block")

    def run_hint_step(
        self, step: Native, clock: Clock, source: Any = None, wake_counters: tuple[str | int, ...] = ()
    ) -> None:
        """Drive a step over the transactions of the hint table (`hint_table.next_hinted`) by all workers.

        Parameters
        ----------
        step : Native
        clock : Clock
        source : structured array, optional
            The own struct of the source that fills the table, reached by the field `source` of the shared header.
        wake_counters : tuple of str or int, optional
            As in `run`; none where no worker is ever idle.
        """
        self.shared["next_hint"] = 0
        self._source = source
        self.shared["source"] = 0 if source is None else source.ctypes.data
        self.run(step, clock, wake_counters)

    def hinted_sets(self, state: State) -> HintedSets:
        """Copy the hints out by keys, for who judges them. Outside the time."""
        rows = self.hints[: int(self.shared["block_size"])]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(rows["count"], out=offsets[1:])
        raw = np.zeros(int(offsets[-1]), np.int64)
        copy_entries(int(rows.ctypes.data), offsets, raw)
        return HintedSets(offsets, state.keys[raw & LOCATION_MASK], raw & WRITE_BIT != 0)

    def commit(self, state: State, clock: Clock, step: Native = commit_step) -> None:
        """Write all final words to the state, and credit the beneficiary."""
        self._written_chunks = [int(self.shared["written"]), *map(int, self.workers["settled"])]
        self.run(step, clock)
        fees = np.array(sum_fees(self.receipts.address, int(self.shared["block_size"])), np.uint64)
        credit_beneficiary(state.address, int(self.shared["coinbase"]), int(fees.ctypes.data))

    def written_locations(self) -> Locations:
        """Locations whose words the block may have changed, after `commit`, in ascending order."""
        parts = [np.full(1, self.shared["coinbase"], np.int64)]
        for chunk in self._written_chunks:
            parts.append(np.zeros(count_written(chunk), np.int64))
            list_written(chunk, parts[-1])
        return np.unique(np.concatenate(parts))

    def abort_locations(self, state: State) -> tuple[Words, Locations]:
        """Keys of the locations that aborts and repairs were due to, and how many each."""
        notes = self.workers["aborts_noted"].tolist()
        ends = np.cumsum([count_aborts(note) for note in notes])
        found = np.zeros(int(ends[-1]), np.int64)
        for note, own in zip(notes, np.split(found, ends[:-1]), strict=True):
            list_aborts(note, own)
        locations, counts = np.unique(found, return_counts=True)
        return state.keys[locations], counts.astype(np.int64)

    def counted(self, follows_plan: bool = False) -> dict[str, int]:
        """Counters of the workers, summed; repairs only where a plan was followed."""
        names = ["executions", "aborts", "wait_restarts", "waits", "validations", "wasted_gas"]
        if follows_plan:
            names.insert(3, "repairs")
        found = {name: int(self.workers[name].sum()) for name in names}
        for kind, name in enumerate(layout.KIND_NAMES):
            found[f"aborts_{name}"] = int(self.workers["aborts_by_kind"][:, kind].sum())
        return found


def clear(structs: Any) -> None:
    """Zero an array of structs: by words where there may be many, since numpy copies structs one by one."""
    if structs.flags.c_contiguous:
        structs.view(np.uint64).fill(0)
    else:
        structs[:] = np.zeros((), structs.dtype)


def addresses_of(structs: Any) -> list[int]:
    """Addresses of the structs of an array."""
    first, stride = int(structs.ctypes.data), int(structs.strides[0])
    return [first + stride * i for i in range(len(structs))]
