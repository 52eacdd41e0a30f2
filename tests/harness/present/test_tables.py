from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.present.tables.catalogue_tables import dial_range, print_workloads
from contend.harness.present.tables.result_table import ResultTable, print_results
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
    assert re.search(r"\bx( serial)?  ", heading)
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


@pytest.mark.parametrize("text", [" Mgas/s ", "10/80/10", "p/e/c: share"])
def test_a_wide_table_has_gas_per_second_and_phases(record: dict[str, Any], text: str) -> None:
    assert text in " ".join(" ".join(printed(110, record)).split())
    narrow = " ".join(" ".join(printed(80, record)).split())
    assert text not in narrow
    assert "ab/tx, p/e/c, Mgas/s, prepare; " in narrow


def test_preparation_has_a_column_where_there_is_any(record: dict[str, Any], make_record: Make) -> None:
    wide = printed(110, record)
    assert "prepare" in next(line for line in wide if "strategy" in line)
    assert re.search(r" 10\.\d ms ", next(line for line in wide if line.split()[:1] == ["serial"]))
    for cell in record["cells"]:
        cell["phases"] = {**cell["phases"], "prepare": 1e-6}
    assert not any("prepare" in line and "strategy" in line for line in printed(110, make_record(record["cells"])))


def test_a_cell_of_a_record_without_bounds_has_no_share(make_cell: Make, make_record: Make) -> None:
    row = next(line for line in printed(80, make_record([make_cell()])) if "block_stm" in line)
    assert row.split()[-5:] == ["-", row.split()[-4], "ms", "-", "yes"]


def test_a_failed_cell_is_shown_with_its_differences_and_no_figures(make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell(strategy="serial", workers=1), make_cell(strategy="wrong", error="it differs")])
    lines = printed(80, record)
    row = next(line for line in lines if line.strip().startswith("wrong"))
    assert row.split() == ["wrong", "2", "-", "-", "-", "-", "-", "-", "FAILED"]
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


def plan_of(record: dict[str, Any]) -> MeasurementPlan:
    workloads = {(cell["workload"], tuple(cell["dials"].items())): None for cell in record["cells"]}
    cells = {CellKey(cell["strategy"], cell["workers"]): None for cell in record["cells"]}
    plans = tuple(WorkloadPlan(name, dict(dials)) for name, dials in workloads)
    return MeasurementPlan(plans, tuple(cells), frozenset(cells), "0123", cold=False)


def streamed(record: dict[str, Any], order: list[str], **console: Any) -> Iterator[list[str]]:
    """What there is to see after each workload that is finished, and at the end."""
    target = io.StringIO()
    table = ResultTable(Console(file=target, width=80, color_system=None, **console))
    table.planned(plan_of(record))
    for workload in order:
        table.add([cell for cell in record["cells"] if cell["workload"] == workload])
        yield target.getvalue().splitlines()
    table.finish(record)
    yield target.getvalue().splitlines()


def test_figures_appear_workload_by_workload_and_once(record: dict[str, Any]) -> None:
    first, second, last = streamed(record, ["payments", "swaps"])
    assert " payments" in first
    assert " swaps" not in first
    assert sum("block_stm" in line for line in first) == 1
    assert second[: len(first)] == first
    assert " swaps" in second
    assert not any(line.startswith("tx/s:") for line in second)
    assert last[: len(second)] == second
    assert sum("strategy" in line for line in last) == 1
    assert sum("block_stm" in line and "yes" in line for line in last) == 2


def test_in_a_pipe_workloads_stand_in_the_order_in_which_they_were_asked_for(record: dict[str, Any]) -> None:
    swaps, both, last = streamed(record, ["swaps", "payments"])
    assert swaps == []
    assert both == list(streamed(record, ["payments", "swaps"]))[1] == last[: len(both)]


def test_in_a_terminal_they_stand_in_the_order_in_which_they_were_finished(record: dict[str, Any]) -> None:
    shown = list(streamed(record, ["swaps", "payments"], force_terminal=True, height=50))
    assert " swaps" in shown[0]
    assert shown[1].index(" swaps") < shown[1].index(" payments")


def test_headings_come_again_where_they_have_scrolled_out_of_sight(record: dict[str, Any]) -> None:
    for height, headings in ((50, 1), (12, 2)):
        *_, last = streamed(record, ["payments", "swaps"], force_terminal=True, height=height)
        assert sum("strategy" in line for line in last) == headings


def test_headings_come_again_where_a_section_needs_wider_columns(make_cell: Make, make_record: Make) -> None:
    cells = [make_cell("payments", ratio=1.5), make_cell("swaps", ratio=1_500.0)]
    lines = list(streamed(make_record(cells), ["payments", "swaps"]))[-1]
    assert sum("strategy" in line for line in lines) == 2
    assert all("block_stm" not in line or line.rstrip().endswith("yes") for line in lines if "[" in line)


def test_workloads_of_earlier_sessions_are_printed_at_the_end(record: dict[str, Any]) -> None:
    (_, last) = streamed(record, ["swaps"])
    assert last.index(" payments") < last.index(" swaps")


def test_workloads_of_a_sweep_are_told_apart_from_the_first(make_cell: Make, make_record: Make) -> None:
    cells = [make_cell("swaps") | {"dials": {"pools": pools, "hops": 2}} for pools in (1, 10)]
    target = io.StringIO()
    table = ResultTable(Console(file=target, width=80))
    table.planned(plan_of(make_record(cells)))
    table.add(cells[:1])
    assert " swaps, pools=1" in target.getvalue().splitlines()


def test_that_most_transactions_fail_is_said_before_anything_else(make_cell: Make, make_record: Make) -> None:
    cells = [
        make_cell("vault", strategy, workers, 1.5) | {"failed_transactions": failed}
        for failed in (500, 501)
        for strategy, workers in (("serial", 1), ("block_stm", 2))
    ]
    half, most = (printed(120, make_record(cells[place : place + 2])) for place in (0, 2))
    assert not any("FAIL" in line or "!" in line for line in half)
    first = next(line for line in most if line)
    assert first.startswith("vault: MOST TRANSACTIONS FAIL, 501 of 1,000")
    row = next(line for line in most if line.startswith("   block_stm"))
    assert "1.50! [" in row
    assert "1.50!" in next(line for line in printed(60, make_record(cells[2:])) if line.startswith("   block_stm"))


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
        Console(file=target, width=80),
        [{"name": "swaps", "summary": "a market", "dials": [dial], "presets": [], "error": None}],
    )
    text = target.getvalue()
    for word in ("swaps", "a market", "pools", "100", "1 to 10,000", "AMM pools"):
        assert word in text
