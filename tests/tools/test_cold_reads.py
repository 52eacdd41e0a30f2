"""The table of cold reads: its cases end with right results, and the page has a row for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from contend.node.store.ahead.ring import why_no_ring
from contend.node.store.file_systems import check_place
from tools.cold_reads import DEPTHS, PAGE, main, share


def test_what_was_measured_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    try:
        check_place(tmp_path)
    except ValueError as error:
        pytest.skip(str(error))
    sizes = ["--transactions", "40", "--records", "500", "--rounds", "2", "--reads", "50", "--folder", str(tmp_path)]
    assert main(sizes) in (0, 1)
    shown = capsys.readouterr().out
    assert shown.count("| ahead, ") == (1 if why_no_ring() else 1 + len(DEPTHS))
    assert "| each waited for |" in shown


def test_the_share_is_of_what_the_device_gains_turn_by_turn() -> None:
    device = {"waiting": [10.0, 20.0, 10.0], "32": [40.0, 80.0, 40.0]}
    records = {"waiting": [10.0, 20.0, 10.0], "32": [30.0, 60.0, 20.0]}
    assert share((device, records, {})) == 0.75
    assert share(({"waiting": [1.0]}, records, {})) is None


def test_the_page_has_a_row_for_each() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"io_uring, {depth} under way |" in page for depth in DEPTHS)
