"""Stage of the durable store: what a block has changed, written to a database with its number and root.

What a node would read from the database it still has in memory: the stage finds the changed records there. Before the
time begins what earlier runs of the block have written is taken back; after it every record is read again.
"""

from __future__ import annotations

from typing import Any, ClassVar

from contend.node.base import BlockRun, Stage
from contend.node.store.durable.changed_records import Records, changed_records
from contend.node.store.durable.run_store import RunStore


class StoreCommit(Stage):
    """Commits each block to a store.

    Parameters
    ----------
    store : RunStore
    blocks : int
        How many come in a row.
    """

    phase: ClassVar[str] = "store"

    def __init__(self, store: RunStore, blocks: int = 1) -> None:
        self._store, self._blocks, self._records = store, blocks, Records()

    def again(self) -> StoreCommit:
        """Another with a store of its own; see `Stage.again`."""
        return StoreCommit(self._store.again(), self._blocks)

    @property
    def facts(self) -> dict[str, Any]:
        """Records before the first block, and how durable blocks are; see `Stage.facts`."""
        return {"store": self._store.name, **self._store.facts}

    def make_ready(self, run: BlockRun) -> None:
        """Go back to the state before the block; see `Stage.make_ready`."""
        self._store.go_to(run.place, run.state)

    def work(self, run: BlockRun) -> None:
        """Commit the block; see `Stage.work`."""
        assert run.outcome is not None
        changes = run.outcome.changes
        assert changes is not None
        self._records = changed_records(changes, run.state)
        self._store.store.commit(self._records, run.root or None)

    def counters(self, run: BlockRun) -> dict[str, Any]:
        """Records and codes that were written or deleted; see `Stage.counters`."""
        return {"store_records": len(self._records)}

    def check(self, run: BlockRun) -> list[str]:
        """Read all of it again, by the database's own head; see `Stage.check`."""
        store = self._store.store
        expected = [row for rows in self._records.rows.values() for row in rows]
        found = store.get_many([key for key, _ in expected])
        wrong = [key for (key, value), have in zip(expected, found, strict=True) if have != value]
        told = [f"block {run.place}: record 0x{key.hex()} was not stored as it is" for key in wrong[:3]]
        head = store.read_head()
        if head.root != (run.root or bytes(32)):
            told.append(f"block {run.place}: the store has root 0x{head.root.hex()}")
        return told

    def release(self, run: BlockRun, has_failed: bool) -> None:
        """Let other processes have the store behind the last block; see `Stage.release`."""
        if has_failed or run.place + 1 >= self._blocks:
            self._store.close()
