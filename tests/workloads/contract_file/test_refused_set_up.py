"""A set-up that reverts is the user's to mend: one line and exit code 2, like any other mistake in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from contend.harness.cli import main

ARTIFACT = Path(__file__).parents[3] / "docs" / "examples" / "solidity" / "contracts.json"
FILE = f"""
[accounts]
count = 3
[contracts.gold]
artifact = "{ARTIFACT}"
contract = "ERC20"
arguments = ["Gold", "GLD", 5]
[[setup]]
contract = "gold"
method = "transfer"
each = "account"
arguments = [{{ sender = true }}, 2]
[[calls]]
contract = "gold"
method = "approve"
arguments = [{{ account = "uniform" }}, 1]
"""
REASON = "[[setup]] 1: gold.transfer for account 2: reverted (InsufficientBalance)"
SMALL = ("--block-size", "20", "--clock", "virtual", "--strategy", "serial", "--quiet")


@pytest.mark.parametrize("command", ["run", "explain"])
def test_one_line_and_nothing_is_recorded(tmp_path: Path, command: str) -> None:
    path, results = tmp_path / "own.toml", tmp_path / "results"
    path.write_text(FILE)
    own = ("--results", str(results)) if command == "run" else ()
    done = CliRunner().invoke(main, [command, "--workload", str(path), *SMALL, *own])
    assert (done.exit_code, done.stderr) == (2, f"contend: workload file {path}: {REASON}\n")
    assert done.stdout == ""
    assert not list(results.rglob("*.json"))


def test_what_other_workloads_gave_before_is_kept_and_named(tmp_path: Path) -> None:
    path, results = tmp_path / "own.toml", tmp_path / "results"
    path.write_text(FILE)
    done = CliRunner().invoke(
        main, ["run", "--workload", f"payments,{path}", *SMALL, "--workers", "1", "--results", str(results)]
    )
    (record,) = results.rglob("*.json")
    expected = f"contend: workload file {path}: {REASON}; what was measured before is in {record}\n"
    assert (done.exit_code, done.stderr) == (2, expected)
