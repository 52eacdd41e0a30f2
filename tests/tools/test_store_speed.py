"""The tables of the durable store: a row for each case, and the page has them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

from contend.node.store.durable.mdbx_store import SYNCS
from tools.store_speed import PAGE, THREADS, WORKLOADS, main


def test_what_was_measured_is_printed_with_a_row_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--records", "2000", "--rounds", "2", "--size", "50", "--path", str(tmp_path)])
    shown = capsys.readouterr().out
    assert all(f"| {name} | {sync} | " in shown for name in WORKLOADS for sync in SYNCS)
    assert all(f"| {count} | " in shown for count in THREADS)
    assert not list(tmp_path.iterdir())


def test_the_page_has_a_row_for_each() -> None:
    page = PAGE.read_text()
    assert all(f"| {name} | {sync} | " in page for name in WORKLOADS for sync in SYNCS)
    assert all(f"\n| {count} | " in page for count in THREADS)
