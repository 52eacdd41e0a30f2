"""The true dependency graph of a block, from its recorded access sets.

Transaction i depends on j < i if i reads a location whose last writer before i is j: read after write. Nothing else
makes i wait. That a later transaction overwrites what an earlier one reads or writes (write after read, write after
write) is no dependency here, because a multi-version memory keeps both versions (Bernstein and Goodman, "Multiversion
concurrency control", 1983; Faleiro and Abadi, "Rethinking serializable multiversion concurrency control", PVLDB 2015).
Every write in the EVM is also a read: a store's gas depends on the word before, a debit on the balance.

With balance additions taken as commutative, a blind credit (`evm.drivers.recorder`) waits for nothing and is a new
summand; a transaction that does read the balance waits for the last ordinary write and for all credits since. Such a
sum is a node of its own, a *join*: it costs nothing, needs no worker, and keeps the graph as small as the access sets,
where an edge from every credit to every later reader would be quadratic. A transaction that only tested the balance for
zero waits for the last write that crossed zero: whether an account is empty is a location of its own in this view.

Fees are credits to the beneficiary in both views, since every client credits them lazily: a transaction that reads the
beneficiary's balance waits for all before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm.drivers.recorder import Recording
from contend.evm.runtime.jit import kernel

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NOTHING = -1


@kernel()
def _build(
    offsets: Integers,
    locations: Integers,
    writes: Flags,
    blind: Flags,
    counted: Flags,
    before: Integers,
    fees: int,
    commutative: bool,
    base: Integers,
    credits: Integers,
    credit_next: Integers,
    credit_node: Integers,
    transaction_of: Integers,
    starts: Integers,
    sources: Integers,
    through: Integers,
    lags: Integers,
) -> int:
    """Fill the graph; how many nodes it has. `base`, `credits` hold -1 for every location at first.

    Written entries at the location `fees` are credits in any view. Written blind entries at the locations above it, the
    emptiness of accounts, read nothing and replace what was there. A location that is not `counted` makes no edges.
    """
    node, edge = 0, 0
    for i in range(offsets.size - 1):
        # First the sums that this transaction reads: they are nodes before its own.
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            if blind[j] and (commutative or (location == fees and writes[j])):
                continue
            if credits[location] >= 0:
                starts[node] = edge
                transaction_of[node] = NOTHING
                if base[location] >= 0:
                    sources[edge], through[edge] = base[location], location
                    edge += 1
                credit = credits[location]
                while credit >= 0:
                    sources[edge], through[edge] = credit_node[credit], location
                    edge += 1
                    credit = credit_next[credit]
                credits[location] = NOTHING
                base[location] = node
                node += 1
        starts[node] = edge
        transaction_of[node] = i
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            if blind[j] and (commutative or (location == fees and writes[j])):
                continue
            if base[location] >= 0 and counted[location]:
                sources[edge], through[edge], lags[edge] = base[location], location, before[j]
                edge += 1
        for j in range(offsets[i], offsets[i + 1]):
            location = locations[j]
            if writes[j] and counted[location]:
                if blind[j] and location <= fees and (commutative or location == fees):
                    credit_node[j] = node
                    credit_next[j] = credits[location]
                    credits[location] = j
                else:
                    base[location] = node
        node += 1
    starts[node] = edge
    return node


@dataclass(frozen=True)
class DependencyGraph:
    """Nodes in an order in which every edge leads forward: transactions in the block's order, and joins between them.

    Attributes
    ----------
    transaction_of : ndarray of int64, shape (k,)
        The transaction that a node is, or -1 for a join.
    starts : ndarray of int64, shape (k + 1,)
        Node v waits for ``sources[starts[v]:starts[v + 1]]``.
    sources : ndarray of int64, shape (e,)
        Earlier nodes.
    through : ndarray of int64, shape (e,)
        Location that makes the edge, below `location_count` of the recording; that number itself stands for the sum
        of fees.
    lags : ndarray of int64, shape (e,)
        Picoseconds of work that the later transaction does before it needs what the edge brings; zero into a join.
    """

    transaction_of: Integers
    starts: Integers
    sources: Integers
    through: Integers
    lags: Integers

    def __len__(self) -> int:
        return len(self.transaction_of)

    def node_weights(self, weights: Integers) -> Integers:
        """Weight of each node (gas or picoseconds), given those of the transactions; joins weigh nothing."""
        found = np.zeros(len(self), np.int64)
        is_transaction = self.transaction_of >= 0
        found[is_transaction] = weights[self.transaction_of[is_transaction]]
        return found

    @property
    def dependent(self) -> Flags:
        """Whether each transaction depends on an earlier one, shape (n,)."""
        return (np.diff(self.starts) > 0)[self.transaction_of >= 0]


def build_graph(recording: Recording, commutative: bool = False, counted: Flags | None = None) -> DependencyGraph:
    """The true dependency graph of a recorded block.

    Parameters
    ----------
    recording : Recording
    commutative : bool
        Whether blind credits of balances commute.
    counted : ndarray of bool, shape (location_count,), optional
        Locations whose dependencies count; all of them by default. Fees count if the beneficiary's balance does.
    """
    fees = recording.location_count
    (offsets, locations, writes, blind, before), stands_for = _with_fees_and_emptiness(recording, commutative)
    size = len(stands_for)
    some = np.ones(size, np.bool_) if counted is None else counted[stands_for]
    entries, count = len(locations), len(recording)
    room = count + entries
    transaction_of, starts = np.zeros(room, np.int64), np.zeros(room + 1, np.int64)
    # An entry is a read of one node and, as a credit, a summand of one join; a join has a base beside its credits.
    sources, through, lags = (np.zeros(3 * entries + 1, np.int64) for _ in range(3))
    nodes = int(
        _build(
            offsets,
            locations,
            writes,
            blind,
            some,
            before,
            fees,
            commutative,
            np.full(size, NOTHING, np.int64),
            np.full(size, NOTHING, np.int64),
            np.zeros(entries, np.int64),
            np.zeros(entries, np.int64),
            transaction_of,
            starts,
            sources,
            through,
            lags,
        )
    )
    edges = int(starts[nodes])
    # The emptiness of an account goes by its balance.
    through = through[:edges]
    shown = np.where(through > fees, stands_for[through], through)
    return DependencyGraph(transaction_of[:nodes], starts[: nodes + 1], sources[:edges], shown, lags[:edges])


def _with_fees_and_emptiness(
    recording: Recording, commutative: bool
) -> tuple[tuple[Integers, Integers, Flags, Flags, Integers], Integers]:
    """The access sets with locations that no state has, and for every location the one that it goes by.

    Where the beneficiary's balance is touched, there is a location for the sum of fees: every transaction credits it,
    and a transaction that touches the balance reads it, blindly where it touches that blindly. If credits are
    commutative, there is a location for the emptiness of each account that is tested: who tests it reads, whose write
    crosses zero writes.
    """
    count, fees = len(recording), recording.location_count
    owners = np.repeat(np.arange(count), np.diff(recording.offsets))
    of, locations, writes, blind = [owners], [recording.locations], [recording.writes], [recording.blind]
    before = [recording.before]

    def add(transactions: Integers, at: Integers, write: bool, blindly: Flags, entries: Integers | None = None) -> None:
        of.append(transactions)
        locations.append(at)
        writes.append(np.full(len(at), write))
        blind.append(blindly)
        # A write waits for nobody: when it was done does not matter.
        before.append(np.zeros(len(at), np.int64) if entries is None else recording.before[entries])

    touches = np.flatnonzero(recording.locations == recording.coinbase)
    if len(touches):
        add(owners[touches], np.full(len(touches), fees), False, recording.blind[touches], touches)
        add(np.arange(count), np.full(count, fees), True, np.ones(count, np.bool_))
    tested = np.unique(recording.locations[recording.tested]) if commutative else np.zeros(0, np.int64)
    if len(tested):
        numbers = np.full(fees, NOTHING, np.int64)
        numbers[tested] = fees + 1 + np.arange(len(tested))
        tests = np.flatnonzero(recording.tested)
        add(owners[tests], numbers[recording.locations[tests]], False, np.zeros(len(tests), np.bool_), tests)
        crosses = np.flatnonzero(recording.crossed & (numbers[recording.locations] >= 0))
        add(owners[crosses], numbers[recording.locations[crosses]], True, np.ones(len(crosses), np.bool_))
    every = np.concatenate(of)
    order = np.argsort(every, kind="stable")
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(every, minlength=count), out=offsets[1:])
    rows = (
        offsets,
        np.concatenate(locations)[order],
        np.concatenate(writes)[order],
        np.concatenate(blind)[order],
        np.concatenate(before)[order],
    )
    return rows, np.concatenate([np.arange(fees), [recording.coinbase], tested])
