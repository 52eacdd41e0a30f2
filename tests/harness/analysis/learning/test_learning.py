"""Learning from records: lessons of blocks that are made again, and a model that chooses by what tells blocks apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from contend.harness.analysis.learning.feature_choice import Settings, Table, chosen_features, time_of
from contend.harness.analysis.learning.learner import candidates_of, learn, part_of
from contend.harness.analysis.learning.lessons import Lesson, Lessons, lessons_of
from contend.harness.analysis.learning.model_text import described, text_of_model
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.testing import build_scenario
from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_model import Candidate, DecisionModel
from tools.docs.choosing.judge import judged, left_out

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

NAMES = list(FEATURES)
WIDE = Settings(least=0.01)


def lesson(workload: str, transactions: int, workers: int, repeats: int) -> Lesson:
    """A block on which Block-STM is quick where nothing is repeated, and dry runs pay where much is."""
    features = np.zeros(len(FEATURES), np.int64)
    features[:2], features[2:5] = (workers, transactions), -1
    # What tells the workload, and nothing else.
    features[NAMES.index("gas_limit")] = 100 * (1 + sum(map(ord, workload)) % 7)
    serial = transactions * 1e-6
    hot = repeats > 500
    seconds = {"block_stm": serial * (3 if hot else 0.2), "placeholder+dry_run": serial * 0.5, "sharded": serial * 0.1}
    return Lesson(
        workload,
        f"{workload}{transactions}",
        workers,
        features,
        serial,
        dict.fromkeys(seconds, (20_000, repeats, 0)),
        {(name, workers): value for name, value in seconds.items()},
    )


@pytest.fixture
def lessons() -> list[Lesson]:
    return [
        lesson(name, transactions, workers, repeats)
        for name, repeats in (("a", 0), ("b", 900), ("c", 10), ("d", 800), ("e", 0), ("f", 999))
        for transactions in (10, 100, 1_000)
        for workers in (2, 8)
    ]


def test_candidates_are_those_that_blocks_can_be_handed_to_and_that_are_worth_it(lessons: list[Lesson]) -> None:
    assert {str(one) for one in candidates_of(lessons, "none")} == {"block_stm", "placeholder+dry_run"}


def test_what_tells_blocks_of_workloads_apart_that_were_never_seen_is_taken(lessons: list[Lesson]) -> None:
    table = Table.of(lessons, candidates_of(lessons, "none"))
    assert "past_repeats" in chosen_features(table, WIDE)
    assert "gas_limit" not in chosen_features(table, WIDE)
    behind = [one for one in left_out(lessons, "none", WIDE) if not one.is_first]
    assert behind
    assert all(one.regret < 0.01 for one in behind)


def test_judging_holds_a_choice_against_the_best_in_hindsight_and_counts_choosing(lessons: list[Lesson]) -> None:
    part = part_of(lessons, candidates_of(lessons, "none"), WIDE)
    for one in judged(part, lessons, "none"):
        # What blocks cannot be handed to is no rival.
        rivals = [value for (name, _), value in one.lesson.of_block.items() if name != "sharded"]
        assert one.best == min(rivals)
        assert one.choosing > 0
        assert one.regret >= one.choosing / one.best - 1e-9


def test_a_part_of_the_workers_that_nobody_measured_takes_what_all_take(lessons: list[Lesson]) -> None:
    one = lessons[-1]
    assert time_of(one, Candidate("block_stm", 4)) == time_of(one, Candidate("block_stm"))
    assert time_of(one, Candidate("bal")) is None


def cell(strategy: str, workers: int, seconds: float, **more: Any) -> dict[str, Any]:
    (block,) = build_scenario("payments", block_size=12).blocks
    return {
        "workload": "payments", "dials": more.pop("dials"), "seed": 1, "block_size": 12, "strategy": strategy,
        "workers": workers, "verified": True, "block_digest": block.digest, "transactions": 12, "gas": 12 * 21_000,
        "samples_seconds": [seconds], "counters": {"aborts": 3, "waits": 6} if workers > 1 else {}, **more,
    }  # fmt: skip


def record(*cells: dict[str, Any], clock: str = "virtual") -> dict[str, Any]:
    environment = {"kernels": "ab", "costs": "cd" if clock == "virtual" else None}
    return {"environment": environment, "request": {"clock": clock}, "cells": list(cells)}


@pytest.fixture
def dials() -> dict[str, Any]:
    from contend.workloads import registry
    from contend.workloads.dials import resolve_dials

    return dict(resolve_dials(registry.get("payments"), {}))


def test_lessons_are_of_blocks_that_are_made_again(dials: dict[str, Any]) -> None:
    skipped: list[str] = []
    own = [cell("serial", 1, 4.0, dials=dials), cell("block_stm", 2, 2.0, dials=dials)]
    found = lessons_of([record(*own)], skipped.append)
    (one,) = found.lessons
    assert (one.transactions, one.workers, one.serial, dict(one.of_block)) == (12, 2, 4.0, {("block_stm", 2): 2.0})
    assert one.past["block_stm"] == (21_000, 250, 500)
    assert not skipped
    with pytest.raises(BadInputError, match="nothing to learn from"):
        lessons_of([record(*({**one, "seed": 2} for one in own))], skipped.append)
    assert "its digest is" in skipped[0]
    with pytest.raises(BadInputError, match="some of real time"):
        lessons_of([record(*own), record(*own, clock="wall")], skipped.append)


def test_a_model_is_written_as_it_is_read(lessons: list[Lesson]) -> None:
    model = learn(Lessons(tuple(lessons), ("ab",), ("cd",), 1), WIDE)
    assert DecisionModel.from_json(json.loads(text_of_model(model))).as_json() == model.as_json()
    assert any("given none: " in line for line in described(model))


def test_what_is_no_record_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{}")
    done = CliRunner().invoke(main, ["learn", str(tmp_path / "record.json"), "-o", str(tmp_path / "model.json")])
    assert done.exit_code == 2
    assert done.output.startswith("contend: ")
    assert done.output.count("\n") == 1
    (tmp_path / "foreign.json").write_text('{"schema": "contend-model", "version": 99}')
    words = ["run", "--model", str(tmp_path / "foreign.json"), "-s", "adaptive", "-w", "payments"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "newer than this version of Contend" in done.output
