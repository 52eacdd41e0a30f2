"""Adaptive: whom blocks are handed to, what that costs, and that nobody's memory is kept for ever."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from adversarial import adversarial_state, hot

from contend.evm.block_image import BlockImage
from contend.strategies import registry
from contend.strategies.adaptive.block_features import FEATURES, SAMPLE, all_features
from contend.strategies.adaptive.decision_model import (
    SERIAL,
    Candidate,
    Chooser,
    DecisionModel,
    ModelError,
    Part,
    shipped_model,
)
from contend.strategies.adaptive.decision_tree import LEAF, Tree
from contend.strategies.adaptive.delegates import MOST_KEPT, Delegates, can_delegate_to
from contend.strategies.adaptive.strategy import Adaptive
from contend.strategies.clocks.cost_table import ORDER_ACCESS, SORT_HINT, default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

CANDIDATES = ("block_stm", "placeholder+dry_run", "occ_window")
NAMES = list(FEATURES)


def leaf(best: int) -> list[int]:
    return [-2_000 if number == best else 500 for number in range(len(CANDIDATES))]


def part(feature: str, threshold: int, low: int, high: int) -> Part:
    """A part whose one question decides between two candidates."""
    tree = Tree(
        [NAMES.index(feature), LEAF, LEAF], [threshold, 0, 0], [1, 0, 0], [2, 0, 0], [[], leaf(low), leaf(high)]
    )
    return Part(tuple(map(Candidate, CANDIDATES)), 4, 100, tree)


def adaptive_by(found: Part) -> Adaptive:
    strategy = Adaptive()
    strategy._chooser = Chooser(found)
    return strategy


@pytest.mark.parametrize("number", range(len(CANDIDATES)))
def test_whoever_is_chosen_gives_the_serial_result_in_its_own_time_and_that_of_choosing(number: int) -> None:
    block, state = hot("counter", 24), adversarial_state()
    before = state.snapshot()
    expected = Serial().execute(block, state, 1).changes
    state.restore(before)
    with registry.get(CANDIDATES[number])() as alone:
        alone.clock = VirtualClock()
        own = alone.execute(block, state, 4)
    state.restore(before)
    with closing(adaptive_by(part("same_function", 5_000, (number + 1) % 3, number))) as strategy:
        strategy.clock = VirtualClock()
        found = strategy.execute(block, state, 4)
        assert strategy.reasons() == ["same_function > 5000"]
    assert expected is not None
    assert found.changes is not None
    assert found.changes.digest == expected.digest
    costs = default_costs().table
    choosing = (24 * int(costs[SORT_HINT]) + int(costs[ORDER_ACCESS])) / 1e12
    assert found.seconds == pytest.approx(own.seconds + choosing)
    assert found.counters["executions"] == own.counters["executions"]
    assert found.counters["expected_speedup_thousandths"] == 4_000


@pytest.mark.parametrize(("workers", "size"), [(1, 24), (4, 3)])
def test_one_worker_and_small_blocks_are_serial_and_cost_nothing_more(workers: int, size: int) -> None:
    block, state = hot("counter", size), adversarial_state()
    before, serial = state.snapshot(), Serial()
    serial.clock = VirtualClock()
    seconds = serial.execute(block, state, 1).seconds
    state.restore(before)
    with closing(adaptive_by(part("workers", 2, 0, 0))) as strategy:
        strategy.clock = VirtualClock()
        found = strategy.execute(block, state, workers)
        assert strategy.last_choice is not None
        assert strategy.last_choice.candidate == SERIAL
    assert found.seconds == seconds
    assert found.counters["blocks_by_serial"] == 1


def test_a_block_before_tells_and_is_forgotten_where_numbers_do_not_rise() -> None:
    block, state = hot("counter", 24), adversarial_state()
    before, chosen = state.snapshot(), []
    with closing(adaptive_by(part("past_gas", -1, 0, 2))) as strategy:
        for number in (5, 6, 7, 7):
            strategy.clock = VirtualClock()
            state.restore(before)
            strategy.execute(replace(block, environment=replace(block.environment, number=number)), state, 4)
            assert strategy.last_choice is not None
            chosen.append(str(strategy.last_choice.candidate))
    assert chosen == ["block_stm", "occ_window", "occ_window", "block_stm"]


def test_no_more_than_a_few_keep_their_memory() -> None:
    kept = Delegates()
    first = kept.get("serial")
    for name in ("block_stm", "occ_window", "placeholder+dry_run", "block_stm+dry_run"):
        kept.get(name)
    assert len(kept._kept) == MOST_KEPT + 1
    assert kept.get("serial") is first
    kept.close()
    assert not kept._kept


def test_blocks_are_handed_to_whoever_is_given_no_more_and_keeps_the_order() -> None:
    allowed = {
        source: {name for name in registry.built_in(variants=True) if can_delegate_to(registry.get(name), source)}
        for source in ("none", "block")
    }
    assert {"serial", "block_stm", "occ_window"} <= allowed["none"]
    assert not {"sharded", "aria", "adaptive", "hint_trial", "bal", "placeholder"} & allowed["none"]
    assert allowed["block"] >= allowed["none"] | {"bal", "placeholder"}
    assert not can_delegate_to(registry.get("block_stm+template"), "block")


def test_features_are_of_a_sample_and_the_same_for_the_same_transactions() -> None:
    found = dict(zip(FEATURES, all_features(BlockImage(hot("counter", 24)), 8).tolist(), strict=True))
    assert (found["workers"], found["transactions"], found["past_gas"]) == (8, 24, -1)
    assert found["same_function"] == 10_000
    assert found["most_function"] == 1_000
    assert found["most_gas"] == 1_000 // 24
    larger = dict(zip(FEATURES, all_features(BlockImage(hot("counter", 3 * SAMPLE)), 8).tolist(), strict=True))
    assert larger["same_function"] == 10_000


def test_the_model_of_the_project_knows_both_roles_and_only_contenders_that_are_there() -> None:
    model = shipped_model()
    assert set(model.parts) == {"none", "block"}
    for source, found in model.parts.items():
        assert all(can_delegate_to(registry.get(one.contender), source) for one in found.candidates)
    assert DecisionModel.from_json(model.as_json()).as_json() == model.as_json()


def test_a_model_of_a_user_s_own_is_used_and_a_part_that_it_lacks_is_told(tmp_path: Path) -> None:
    content = DecisionModel({"none": part("workers", 2, 0, 1)}, {}).as_json()
    (tmp_path / "model.json").write_text(json.dumps(content))
    block, state = hot("counter", 24), adversarial_state()
    with closing(Adaptive()) as strategy:
        strategy.model_file = tmp_path / "model.json"
        strategy.clock = VirtualClock()
        strategy.execute(block, state, 4)
        assert strategy.last_choice is not None
        assert strategy.last_choice.candidate.contender == "placeholder+dry_run"
    with registry.get("adaptive+block")() as validator:
        assert isinstance(validator, Adaptive)
        validator.model_file = tmp_path / "model.json"
        with pytest.raises(ModelError, match="no part for whoever is given block"):
            validator.execute(block, state, 4)
