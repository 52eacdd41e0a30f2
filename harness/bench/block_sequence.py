"""Blocks in a row, each executed on the state that the one before left, and judged there.

State carries over as it does in a node: under each strategy the second block begins with what that strategy's own first
one left. For a strategy that gives the block's order this is the serial state, word by word, or the run has failed. A
strategy that serialises in an order of its own (two-phase commit) may leave another state, and a right one; to put it
back on the serial state after every block would time work from a state that its node would never have. So each block is
judged by a serial run of the same transactions, in the order that was named, *from the state that it began with*.

A serial reference belongs to a block and the history that led to it: the digests of all changes before. The history of
the block's own order is run once, before anything is timed; another one when it first turns up. Only digests of
references are kept, a few words a block. A run that differs is run again serially, to say where.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import perf_counter

from contend.evm import Block, State
from contend.harness.record.sample import RESET, VERIFICATION
from contend.harness.verify.oracle.oracle import Oracle
from contend.strategies.base import Outcome, Strategy

_KEPT_HISTORIES = 64
GENESIS = b""


def blocks_digest(blocks: list[Block]) -> str:
    """The digest of one block is its own; that of several is one of all of theirs."""
    if len(blocks) == 1:
        return blocks[0].digest
    text = " ".join(block.digest for block in blocks)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class BlockSequence:
    """The blocks of a scenario, and the oracles that judge them.

    Parameters
    ----------
    blocks : list of Block
    state : State
        Before the first block. A reference run leaves on it what the block leaves.
    serial : Strategy
        For reference runs; an instance of its own.
    contracts : mapping
        Addresses by name, to name locations in explanations.

    Attributes
    ----------
    genesis : Snapshot
        Before the first block.
    untimed : dict
        Real seconds that the last run took around what it executed: `RESET` of the state to the first block, and
        `VERIFICATION`, serial runs in an order that was not met before among it.
    """

    def __init__(self, blocks: list[Block], state: State, serial: Strategy, contracts: Mapping[str, bytes]) -> None:
        self.blocks = blocks
        self._state = state
        self._serial = serial
        self._contracts = contracts
        self.genesis = state.snapshot()
        self._oracles: OrderedDict[tuple[int, bytes], Oracle] = OrderedDict()
        self.untimed: dict[str, float] = {}

    def lay_out(self, look: Callable[[int, Oracle], None]) -> None:
        """Run all blocks serially, in their order.

        Parameters
        ----------
        look : callable
            Given the place of each block and its oracle, before the oracle forgets all but digests; the state is then
            the one after the block.
        """
        self.rewind()
        history = GENESIS
        for place in range(len(self.blocks)):
            oracle = self._oracle(place, history)
            reference = oracle.reference
            look(place, oracle)
            history = _after(history, reference.changes_digest)
            if len(self.blocks) > 1:
                oracle.forget()

    def rewind(self) -> None:
        """Go back to the state before the first block."""
        self._state.restore(self.genesis)

    def run(self, execute: Callable[[Block], Outcome]) -> list[str]:
        """Execute and judge all blocks, one after the other, from the state before the first.

        Parameters
        ----------
        execute : callable
            Executes a block on the state.

        Returns
        -------
        list of str
            Differences of the first block that has any.
        """
        began = perf_counter()
        self.rewind()
        self.untimed = {RESET: perf_counter() - began, VERIFICATION: 0.0}
        history = GENESIS
        several = len(self.blocks) > 1
        for place, block in enumerate(self.blocks):
            oracle = self._oracle(place, history)
            outcome = execute(block)
            began = perf_counter()
            changed = self._state.changes_since(oracle.snapshot)
            found = oracle.check(outcome, changed)
            if several:
                oracle.forget()
            if found:
                return [f"block {place}: {line}" for line in found] if several else found
            history = _after(history, changed.digest)
            self.untimed[VERIFICATION] += perf_counter() - began
        return []

    def _oracle(self, place: int, history: bytes) -> Oracle:
        """The oracle of a block for the state that is there now."""
        key = place, history
        # All snapshots of one history hold the same words; the latest is the one that can be gone back to.
        snapshot = self._state.snapshot() if place else self.genesis
        if key in self._oracles:
            self._oracles[key].snapshot = snapshot
        else:
            self._oracles[key] = Oracle(self.blocks[place], self._state, snapshot, self._serial, self._contracts)
            while len(self._oracles) > _KEPT_HISTORIES * len(self.blocks):
                self._oracles.popitem(last=False)
        self._oracles.move_to_end(key)
        return self._oracles[key]


def _after(history: bytes, changes: str) -> bytes:
    return hashlib.blake2b(history + changes.encode(), digest_size=16).digest()
