"""Trial of hints: which way it goes, what a block costs that goes without hints, and when it begins anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adversarial import ENVIRONMENT, adversarial_state, hot

from contend.evm import Block, State
from contend.strategies.adaptive.hint_trial import BLOCKS_BETWEEN, WITH, WITHOUT, HintTrial, Trial
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get
from contend.strategies.serial import Serial


@pytest.mark.parametrize(("seconds_with", "prefers"), [(0.5, WITH), (0.94, WITH), (0.96, WITHOUT), (2.0, WITHOUT)])
def test_the_better_way_has_its_turn_until_both_are_tried_again(seconds_with: float, prefers: bool) -> None:
    trial, ways, learned = Trial(), [], []
    for _ in range(2 * BLOCKS_BETWEEN):
        ways.append(trial.uses_hints)
        learned.append(trial.learns)
        trial.note(seconds_with if trial.uses_hints else 1.0, 1)
    period = [WITHOUT, WITH, WITH, *[prefers] * (BLOCKS_BETWEEN - 3)]
    assert ways == 2 * period
    # For hints one has to have learned from the block before, and nobody else learns.
    assert learned == [one or i % BLOCKS_BETWEEN == 0 for i, one in enumerate(ways)]


def test_it_is_the_time_for_the_gas_that_counts() -> None:
    trial = Trial()
    for seconds, gas in ((1.0, 100), (9.0, 100), (1.0, 200)):
        trial.note(seconds, gas)
    assert trial.prefers_hints


def test_an_empty_block_tells_nothing() -> None:
    trial = Trial()
    trial.note(1.0, 0)
    assert trial == Trial()


def test_a_strategy_that_was_never_tried_is_not_preferred() -> None:
    assert not Trial().prefers_hints


def numbered(number: int, state: State) -> Block:
    """Calls of one contract that all count at one place, in the block of this number."""
    block = hot("counter", 16)
    following = tuple(replace(one, nonce=one.nonce + state.nonce(one.sender)) for one in block)
    return replace(block, transactions=following, environment=replace(ENVIRONMENT, number=number))


class Run:
    """A strategy that executes blocks in a row under the virtual clock, each compared with a serial run."""

    def __init__(self, name: str, state: State) -> None:
        self.strategy: Strategy = get(name)()
        self.state = state

    def execute(self, number: int) -> Outcome:
        block = numbered(number, self.state)
        serial = Serial().execute(block, self.state.copy(), 1)
        self.strategy.clock = VirtualClock()
        outcome = self.strategy.execute(block, self.state, 4)
        assert serial.changes is not None
        assert outcome.changes is not None
        assert outcome.changes.digest == serial.changes.digest
        counters = outcome.counters
        wasted = counters["aborts"] + counters["wait_restarts"] + counters.get("repairs", 0)
        assert counters["executions"] == len(block) + wasted
        return outcome


def test_each_way_gives_the_serial_result_and_trial_follows_trial() -> None:
    run = Run("hint_trial", adversarial_state())
    outcomes = [run.execute(number) for number in (1, 2, 3, 4, 4, 5, 6)]
    # The block that comes again is the beginning of another run.
    assert [one.counters["hinted_blocks"] for one in outcomes][:3] == [0, 1, 1]
    assert [one.counters["hinted_blocks"] for one in outcomes][4:] == [0, 1, 1]
    assert [one.counters.get("dry_runs") for one in outcomes[:3]] == [None, 0, 0]


@pytest.mark.parametrize("name", ["hint_trial", "hint_trial+dry_run"])
def test_with_hints_it_is_groups(name: str) -> None:
    run = Run(name, adversarial_state())
    assert isinstance(run.strategy, HintTrial)
    run.strategy._trial = Trial(3, {WITH: 1.0, WITHOUT: 2.0})
    counters = run.execute(1).counters
    assert counters["hinted_blocks"] == 1
    assert counters["dry_runs"] == 16  # nothing was learned before


def test_without_hints_a_block_costs_what_it_costs_block_stm() -> None:
    run, other = Run("hint_trial", adversarial_state()), Run("block_stm", adversarial_state())
    assert isinstance(run.strategy, HintTrial)
    run.strategy._trial = Trial(3, {WITH: 2.0, WITHOUT: 1.0})
    for number in (1, 2):
        found, expected = run.execute(number), other.execute(number)
        assert found.phases == expected.phases
        assert found.counters["executions"] == expected.counters["executions"]
