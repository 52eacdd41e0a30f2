"""The state root from end to end: in records, tables and titles, under both clocks and for blocks in a row."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

import contend
from contend.harness.present.charts.style import clock_of
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.frame import to_frame
from contend.harness.records import schema

STRATEGIES = ["serial", "block_stm", "sharded"]


def measured(folder: Path, **more: Any) -> dict[str, Any]:
    """Record of a run with state roots."""
    wanted = {"workloads": "payments", "strategies": STRATEGIES, "workers": [2], "block_size": 120, "root": "mpt"}
    contend.run(**{**wanted, **more}, results=folder)
    (file,) = (folder / "records").glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    jsonschema.validate(found, schema())
    return found


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_the_root_is_a_phase_behind_all_others(clock: str, tmp_path: Path) -> None:
    record = measured(tmp_path, clock=clock, repeat=2, processes=1)
    for cell in record["cells"]:
        assert cell["verified"], cell["error"]
        if "root" not in cell["phases"]:
            # What the machine gives to several serial runs has them as well, but is no strategy.
            assert cell["strategy"] not in STRATEGIES
            continue
        assert list(cell["phases"]) == ["prepare", "execute", "commit", "root"]
        assert cell["phases"]["root"] > 0
        assert cell["stages"]["root"]["kind"] == "mpt"
        assert cell["stages"]["root"]["accounts"] > 0
    frame = to_frame([record])
    assert (frame["root_seconds"] > 0).sum() >= len(STRATEGIES)
    assert clock_of(frame[frame["strategy"].isin(STRATEGIES)]).endswith("with state root")
    console = Console(file=io.StringIO(), width=250)
    print_results(console, record)
    shown = console.file
    assert isinstance(shown, io.StringIO)
    assert "Every time, serial's too, has the state root in it: of" in " ".join(shown.getvalue().split())


def test_blocks_in_a_row_have_a_root_each(tmp_path: Path) -> None:
    record = measured(tmp_path, clock="virtual", block_count=3, workloads=["swaps", "nft"])
    for cell in record["cells"]:
        assert cell["verified"], cell["error"]
        assert cell["phases"]["root"] > 0
