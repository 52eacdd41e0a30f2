"""The node: stages around a strategy's execution, in their order, each a phase of its own."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.evm import Block, State
from contend.node.base import BlockRun, Stage, StageError
from contend.node.registry import check, node_of
from contend.node.whole_node import BARE, Node
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial


class Counting(Stage):
    """Lets simulated time pass, and notes when it was called."""

    def __init__(self, log: list[str], picoseconds: int) -> None:
        self._log, self._picoseconds = log, picoseconds

    @property
    def facts(self) -> dict[str, Any]:
        return {"picoseconds": self._picoseconds}

    def again(self) -> Counting:
        return type(self)(self._log, self._picoseconds)

    def make_ready(self, run: BlockRun) -> None:
        self._log.append(f"ready {self.phase}")

    def work(self, run: BlockRun) -> None:
        self._log.append(f"{self.phase} {run.place} {run.outcome is not None}")
        run.clock.spend(self._picoseconds)


class Before(Counting):
    phase: ClassVar[str] = "before"
    comes_first: ClassVar[bool] = True


class Behind(Counting):
    phase: ClassVar[str] = "behind"

    def check(self, run: BlockRun) -> list[str]:
        return ["planted"] if self._picoseconds == 13 else []


BLOCK = block_of([Act(sender, CONTRACTS["counter"]) for sender in SENDERS])


def test_stages_come_in_their_order_and_their_time_is_told() -> None:
    log: list[str] = []
    node = Node({"b": Behind(log, 5_000), "a": Before(log, 7_000)})
    serial, state = Serial(), adversarial_state()
    serial.clock = VirtualClock()
    outcome = node.execute(serial, BLOCK, state, 1, place=3)
    assert log == ["ready before", "ready behind", "before 3 False", "behind 3 True"]
    assert list(outcome.phases) == ["before", "prepare", "execute", "commit", "behind"]
    assert round(outcome.phases["before"] * 1e12) == 7_000
    assert round(outcome.phases["behind"] * 1e12) == 5_000
    assert node.facts == {"b": {"picoseconds": 5_000}, "a": {"picoseconds": 7_000}}
    assert [type(stage) for stage in node.again().stages] == [Before, Behind]


def test_without_stages_it_is_the_strategy_s_call() -> None:
    class Own(Strategy):
        name: ClassVar[str] = "own"

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            return Outcome(None, None, {"execute": float(workers)})  # type: ignore[arg-type]

    assert BARE.execute(Own(), BLOCK, adversarial_state(), 7).phases == {"execute": 7.0}
    with pytest.raises(StageError, match="own executes blocks by itself"):
        Node({"a": Before([], 1)}).execute(Own(), BLOCK, adversarial_state(), 1)


def test_what_a_stage_finds_wrong_fails_the_run() -> None:
    with pytest.raises(StageError, match="planted"):
        Node({"b": Behind([], 13)}).execute(Serial(), BLOCK, adversarial_state(), 1)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"nonsense": "x"}, "nonsense: no such stage; there are consensus, signatures, root, state"),
        ({"signatures": "nonsense"}, "'nonsense' is not known; schemes are"),
        ({"root": "nonsense"}, "root: 'nonsense' is not known; kinds are mpt"),
    ],
)
def test_what_is_not_known_is_refused(asked: dict[str, str], words: str) -> None:
    with pytest.raises(StageError, match=words):
        check(asked)
    with pytest.raises(StageError, match=words):
        node_of(asked, [BLOCK], adversarial_state(), 1)


def test_work_of_other_machines_is_told_apart() -> None:
    class Elsewhere(Before):
        is_apart: ClassVar[bool] = True

        def work(self, run: BlockRun) -> None:
            run.clock.wait(3_000, 11_000)

    serial = Serial()
    serial.clock = VirtualClock()
    node = Node({"a": Elsewhere([], 1), "b": Behind([], 5_000)})
    node.execute(serial, BLOCK, adversarial_state(), 1)
    assert round(node.busy_apart * 1e12) == 11_000
    node.execute(serial, BLOCK, adversarial_state(), 1)
    assert round(node.busy_apart * 1e12) == 11_000
