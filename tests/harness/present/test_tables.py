from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from contend.harness.present.catalogue_tables import dial_range, print_workloads
from contend.harness.present.tables import print_results
from contend.harness.record.statistics.paired import with_baseline

Make = Callable[..., dict[str, Any]]


def printed(width: int, record: dict[str, Any]) -> list[str]:
    target = io.StringIO()
    print_results(Console(file=target, width=width), record)
    return target.getvalue().splitlines()


@pytest.fixture
def record(make_cell: Make, make_record: Make) -> dict[str, Any]:
    cells = [
        make_cell(workload, strategy, workers, ratio, counters={"aborts": 1_500}, critical_path=25_000_000)
        for workload in ("payments", "swaps")
        for strategy, workers, ratio in (("serial", 1, 1.0), ("static_partition", 2, 12.3), ("block_stm", 16, 0.5))
    ]
    return make_record(cells)


@pytest.mark.parametrize("width", [80, 100])
def test_a_table_fits_its_width_and_cuts_nothing_off(width: int, record: dict[str, Any]) -> None:
    lines = printed(width, record)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    for word in ("payments", "static_partition", "16", "12.", "1.50", "12%", "yes"):
        assert word in text


@pytest.mark.parametrize("width", [70, 80, 100, 140])
def test_the_baseline_that_was_asked_for_has_a_column_beside_serial(
    width: int, make_cell: Make, make_record: Make
) -> None:
    cells = [make_cell("payments", name, 2) for name in ("static_partition", "sharded")]
    for cell in cells:
        cell["samples"] = [
            {**sample, "seconds": sample["seconds"] / (2 if cell["strategy"] == "sharded" else 1)}
            for sample in cells[0]["samples"]
        ]
    record = make_record(with_baseline(cells, "static_partition"))
    lines = printed(width, record)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    heading = next(line for line in lines if "strategy" in line)
    assert "x static_partition" in heading
    assert "x serial" in heading or width < 80
    sharded = next(line for line in lines if "sharded" in line)
    assert "2.00 [2.00, 2.00]" in sharded
    assert "1.50" in sharded
    assert "beside static_partition, by more than 5 %: sharded faster in 1 of 1 cell" in " ".join(
        " ".join(lines).split()
    )


def test_orders_that_disagree_are_told_with_the_reason(make_cell: Make, make_record: Make) -> None:
    fast, slow = make_cell("payments", "sharded", 2, 1.5), make_cell("payments", "block_stm", 2, 1.4)
    assert not [line for line in printed(100, make_record([fast, slow])) if line.startswith("note:")]
    slow["tx_per_second"] = 2 * fast["tx_per_second"]
    text = " ".join(printed(100, make_record([fast, slow])))
    assert "note: payments: block_stm x2 leads sharded x2 by median tx/s" in text
    assert "a median is over all rounds" in text


@pytest.mark.parametrize("text", ["Mgas/s", "10/80/10", "p/e/c: share"])
def test_a_wide_table_has_gas_per_second_and_phases(record: dict[str, Any], text: str) -> None:
    assert text in " ".join(" ".join(printed(100, record)).split())
    assert text not in " ".join(" ".join(printed(80, record)).split())


def test_a_cell_of_a_record_without_bounds_has_no_share(make_cell: Make, make_record: Make) -> None:
    row = next(line for line in printed(80, make_record([make_cell()])) if "block_stm" in line)
    assert row.split()[-3:] == ["-", "-", "yes"]


def test_a_failed_cell_is_shown_with_its_differences_and_no_figures(make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell(strategy="serial", workers=1), make_cell(strategy="wrong", error="it differs")])
    lines = printed(80, record)
    row = next(line for line in lines if line.strip().startswith("wrong"))
    assert row.split() == ["wrong", "2", "-", "-", "-", "-", "FAILED"]
    assert "FAILED: swaps, wrong, workers 2: it differs" in lines
    assert "  transaction 3, status: serial 1, here 0" in lines


def test_unstable_cells_are_marked_and_named_once(make_cell: Make, make_record: Make) -> None:
    shaky = make_cell(strategy="shaky") | {"warnings": ["unstable: this", "unstable: that"]}
    lines = printed(80, make_record([make_cell(strategy="serial", workers=1), shaky]))
    assert any("shaky" in line and line.rstrip().endswith("yes ~") for line in lines)
    text = " ".join(" ".join(lines).split())
    assert text.count("warning:") == 1
    assert text.endswith("swaps shaky x2")


def test_nothing_measured_is_said(make_record: Make) -> None:
    assert printed(80, make_record([])) == ["No cell was measured."]


def test_markup_in_names_is_printed_as_it_is(make_cell: Make, make_record: Make) -> None:
    cell = make_cell(strategy="wrong", error="list index [/out] of range")
    assert "list index [/out] of range" in "\n".join(printed(100, make_record([cell])))


@pytest.mark.parametrize(
    ("low", "high", "choices", "text"),
    [
        (1, 1_000_000, (), "1 to 1,000,000"),
        (0.0, 2.5, (), "0 to 2.5"),
        (1, None, (), "from 1"),
        (None, 9, (), "up to 9"),
        (None, None, (), "any"),
        (None, None, ("a", "b"), "a | b"),
    ],
)
def test_ranges_of_dials(low: float | None, high: float | None, choices: tuple[str, ...], text: str) -> None:
    assert dial_range({"low": low, "high": high, "choices": choices}) == text


def test_workloads_are_listed_with_their_dials() -> None:
    target = io.StringIO()
    dial = {"name": "pools", "default": 100, "low": 1, "high": 10_000, "choices": (), "summary": "AMM pools"}
    print_workloads(
        Console(file=target, width=80), [{"name": "swaps", "summary": "a market", "dials": [dial], "error": None}]
    )
    text = target.getvalue()
    for word in ("swaps", "a market", "pools", "100", "1 to 10,000", "AMM pools"):
        assert word in text
