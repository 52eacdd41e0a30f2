"""A durable state from end to end: records, tables, blocks in a row, several processes, and what is refused."""

from __future__ import annotations

import io
import json
from collections import deque
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from rich.console import Console

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

import contend
from contend.harness.cli import main
from contend.harness.plan.request import USUAL_IO_THREADS, Request, command_words, stages_text
from contend.harness.present.charts.style import clock_of
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.frame import to_frame
from contend.harness.records import schema
from contend.node.store.ahead.reader import THREADS
from contend.node.store.base import StoreError
from contend.node.store.durable.made_state import make_state
from contend.node.store.durable.mdbx_store import MdbxStore
from contend.node.store.file_systems import check_place

STRATEGIES = ["serial", "block_stm", "sharded"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    try:
        check_place(tmp_path)
    except StoreError as error:
        pytest.skip(str(error))
    deque(make_state(tmp_path / "made", 3000, 1), maxlen=0)
    return tmp_path / "made"


def measured(folder: Path, **more: Any) -> dict[str, Any]:
    """Record of a run with a durable state."""
    wanted = {"workloads": "payments", "strategies": STRATEGIES, "workers": [2], "block_size": 100, "state": "mdbx"}
    contend.run(**{**wanted, "repeat": 2, **more}, results=folder / "results")
    (file,) = (folder / "results" / "records").glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    jsonschema.validate(found, schema())
    return found


def test_blocks_are_read_from_a_database_and_committed_to_it(tmp_path: Path, made: Path) -> None:
    record = measured(tmp_path, state_path=made, root="mpt", block_count=2, processes=2, sync="none")
    cells = [cell for cell in record["cells"] if cell["strategy"] in STRATEGIES]
    assert len(cells) == len(STRATEGIES)
    for cell in cells:
        assert cell["verified"], cell["error"]
        assert list(cell["phases"]) == ["prepare", "execute", "commit", "root", "store"]
        assert cell["phases"]["store"] > 0
        facts = cell["stages"]["state"]
        assert (facts["store"], facts["cache"], facts["io"], facts["sync"]) == ("mdbx", 0, "blocking", "none")
        assert facts["accounts"] > 900
        assert cell["counters"]["cold_records"] >= 100
        assert cell["counters"]["store_records"] >= 100
    frame = to_frame([record])
    assert (frame["store_seconds"] > 0).sum() >= len(STRATEGIES)
    measured_cells = frame[frame["strategy"].isin(STRATEGIES)]
    assert clock_of(measured_cells).endswith("with cold state in a database and state root")
    console = Console(file=io.StringIO(), width=250)
    print_results(console, record)
    assert isinstance(console.file, io.StringIO)
    text = " ".join(console.file.getvalue().split())
    assert "has cold state in it: a database of MDBX, 0% of its records in memory" in text
    assert "Each block is committed to it, " in text
    with MdbxStore(made) as store:
        # The state before the first block, and two blocks.
        assert store.head.block == 3
        assert any(store.head.root)


def test_without_a_path_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        record = measured(tmp_path, strategies=["serial"], processes=1, cache="1")
    except contend.BadInputError as error:
        pytest.skip(str(error))
    assert all(cell["verified"] for cell in record["cells"])
    assert {cell["stages"]["state"]["sync"] for cell in record["cells"] if "stages" in cell} == {"block"}


def test_records_are_read_ahead_by_threads(tmp_path: Path, made: Path) -> None:
    asked = {"read_ahead": "block", "io_threads": 8, "state_path": made, "processes": 1}
    record = measured(tmp_path, strategies=["serial", "block_stm"], **asked)
    cells = [cell for cell in record["cells"] if cell["strategy"] in STRATEGIES]
    for cell in cells:
        assert cell["verified"], cell["error"]
        assert list(cell["phases"]) == ["read", "prepare", "execute", "commit", "store"]
        facts = cell["stages"]["state"]
        assert (facts["read_ahead"], facts["ahead_io"], facts["io_threads"]) == ("block", "threads", 8)
        assert cell["counters"]["cold_records"] >= 100
        assert sum(sample["cpu_seconds"] for sample in cell["samples"]) > 0


def test_requests_say_what_is_asked_for() -> None:
    assert USUAL_IO_THREADS == THREADS
    assert Request(state="file", read_ahead="sure", io_threads=3).stages["io_threads"] == "3"
    asked = Request(state="mdbx", state_path="x", sync="none")
    assert asked.stages == {"state": "mdbx", "cache": "cold", "sync": "none", "state_path": "x"}
    assert command_words(asked.as_json()) == ["--state", "mdbx", "--state-path", "x", "--sync", "none"]
    assert stages_text(asked.as_json()) == "state mdbx, cache cold, sync none"
    assert Request(state="mdbx").stages == {"state": "mdbx", "cache": "cold", "sync": "block"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", "mdbx", "--clock", "virtual"], "state: what mdbx takes is measured under the wall clock only"),
        (["--state", "file", "--sync", "none"], "sync: for a state in a database; add --state mdbx"),
        (["--state", "mdbx", "--io-threads", "3"], "io threads: for real reads ahead of a block; add --read-ahead"),
        (["--io-threads", "3"], "io threads: for a state that is not in memory; add --state file"),
        (
            ["--state", "mdbx", "--read-ahead", "sure", "--io", "uring"],
            "io: a database is not read by io_uring; --io threads does without",
        ),
        (["--state", "mdbx", "--cache", "2"], "cache: '2' is no share; give cold, or a number from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_line(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["run", "--workload", "payments", *arguments], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.parametrize("what", ["nothing", "foreign", "in use"])
def test_a_store_that_cannot_be_had_is_bad_input(what: str, tmp_path: Path, made: Path) -> None:
    words = {"nothing": "no store of Contend", "foreign": "no MDBX database", "in use": "in use by another process"}
    path = tmp_path / "nothing" if what == "nothing" else made
    if what == "foreign":
        (made / "mdbx.dat").write_bytes(b"something else" * 10_000)
    holder = MdbxStore(made) if what == "in use" else None
    arguments = ["run", "-w", "payments", "-s", "serial", "--block-size", "20", "--repeat", "1", "--state", "mdbx"]
    done = CliRunner().invoke(
        main, [*arguments, "-q", "--state-path", str(path), "--results", str(tmp_path)], standalone_mode=False
    )
    if holder is not None:
        holder.close()
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert words[what] in done.stderr.splitlines()[-1]
    assert str(path) in done.stderr.splitlines()[-1]
