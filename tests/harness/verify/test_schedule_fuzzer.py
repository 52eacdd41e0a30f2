"""Random schedules: strategies pass thousands of them, one is replayed from its file, bad input is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contend.evm import errors
from contend.evm.accounts import accounts_of
from contend.harness.cli import main
from contend.harness.verify.schedule_fuzzer.campaign import (
    SCHEDULES_A_BLOCK,
    batches,
    checked_strategies,
    default_sources,
    hinted_strategies,
)
from contend.harness.verify.schedule_fuzzer.cases import (
    ADVERSARIAL,
    DELEGATING,
    MADE,
    ScheduleCase,
    scene_of,
    whole_scene,
)
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies import registry
from contend.strategies.adaptive.strategy import Adaptive
from contend.strategies.block_stm import workspace
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.serial import Serial
from tests.cases.specification import Specification

PARALLEL = [
    "adaptive",
    "aria",
    "aria_in_place",
    "block_stm",
    "block_stm_v2",
    "block_stm+template",
    "static_partition",
    "bal",
    "bal_longest+truth",
    "placeholder",
    "placeholder+dry_run",
    "groups",
    "groups+dry_run",
    "hint_trial",
    "locks+truth",
    "locks+template",
    "occ_window",
    "redo",
    "sharded",
    "sharded_ordered",
]


@pytest.fixture(scope="module")
def checker() -> Iterator[ScheduleChecker]:
    found = ScheduleChecker(registry.get)
    yield found
    found.close()


@pytest.mark.parametrize("strategy", PARALLEL)
def test_hundreds_of_schedules_give_the_serial_result(checker: ScheduleChecker, strategy: str) -> None:
    run, steps, cuts, damaged = 0, checker.steps, checker.cuts, 0
    hinted = hinted_strategies([strategy])
    for batch in batches([strategy], default_sources(), (2, 3, 4, 8), 600, seed=77, hinted=hinted):
        for case in batch.cases():
            assert checker.differences(case) == [], case
            run += 1
            damaged += case.damage is not None
    assert run == 600
    assert damaged == (300 if hinted else 0)
    # Fewer where a step is a whole transaction.
    assert checker.steps - steps > 20_000
    # Whatever is over multi-version memory is cut within its steps.
    delegates = registry.get(strategy) is Adaptive
    assert delegates or (checker.cuts - cuts > 2_000) == issubclass(registry.get(strategy), OptimisticStrategy)


@pytest.mark.parametrize("strategy", ["block_stm", "block_stm+template", "hint_trial"])
@pytest.mark.parametrize("far", [1, 3])
def test_schedules_of_small_blocks_in_which_stale_incarnations_wait(
    checker: ScheduleChecker, strategy: str, far: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "FAR", far)
    hinted, met = hinted_strategies([strategy]), 0
    for batch in batches([strategy], default_sources(), (3, 4, 8), 150, seed=78, hinted=hinted):
        for case in batch.cases():
            assert checker.differences(case) == [], case
    for made in checker._strategies.values():
        if isinstance(made, OptimisticStrategy) and made._workspace is not None:
            met += int(made._workspace.shared["far"] == far)
    # Of `hint_trial` the strategies that it is made of have the workspaces.
    assert met > 0 or strategy == "hint_trial"


def test_every_parallel_strategy_is_under_schedules_here() -> None:
    assert {name.partition("+")[0] for name in PARALLEL} == set(checked_strategies(()))


def test_what_predicts_has_learned_before_each_schedule() -> None:
    checker = ScheduleChecker(registry.get)
    cases = [ScheduleCase("block_stm+template", 3, "swaps", 9, schedule) for schedule in range(4)]
    steps = []
    for case in (*cases, *cases):
        before = checker.steps
        assert checker.differences(case) == []
        (strategy,) = checker._strategies.values()
        assert isinstance(strategy, OptimisticStrategy)
        assert strategy.hint_counters()["predicted"] == len(scene_of(case).block)
        steps.append(checker.steps - before)
    # Whatever was run before, a case makes the same steps.
    assert steps[:4] == steps[4:]
    checker.close()


def test_whole_steps_and_cut_ones_pass_and_are_not_the_same() -> None:
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


@pytest.mark.parametrize("source", MADE)
def test_made_blocks_end_as_the_specification_says(source: str) -> None:
    for seed in range(4):
        scene = whole_scene(source, seed)
        state = scene.state.copy()
        specification = Specification(scene.block.environment.fork, accounts_of(state))
        statuses, used, _ = specification.execute(scene.block)
        receipts = Serial().execute(scene.block, state, 1).receipts
        assert (tuple(receipts.status.tolist()), tuple(receipts.gas_used.tolist())) == (statuses, used)
        assert accounts_of(state) == specification.left()


def test_delegating_blocks_delegate_create_and_are_refused() -> None:
    delegated, codes, statuses = 0, set(), set()
    for seed in range(30):
        scene = whole_scene(DELEGATING, seed)
        state = scene.state.copy()
        statuses |= set(Serial().execute(scene.block, state, 1).receipts.status.tolist())
        left = accounts_of(state)
        codes |= {one.code for one in left.values() if one.code.startswith(b"\xef\x01\x00")}
        delegated += any(transaction.authorizations for transaction in scene.block)
    assert delegated > 20
    assert len(codes) > 5
    assert statuses == {errors.STATUS_SUCCESS, errors.STATUS_FAILED, errors.STATUS_INVALID}


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
