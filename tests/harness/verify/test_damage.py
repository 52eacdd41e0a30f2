"""Damaged hints: what damage is, that it is given, and that it costs nothing but time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contend.evm.access_list import decode, encode
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.testing import build_scenario
from contend.harness.verify.damage import ADDED, DROPPED, EXCHANGED, KINDS, MIXED, Damage
from contend.harness.verify.given_damage import damage_hints, damageable, damaged_knowledge
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.schedule_fuzzer.campaign import Tally, batches
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, ScheduleCase
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies import registry
from contend.strategies.base import HintedSets, Strategy
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import BLOCK, LIST_KINDS, TRUTH, RecordedSets
from contend.strategies.serial import Serial
from tools.damaged_hints import cells_of, contenders, draw, markdown

Rows = list[set[tuple[int, bool]]]
CONTENDERS = ["block_stm+truth", "block_stm+dry_run", "static_partition"]
# Every strategy that is given hints, every source of them, every way to learn of them.
EVERY = [
    "bal",
    "bal_longest+truth",
    "block_stm+template",
    "static_partition+declared",
    "static_partition+template",
    "placeholder",
    "placeholder+template",
    "groups",
    "groups+template",
    "locks+dry_run",
    "locks+truth",
    "hint_trial",
]


def sets_of(rows: Rows, pool: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    flat = [entry for row in rows for entry in sorted(row)]
    entries, writes = (np.array([entry[part] for entry in flat], kind) for part, kind in ((0, np.int64), (1, bool)))
    return offsets, entries, writes


def rows_of(offsets: np.ndarray, entries: np.ndarray, writes: np.ndarray) -> Rows:
    flat = list(zip(entries.tolist(), writes.tolist(), strict=True))
    return [set(flat[first:last]) for first, last in pairwise(offsets.tolist())]


POOL = 12
row = st.dictionaries(st.integers(0, POOL - 1), st.booleans(), max_size=8).map(lambda found: set(found.items()))
some_rows = st.lists(row, max_size=10)


@given(rows=some_rows, kind=st.sampled_from(KINDS), percent=st.integers(0, 100), seed=st.integers(0, 1 << 40))
def test_a_share_of_the_entries_is_hit(rows: Rows, kind: str, percent: int, seed: int) -> None:
    damaged = rows_of(*Damage(kind, percent, seed).of_entries(*sets_of(rows, POOL), POOL))
    assert len(damaged) == len(rows)
    count, hit = sum(map(len, rows)), -(-sum(map(len, rows)) * percent // 100)
    for found in damaged:
        places = [location for location, _ in found]
        assert len(set(places)) == len(places)
        assert all(0 <= place < POOL for place in places)
    lost = sum(len(before - after) for before, after in zip(rows, damaged, strict=True))
    new = sum(len(after - before) for before, after in zip(rows, damaged, strict=True))
    # An entry may be exchanged for itself, or for one that was there.
    assert lost <= hit
    assert new <= hit
    if kind == DROPPED:
        assert (lost, new) == (hit, 0)
    if kind == ADDED:
        assert lost == 0
    if percent == 0:
        assert damaged == rows
    assert count - lost + new == sum(map(len, damaged))


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_sets_are_damaged_and_the_rest_of_knowledge_is_not(kind: str) -> None:
    scenario = build_scenario("swaps", block_size=40)
    knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, Serial()).of(0, TRUTH)
    before, after = knowledge.recorded, damaged_knowledge(knowledge, Damage(kind, 20, 1), 40).recorded
    assert before is not None
    assert after is not None
    more = len(after.entries) - len(before.entries)
    assert {DROPPED: more < 0, ADDED: more > 0, EXCHANGED: more <= 0, MIXED: True}[kind]
    assert rows_of(after.offsets, after.entries, after.writes) != rows_of(before.offsets, before.entries, before.writes)
    assert (after.keys is before.keys, after.costs is before.costs, after.work is before.work) == (True,) * 3
    assert Damage(kind, 20, 1).of_sets(before).entries.tolist() == after.entries.tolist()


def hinted(strategy: Strategy, damage: Damage | None) -> HintedSets:
    scenario = build_scenario("swaps", block_size=40)
    strategy.clock, strategy.reports_hints = VirtualClock(), True
    strategy.knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, Serial()).of(0, strategy.given)
    damage_hints(strategy, damage, 40)
    found = strategy.execute(scenario.blocks[0], scenario.genesis, 3).hinted
    assert found is not None
    return found


@pytest.mark.parametrize("name", CONTENDERS)
def test_a_contender_uses_the_damaged_hints(name: str) -> None:
    kind = registry.get(name)
    assert issubclass(kind, OptimisticStrategy)
    with damageable(kind)() as strategy:
        whole, less = hinted(strategy, None), hinted(strategy, Damage(DROPPED, 50, 1))
        again = hinted(strategy, None)
    assert len(less.keys) == len(whole.keys) - -(-len(whole.keys) // 2)
    assert np.array_equal(again.keys, whole.keys)


@pytest.fixture(scope="module")
def checker() -> Iterator[ScheduleChecker]:
    found = ScheduleChecker(registry.get)
    yield found
    found.close()


@pytest.mark.parametrize("name", CONTENDERS)
def test_schedules_with_damaged_hints_give_the_serial_result(checker: ScheduleChecker, name: str) -> None:
    seen = set()
    for batch in batches([name], [ADVERSARIAL, "swaps"], (2, 4, 8), 200, seed=11, hinted=[name]):
        for case in batch.cases():
            assert checker.differences(case) == [], case
            seen.add((case.cut, case.damage and (case.damage.kind, case.damage.percent)))
    assert len(seen) == 2 * (1 + len(KINDS) * 3)


def test_every_strategy_that_is_given_hints_is_among_them() -> None:
    assert {name.partition("+")[0] for name in EVERY} == {name.partition("+")[0] for name in contenders()}


@pytest.mark.bounds
@pytest.mark.parametrize("name", EVERY)
def test_damage_leads_nobody_out_of_bounds(checker: ScheduleChecker, name: str) -> None:
    for batch in batches([name], [ADVERSARIAL], (3, 2), 100, seed=29, hinted=[name]):
        for case in batch.cases():
            # Whole steps: copies would have to be compiled.
            assert checker.differences(replace(case, cut=False)) == [], case


def test_half_of_the_schedules_have_damaged_hints_and_are_counted() -> None:
    tally = Tally()
    for batch in batches(["a", "b"], ["x"], (2,), 400, seed=3, hinted=["b"]):
        tally.add(batch, batch.count)
    assert tally.schedules == {"a": 200, "b": 200}
    assert tally.damaged == {"a": 0, "b": 100}


def test_a_case_keeps_its_damage_and_an_older_file_has_none() -> None:
    case = ScheduleCase("block_stm+truth", 3, ADVERSARIAL, 9, 4, damage=Damage(MIXED, 20, 7))
    content = json.loads(json.dumps(case.as_json()))
    assert ScheduleCase.from_json(content, "file") == case
    del content["damage"]
    assert ScheduleCase.from_json(content, "file") == replace(case, damage=None)


@pytest.mark.parametrize(
    "content", [1, "mixed", {"kind": "odd", "percent": 5, "seed": 1}, {"kind": MIXED, "percent": 101, "seed": 1},
    {"kind": MIXED, "percent": True, "seed": 1}, {"kind": MIXED, "percent": 5}]
)  # fmt: skip
def test_what_is_no_damage_is_refused_in_one_line(content: object) -> None:
    with pytest.raises(BadInputError, match="no damage") as refused:
        Damage.from_json(content, "case")
    assert "\n" not in str(refused.value)
    assert Damage.from_json(asdict(Damage(MIXED, 5, 1)), "") == Damage(MIXED, 5, 1)


def test_the_command_counts_damaged_schedules(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main,
        ["fuzz", "-s", "block_stm+truth", "-w", ADVERSARIAL, "--schedules", "60", "--processes", "1", "-q",
         "--results", str(tmp_path)],
        standalone_mode=False,
    )  # fmt: skip
    assert "60 schedules" in done.output, done.output
    assert ", 0 failed" in done.output
    assert "block_stm+truth" in done.output


def test_the_study_shows_each_share(tmp_path: Path) -> None:
    assert set(contenders()) == {
        "block_stm+truth", "placeholder+truth", "bal", "static_partition+truth", "groups+truth", "locks+truth",
        "hint_trial", "bal_longest+truth",
    }  # fmt: skip
    cells = list(cells_of("swaps", ["block_stm+truth"], MIXED, 4, 60, 1))
    assert [cell.damaged for cell in cells] == [0, 0, 5, 20, 50]
    table = markdown(cells, MIXED, 4, 60, 1)
    assert table.count("\n| swaps |") == 2
    assert "given nothing" in table
    chart = draw(cells, tmp_path).read_text()
    assert "block_stm+truth" in chart
    assert "SIMULATED" in chart


def test_the_study_shows_who_learns_in_a_later_block_and_damages_what_it_learned() -> None:
    # Not hint_trial: by other costs hints may not pay in a block so small, and then it uses none.
    cells = cells_of("dao", ["placeholder+template"], MIXED, 8, 100, 1)
    found = {cell.damaged: cell for cell in cells if cell.strategy == "placeholder+template"}
    assert sorted(found) == [0, 5, 20, 50]
    assert found[0].speedup != found[50].speedup
    assert "block 4 in a row" in markdown(list(found.values()), MIXED, 8, 100, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("list_kind", LIST_KINDS)
def test_an_access_list_is_damaged_and_stays_one(kind: str, list_kind: str) -> None:
    scenario = build_scenario("mixed", block_size=40)
    knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, Serial(), list_kind).of(0, BLOCK)
    assert damaged_knowledge(knowledge, Damage(kind, 0, 1), 40) == knowledge
    damaged = damaged_knowledge(knowledge, Damage(kind, 50, 1), 40)
    assert damaged.access_list != knowledge.access_list
    assert damaged.access_list is not None
    assert knowledge.access_list is not None
    before, after = (decode(one.access_list or b"", list_kind, 40) for one in (knowledge, damaged))
    if kind == DROPPED:
        assert after.entries < before.entries
    assert after == decode(encode(after, list_kind), list_kind, 40)


def test_recorded_sets_without_entries_stay_without() -> None:
    none = np.zeros(0, np.int64)
    empty = RecordedSets(np.zeros(3, np.int64), none, none.astype(bool), np.zeros((0, 7), np.uint64), none, none)
    assert Damage(MIXED, 50, 1).of_sets(empty).offsets.tolist() == [0, 0, 0]
