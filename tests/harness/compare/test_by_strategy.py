"""``contend compare --strategies``: which of two strategies is faster, within records."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import contend
from contend.harness.cli import main
from contend.harness.compare.by_strategy.head_to_head import SCHEMA_FILE, compare_strategies
from contend.harness.compare.by_strategy.head_to_head_text import print_strategies, strategies_markdown
from contend.harness.compare.by_strategy.strategies_frame import COLUMNS
from contend.harness.errors import BadInputError
from contend.harness.record.derived import derived

Cell = dict[str, Any]
Record = dict[str, Any]
MakeCell = Callable[..., Cell]
MakeRecord = Callable[[list[Cell]], Record]
Beside = Callable[..., list[Cell]]


@pytest.fixture
def beside(make_cell: MakeCell) -> Beside:
    """Cells of one run: sharded, and block_stm so many times as fast in each of the same rounds."""

    def make(ratio: float = 2.0, workers: int = 2, clock: str = "wall", **changes: Any) -> list[Cell]:
        base = {**make_cell(strategy="sharded", workers=workers), **changes, "clock": clock}
        base["simulated"] = clock != "wall"
        if base["simulated"]:
            base["samples"] = base["samples"][:1]
        own = copy.deepcopy(base) | {"strategy": "block_stm"}
        for sample in own["samples"]:
            sample["seconds"] /= ratio
            sample["phases"] = {"prepare": 0.0, "execute": sample["seconds"], "commit": 0.0}
        return [{**cell, **derived(cell)} for cell in (base, own)]

    return make


def save(folder: Path, record: Record, name: str = "20260102T030405Z-0a1b2c3d") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**record, "id": name}))
    return str(path)


def compare(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


def shown(record: Record, strategies: list[str], width: int, floor: float = 0.05) -> str:
    output = io.StringIO()
    print_strategies(Console(file=output, width=width), compare_strategies([record], strategies, floor))
    return output.getvalue()


def test_that_two_roles_are_compared_is_noted(beside: Beside, make_record: MakeRecord, make_given: MakeCell) -> None:
    base, own = beside()
    own["given"], base["given"] = make_given("block_stm", "block"), make_given("sharded", "nothing")
    found = compare_strategies([make_record([base, own])], ["sharded", "block_stm"], 0.05)
    told = "they are not given the same (block_stm is a validator's, sharded is a builder's): a difference is one of"
    assert any(note.startswith(told) for note in found.notes), found.notes
    own["given"] = make_given("block_stm", "dry_run")
    found = compare_strategies([make_record([base, own])], ["sharded", "block_stm"], 0.05)
    assert not any("not given the same" in note for note in found.notes)


def test_one_strategy_beside_another_is_a_ratio_and_a_sentence(
    tmp_path: Path, beside: Beside, make_record: MakeRecord
) -> None:
    path = save(tmp_path, make_record([*beside(2.0), *beside(0.5, workers=8)]))
    done = compare(path, "--strategies", "sharded,block_stm")
    assert done.exit_code == 0, done.output
    assert "swaps: block_stm is 2.00 times as fast as sharded [2.00, 2.00] with 2 workers" in done.output
    assert "swaps: block_stm is 0.50 times as fast as sharded [0.50, 0.50] with 8 workers" in done.output
    assert "block_stm beside sharded, 2 cells compared: faster in 1, slower in 1." in done.output
    assert "no difference under 5 % is claimed" in done.output
    assert "of 2 of them, about 0.1 can be expected to miss" in done.output


def test_the_other_way_round_says_the_opposite(beside: Beside, make_record: MakeRecord) -> None:
    record = make_record(beside(2.0))
    assert "sharded beside block_stm, 1 cell compared: slower in 1." in shown(record, ["block_stm", "sharded"], 80)


def test_a_difference_under_the_floor_is_none(tmp_path: Path, beside: Beside, make_record: MakeRecord) -> None:
    path = save(tmp_path, make_record(beside(1.03)))
    done = compare(path, "--strategies", "sharded,block_stm")
    assert "no difference beyond 5 % between block_stm and sharded with 2 workers: 1.03 [1.03, 1.03]" in done.output
    done = compare(path, "--strategies", "sharded,block_stm", "--threshold", "0.01")
    assert "block_stm is 1.03 times as fast as sharded" in done.output


def test_json_and_markdown_say_the_same(tmp_path: Path, beside: Beside, make_record: MakeRecord) -> None:
    path = save(tmp_path, make_record([*beside(2.0), *beside(1.2, clock="virtual")]))
    done = compare(path, "--strategies", "sharded,block_stm", "--json", str(tmp_path / "out.json"), "--markdown", "-")
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "out.json").read_text())
    jsonschema.validate(content, json.loads(SCHEMA_FILE.read_text()))
    wall, virtual = sorted(content["cells"], key=lambda cell: str(cell["simulated"]))
    assert (wall["verdict"], wall["ratio"]["median"], wall["pairs"]) == ("faster", pytest.approx(2.0), 10)
    assert virtual["ratio"]["low"] == virtual["ratio"]["high"] == pytest.approx(1.2)
    assert content["compared"] == 2
    assert content["command"].split()[0] == "contend"
    for cell in (wall, virtual):
        assert cell["sentence"] in done.output


def test_records_add_their_pairs_and_cells_of_two_records_are_none(
    tmp_path: Path, beside: Beside, make_record: MakeRecord
) -> None:
    first, second = make_record(beside(2.0)), make_record(beside(2.0))
    save(tmp_path / "all", first, "20260102T030405Z-00000001")
    save(tmp_path / "all", second, "20260102T030405Z-00000002")
    (cell,) = json_of(tmp_path / "all")["cells"]
    assert (cell["pairs"], cell["processes"]) == (20, 4)
    assert cell["records"] == ["20260102T030405Z-00000002", "20260102T030405Z-00000001"]
    # Of other code, or of nobody knows what, the newest counts.
    second["environment"] |= {"git": {"revision": "1" * 40, "dirty": True}}
    save(tmp_path / "all", second, "20260102T030405Z-00000002")
    content = json_of(tmp_path / "all")
    assert content["cells"][0]["records"] == ["20260102T030405Z-00000002"]
    assert any("1 older measurement left out" in note for note in content["notes"])
    # A strategy a record: no round has both.
    save(tmp_path / "apart", first | {"cells": first["cells"][:1]}, "20260102T030405Z-00000001")
    save(tmp_path / "apart", first | {"cells": first["cells"][1:]}, "20260102T030405Z-00000002")
    done = compare(str(tmp_path / "apart"), "--strategies", "sharded,block_stm")
    assert done.exit_code == 3
    assert "Nothing could be compared" in done.output
    assert "no record has" in done.output


def json_of(folder: Path) -> dict[str, Any]:
    done = compare(str(folder), "--strategies", "sharded,block_stm", "--json", str(folder.parent / "out.json"))
    assert done.exit_code in (0, 3), done.output
    content: dict[str, Any] = json.loads((folder.parent / "out.json").read_text())
    return content


def test_serial_is_known_where_it_has_no_cell_of_its_own(make_cell: MakeCell, make_record: MakeRecord) -> None:
    record = make_record([make_cell(workers=8)])
    (forth,) = compare_strategies([record], ["serial", "block_stm"], 0.05).meetings
    (back,) = compare_strategies([record], ["block_stm", "serial"], 0.05).meetings
    assert forth.found is not None
    assert back.found is not None
    assert forth.found.ratio.median == record["cells"][0]["speedup"]["median"]
    assert back.found.ratio.median == pytest.approx(1 / forth.found.ratio.median)
    assert (back.found.workers, back.found.baseline_workers) == (1, 8)


def test_a_failed_strategy_is_not_compared_and_the_reason_is_told(
    tmp_path: Path, beside: Beside, make_cell: MakeCell, make_record: MakeRecord
) -> None:
    failed = make_cell(strategy="sharded", workers=4, error="not the serial result")
    own = beside(workers=4)[1]
    done = compare(save(tmp_path, make_record([*beside(), failed, own])), "--strategies", "sharded,block_stm")
    assert done.exit_code == 0
    assert "not compared: swaps, block_stm x4: sharded failed: not the serial result" in done.output


def test_a_misleading_cell_is_marked(beside: Beside, make_record: MakeRecord) -> None:
    cells = beside()
    cells[1]["warnings"] = ["more workers than cores: 2 on 1"]
    text = shown(make_record(cells), ["sharded", "block_stm"], 100)
    assert "faster ~" in text
    assert "(doubtful: block_stm: more workers than cores)" in text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_ratio_and_verdict_are_there_at_any_width(width: int, beside: Beside, make_record: MakeRecord) -> None:
    text = shown(make_record([*beside(2.0), *beside(2.0, workload="payments")]), ["sharded", "block_stm"], width)
    table = text.partition("x sharded: how")[0]
    assert table.count("2.00 [2.00, 2.00]") == table.count("faster") == 2
    assert max(map(len, table.splitlines())) <= width
    assert ("x serial" in table, "tx/s" in table) == (True, width >= 80)


def test_very_many_cells_are_told_in_words_by_workload(beside: Beside, make_record: MakeRecord) -> None:
    cells = [cell for workers in range(1, 20) for cell in beside(2.0, workers=workers)]
    comparison = compare_strategies([make_record(cells)], ["sharded", "block_stm"], 0.05)
    assert "with 19 workers\n- In words those with most workers; the table has all 19 cells." in strategies_markdown(
        comparison
    )


@pytest.mark.parametrize(
    ("strategies", "words"),
    [
        ("sharded,block_smt", "'block_smt' is in no record (did you mean 'block_stm'?); measured are serial, sharded"),
        ("sharded", "sharded are not two or more different ones"),
        ("sharded,sharded", "sharded are not two or more different ones"),
        (",", "names nothing"),
    ],
)
def test_names_that_do_not_fit_are_refused_in_one_line(
    tmp_path: Path, beside: Beside, make_record: MakeRecord, strategies: str, words: str
) -> None:
    out = tmp_path / "out.json"
    done = compare(save(tmp_path, make_record(beside())), "--strategies", strategies, "--json", str(out))
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "2"], "--workers: records have been measured already"),
        (["--fail-on", "slower"], "--fail-on: that one strategy is slower than another is no regression"),
        (["--threshold", "7"], "--threshold: 7.0 is not a share"),
    ],
)
def test_options_without_a_meaning_are_refused(
    tmp_path: Path, beside: Beside, make_record: MakeRecord, options: list[str], words: str
) -> None:
    done = compare(save(tmp_path, make_record(beside())), "--strategies", "sharded,block_stm", *options)
    assert done.exit_code == 2
    assert words in done.output


def test_a_version_holds_no_strategies_of_records() -> None:
    done = compare(str(Path(__file__).parents[3]), "--strategies", "sharded,block_stm")
    assert done.exit_code == 2
    assert "strategies are compared within records" in done.output


def test_python_gets_the_same_as_a_frame(tmp_path: Path, beside: Beside, make_record: MakeRecord) -> None:
    path = save(tmp_path, make_record(beside(2.0)))
    found = contend.compare(path, strategies=["sharded", "block_stm"])
    assert isinstance(found, contend.ComparisonResult)
    assert list(found.cells.columns) == list(COLUMNS)
    assert found.cells["verdict"].tolist() == ["faster"]
    assert found.cells["ratio"].tolist() == [pytest.approx(2.0)]
    assert found.cells["sentence"].tolist() == [
        "block_stm is 2.00 times as fast as sharded [2.00, 2.00] with 2 workers"
    ]
    assert found.verdicts == {"faster": 1}
    assert found.as_json()["compared"] == 1
    assert found.markdown().startswith("### block_stm beside sharded")
    with pytest.raises(BadInputError, match="workers: records have been measured already"):
        contend.compare(path, strategies=["sharded", "block_stm"], workers=2)
