"""``contend compare`` of records."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from contend.harness.cli import main
from contend.harness.compare.result import SCHEMA_FILE

Cell = dict[str, Any]
Record = dict[str, Any]
MakeCell = Callable[..., Cell]
MakeRecord = Callable[[list[Cell]], Record]


@pytest.fixture
def save(tmp_path: Path, make_record: MakeRecord) -> Callable[..., str]:
    """Write a record of these cells, with changes to its environment; its path."""

    def write(name: str, cells: list[Cell], **environment: Any) -> str:
        record = make_record(cells)
        record["environment"] |= environment
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        return str(path)

    return write


def compare(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


def scaled(cell: Cell, factor: float, baseline: float = 1.0) -> Cell:
    """The same cell on a slower day."""
    copied = copy.deepcopy(cell)
    for sample in copied["samples"]:
        for name in ("seconds", "wall_seconds", "cpu_seconds"):
            sample[name] *= factor
        sample["phases"] = {phase: factor * seconds for phase, seconds in sample["phases"].items()}
        sample["baseline_seconds"] *= baseline
    return copied


def simulated(cell: Cell, picoseconds: int, **counters: int) -> Cell:
    """One simulated run in place of the samples."""
    copied = copy.deepcopy(cell)
    copied |= {"clock": "virtual", "simulated": True}
    (sample,) = copied["samples"][:1]
    sample["phases"] = {"prepare": 0.0, "execute": picoseconds / 1e12, "commit": 0.0}
    sample["seconds"] = picoseconds / 1e12
    sample["counters"] = counters
    copied["samples"] = [sample]
    return copied


def test_a_record_is_the_same_as_itself(save: Callable[..., str], make_cell: MakeCell) -> None:
    path = save("a.json", [make_cell()])
    done = compare(path, path)
    assert done.exit_code == 0, done.output
    assert "No regression: 1 cell (1 same)." in done.output


def test_what_got_slower_alone_is_a_regression(save: Callable[..., str], make_cell: MakeCell) -> None:
    cell, other = make_cell(workers=1), make_cell(strategy="sharded")
    a, b = save("a.json", [cell, other]), save("b.json", [scaled(cell, 1.2), other])
    done = compare(a, b)
    assert done.exit_code == 1
    assert "Regression: 1 of 2 cells. Worst: swaps, block_stm x1, +20 % in time." in done.output
    assert compare(b, a).exit_code == 0
    assert "1 faster" in compare(b, a).output
    assert compare(a, b, "--fail-on", "never").exit_code == 0
    assert compare(a, b, "--threshold", "0.3").exit_code == 0


def test_what_slows_the_whole_machine_down_is_inconclusive(save: Callable[..., str], make_cell: MakeCell) -> None:
    cell = make_cell()
    a, b = save("a.json", [cell]), save("b.json", [scaled(cell, 1.3, baseline=1.3)])
    done = compare(a, b)
    assert done.exit_code == 0, done.output
    assert "1 inconclusive" in done.output
    assert "one after the other" in done.output
    assert compare(a, b, "--fail-on", "slower,inconclusive").exit_code == 1


def test_several_workers_have_to_be_slower_twice(save: Callable[..., str], make_cell: MakeCell) -> None:
    # A neighbour who takes the second core slows two workers down, and the baseline not at all.
    quiet, busy = make_cell(workers=2), scaled(make_cell(workers=2), 1.5)
    done = compare(save("quiet.json", [quiet]), save("busy.json", [busy]))
    assert done.exit_code == 0
    assert "give folders with two records of each" in done.output
    git = {"git": {"revision": "a" * 40, "dirty": False}}
    for folder, cells in (("a", (quiet, quiet)), ("b", (busy, busy)), ("once", (busy, quiet))):
        for number, cell in enumerate(cells):
            save(f"{folder}/{number}.json", [cell], **git)
    here = Path(save("quiet.json", [quiet])).parent
    assert compare(str(here / "a"), str(here / "b")).exit_code == 1
    done = compare(str(here / "a"), str(here / "once"))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_handful_of_runs_is_no_evidence(save: Callable[..., str], make_cell: MakeCell, factor: float) -> None:
    few = make_cell(workers=1, rounds=4)
    done = compare(save("a.json", [few]), save("b.json", [scaled(few, factor)]))
    assert done.exit_code == 0
    assert "1 inconclusive" in done.output
    assert "by 2 processes in 4 runs" in done.output


def test_the_luck_of_one_process_is_no_regression(save: Callable[..., str], make_cell: MakeCell) -> None:
    cell = make_cell(workers=1)
    for sample in cell["samples"]:
        sample["process"] = 0
    done = compare(save("a.json", [cell]), save("b.json", [scaled(cell, 1.2)]))
    assert done.exit_code == 0
    assert "slower, but a side was measured by 1 process in 10 runs" in done.output


def test_simulated_time_is_compared_to_the_picosecond(save: Callable[..., str], make_cell: MakeCell) -> None:
    cell = make_cell()
    a = save("a.json", [simulated(cell, 123_456_789_012, aborts=10, validations=100)], costs="c")
    slower = save("b.json", [simulated(cell, 123_456_789_013, aborts=20, validations=100)], costs="c", cpu="another")
    done = compare(a, slower)
    assert done.exit_code == 1, done.output
    assert "aborts 10 → 20 (+10)" in done.output
    assert compare(a, slower, "--virtual-threshold", "0.001").exit_code == 0
    # As long as before, but with more done in vain: shown, and a failure for whoever asks.
    wasted = save("c.json", [simulated(cell, 123_456_789_012, aborts=11, validations=100)], costs="c")
    assert compare(a, wasted).exit_code == 0
    assert "aborts 10 → 11 (+1)" in compare(a, wasted).output
    assert compare(a, wasted, "--fail-on", "slower,waste").exit_code == 1


@pytest.mark.parametrize(
    ("cell", "environment", "why"),
    [
        ({"block_digest": "ee" * 16}, {}, "other block: digest cdcdcdcdcdcd in A, eeeeeeeeeeee in B"),
        ({"genesis_digest": "ee" * 16}, {}, "other genesis: digest"),
        ({"seed": 2}, {}, "only in A: seed 1 in A, 2 in B"),
        ({"dials": {"pools": 1}}, {}, "only in B: dial pools 1 in B, 100 in A"),
        ({"clock": "virtual"}, {}, "only in A: clock wall in A, virtual in B"),
        ({}, {"cpu": "another processor"}, "other machine: a processor with 2 cores in A, another processor with 2"),
        ({}, {"cores": 64}, "other machine"),
    ],
)
def test_what_is_not_comparable_is_refused_with_the_reason(
    save: Callable[..., str], make_cell: MakeCell, cell: Cell, environment: dict[str, Any], why: str
) -> None:
    mine = make_cell()
    a = save("a.json", [mine])
    done = compare(a, save("b.json", [scaled(mine, 2.0) | cell], **environment))
    assert done.exit_code == 3, done.output
    assert why in done.output
    assert "Nothing could be compared" in done.output


def test_other_costs_are_refused_in_simulated_time_only(save: Callable[..., str], make_cell: MakeCell) -> None:
    virtual, wall = simulated(make_cell(), 10**9), make_cell()
    done = compare(save("a.json", [virtual, wall], costs="c1"), save("b.json", [virtual, wall], costs="c2"))
    assert done.exit_code == 0
    assert "other cost table: digest c1 in A, c2 in B" in done.output
    assert "1 same" in done.output


def test_a_cell_that_fails_in_b_only_is_a_regression(save: Callable[..., str], make_cell: MakeCell) -> None:
    good, bad = make_cell(), make_cell(error="differs from the serial result")
    a, b = save("a.json", [good]), save("b.json", [bad])
    done = compare(a, b)
    assert done.exit_code == 1
    assert "block_stm x2, which fails" in done.output
    assert "differs from the serial result" in done.output
    assert compare(b, a).exit_code == 3
    assert "it failed in A" in compare(b, a).output


def test_a_folder_is_its_newest_measurements_and_damaged_files_are_named(
    save: Callable[..., str], make_cell: MakeCell, tmp_path: Path
) -> None:
    cell = make_cell()
    save("old/records/1.json", [scaled(cell, 5.0)], git={"revision": "1" * 40, "dirty": False})
    newest = tmp_path / "old" / "records" / "2.json"
    save("old/records/2.json", [cell])
    newest.write_text(newest.read_text().replace("20260102T030405Z", "20260103T030405Z"))
    (tmp_path / "old" / "records" / "3.json").write_text("{")
    done = compare(str(tmp_path / "old"), save("b.json", [cell]))
    assert done.exit_code == 0, done.output
    assert "1 same" in done.output
    assert "3.json" in done.output


def test_markdown_and_json_hold_the_whole_comparison(
    save: Callable[..., str], make_cell: MakeCell, tmp_path: Path
) -> None:
    cell, other = make_cell(workers=1), make_cell(workload="a|b")
    a, b = save("a.json", [cell, other]), save("b.json", [scaled(cell, 1.2), other])
    done = compare(a, b, "--markdown", str(tmp_path / "c.md"), "--json", str(tmp_path / "c.json"))
    assert done.exit_code == 1
    text = (tmp_path / "c.md").read_text()
    assert text.startswith("### 🔺 Regression: 1 of 2 cells.")
    before, folded = text.split("<details>", 1)
    assert "| swaps | block_stm | 1 | wall |" in before
    assert "a\\|b" in folded
    assert "a processor, 2 cores" in folded
    content = json.loads((tmp_path / "c.json").read_text())
    jsonschema.validate(content, json.loads(SCHEMA_FILE.read_text()))
    assert content["schema"] == "contend-comparison/1"
    assert (content["exit_code"], content["interleaved"], content["fail_on"]) == (1, False, ["slower"])
    worst = next(one for one in content["cells"] if one["verdict"] == "slower")
    assert worst["ratio"]["low"] > 1.05
    assert [len(group) for group in worst["b"]["samples_seconds"]] == [5, 5]


def test_standard_output_carries_the_comment_alone(save: Callable[..., str], make_cell: MakeCell) -> None:
    path = save("a.json", [make_cell()])
    done = compare(path, path, "--markdown", "-")
    assert done.stdout.startswith("### ✅ No regression")
    assert "No regression" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("RECORD",), "compare takes two things"),
        (("RECORD", "absent.json"), "absent.json: no such file or folder"),
        (("RECORD", "RECORD", "--fail-on", "faster"), "--fail-on: 'faster' is not known"),
        (("RECORD", "RECORD", "--threshold", "-1"), "--threshold: -1.0 is not a share"),
        (("RECORD", "RECORD", "--workers", "2"), "--workers: records have been measured already"),
        (("RECORD", "RECORD", "--markdown", "-", "--json", "-"), "only one of them can be standard output"),
        (("RECORD", "RECORD", "--markdown", "absent/c.md"), "--markdown absent/c.md: its folder does not exist"),
        (("RECORD", "EMPTY"), "holds no record that can be read"),
        (("RECORD", "TEXT"), "not a readable record"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    save: Callable[..., str], make_cell: MakeCell, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("hello")
    places = {
        "RECORD": save("a.json", [make_cell()]),
        "EMPTY": str(tmp_path / "empty"),
        "TEXT": str(tmp_path / "text"),
    }
    done = compare(*(places.get(argument, argument) for argument in arguments))
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert done.output.count("\n") == 1
