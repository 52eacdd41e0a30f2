"""Stage of the state root: the root after a block, of what its execution has changed.

The tries are built of the state before the first block, outside the time, and stay in memory from block to block: a
node has them. Each block's changes are the input, as the strategy left them, in no order that the stage relies on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from contend.evm import Block, Changes, State
from contend.evm.block import Words
from contend.evm.layout import KEY_WORDS
from contend.node.base import BlockRun, Stage, StageError
from contend.node.state_root.state_trie import StateTrie, moves_slots, of_generations
from contend.node.state_root.words_of_state import words_of
from contend.strategies.compiled import LOCATIONS_PER_TRANSACTION, SPARE_LOCATIONS

OPTION, MPT = "root", "mpt"
KINDS = (MPT,)
_ROOTS_KEPT = 256


def check(asked: Mapping[str, str]) -> None:
    """Refuse a kind of root that is not known.

    Raises
    ------
    StageError
        With those that are.
    """
    kind = asked[OPTION]
    if kind not in KINDS:
        raise StageError(f"root: {kind!r} is not known; kinds are {', '.join(KINDS)}")


def compile_kernels() -> None:
    """Compile all that the stage calls."""
    StateTrie().load_kernels()
    words_of(State(), np.zeros((1, KEY_WORDS), np.uint64))


def make(asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, seed: int) -> Stage:
    """Build the tries of the state before the first block.

    Raises
    ------
    StageError
        If the kind is not known.
    """
    check(asked)
    return StateRoot(genesis, {})


class StateRoot(Stage):
    """Computes the state root after each block, and holds it against that of tries built anew.

    Parameters
    ----------
    genesis : State
        Before the first block.
    expected : dict
        Roots that have been built, by what was changed since the first block; filled as runs come.
    """

    phase: ClassVar[str] = "root"

    def __init__(self, genesis: State, expected: dict[tuple[str, ...], bytes]) -> None:
        self._genesis, self._expected = genesis.copy(), expected
        self._trie = StateTrie.of(genesis)
        # What the tries have beyond the state before the first block: the keys of each block's changes, their digests.
        self._changed: list[Words] = []
        self._digests: list[str] = []
        self._accounts = self._trie.account_count
        self._slots = self._trie.slot_count
        self.root = self._trie.root
        self._is_lost = False

    def again(self) -> StateRoot:
        """Another with tries of its own; see `Stage.again`."""
        return StateRoot(self._genesis, self._expected)

    @property
    def facts(self) -> dict[str, Any]:
        """Kind, and leaves before the first block; see `Stage.facts`."""
        return {"kind": MPT, "accounts": self._accounts, "slots": self._slots}

    def make_ready(self, run: BlockRun) -> None:
        """Go back to the state before the block, where earlier runs have gone further; see `Stage.make_ready`."""
        if self._is_lost:
            # A run has failed after the root was computed, or while it was.
            self._trie, self._is_lost = StateTrie.of(run.state), False
            del self._changed[run.place :], self._digests[run.place :]
        elif run.place < len(self._digests):
            keys = np.unique(np.concatenate(self._changed[run.place :]), axis=0)
            if of_generations(keys).any():
                # A storage that was destroyed is nowhere in the tries, and none of its slots has changed.
                self._trie = StateTrie.of(run.state)
            else:
                self._trie.update(Changes(keys, words_of(run.state, keys)))
            del self._changed[run.place :], self._digests[run.place :]
        self._trie.reserve(LOCATIONS_PER_TRANSACTION * len(run.image) + SPARE_LOCATIONS)
        self._trie.load_kernels()

    def expect(self, runs: Sequence[BlockRun]) -> None:
        """Have room for what all blocks change together; see `Stage.expect`."""
        self.make_ready(runs[0])
        self._trie.reserve(sum(LOCATIONS_PER_TRANSACTION * len(run.image) + SPARE_LOCATIONS for run in runs))

    def work(self, run: BlockRun) -> None:
        """Compute the root; see `Stage.work`."""
        assert run.outcome is not None
        changes = run.outcome.changes
        assert changes is not None
        if moves_slots(changes):
            # That comes once in the life of a chain.
            if run.overlaps:
                raise StageError("root: storage that was destroyed is settled in these blocks; leave --pipeline out")
            self._trie = StateTrie.of(run.state)
        else:
            self._trie.prepare(changes, run.workers)
            self._trie.run(run.workers, run.clock)
        self.root = run.root = self._trie.root

    def release(self, run: BlockRun, has_failed: bool) -> None:
        """Take note that the tries are of no known state, where the run has failed; see `Stage.release`."""
        self._is_lost |= has_failed

    def check(self, run: BlockRun) -> list[str]:
        """Hold the root against that of tries of the whole state after the block; see `Stage.check`.

        The oracle holds that state against the serial one, so this is the serial run's root.
        """
        assert run.outcome is not None
        changes = run.outcome.changes
        assert changes is not None
        self._changed.append(changes.keys)
        self._digests.append(changes.digest)
        path = tuple(self._digests)
        if path not in self._expected:
            if len(self._expected) >= _ROOTS_KEPT:
                # Of runs in an order of their own there is no end.
                del self._expected[next(iter(self._expected))]
            self._expected[path] = StateTrie.of(run.state).root
        expected = self._expected[path]
        if run.root == expected:
            return []
        return [f"block {run.place}: state root 0x{run.root.hex()} instead of 0x{expected.hex()}"]
