"""The oracle: every timed outcome against a serial run of the same transactions.

An outcome in the block's own order is compared with one serial run of the block. An outcome that names another order
is compared with a serial run in that order, once the order is seen to be one that a node could have chosen: a
permutation that leaves each sender's transactions in their order, of a block whose order is not binding.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm import Block, Changes, Receipts, Snapshot, State
from contend.harness.record.content.execution_counts import contradiction
from contend.harness.verify.oracle.diff import receipt_differences, word_differences
from contend.strategies.base import Outcome, Strategy

Order = npt.NDArray[np.int64]

_MISCOUNTED = "the counters do not add up"

_SHOWN = 5
# Of those that a strategy may name: what a few repetitions can name again.
_KEPT_REFERENCES, _KEPT_DIGESTS = 4, 256


@dataclass(frozen=True)
class Reference:
    """Reference result: what a serial run gave, the truth for one order of the transactions."""

    changes: Changes
    receipts: Receipts

    @cached_property
    def changes_digest(self) -> str:
        """Digest of the changes."""
        return self.changes.digest

    @cached_property
    def receipts_digest(self) -> str:
        """Digest of the receipts."""
        return self.receipts.digest


def refusal(differences: list[str]) -> str:
    """The reason in a sentence for which an outcome is refused, by what `Oracle.check` found."""
    is_miscounted = _MISCOUNTED in differences[0]
    return f"{'a fault of the strategy' if is_miscounted else 'differs from the serial result'}: {differences[0]}"


class Digests(NamedTuple):
    """All that is needed of a reference to see whether an outcome equals it."""

    changes: str
    receipts: str


class Oracle:
    """Judges outcomes of one block from one state.

    Parameters
    ----------
    block : Block
    state : State
        Used for the reference runs, which restore the snapshot and leave what the block leaves.
    snapshot : Snapshot
        Of `state`, before the block. A later one of the same words may take its place.
    serial : Strategy
        An instance of its own, so that even the timed serial strategy is checked against another one's run.
    contracts : mapping
        Addresses by name, to name locations in explanations.
    """

    def __init__(
        self, block: Block, state: State, snapshot: Snapshot, serial: Strategy, contracts: Mapping[str, bytes]
    ) -> None:
        self.snapshot = snapshot
        self._block = block
        self._state = state
        self._serial = serial
        self._names = {bytes(address): name for name, address in contracts.items()}
        self._digests: OrderedDict[bytes, Digests] = OrderedDict()
        self._references: OrderedDict[bytes, Reference] = OrderedDict()

    @property
    def reference(self) -> Reference:
        """Reference result in the block's own order. Run when it is first asked for."""
        return self._in_order(None)

    def forget(self) -> None:
        """Keep of all references the digests only. Where they do not tell enough, the block is run again."""
        self._references.clear()

    def _run_serially(self, block: Block) -> Reference:
        self._state.restore(self.snapshot)
        outcome = self._serial.execute(block, self._state, 1)
        return Reference(self._state.changes_since(self.snapshot), outcome.receipts)

    def check(self, outcome: Outcome, changed: Changes) -> list[str]:
        """Find the first differences between an outcome and the serial result; empty when they are equal.

        Of an outcome that is equal, the counters must add up (`strategies.accounting`).

        Parameters
        ----------
        outcome : Outcome
        changed : Changes
            What the state itself says has changed: a strategy may report one thing and leave another behind.

        Returns
        -------
        list of str
            At most a few, each a sentence that names a transaction and a field, or a location and both words.
        """
        found = self._structure(outcome)
        if found:
            return found
        digests = self._digests_in(outcome.order)
        changes = [one.digest for one in (outcome.changes, changed) if one is not None]
        if outcome.receipts.digest == digests.receipts and set(changes) == {digests.changes}:
            return self._miscounted(outcome)
        reference = self._in_order(outcome.order)
        every = chain(
            self._receipt_differences(outcome.receipts, reference),
            self._word_differences(outcome.changes, reference, "changes"),
            self._word_differences(changed, reference, "state"),
        )
        return list(islice(every, _SHOWN))

    def _structure(self, outcome: Outcome) -> list[str]:
        count = len(self._block)
        if len(outcome.receipts) != count:
            return [f"{len(outcome.receipts)} receipts for {count} transactions"]
        if outcome.order is not None:
            order = np.asarray(outcome.order)
            if order.shape != (count,) or not np.array_equal(np.sort(order), np.arange(count)):
                return [f"the order is no permutation of the block's {count} transactions{_odd_place(order, count)}"]
            if self._block.binding_order and not np.array_equal(order, np.arange(count)):
                return ["the block's order is binding (it was replayed), and the outcome names another"]
            swapped = self._swapped(order)
            if swapped is not None:
                earlier, later = swapped
                return [f"the order puts transaction {later} before {earlier}, which is of the same sender"]
        return []

    def _miscounted(self, outcome: Outcome) -> list[str]:
        located = None if outcome.abort_locations is None else int(outcome.abort_locations[1].sum())
        found = contradiction(outcome.counters, len(self._block), located)
        return [] if found is None else [f"{_MISCOUNTED}, though the result is right: {found}"]

    def _swapped(self, order: Order) -> tuple[int, int] | None:
        """Two transactions of one sender that an order swaps, the block's earlier one first."""
        count = len(self._block)
        positions = np.empty(count, np.int64)
        positions[order] = np.arange(count)
        by_sender = np.lexsort((np.arange(count), self._senders))
        same = self._senders[by_sender[1:]] == self._senders[by_sender[:-1]]
        wrong = np.flatnonzero(same & (positions[by_sender[1:]] < positions[by_sender[:-1]]))
        return (int(by_sender[wrong[0]]), int(by_sender[wrong[0] + 1])) if len(wrong) else None

    @cached_property
    def _senders(self) -> Order:
        """A number for the sender of each transaction."""
        numbers: dict[bytes, int] = {}
        return np.array([numbers.setdefault(bytes(one.sender), len(numbers)) for one in self._block], np.int64)

    def _digests_in(self, order: Order | None) -> Digests:
        key = _key(order)
        if key not in self._digests:
            self._in_order(order)
        self._digests.move_to_end(key)
        return self._digests[key]

    def _in_order(self, order: Order | None) -> Reference:
        key = _key(order)
        if key not in self._references:
            if order is None:
                reference = self._run_serially(self._block)
            else:
                run = self._run_serially(self._block.reordered(order))
                places = np.empty_like(order)
                places[order] = np.arange(len(order))
                reference = Reference(run.changes, run.receipts.reordered(places))
            self._keep(key, reference)
        self._references.move_to_end(key)
        return self._references[key]

    def _keep(self, key: bytes, reference: Reference) -> None:
        self._references[key] = reference
        self._digests[key] = Digests(reference.changes_digest, reference.receipts_digest)
        for kept, most in ((self._references, _KEPT_REFERENCES), (self._digests, _KEPT_DIGESTS)):
            while len(kept) > most:
                kept.popitem(last=False)

    def _receipt_differences(self, found: Receipts, reference: Reference) -> Iterator[str]:
        if found.digest != reference.receipts_digest:
            yield from receipt_differences(found, reference.receipts)

    def _word_differences(self, found: Changes | None, reference: Reference, what: str) -> Iterator[str]:
        # A strategy may leave it to the state alone to say what has changed.
        if found is not None and found.digest != reference.changes_digest:
            yield from word_differences(found, reference.changes, what, self._names)


def _key(order: Order | None) -> bytes:
    return b"" if order is None else np.ascontiguousarray(order, dtype=np.int64).tobytes()


def _odd_place(order: Order, count: int) -> str:
    flat = order.ravel()
    values, times = np.unique(flat, return_counts=True)
    if len(flat) != count:
        return f": it has {len(flat)} entries"
    if (times > 1).any():
        return f": {values[times > 1][0]} comes {times[times > 1][0]} times"
    return f": {values[(values < 0) | (values >= count)][0]} is no place in it"
