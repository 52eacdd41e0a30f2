from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contend.harness.record.frame import COLUMNS, to_frame

Make = Callable[..., dict[str, Any]]


def test_a_frame_has_the_documented_columns_then_dials_and_counters(make_cell: Make, make_record: Make) -> None:
    frame = to_frame([make_record([make_cell(counters={"aborts": 3}), make_cell(strategy="serial", workers=1)])])
    assert list(frame.columns) == [*COLUMNS, "dial.pools", "count.aborts"]
    assert list(frame["strategy"]) == ["block_stm", "serial"]
    assert frame.loc[0, "count.aborts"] == 3
    assert frame["count.aborts"].isna().tolist() == [False, True]


def test_a_row_holds_what_its_cell_says(make_cell: Make, make_record: Make) -> None:
    cell = make_cell()
    row = to_frame([make_record([cell])]).iloc[0]
    assert row["speedup"] == cell["speedup"]["median"]
    assert row["speedup_low"] <= row["speedup"] <= row["speedup_high"]
    assert row["prepare_seconds"] + row["execute_seconds"] + row["commit_seconds"] == pytest.approx(row["seconds"])
    assert row["samples_seconds"] == cell["samples_seconds"]
    assert row["record"] == "20260102T030405Z-0a1b2c3d"


def test_a_failed_cell_is_a_row_without_figures(make_cell: Make, make_record: Make) -> None:
    row = to_frame([make_record([make_cell(error="differs")])]).iloc[0]
    assert row["error"] == "differs"
    assert not row["verified"]
    assert row[["tx_per_second", "speedup", "execute_seconds"]].isna().all()


def test_no_cells_are_an_empty_frame_with_columns() -> None:
    assert list(to_frame([]).columns) == list(COLUMNS)


def test_a_row_says_where_when_and_of_what_it_was_measured(make_cell: Make, make_record: Make) -> None:
    cell = make_cell(rounds=4)
    row = to_frame([make_record([cell])]).iloc[0]
    assert (row["cpu"], row["cores"], row["machine"]) == ("a processor", 2, "0123456789abcdef")
    assert (row["revision"], row["dirty"]) == ("0" * 40, False)
    assert (row["runs"], row["repeat"], row["sessions"], row["complete"]) == (4, 4, 1, True)
    assert (row["genesis_digest"], row["block_digest"]) == (cell["genesis_digest"], cell["block_digest"])
    assert row["began"] == "2026-01-02T03:04:00.500+00:00"
    # The last run began three seconds later and took less than a tenth of one.
    assert "2026-01-02T03:04:03.550+00:00" < row["ended"] < "2026-01-02T03:04:03.600+00:00"


def test_outside_a_checkout_a_row_has_no_revision(make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell()])
    record["environment"]["git"] = None
    assert to_frame([record]).iloc[0][["revision", "dirty"]].isna().all()
