from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.errors import BadInputError
from harness.frame import COLUMNS, load, to_frame
from harness.records import write_json

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


def test_a_folder_is_loaded_in_the_order_of_time(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    for name in ("20260103T000000Z-00000000", "20260102T000000Z-ffffffff"):
        write_json(tmp_path / f"{name}.json", make_record([make_cell()]) | {"id": name})
    frame = harness.load(tmp_path)
    assert list(frame["record"]) == ["20260102T000000Z-ffffffff", "20260103T000000Z-00000000"]
    assert len(load(tmp_path / "20260103T000000Z-00000000.json")) == 1


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file or folder"):
        load(tmp_path / "none")
