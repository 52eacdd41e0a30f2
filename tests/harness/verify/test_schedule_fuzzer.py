"""Random schedules: honest strategies pass thousands, planted bugs are found, made small, and replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from planted_bugs import (
    BUGS,
    FAMILIES,
    MOST_SCHEDULES,
    PAGE,
    cases_nearest_first,
    checker_of,
    checker_only,
    copy_of,
)

from contend.harness.cli import main
from contend.harness.verify.schedule_fuzzer.campaign import SCHEDULES_A_BLOCK, batches, default_sources
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, ScheduleCase, scene_of
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies import registry
from contend.strategies.base import Strategy

PARALLEL = [
    "block_stm",
    "static_partition",
    "placeholder+truth",
    "placeholder+dry_run",
    "bal",
    "occ_window",
    "sharded",
    "sharded_ordered",
]


@pytest.fixture(scope="module")
def checker() -> Iterator[ScheduleChecker]:
    found = ScheduleChecker(registry.get)
    yield found
    found.close()


@pytest.mark.parametrize("strategy", PARALLEL)
def test_a_thousand_schedules_give_the_serial_result(checker: ScheduleChecker, strategy: str) -> None:
    run = 0
    for batch in batches([strategy], default_sources(), (2, 3, 4, 8), 1_000, seed=77):
        for case in batch.cases():
            assert checker.differences(case) == [], case
            run += 1
    assert run == 1_000
    # Fewer where a step is a whole transaction.
    assert checker.steps > 40_000


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_made_small_and_replayed(name: str) -> None:
    bug = BUGS[name]
    checker = checker_of(name)
    failing = next((case for case in cases_nearest_first(name) if checker.differences(case)), None)
    assert failing is not None, f"not found in {MOST_SCHEDULES:,} schedules"
    small = checker.shrink(failing)
    assert small.kept is not None
    assert len(small.kept) <= len(scene_of(ScheduleCase(small.strategy, 2, ADVERSARIAL, failing.block, 0)).block)
    assert len(small.kept) <= 8
    if bug.within:
        # Whole steps do not show it, however the schedule is drawn.
        assert small.cut
    first = checker.differences(small)
    checker.close()
    # In another checker, with nothing kept, the same schedule fails in the same way.
    again = checker_of(name)
    assert first
    assert again.differences(small) == first
    again.close()
    # And it is the strategy's failure, not the block's.
    honest = ScheduleChecker(lambda name: bug.strategy)
    assert honest.differences(small) == []
    honest.close()


@pytest.mark.parametrize(
    ("kind", "within"),
    [
        (kind, within)
        for family in FAMILIES
        for kind in family
        for within in (False, True)
        # Steps are cut where a bug lies within one; all others' copies are whole, which compile in a third of the time.
        if not within or any(bug.within and bug.strategy in family for bug in BUGS.values())
    ],
)
def test_copies_in_which_no_bug_is_turned_on_pass(kind: type[Strategy], within: bool) -> None:
    checker = checker_only(copy_of(kind, within))
    for batch in batches([kind.name], [ADVERSARIAL], (3, 4, 2, 8), 200, seed=5):
        for case in batch.cases():
            assert checker.differences(replace(case, cut=within)) == [], case
    checker.close()


def test_each_planted_bug_breaks_a_mechanism_of_its_own() -> None:
    assert len({bug.mechanism for bug in BUGS.values()}) == len(BUGS) >= 12
    assert {bug.strategy for bug in BUGS.values()} == {kind for family in FAMILIES for kind in family}
    told = re.findall(r"^\| `(\w+)` \| (.*?) \| `(\w+)` \| [\d,]+ \| \d+ \|$", PAGE.read_text(), re.M)
    assert told == [(name, bug.mechanism, bug.strategy.name) for name, bug in BUGS.items()]


def test_a_copy_without_a_bug_passes_and_its_whole_steps_are_those_of_the_strategy() -> None:
    checker = ScheduleChecker(registry.get)
    steps = []
    for cut in (False, True):
        before = checker.steps
        for batch in batches(["block_stm"], [ADVERSARIAL], (3, 4, 2, 8), 400, seed=5):
            for case in batch.cases():
                assert checker.differences(replace(case, cut=cut)) == [], case
        steps.append(checker.steps - before)
    checker.close()
    assert steps[0] != steps[1]


def test_every_schedule_counts_once_and_strategies_take_turns() -> None:
    found = list(batches(["a", "b"], ["x", "y"], (2, 3), 5 * SCHEDULES_A_BLOCK + 7, seed=3))
    assert sum(batch.count for batch in found) == 5 * SCHEDULES_A_BLOCK + 7
    assert [batch.strategy for batch in found[:4]] == ["a", "b", "a", "b"]
    assert found[0].block == found[1].block  # the same block for every strategy
    assert len({batch.first for batch in found}) == len(found)


def fuzz(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["fuzz", *arguments], standalone_mode=False, catch_exceptions=True)


def test_the_command_ends_with_a_count(tmp_path: Path) -> None:
    done = fuzz("--schedules", "120", "--processes", "2", "--results", str(tmp_path), "-q")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert "120 schedules" in done.output
    assert ", 0 failed" in done.output
    assert not list(tmp_path.rglob("*.json"))


def test_a_schedule_is_replayed_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(ScheduleCase("block_stm", 3, ADVERSARIAL, 9, 4, (0, 1)).as_json()))
    done = fuzz("--replay", str(file))
    assert "equals the serial result" in done.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other"}, "no schedule of this version"),
        ({"workers": "two"}, "field 'workers' is 'two'"),
        ({"block": -1}, "field 'block' is -1"),
        ({"kept": [0, "x"]}, "field 'kept'"),
        ({"cut": 1}, "field 'cut' is 1"),
        ({"strategy": "nobody"}, "nobody"),
        ({"source": "nothing"}, "nothing"),
        ({"kept": [999]}, "a place in 'kept' is not in the block"),
    ],
)
def test_a_malformed_schedule_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], message: str
) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(ScheduleCase("block_stm", 3, ADVERSARIAL, 9, 4).as_json() | change))
    done = fuzz("--replay", str(file))
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    error = done.stderr
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--schedules", "0"), "schedules: 0 is out of range"),
        (("--seed", "-1"), "seed: -1 is out of range"),
        (("-s", "serial"), "not parallel"),
        (("-s", "blok_stm"), "block_stm"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = fuzz(*arguments, "--results", str(tmp_path))
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert message in done.stderr
