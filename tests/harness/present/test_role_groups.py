"""Roles in the table of a run: who knows more stands by himself, and is ranked with nobody else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from contend.harness.present.paper.certain_best import certain_best, ranked
from contend.harness.present.report.answer_which import which
from contend.harness.present.report.selection import frame_of, selections
from contend.harness.present.role_groups import given_line
from contend.harness.present.tables.result_table import print_results

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def record(make_cell: Make, make_record: Make, make_given: Make) -> dict[str, Any]:
    shares = {"all": 0.98, "writes": 0.97, "conflicting": 0.5}
    quality = {"entries": 7, "recall": shares, "precision": {**shares, "conflicting": None}}
    limit = {"median": 1.61, "low": 1.6, "high": 1.62, "confidence": 0.95}
    cells = [
        make_cell("swaps", "serial", 1, 1.0, given=make_given("serial", "nothing")),
        make_cell("swaps", "block_stm+truth", 2, 3.0, critical_path=25_000_000, given=make_given("block_stm", "truth")),
        make_cell(
            "swaps", "bal", 2, 2.5, critical_path=99_000_000, given=make_given("bal", "block", True),
            refused_list="transaction 3: a write that is not in the list",
        ),
        make_cell("swaps", "static_partition", 2, 1.5, given=make_given("static_partition", "dry_run", **quality)),
        make_cell("swaps", "block_stm", 2, 1.2, given=make_given("block_stm", "none")),
    ]  # fmt: skip
    return make_record([cell | ({"limit": limit} if cell["workers"] > 1 else {}) for cell in cells])


def printed(record: dict[str, Any], width: int) -> list[str]:
    target = io.StringIO()
    print_results(Console(file=target, width=width), record)
    return target.getvalue().splitlines()


def first_words(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("  ") and line.split()]


@pytest.mark.parametrize("width", [80, 200])
def test_rows_stand_by_role_and_the_ceiling_is_ranked_nowhere(record: dict[str, Any], width: int) -> None:
    lines = printed(record, width)
    assert max(map(len, lines)) <= width
    names = ["builder", "serial", "static_partition", "block_stm", "validator", "bal", "ceiling,"]
    assert first_words(lines)[-10:] == [*names, "block_stm+truth", "any", "machine's"]
    text = " ".join(" ".join(lines).split())
    assert "No ranking has two roles. builder: knows the transactions" in text
    assert "swaps, bal, workers 2: list refused: transaction 3: a write that is not in the list" in text


def test_a_wide_table_says_what_was_given_and_how_good_it_was(record: dict[str, Any]) -> None:
    lines = printed(record, 200)
    for word in ("given", "prepare", "B/tx", "r/p", "r/p confl."):
        assert any(f" {word} " in line for line in lines), word
    row = next(line for line in lines if "static_partition" in line)
    assert "dry_run" in row
    assert "98/98" in row
    assert "50/-" in row
    assert "120" in next(line for line in lines if line.split()[:1] == ["bal"])


def test_a_narrow_one_says_below_what_was_given(record: dict[str, Any]) -> None:
    text = " ".join(" ".join(printed(record, 80)).split())
    assert "Given: nothing to serial; truth to block_stm; block to bal; dry_run to static_partition;" in text


def test_who_had_learned_nothing_is_not_said_to_be_given_it(make_cell: Make, make_given: Make) -> None:
    given = make_given("adaptive", "template") | {"learned": False}
    cells = [make_cell("swaps", "block_stm", 2, given=make_given("block_stm", "none"))]
    cells.append(make_cell("swaps", "adaptive", 2, given=given))
    assert given_line(cells) == "Given: none to block_stm; adaptive: nothing learned."


def test_the_limit_stands_beside_the_speed_ups_and_claims_nothing_else(record: dict[str, Any]) -> None:
    row = next(line for line in printed(record, 120) if "machine's limit" in line)
    assert row.split()[:3] == ["machine's", "limit", "-"]
    assert "1.61 [1.60, 1.62]" in row
    assert "machine's limit: W serial runs at once" in " ".join(" ".join(printed(record, 120)).split())
    assert not any(word in row for word in ("yes", "no", "FAILED"))


def test_the_bound_is_that_of_the_role(record: dict[str, Any]) -> None:
    ceiling, bal = (record["cells"][place] for place in (1, 2))
    assert ceiling["share_of_bound"] == ceiling["share_of_location_bound"]
    assert bal["role_bound_speedup"] == 2.0
    # Of 100 microseconds of work, 99 one after the other.
    assert bal["bound_speedup"] == pytest.approx(100 / 99)
    assert bal["share_of_bound"] == pytest.approx(bal["share_of_location_bound"] * 100 / 99 / 2)


def test_each_role_has_its_best_and_the_ceiling_none(record: dict[str, Any]) -> None:
    frame = frame_of([record])
    bests = {certain_best(own) for own in ranked(frame)}
    # The validators have one strategy: there is nobody to be better than.
    assert [name for label, name in frame["strategy"].items() if label in bests] == ["static_partition"]


def test_a_recommendation_is_of_one_role(record: dict[str, Any]) -> None:
    builder, validator = which(selections(frame_of([record]), [record]))
    assert builder.headline.startswith("static_partition on swaps")
    assert "block_stm+truth" not in " ".join([builder.headline, *builder.points])
    assert validator.headline.startswith("Given the block's access list, as a validator is: bal on swaps")
    assert "static_partition" not in " ".join([validator.headline, *validator.points])


def test_cells_of_one_role_have_no_headings(make_cell: Make, make_record: Make) -> None:
    lines = printed(make_record([make_cell("swaps", "serial", 1), make_cell("swaps", "block_stm", 2)]), 100)
    assert not any("builder" in line for line in lines)
