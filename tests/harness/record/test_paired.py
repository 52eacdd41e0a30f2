"""One strategy beside another: pairs, ratios, verdicts, and orders that disagree."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from contend.harness.record import statistics
from contend.harness.record.derived import derived
from contend.harness.record.frame import over, to_frame
from contend.harness.record.statistics import Interval, paired_verdict
from contend.harness.record.statistics.paired import (
    PairedRatio,
    cell_at,
    paired_ratio,
    pairs_of,
    ratio_to,
    ratios_to,
    with_baseline,
)
from contend.harness.record.statistics.paired_verdict import Standing, sentence, standing
from contend.harness.record.statistics.rank_disagreement import rank_disagreements

Cell = dict[str, Any]
MakeCell = Callable[..., Cell]
MakeRecord = Callable[[list[Cell]], dict[str, Any]]


def with_seconds(cell: Cell, seconds: list[float], baseline: list[float] | None = None) -> Cell:
    """The same cell with these seconds, round by round, in two processes."""
    made = copy.deepcopy(cell)
    made["samples"] = [copy.deepcopy(made["samples"][0]) for _ in seconds]
    for number, (sample, value) in enumerate(zip(made["samples"], seconds, strict=True)):
        sample |= {"process": number % 2, "round": number, "seconds": value, "wall_seconds": value}
        sample["phases"] = {"prepare": 0.0, "execute": value, "commit": 0.0}
        sample["baseline_seconds"] = 1.0 if baseline is None else baseline[number]
    return {**made, **derived(made)}


def simulated(cell: Cell, picoseconds: int, process: int = 0) -> Cell:
    made = with_seconds(cell, [picoseconds / 1e12])
    made["samples"][0] |= {"process": process}
    made |= {"clock": "virtual", "simulated": True}
    return {**made, **derived(made)}


def test_runs_of_one_round_are_a_pair_and_others_are_none(make_cell: MakeCell) -> None:
    own = with_seconds(make_cell(), [1.0, 2.0, 3.0, 4.0])
    base = with_seconds(make_cell(strategy="sharded"), [10.0, 20.0, 30.0, 40.0])
    # Round 2 of the one, of process 0, was not kept; and round 3 of the other was run by another process.
    del own["samples"][2]
    base["samples"][3]["process"] = 0
    pairs = pairs_of(own, base)
    assert [group.tolist() for group in pairs.own] == [[1.0], [2.0]]
    assert [group.tolist() for group in pairs.base] == [[10.0], [20.0]]
    assert pairs.ratio().median == 10.0
    assert not pairs_of({**own, "record": "one"}, {**base, "record": "another"})


def test_a_machine_that_changes_between_rounds_does_not_widen_a_paired_ratio(make_cell: MakeCell) -> None:
    machine = [1.0, 3.0, 2.0, 7.0, 1.5, 4.0, 2.5, 9.0]
    own = with_seconds(make_cell(), machine)
    base = with_seconds(make_cell(strategy="sharded"), [1.5 * value for value in machine])
    found = ratio_to([own, base], own, "sharded")
    assert found is not None
    assert (found.ratio.median, found.ratio.low, found.ratio.high) == (1.5, 1.5, 1.5)
    assert (found.pairs, found.processes) == (8, 2)


def test_over_serial_it_is_the_speed_up(make_cell: MakeCell) -> None:
    cell = make_cell()
    found = ratio_to([cell], cell, "serial")
    assert found is not None
    assert cell["speedup"]["median"] == found.ratio.median
    assert (cell["speedup"]["low"], cell["speedup"]["high"]) == (found.ratio.low, found.ratio.high)


@given(some.lists(some.floats(0.5, 2.0), min_size=6, max_size=12), some.data())
def test_exchanged_strategies_have_the_inverse_ratio(seconds: list[float], data: some.DataObject) -> None:
    others = data.draw(some.lists(some.floats(0.5, 2.0), min_size=len(seconds), max_size=len(seconds)))
    one = {"samples": [], "simulated": False, "strategy": "a", "workers": 1}
    two = {**one, "samples": [], "strategy": "b"}
    for cell, values in ((one, seconds), (two, others)):
        cell["samples"] = [{"process": n % 2, "round": n, "seconds": value} for n, value in enumerate(values)]
    forth, back = pairs_of(one, two), pairs_of(two, one)
    # Of an even number of pairs the middle of two ratios is not the inverse of that of their inverses.
    if len(seconds) % 2:
        assert forth.ratio().median == pytest.approx(1 / back.ratio().median)
    assert [group.tolist() for group in forth.own] == [group.tolist() for group in back.base]


def test_simulated_runs_of_two_processes_are_an_exact_pair(make_cell: MakeCell) -> None:
    own = simulated(make_cell(), 300, process=3)
    base = simulated(make_cell(strategy="sharded"), 900, process=5)
    found = ratio_to([own, base], own, "sharded")
    assert found is not None
    assert found.ratio == Interval(3.0, 3.0, 3.0, 1.0)
    assert found.simulated
    same = ratio_to([own, simulated(make_cell(strategy="sharded"), 300)], own, "sharded")
    assert same is not None
    assert same.ratio.median == 1.0
    assert sentence(same) == "no difference between block_stm and sharded with 2 simulated workers"


def test_what_is_not_parallel_has_its_one_cell_beside_every_number_of_workers(make_cell: MakeCell) -> None:
    cells = [make_cell(workers=count) for count in (1, 2)] + [make_cell(strategy="one_thread", workers=1)]
    assert cell_at(cells, "one_thread", 2) is cells[2]
    assert cell_at(cells, "block_stm", 2) is cells[1]
    assert cell_at(cells, "block_stm", 8) is None
    assert cell_at(cells, "absent", 1) is None


def test_cells_of_other_dials_are_not_held_against_each_other(make_cell: MakeCell, make_record: MakeRecord) -> None:
    few, many = make_cell(), make_cell(strategy="sharded")
    few["dials"] = {"pools": 1}
    assert ratios_to([few, many], "sharded")[0] is None
    record = make_record([few, many, make_cell()])
    with pytest.raises(ValueError, match="2 cells; name dials"):
        paired_ratio(record, "swaps", "block_stm", "sharded", workers=2)
    found = paired_ratio(record, "swaps", "block_stm", "sharded", workers=2, dials={"pools": 100})
    assert found is not None
    assert paired_ratio(record, "swaps", "block_stm", workers=64) is None


def test_a_failed_baseline_gives_no_ratio(make_cell: MakeCell) -> None:
    cells = [make_cell(), make_cell(strategy="sharded", error="not the serial result")]
    assert with_baseline(cells, "sharded")[0]["over_baseline"] is None
    assert "over_baseline" not in with_baseline(cells, "serial")[0]


def test_a_record_says_the_ratio_to_the_baseline_that_was_asked_for(
    make_cell: MakeCell, make_record: MakeRecord
) -> None:
    own = with_seconds(make_cell(), [1.0] * 8)
    base = with_seconds(make_cell(strategy="sharded"), [2.0] * 8)
    record = make_record(with_baseline([own, base], "sharded"))
    record["request"]["baseline"] = "sharded"
    assert record["cells"][0]["over_baseline"] == {
        "strategy": "sharded",
        "workers": 2,
        "median": 2.0,
        "low": 2.0,
        "high": 2.0,
        "confidence": 0.95,
    }
    frame = to_frame([record])
    assert frame["over_baseline"].tolist() == [2.0, 1.0]
    assert frame["baseline"].tolist() == ["sharded", "sharded"]
    # The frame knows it over any other baseline as well, which nobody asked for when it was measured.
    again = over(frame, "block_stm")
    assert again["speedup"].tolist() == [1.0, 0.5]
    assert over(frame, "absent")["speedup"].isna().all()
    assert over(frame, "serial") is frame


def ratio(low: float, median: float, high: float, **changes: Any) -> PairedRatio:
    facts = {"workers": 8, "baseline_workers": 8, "pairs": 10, "processes": 2, "simulated": False} | changes
    return PairedRatio("block_stm", baseline="sharded", ratio=Interval(median, low, high), **facts)


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (ratio(1.7, 1.8, 1.9), "faster", "block_stm is 1.80 times as fast as sharded [1.70, 1.90] with 8 workers"),
        (ratio(0.5, 0.6, 0.7), "slower", "block_stm is 0.60 times as fast as sharded [0.50, 0.70] with 8 workers"),
        (
            ratio(0.99, 1.01, 1.03),
            "same",
            "no difference beyond 5 % between block_stm and sharded with 8 workers: 1.01 [0.99, 1.03]",
        ),
        (
            ratio(1.04, 1.2, 1.4),
            "inconclusive",
            "inconclusive: block_stm beside sharded with 8 workers 1.20 [1.04, 1.40]",
        ),
        (
            ratio(1.7, 1.8, 1.9, pairs=3, processes=1),
            "inconclusive",
            "inconclusive: block_stm beside sharded with 8 workers 1.80 [1.70, 1.90], "
            "only 3 pairs of runs in 1 process",
        ),
        (
            ratio(1.7, 1.8, 1.9, baseline_workers=1),
            "faster",
            "block_stm with 8 workers is 1.80 times as fast as sharded with 1 worker [1.70, 1.90]",
        ),
        (
            ratio(1.0004, 1.0004, 1.0004, simulated=True, pairs=1, processes=1),
            "faster",
            "block_stm is 1.0004 times as fast as sharded with 8 simulated workers (exact)",
        ),
    ],
)
def test_a_verdict_is_a_sentence(found: PairedRatio, kind: str, words: str) -> None:
    assert standing(found) == kind
    assert sentence(found) == words


@given(some.floats(0.1, 10.0), some.floats(1.0, 2.0), some.floats(1.0, 2.0), some.floats(0.0, 0.5))
def test_exchanged_strategies_have_the_opposite_verdict(
    median: float, below: float, above: float, floor: float
) -> None:
    forth = ratio(median / below, median, median * above)
    back = ratio(1 / (median * above), 1 / median, below / median)
    opposite = {Standing.FASTER: Standing.SLOWER, Standing.SLOWER: Standing.FASTER}
    found = standing(forth, floor)
    # An end that is the floor itself may fall on either side when it is divided.
    edges = [1 + floor, 1 / (1 + floor)]
    if not any(end == pytest.approx(edge) for end in (median / below, median * above) for edge in edges):
        assert standing(back, floor) == opposite.get(found, found)


def test_nothing_is_claimed_under_the_floor() -> None:
    assert standing(ratio(1.02, 1.03, 1.04)) is Standing.SAME
    assert standing(ratio(1.02, 1.03, 1.04), floor=0.01) is Standing.FASTER
    assert standing(ratio(1.02, 1.03, 1.04), floor=0.5) is Standing.SAME


def test_many_comparisons_say_what_chance_does() -> None:
    assert "of 40 of them, about 2.0" in paired_verdict.told_by_chance(40, simulated=False)
    assert paired_verdict.told_by_chance(40, simulated=True) == paired_verdict.told_by_chance(1, simulated=False) == ""


def test_orders_of_bars_and_of_pairs_that_disagree_are_found(make_cell: MakeCell) -> None:
    # The machine is half as fast in the last two rounds, and one strategy was unlucky while it was fast.
    machine = [1.0, 1.0, 1.0, 2.0, 2.0]
    steady = with_seconds(make_cell(), [0.5 * one for one in machine], machine)
    unlucky = with_seconds(make_cell(strategy="sharded"), [0.6, 0.6, 0.45, 0.9, 0.9], machine)
    slower = with_seconds(make_cell(strategy="sharded"), [0.6 * one for one in machine], machine)
    assert rank_disagreements([steady, slower]) == []
    (found,) = rank_disagreements([unlucky, steady])
    assert found.ahead is steady
    assert found.behind is unlucky
    assert found.fact == (
        "block_stm x2 leads sharded x2 by median tx/s (2,000 to 1,667) and trails it by paired speed-up (2.00 to 2.22)"
        "; run beside run it is 0.90 times as fast [0.90, 1.20]"
    )
    assert "a speed-up compares runs of one round, a median is over all rounds" in found.sentence
    # What nobody can see in two decimals is no disagreement.
    assert rank_disagreements([steady, unlucky], visible=0.5) == []


def test_orders_agree_where_the_machine_was_steady(make_cell: MakeCell) -> None:
    random = np.random.default_rng(3)
    cells = [
        with_seconds(make_cell(strategy=name), [value * one for one in random.uniform(0.99, 1.01, 9)])
        for name, value in (("a", 0.5), ("b", 0.6), ("c", 0.8))
    ]
    assert rank_disagreements(cells) == []
    assert rank_disagreements(to_frame([{"id": "x", "environment": {}, "cells": cells}]).to_dict("records")) == []


def test_statistics_have_one_formula_for_pairs() -> None:
    own, base = [np.array([1.0, 2.0]), np.array([3.0])], [np.array([2.0, 3.0]), np.array([4.0])]
    assert statistics.speedup(own, base) == statistics.interval([np.array([2.0, 1.5]), np.array([4 / 3])])
