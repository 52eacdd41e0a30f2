"""Stage of cold state: a state that is larger than the cache, of which a block's records are read from a store.

It is at work within the execution: what a strategy touches first is read then, and its worker waits. So the time is in
the strategy's own phases, and the phase of the stage is reading ahead of the execution, where that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from contend.evm import Block, State
from contend.node.base import BlockRun, Stage, StageError
from contend.node.cold_state.cold_state import ColdState
from contend.node.store.ahead.read_ahead import AUTO, BLOCK, KINDS, URING, ReadAhead, io_of, lists_of
from contend.node.store.ahead.read_ahead import IO as WAYS
from contend.node.store.ahead.reader import THREADS
from contend.node.store.base import Store
from contend.node.store.disk import DISKS, disk_named
from contend.node.store.file_systems import check_place
from contend.node.store.page_file import PageFile, write_page_file
from contend.node.store.place import forget_oldest, usual_place
from contend.strategies.backing import Backing

OPTION, FILE, MDBX = "state", "file", "mdbx"
CACHE, PATH, DISK, AHEAD, IO, SYNC = "cache", "state_path", "disk", "read_ahead", "io", "sync"
IO_THREADS, MACHINES = "io_threads", "machines"
NONE = "none"
STORES = (FILE, MDBX)
SYNCS = ("block", "none")
COLD = "cold"
USUAL_DISK = "nvme"


def share_of(text: str) -> float:
    """The share of records in the cache that an option says: ``cold``, or 0 to 1.

    Raises
    ------
    StageError
        If it is none.
    """
    try:
        share = 0.0 if text == COLD else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StageError(f"cache: {text!r} is no share; give cold, or a number from 0 to 1")
    return share


def check(asked: Mapping[str, str]) -> None:
    """Refuse a store, a share or a device that is not known.

    Raises
    ------
    StageError
        With what there is.
    """
    if asked[OPTION] not in STORES:
        raise StageError(f"state: {asked[OPTION]!r} is not known; stores are memory, {', '.join(STORES)}")
    share_of(asked.get(CACHE, COLD))
    disk_named(asked.get(DISK, USUAL_DISK))
    if asked.get(AHEAD, NONE) not in (NONE, *KINDS):
        raise StageError(f"read ahead: {asked[AHEAD]!r} is not known; give none, {' or '.join(KINDS)}")
    if asked.get(IO, AUTO) not in WAYS:
        raise StageError(f"io: {asked[IO]!r} is not known; give one of {', '.join(WAYS)}")
    if asked.get(SYNC, SYNCS[0]) not in SYNCS:
        raise StageError(f"sync: {asked[SYNC]!r} is not known; they are {' or '.join(SYNCS)}")
    if asked[OPTION] == MDBX and asked.get(IO) == URING:
        raise StageError("io: a database is not read by io_uring; --io threads does without")
    if asked[OPTION] == MDBX and find_spec("clibmdbx") is None:
        raise StageError("state: mdbx needs the package clibmdbx; pip install 'clibmdbx>=1.0.4'")


def compile_kernels() -> None:
    """Compile all that the stage calls."""
    from contend.node.store import fetching, page_filling, page_reads
    from contend.node.store.ahead import reader, ring_reads

    state = State()
    page_filling.count_records(state.address, 0)
    for native in (fetching.fetch, page_reads.read_record, reader.read_step, ring_reads.ring_step):
        _ = native.address


def make(asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, seed: int) -> Stage:
    """Have the records of the state before the first block in a store.

    Raises
    ------
    StageError
        If the store cannot be had.
    """
    check(asked)
    share = share_of(asked.get(CACHE, COLD))
    if asked[OPTION] == MDBX:
        from contend.node.cold_state.durable_stage import DurableState, run_store

        durable = run_store(genesis, asked.get(PATH), asked.get(SYNC, SYNCS[0]))
        cold = ColdState(durable, genesis.snapshot(), share, None, seed, _ahead(asked, blocks, genesis, durable, False))
        return DurableState(durable, cold, len(blocks), share)
    digest = genesis.digest()
    simulated = DISK in asked
    chosen = asked.get(PATH)
    path = usual_place(digest) if chosen is None else Path(chosen)
    if not simulated:
        check_place(path)
    if not path.exists():
        write_page_file(path, genesis, digest)
        if chosen is None:
            forget_oldest(path.parent, path)
    store = PageFile(path, digest, direct=not simulated)
    disk = disk_named(asked[DISK]) if simulated else None
    cold = ColdState(store, genesis.snapshot(), share, disk, seed, _ahead(asked, blocks, genesis, store, simulated))
    cold.machines = int(asked.get(MACHINES, "1"))
    return StateStore(cold, share, asked.get(DISK))


def _ahead(
    asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, store: Store, simulated: bool
) -> ReadAhead | None:
    kind = asked.get(AHEAD, NONE)
    if kind == NONE:
        return None
    lists = lists_of(blocks, genesis) if kind == BLOCK else []
    threads = int(asked.get(IO_THREADS, THREADS))
    return ReadAhead(kind, blocks, lists, io_of(asked.get(IO, AUTO), store, simulated), threads=threads)


class StateStore(Stage):
    """Has a store lie behind the state of each block.

    Parameters
    ----------
    cold : ColdState
    share : float
        Of the records that are in the cache.
    disk : str or None
        Name of the simulated device.
    """

    phase: ClassVar[str] = "read"
    comes_first: ClassVar[bool | None] = None

    def __init__(self, cold: ColdState, share: float, disk: str | None) -> None:
        self.cold, self._share, self._disk = cold, share, disk

    @property
    def facts(self) -> dict[str, Any]:
        """Store, share in the cache, how it was read; see `Stage.facts`."""
        store, ahead = self.cold.store, self.cold.ahead
        facts = {"store": store.name, "cache": self._share, **store.facts}
        if self.cold.machines > 1:
            facts["machines"] = self.cold.machines
        if ahead is not None:
            facts |= ahead.facts
        if self._disk is None:
            direct = isinstance(store, PageFile) and store.is_direct
            return {**facts, "io": "blocking", "direct": direct}
        found = DISKS.get(self._disk) or disk_named(self._disk)
        latency, channels = found.latency_ps / 1e12, found.channels
        return {**facts, "io": "simulated", "disk": self._disk, "latency_seconds": latency, "channels": channels}

    @property
    def backing(self) -> Backing:
        """The store; see `Stage.backing`."""
        return self.cold

    def again(self) -> StateStore:
        """Another with the same store; see `Stage.again`."""
        return StateStore(self.cold.again(), self._share, self._disk)

    def make_ready(self, run: BlockRun) -> None:
        """Have memory for reading ahead; see `Stage.make_ready`."""
        if self.cold.ahead is not None:
            self.cold.ahead.make_ready(run.workers)

    def work(self, run: BlockRun) -> None:
        """Do nothing: it is at work within the execution; see `Stage.work`."""

    def counters(self, run: BlockRun) -> dict[str, Any]:
        """Reads from the store; see `Stage.counters`."""
        return dict(self.cold.counters)

    def check(self, run: BlockRun) -> list[str]:
        """Say whether all reads have succeeded; see `Stage.check`."""
        return self.cold.faults()
