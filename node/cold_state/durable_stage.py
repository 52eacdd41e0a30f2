"""Stage of a durable state: a database behind the state, which is read from and committed to.

Reads are within the execution, as those from a file are; they come through Python, a record at a time, by a thread that
has no GIL while it waits for its page. The commit comes behind everything else, with the root where one is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contend.evm import State
from contend.node.base import BlockRun
from contend.node.cold_state.cold_state import ColdState
from contend.node.store.durable.commit_stage import StoreCommit
from contend.node.store.durable.run_store import RunStore
from contend.strategies.backing import Backing


def run_store(genesis: State, path: str | None, sync: str) -> RunStore:
    """Have the state before the first block in a store.

    Parameters
    ----------
    genesis : State
    path : str or None
        Of a store that is there; None for a new one, which is gone afterwards.
    sync : str
        One of `mdbx_store.SYNCS`.

    Raises
    ------
    StoreError
        If the store cannot be had.
    """
    return RunStore.new(genesis, sync) if path is None else RunStore(genesis, Path(path), sync)


class DurableState(StoreCommit):
    """Has a durable store lie behind the state of each block, and commits the block to it.

    Parameters
    ----------
    store : RunStore
    cold : ColdState
        What brings its records into memory.
    blocks : int
        How many come in a row.
    share : float
        Of the records that are in memory when a block begins.
    """

    def __init__(self, store: RunStore, cold: ColdState, blocks: int, share: float) -> None:
        super().__init__(store, blocks)
        self._cold, self._share = cold, share

    @property
    def facts(self) -> dict[str, Any]:
        """Store, share in the cache, how it is read and written; see `Stage.facts`."""
        ahead = {} if self._cold.ahead is None else self._cold.ahead.facts
        return {**super().facts, "cache": self._share, "io": "blocking", **ahead}

    @property
    def backing(self) -> Backing:
        """The store; see `Stage.backing`."""
        return self._cold

    def again(self) -> DurableState:
        """Another with a store of its own; see `Stage.again`."""
        store = self._store.again()
        return DurableState(store, self._cold.again(store), self._blocks, self._share)

    def make_ready(self, run: BlockRun) -> None:
        """Go back to the state before the block, and have memory for reading ahead; see `Stage.make_ready`."""
        super().make_ready(run)
        if self._cold.ahead is not None:
            self._cold.ahead.make_ready(run.workers)

    def counters(self, run: BlockRun) -> dict[str, Any]:
        """Records read and written, and whether reads may not have been the device's; see `Stage.counters`."""
        return {**self._cold.counters, **super().counters(run), "store_warm": int(self._store.is_warm)}

    def check(self, run: BlockRun) -> list[str]:
        """Say which reads have failed, and what was not stored; see `Stage.check`."""
        return [*self._cold.faults(), *super().check(run)]
