"""Adaptive: who executes a block, and with how many workers, is chosen by what can be seen of it before.

No contender is best everywhere. What a block needs depends on how many transactions it has, how many workers there are,
and how much conflicts; of the last a little can be seen in senders, targets and arguments, and a little more in what
the block before has cost. A model that was learned from simulated runs (`decision_model`) tells of these features how
long each candidate takes, as a share of serial execution; the quickest is handed the block, or `serial`, unless another
is better by a margin. Choosing concurrency control by learned features of a workload is Tang, Jiang and Elmore's
("Adaptive concurrency control: despite the looking glass, one concurrency control does not fit all", CIDR 2017); here
it is done block by block, before anything is executed, and its time counts.

Right or wrong, the choice decides about time only: whoever executes gives the serial result.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import ClassVar

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.strategies import registry
from contend.strategies.adaptive.block_features import OF_PAST, UNKNOWN
from contend.strategies.adaptive.decision_model import Choice, Chooser, DecisionModel, ModelError, shipped_model
from contend.strategies.adaptive.delegates import Delegates, can_delegate_to
from contend.strategies.base import Outcome
from contend.strategies.clocks import cost_table
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.given import BLOCK, NONE

_WASTED = ("aborts", "wait_restarts", "repairs")
_PER = 1_000


class Adaptive(CompiledStrategy):
    """The contender that a learned model expects to be quickest, block by block.

    A block whose number is not above the last one's is the beginning of another run: what was seen of blocks before is
    forgotten, as what was learned is (`strategies.hints.template`).

    Attributes
    ----------
    model_file : Path or None
        The model to choose by; None for the one that comes with the project. To be set before the first block.
    last_choice : Choice or None
        What was chosen for the last block.
    """

    name: ClassVar[str] = "adaptive"
    summary: ClassVar[str] = "for each block the contender that a learned model expects to be quickest, serial included"
    takes: ClassVar[tuple[str, ...]] = (NONE, BLOCK)
    uses_values: ClassVar[bool] = True
    lists_accesses: ClassVar[bool] = True
    delegates: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.model_file: Path | None = None
        self.last_choice: Choice | None = None
        self._chooser: Chooser | None = None
        self._delegates = Delegates()
        self._past = (UNKNOWN,) * len(OF_PAST)
        self._last_number: int | None = None

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Choose, and hand the block over; see `Strategy.execute`.

        Raises
        ------
        ModelError
            If the model cannot be used.
        """
        if workers < 1:
            raise ValueError(f"workers = {workers}: at least 1 is needed")
        number = block.environment.number
        if self._last_number is not None and number <= self._last_number:
            self._past = (UNKNOWN,) * len(OF_PAST)
        self._last_number = number
        with self.clock.outside():
            image, chooser = self.image_of(block), self._chooser or self._open()
        began = self.clock.now()
        choice = self._choose(chooser, image, workers)
        seconds = self.clock.now() - began
        self.last_choice = choice
        chosen = self._delegates.get(choice.candidate.contender)
        chosen.take_over(self)
        outcome = chosen.execute(block, state, choice.candidate.workers_of(workers))
        outcome.phases["prepare"] = outcome.phases.get("prepare", 0.0) + seconds
        self._remember(outcome, len(block))
        name = choice.candidate.contender.replace("+", "_with_")
        outcome.counters |= {
            f"blocks_by_{name}": 1,
            "chosen_workers": choice.candidate.workers_of(workers) if chosen.parallel else 1,
            "expected_speedup_thousandths": round(choice.speedup * _PER),
        }
        return outcome

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Nobody's: a block is handed over whole."""
        raise NotImplementedError

    def reasons(self) -> list[str]:
        """Why the last block was handed to whom it was: what was asked of it, and the answers."""
        if self._chooser is None or self.last_choice is None or not self.last_choice.asked:
            return []
        return self._chooser.reasons()

    def close(self) -> None:
        """Close whoever blocks were handed to."""
        self._delegates.close()

    def _open(self) -> Chooser:
        model = shipped_model() if self.model_file is None else DecisionModel.read(self.model_file)
        if self.given not in model.parts:
            raise ModelError(f"{self.model_file or 'the model'}: has no part for whoever is given {self.given}")
        self._chooser = Chooser(model.parts[self.given])
        return self._chooser

    def _choose(self, chooser: Chooser, image: BlockImage, workers: int) -> Choice:
        """Choose for a block, in the clock's time."""
        kind = self.knowledge.list_kind
        usable = [_is_usable(one.contender, self.given, kind) for one in chooser.part.candidates]
        choice = chooser.choose(image, workers, self._past, usable)
        self.spend(cost_table.SORT_HINT, choice.looked)
        self.spend(cost_table.ORDER_ACCESS, choice.asked)
        return choice

    def _remember(self, outcome: Outcome, transactions: int) -> None:
        """Keep what the block has cost for the choice of the next one."""
        count, counters = max(transactions, 1), outcome.counters
        gas = int(outcome.receipts.gas_used.sum()) // count
        if "aborts" not in counters:
            self._past = gas, UNKNOWN, UNKNOWN
            return
        wasted = sum(counters.get(name, 0) for name in _WASTED)
        self._past = gas, wasted * _PER // count, counters.get("waits", 0) * _PER // count


@cache
def _is_usable(contender: str, given: str, list_kind: str) -> bool:
    """Whether a contender is known here, may be handed blocks, and can use the list that came with one."""
    try:
        kind = registry.get(contender)
    except (registry.UnknownName, registry.PluginError):
        return False
    return can_delegate_to(kind, given) and (kind.given != BLOCK or list_kind in kind.list_kinds)
