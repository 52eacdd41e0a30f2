"""A contender's execution of a block of a chain, held against serial execution, which was held against the header."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from contend.evm import Block, Changes, Receipts
from contend.harness.kernels import compile_lock
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.whole_block.chain import Accepted, Chain
from contend.strategies import registry
from contend.strategies.base import Strategy
from contend.strategies.clocks.virtual import VirtualClock

CLOCKS = ("wall", "virtual")
# Gas that no block of a chain uses. What does fills machines with memory that they keep, and there are many contenders.
MUCH_GAS = 1 << 28


class SerialResult:
    """What serial execution made of a block's transactions, for all contenders.

    Parameters
    ----------
    chain : Chain
        Its state is left as it may be.
    accepted : Accepted
        With transactions.

    Attributes
    ----------
    block : Block
    receipts : Receipts
    changes : Changes
    """

    def __init__(self, chain: Chain, accepted: Accepted) -> None:
        assert accepted.block is not None
        assert accepted.receipts is not None
        self.block: Block = accepted.block
        self.receipts: Receipts = accepted.receipts
        self._state, self._before = chain.state, accepted.before
        self._state.restore(accepted.between)
        self.changes: Changes = self._state.changes_since(self._before)
        self._state.restore(self._before)
        self._knowledge = BlockKnowledge([self.block], self._state, chain.serial)

    def difference(self, strategy: Strategy, workers: int) -> str | None:
        """What a strategy makes of the transactions otherwise, or None.

        Raises
        ------
        Exception
            That the strategy raises.
        """
        state = self._state
        state.restore(self._before)
        # Found out once for all who are given the same.
        strategy.knowledge = self._knowledge.of(0, strategy.given)
        outcome = strategy.execute(self.block, state, workers)
        for index, name in outcome.receipts.differences(self.receipts):
            return f"transaction {index}: another {name}"
        if outcome.refused_list is not None:
            return f"the right access list is refused: {outcome.refused_list}"
        return _changed(state.changes_since(self._before), self.changes)


class ContenderCheck(AbstractContextManager["ContenderCheck"]):
    """One contender with one clock and number of workers; its strategy is kept from block to block.

    Parameters
    ----------
    name : str
    clock : str
        One of `CLOCKS`.
    workers : int
    """

    def __init__(self, name: str, clock: str, workers: int) -> None:
        self.title = f"{name}, {clock} clock, {workers} workers"
        self._name, self._clock, self._workers = name, clock, workers
        self._kept = ExitStack()
        self._strategy: Strategy | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the strategy."""
        self._kept.close()

    def _open(self) -> Strategy:
        if self._strategy is None:
            self._strategy = self._kept.enter_context(registry.get(self._name)())
            if self._clock == "virtual":
                self._strategy.clock = VirtualClock()
        return self._strategy

    def difference(self, serial: SerialResult) -> str | None:
        """What the contender makes of a block otherwise than serial execution, or None."""
        found = None
        try:
            # Processes that run tests at once do not compile the same at once.
            with compile_lock(self._name):
                found = serial.difference(self._open(), self._workers)
        # Whatever it raises on a block that serial execution manages is its failure.
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found is not None or serial.receipts.gas_used.sum() > MUCH_GAS:
            self._kept.close()
            self._strategy = None
        return found


def _changed(here: Changes, right: Changes) -> str | None:
    if here.digest == right.digest:
        return None
    found, wanted = dict(iter(here)), dict(iter(right))
    places = sorted(place for place in {*found, *wanted} if found.get(place) != wanted.get(place))
    return f"{places[0]}: {found.get(places[0])}, serial execution says {wanted.get(places[0])}"
