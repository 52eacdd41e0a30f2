"""Cold state from end to end: in records, tables and titles, under both clocks and for blocks in a row."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from rich.console import Console

import contend
from contend.harness.cli import main
from contend.harness.plan.request import Request, command_words, stages_text
from contend.harness.present.charts.style import clock_of
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.frame import to_frame
from contend.harness.records import schema
from contend.node.store.file_systems import check_place

STRATEGIES = ["serial", "block_stm", "bal"]


def measured(folder: Path, **more: Any) -> dict[str, Any]:
    """Record of a run with cold state."""
    wanted = {"workloads": "payments", "strategies": STRATEGIES, "workers": [2], "block_size": 120, "state": "file"}
    contend.run(**{**wanted, **more}, results=folder)
    (file,) = (folder / "records").glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    jsonschema.validate(found, schema())
    return found


def shown(record: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=250)
    print_results(console, record)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def test_simulated_reads_are_in_records_and_tables(tmp_path: Path) -> None:
    record = measured(tmp_path, clock="virtual", cache="0.25", disk="50us:8", state_path=tmp_path / "a.pages")
    counts = set()
    for cell in record["cells"]:
        assert cell["verified"], cell["error"]
        assert "read" not in cell["phases"]
        facts = cell["stages"]["state"]
        assert (facts["store"], facts["cache"], facts["io"], facts["channels"]) == ("file", 0.25, "simulated", 8)
        counts.add(cell["counters"]["cold_records"])
    assert len(counts) == 1
    assert clock_of(to_frame([record])).endswith("with cold state in a file")
    text = shown(record)
    assert "has cold state in it: a file, 25% of its records in memory when a block begins" in text
    assert "of a simulated device (50us:8: 50 us, 8 at once)" in text
    assert stages_text(record["request"]) == "state file, cache 0.25, disk 50us:8"


def test_real_reads_are_in_records_and_tables(tmp_path: Path) -> None:
    try:
        check_place(tmp_path)
    except ValueError as error:
        pytest.skip(str(error))
    record = measured(tmp_path, repeat=2, processes=1, state_path=tmp_path / "a.pages")
    cells = [cell for cell in record["cells"] if cell["strategy"] in STRATEGIES]
    for cell in cells:
        assert cell["verified"], cell["error"]
        assert cell["stages"]["state"]["io"] == "blocking"
        assert cell["counters"]["cold_reads"] >= cell["counters"]["cold_records"] > 120
    assert "for each of which its worker waits" in shown(record)


def test_reading_ahead_is_in_records_and_tables(tmp_path: Path) -> None:
    record = measured(tmp_path, clock="virtual", read_ahead="block", state_path=tmp_path / "a.pages")
    for cell in record["cells"]:
        assert cell["verified"], cell["error"]
        assert list(cell["phases"]) == ["read", "prepare", "execute", "commit"]
        assert cell["phases"]["read"] > 0
        assert cell["stages"]["state"]["read_ahead"] == "block"
    assert "those that its access list names ahead of the block" in shown(record)
    assert (to_frame([record])["read_seconds"] > 0).all()


def test_blocks_in_a_row_begin_with_what_those_before_have_written(tmp_path: Path) -> None:
    record = measured(tmp_path, clock="virtual", block_count=3, workloads=["swaps"], state_path=tmp_path / "a.pages")
    for cell in record["cells"]:
        assert cell["verified"], cell["error"]
        assert cell["counters"]["cold_records"] > 0


def test_requests_say_what_is_asked_for() -> None:
    asked = Request(state="file", cache="0.5", clock="virtual")
    assert asked.stages == {"state": "file", "cache": "0.5", "disk": "nvme"}
    assert Request(state="file", state_path="x.pages").stages == {
        "state": "file",
        "cache": "cold",
        "state_path": "x.pages",
    }
    assert command_words(asked.as_json()) == ["--clock", "virtual", "--state", "file", "--cache", "0.5"]
    assert Request(state="memory").stages == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cache", "0.5"], "cache: for a state that is not in memory; add --state file"),
        (["--state-path", "x"], "state path: for a state that is not in memory; add --state file"),
        (["--read-ahead", "block"], "read ahead: for a state that is not in memory; add --state file"),
        (["--state", "file", "--machines", "2"], "machines: several of a worker are simulated; add --clock virtual"),
        (["--machines", "2"], "machines: for a state that is not in memory; add --state file"),
        (["--state", "file", "--io", "uring"], "io: for real reads ahead of a block; add --read-ahead"),
        (["--state", "file", "--disk", "cloud"], "disk: devices are simulated; add --clock virtual"),
        (["--state", "file", "--cache", "2"], "cache: '2' is no share; give cold, or a number from 0 to 1"),
        (["--state", "file", "--clock", "virtual", "--disk", "tape"], "disk: 'tape' is no device"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_line(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["run", "--workload", "payments", *arguments], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_file_that_is_none_of_ours_is_bad_input(tmp_path: Path) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("something else\n" * 1000)
    arguments = ["run", "-w", "payments", "-s", "serial", "--block-size", "20", "--clock", "virtual", "--state", "file"]
    done = CliRunner().invoke(
        main, [*arguments, "--state-path", str(foreign), "--results", str(tmp_path)], standalone_mode=False
    )
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert "is no snapshot of a state" in done.stderr
    assert foreign.read_text().startswith("something else")
