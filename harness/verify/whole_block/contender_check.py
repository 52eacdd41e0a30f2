"""A contender's execution of a block of a chain, held against serial execution, which was held against the header."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from contend.evm import Changes
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.whole_block.chain import Accepted, Chain
from contend.strategies import registry
from contend.strategies.base import Strategy
from contend.strategies.clocks.virtual import VirtualClock

CLOCKS = ("wall", "virtual")


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

    def difference(self, chain: Chain, accepted: Accepted) -> str | None:
        """What the contender makes of a block otherwise than serial execution, or None.

        The chain's state is left as it may be.
        """
        block, receipts = accepted.block, accepted.receipts
        assert block is not None
        assert receipts is not None
        if not len(block):
            return None
        strategy, state = self._open(), chain.state
        state.restore(accepted.between)
        right = state.changes_since(accepted.before)
        state.restore(accepted.before)
        strategy.knowledge = BlockKnowledge([block], state, chain.serial).of(0, strategy.given)
        state.restore(accepted.before)
        try:
            outcome = strategy.execute(block, state, self._workers)
        # Whatever it raises on a block that serial execution manages is its failure.
        except Exception as error:
            self._kept.close()
            self._strategy = None
            return f"{type(error).__name__}: {error}"
        for index, name in outcome.receipts.differences(receipts):
            return f"transaction {index}: another {name}"
        if outcome.refused_list is not None:
            return f"the right access list is refused: {outcome.refused_list}"
        return _changed(state.changes_since(accepted.before), right)


def _changed(here: Changes, right: Changes) -> str | None:
    if here.digest == right.digest:
        return None
    found, wanted = dict(iter(here)), dict(iter(right))
    places = sorted(place for place in {*found, *wanted} if found.get(place) != wanted.get(place))
    return f"{places[0]}: {found.get(places[0])}, serial execution says {wanted.get(places[0])}"
