"""Dials: what is accepted, and the one line that refuses the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contend.workloads import Dial, DialError, DialValue, Scenario, Workload, get, names, resolve_dials


class Tuned(Workload):
    name = "tuned"
    summary = "a workload with a dial of each kind"
    dials = (
        Dial("pools", 10, "a number of things", 1, 100),
        Dial("zipf", 1.0, "an exponent", 0.0, 5.0),
        Dial("order", "random", "an order", choices=("random", "sorted")),
        Dial("free", 3, "a number without a range"),
    )

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        raise NotImplementedError

    def check(self, scenario: Scenario, state: Any) -> list[str]:
        raise NotImplementedError


def test_defaults_are_complete_and_in_order() -> None:
    assert resolve_dials(Tuned) == {"pools": 10, "zipf": 1.0, "order": "random", "free": 3}
    assert list(resolve_dials(Tuned, {"free": 1, "zipf": 2})) == ["pools", "zipf", "order", "free"]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("pools", "1", 1),
        ("pools", 100, 100),
        ("pools", 7.0, 7),
        ("pools", " 12 ", 12),
        ("zipf", "0", 0.0),
        ("zipf", 5, 5.0),
        ("zipf", "1.5", 1.5),
        ("order", "sorted", "sorted"),
        ("free", -(10**30), -(10**30)),
    ],
)
def test_values_and_texts_are_accepted(name: str, given: DialValue, value: DialValue) -> None:
    resolved = resolve_dials(Tuned(), {name: given})[name]
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("pools", 0, "workload tuned: dial pools = 0 is out of range 1..100"),
        ("pools", "101", "workload tuned: dial pools = 101 is out of range 1..100"),
        ("pools", "many", "workload tuned: dial pools = many is not a whole number from 1 to 100"),
        ("pools", 2.5, "workload tuned: dial pools = 2.5 is not a whole number from 1 to 100"),
        ("pools", "2.5", "workload tuned: dial pools = 2.5 is not a whole number from 1 to 100"),
        ("pools", True, "workload tuned: dial pools = True is not a whole number from 1 to 100"),
        ("zipf", "5.01", "workload tuned: dial zipf = 5.01 is out of range 0..5"),
        ("zipf", -1, "workload tuned: dial zipf = -1 is out of range 0..5"),
        ("zipf", "nan", "workload tuned: dial zipf = nan is not a number from 0 to 5"),
        ("zipf", float("inf"), "workload tuned: dial zipf = inf is not a number from 0 to 5"),
        ("free", "x", "workload tuned: dial free = x is not a whole number"),
        ("order", 1, "workload tuned: dial order = 1 is not a text"),
        (
            "order",
            "sort",
            "workload tuned: dial order = sort is not one of random, sorted (did you mean 'sorted'?)",
        ),
        (
            "pool",
            1,
            "workload tuned: unknown dial 'pool' (did you mean 'pools'?); its dials: pools, zipf, order, free",
        ),
        ("qqq", 1, "workload tuned: unknown dial 'qqq'; its dials: pools, zipf, order, free"),
    ],
)
def test_everything_else_is_refused_in_one_line(name: str, given: DialValue, complaint: str) -> None:
    with pytest.raises(DialError) as refusal:
        resolve_dials(Tuned, {name: given})
    assert str(refusal.value) == complaint


@pytest.mark.parametrize("name", names())
def test_presets_are_valid_and_name_what_they_stand_for(name: str) -> None:
    workload = get(name)
    assert len({preset.name for preset in workload.presets}) == len(workload.presets)
    for preset in workload.presets:
        values = resolve_dials(workload, {"preset": preset.name})
        assert {dial: values[dial] for dial in preset.dials} == dict(preset.dials)
        assert preset.summary
        one = next(iter(preset.dials))
        default = next(dial.default for dial in workload.dials if dial.name == one)
        assert resolve_dials(workload, {one: default, "preset": preset.name})[one] == default


@pytest.mark.parametrize("name", names())
def test_every_default_is_a_valid_setting(name: str) -> None:
    workload = get(name)
    defaults = {dial.name: dial.default for dial in workload.dials}
    assert resolve_dials(workload, {dial: str(value) for dial, value in defaults.items()}) == defaults
    for dial in workload.dials:
        if dial.choices:
            assert dial.default in dial.choices
            continue
        assert dial.low is not None
        assert dial.high is not None
        for bound in (dial.low, dial.high):
            assert resolve_dials(workload, {dial.name: bound})[dial.name] == bound
        with pytest.raises(DialError, match="out of range"):
            resolve_dials(workload, {dial.name: dial.high + 1})


def test_dials_of_one_kind_have_one_range_and_one_wording() -> None:
    assert Dial.zipf("pool_zipf", 1.2, "pools") == Dial(
        "pool_zipf", 1.2, "Zipf exponent of pools; 0 is uniform", 0.0, 5.0
    )
    assert Dial.share("buy", 0.5, "share of purchases") == Dial("buy", 0.5, "share of purchases", 0.0, 1.0)
    assert Dial.weight("raid", 0.1, "raids") == Dial("raid", 0.1, "weight of raids", 0.0, 1_000.0)
