"""What is given, from the command line to the record: what is measured, what is kept, what ends the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from contend.harness.cli import main
from contend.harness.measure.run_request import Engine
from contend.harness.plan.request import Request
from contend.harness.record.load import read
from contend.harness.records import schema

pytestmark = pytest.mark.usefixtures("plugins")


def run(folder: Path, line: str) -> Result:
    words = ["run", "--results", str(folder), "--no-charts", "--quiet", "--isolated", *line.split()]
    return CliRunner().invoke(main, words, standalone_mode=False)


def cells_in(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    (file,) = (folder / "records").glob("*.json")
    jsonschema.validate(json.loads(file.read_text()), schema())
    return {(cell["strategy"], cell["workers"]): cell for cell in read(file)["cells"]}


def test_what_was_given_and_how_good_it_was_is_on_record(
    tmp_path: Path, plugin_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", plugin_environment["PYTHONPATH"])
    done = run(
        tmp_path,
        "-w payments -s serial,block_stm --hints none,dry_run,truth --workers 4 --block-size 100 --clock virtual "
        "--processes 1",
    )
    assert done.exception is None or done.exception.code == 0, done.output  # type: ignore[attr-defined]
    cells = cells_in(tmp_path)
    assert [strategy for strategy, _ in cells] == [
        "serial", "block_stm", "block_stm+dry_run", "block_stm+truth"
    ]  # fmt: skip
    given = {strategy: cell["given"] for (strategy, _), cell in cells.items()}
    assert given["serial"]["source"] == "nothing"
    assert "recall" not in given["block_stm"]
    assert given["block_stm+truth"]["recall"]["all"] == given["block_stm+truth"]["precision"]["all"] == 1.0
    assert 0.9 < given["block_stm+dry_run"]["recall"]["all"] <= 1.0
    assert [one["role"] for one in given.values()] == ["builder", "builder", "builder", "ceiling"]
    told = cells["block_stm+truth", 4]
    assert told["share_of_list_schedule"] == pytest.approx(told["speedup"]["median"] / told["list_schedule_speedup"])
    assert told["list_schedule_speedup"] <= told["bound_speedup"] * 1.001
    assert cells["serial", 1]["share_of_list_schedule"] == pytest.approx(1.0)
    assert "limit" not in told


def test_what_is_missing_ends_the_run_with_one_line(
    tmp_path: Path, plugin_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", plugin_environment["PYTHONPATH"])
    done = run(tmp_path, "-w ledger -s needing --workers 1 --block-size 10 --repeat 1 --processes 1")
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr == "contend: strategy 'needing': truth: it is nowhere\n"
    assert not (tmp_path / "records").exists() or not list((tmp_path / "records").iterdir())


def test_the_machines_limit_is_measured_in_the_same_rounds(
    plugin_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", plugin_environment["PYTHONPATH"])
    monkeypatch.setattr("contend.harness.record.environment.usable_cores", lambda: [0, 1])
    record = Engine(Request("ledger", ["serial", "honest"], [1, 2, 3], block_size=50, repeat=3, processes=1)).run()
    jsonschema.validate(json.loads(json.dumps(record)), schema())
    cells = {(cell["strategy"], cell["workers"]): cell for cell in record["cells"]}
    assert set(cells) == {("serial", 1), ("honest", 1), ("honest", 2), ("honest", 3)}
    assert len([one for one in cells["honest", 2]["samples"] if one["limit_seconds"] > 0]) == 3
    assert cells["honest", 2]["limit"]["median"] > 0
    # There are two cores.
    assert not any("limit" in cells[key] for key in (("serial", 1), ("honest", 1), ("honest", 3)))
