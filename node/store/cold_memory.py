"""Cold memory: the words that kernels keep about a state, or a part of one, behind which a store lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, Snapshot, State, layout
from contend.evm.block import Words
from contend.evm.layout import ABSENT, HERE
from contend.evm.state import location_key
from contend.node.store.base import Store
from contend.node.store.disk import Disk
from contend.node.store.fetching import POISON, fetch, make_absent, mark_kept
from contend.node.store.layout import COLD
from contend.node.store.page_file import PageFile
from contend.node.store.python_reads import PythonReads
from contend.strategies.backing import PartBacking
from contend.strategies.clocks import Clock

COUNTED = RECORDS, READS, FAULTS, WAITED = "cold_records", "cold_reads", "cold_faults", "cold_waited_ps"
_FIELDS = {RECORDS: "records", READS: "device_reads", FAULTS: "faults", WAITED: "waited_ps"}
_ALL = (1 << 64) - 1


class ColdMemory(PartBacking):
    """What is behind one state.

    Parameters
    ----------
    store : Store
    share : float
        Of the records that are in memory at first, 0 to 1.
    disk : Disk or None
        What a read takes where time is simulated; None for nothing.
    seed : int
        By which the share is drawn.
    channels : ndarray of int64, optional
        A word a channel of the device, which all that read of it share.
    """

    def __init__(
        self,
        store: Store,
        share: float,
        disk: Disk | None,
        seed: int,
        channels: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.store, self._share, self._disk, self._seed = store, share, disk, seed
        self._channels: npt.NDArray[np.int64] = np.zeros(0, np.int64) if channels is None else channels
        self._cold: Any = COLD.zeros()
        self._python = PythonReads(store)
        self._kept_alive: tuple[npt.NDArray[np.void], ...] = ()
        self._code_arrivals: Words = np.zeros(0, np.uint64)

    @property
    def failure(self) -> BaseException | None:
        """What went wrong in the last read through Python that failed."""
        return self._python.failure

    @property
    def address(self) -> int:
        """Address of what kernels keep (`node.store.layout.COLD`)."""
        return int(self._cold.ctypes.data)

    def begin(
        self, state: State, kept: npt.NDArray[np.bool_], coinbase: bytes, place: tuple[int, int], clock: Clock
    ) -> int:
        """Take out of memory what is not to be there; see `PartBacking.begin`."""
        self.store.drop_cache()
        self._channels[:] = 0
        self._bind_codes(state)
        is_timed = clock.instant != 0 and self._disk is not None
        row = self._cold[0]
        for name, value in {
            "fetch": fetch.address,
            "state": state.address,
            "coinbase": location_key(coinbase, layout.KIND_BALANCE),
            "cached_below": min(int(self._share * 2**64), _ALL),
            "seed": self._seed & _ALL,
            "instant": clock.instant,
            "waited": clock.waited,
            "machine": 0,
            "latency_ps": self._disk.latency_ps if self._disk is not None else 0,
            "channels": self._channels.ctypes.data,
            "channel_count": len(self._channels) if is_timed else 0,
            "shard": place[0],
            "shards": place[1],
            "code_arrivals": self._code_arrivals.ctypes.data,
            "code_count": len(self._code_arrivals),
            "is_full": 0,
            **dict.fromkeys(_FIELDS.values(), 0),
        }.items():
            row[name] = value
        address = self.address
        if len(kept):
            kept = np.concatenate([kept, np.zeros(state.capacity - len(kept), np.bool_)])
            mark_kept(address, kept, state.count)
        make_absent(address, kept, state.count)
        return address

    def _bind_codes(self, state: State) -> None:
        """Have a place and an arrival for each code that there is before the block."""
        row = self._cold[0]
        self._code_arrivals = np.full(len(state.codes), ABSENT, np.uint64)
        if isinstance(self.store, PageFile):
            places = self.store.places_of(state.codes)
            source = self.store.source(places)
            self._kept_alive = places, source
            self._code_arrivals[places["size"][: len(state.codes)] == 0] = HERE
            row["read"], row["source"] = self.store.read.address, source.ctypes.data
        else:
            row["read"], row["source"] = self._python.address, 0

    def end(self, state: State, before: Snapshot) -> dict[str, int]:
        """Put back what nobody has asked for; see `PartBacking.end`."""
        poison = np.array(POISON, np.uint64)
        known = state.values[: before.count]
        absent = np.flatnonzero(known[:, 0] == poison[0])
        absent = absent[(known[absent] == poison).all(axis=1)]
        known[absent] = before.values[absent]
        state.arrivals[:] = HERE
        row = self._cold[0]
        if row["is_full"]:
            raise CapacityError("the state is too small for what is read of it")
        return {name: int(row[field]) for name, field in _FIELDS.items()}
