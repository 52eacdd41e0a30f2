"""Random schedules: honest strategies pass thousands, planted bugs are found, made small, and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.schedules.campaign import SCHEDULES_A_BLOCK, batches, default_sources
from harness.schedules.cases import ADVERSARIAL, Case, scene_of
from harness.schedules.cuts import cut_class, make_cut
from harness.schedules.judge import Judge
from harness.schedules.variant import EditError, Edits, Variant, with_importers
from strategies import registry
from strategies.base import Strategy

PARALLEL = ["block_stm", "static_partition", "sharded", "sharded_ordered"]

# By the module and the class of the strategy that it breaks.
BUGS: dict[str, tuple[str, str, Edits]] = {
    # An aborted incarnation's writes are read by others as if they would stay.
    "dropped_estimate": (
        "block_stm",
        "BlockSTM",
        {
            "incarnation": [
                ("        mark_estimate(shared, I(arena[U(at + i * s.WRITE_WORDS + 1)]))\n", "        pass\n"),
            ]
        },
    ),
    # After an abort those above are not validated again.
    "missing_revalidation": (
        "block_stm",
        "BlockSTM",
        {"scheduler": [("        _lower(shared, s.C_VALIDATION, transaction + 1)\n", "        pass\n")]},
    ),
    # A lock is granted although another transaction holds it.
    "skipped_lock": (
        "sharded",
        "Sharded",
        {"shard_locks": [("        free = not (conflicts or older_conflicts)\n", "        free = True\n")]},
    ),
    # An owner that has to wait for a lock never votes: the vote is lost.
    "lost_vote": (
        "sharded",
        "Sharded",
        {
            "shard_locks": [
                (
                    "    reply(coupling, shard, s.VOTE, session // slot_count, session % slot_count, I(0))\n",
                    "    return\n",
                )
            ]
        },
    ),
    # A transaction commits as soon as it can, although its turn has not come.
    "ignored_turn": (
        "sharded",
        "ShardedOrdered",
        {
            "shard_turn": [
                (
                    "    return shard[U(s.W_ORDERED)] == U(0) or shard[U(s.W_MAY_COMMIT)] == _place_of(shard, slot)\n",
                    "    return True\n",
                )
            ]
        },
    ),
}


def broken(bug: str) -> type[Strategy]:
    module, name, edits = BUGS[bug]
    found: type[Strategy] = getattr(Variant(with_importers(edits)).module(module), name)
    return found


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    found = Judge(registry.get)
    yield found
    found.close()


@pytest.mark.parametrize("strategy", PARALLEL)
def test_a_thousand_schedules_give_the_serial_result(judge: Judge, strategy: str) -> None:
    run = 0
    for batch in batches([strategy], default_sources(), (2, 3, 4, 8), 1_000, seed=77):
        for case in batch.cases():
            assert judge.differences(case) == [], case
            run += 1
    assert run == 1_000
    assert judge.steps > 100_000


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found_made_small_and_replayed(bug: str) -> None:
    kind = broken(bug)
    judge = Judge(lambda name: kind)
    cases = (
        case for batch in batches([kind.name], [ADVERSARIAL], (3, 4, 2, 8), 20_000, seed=5) for case in batch.cases()
    )
    failing = next((case for case in cases if judge.differences(case)), None)
    assert failing is not None, "not found in 20,000 schedules"
    small = judge.shrink(failing)
    assert small.kept is not None
    assert len(small.kept) <= len(scene_of(Case(small.strategy, 2, ADVERSARIAL, failing.block, 0)).block)
    assert len(small.kept) <= 8
    first = judge.differences(small)
    judge.close()
    # In another judge, with nothing kept, the same schedule fails in the same way.
    again = Judge(lambda name: kind)
    assert first
    assert again.differences(small) == first
    again.close()
    # And it is the strategy's failure, not the block's.
    honest = Judge(registry.get)
    assert honest.differences(small) == []
    honest.close()


# Bugs between two accesses of one step: only schedules that cut steps in two can find them.
CUT_BUGS: dict[str, Edits] = {
    # Who puts itself on the list of one that has just finished is not woken up.
    "lost_wake_up": {
        "scheduler": [
            (
                "    if status_word(shared, blocking) & STATUS_MASK == U(EXECUTED):\n"
                "        _resume_waiting(shared, blocking)\n",
                "",
            )
        ]
    },
    # A version can be found before its word is in it.
    "word_after_link": {
        "multiversion": [
            ("    put_at(arena, fresh + N_WORD, word)\n    for level", "    for level"),
            (
                "                break\n    return fresh, False\n",
                "                break\n    put_at(arena, fresh + N_WORD, word)\n    return fresh, False\n",
            ),
        ]
    },
}


def judge_of(edits: Edits) -> Judge:
    return Judge(registry.get, lambda kind: cut_class(kind, make_cut(edits)))


def block_stm_cases(count: int, cut: bool) -> Iterator[Case]:
    for batch in batches(["block_stm"], [ADVERSARIAL], (3, 4, 2, 8), count, seed=5):
        for case in batch.cases():
            yield replace(case, cut=cut)


@pytest.mark.parametrize("bug", CUT_BUGS)
def test_a_bug_within_a_step_is_found_where_steps_are_cut(bug: str) -> None:
    judge = judge_of(CUT_BUGS[bug])
    failing = next((case for case in block_stm_cases(20_000, cut=True) if judge.differences(case)), None)
    assert failing is not None, "not found in 20,000 schedules"
    small = judge.shrink(failing)
    # Whole steps do not show it, however the schedule is drawn.
    assert small.cut
    assert small.kept is not None
    assert len(small.kept) <= 8
    first = judge.differences(small)
    judge.close()
    again = judge_of(CUT_BUGS[bug])
    assert first
    assert again.differences(small) == first
    again.close()


def test_a_copy_without_a_bug_passes_and_its_whole_steps_are_those_of_the_strategy() -> None:
    judge = judge_of({})
    steps = []
    for cut in (False, True):
        before = judge.steps
        for case in block_stm_cases(400, cut):
            assert judge.differences(case) == [], case
        steps.append(judge.steps - before)
    judge.close()
    assert steps[0] != steps[1]


def test_an_edit_that_no_longer_fits_is_named() -> None:
    with pytest.raises(EditError, match=r"strategies/scheduler\.py holds 0 times"):
        Variant({"scheduler": [("no such text", "")]})


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
    file.write_text(json.dumps(Case("block_stm", 3, ADVERSARIAL, 9, 4, (0, 1)).as_json()))
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
    file.write_text(json.dumps(Case("block_stm", 3, ADVERSARIAL, 9, 4).as_json() | change))
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
