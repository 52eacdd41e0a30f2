"""``contend warm-up``: says where kernels are kept, and nothing that is wrong with a strategy passes for prepared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from unprivileged import close_to_writing, open_to_writing, run_unprivileged, writes_everywhere

from contend import cache_places
from contend.cache_places import Places, places
from contend.harness.cli import main
from contend.harness.commands.warm_up import _chosen

QUICKLY = ("warm-up", "--clock", "wall", "-q")


def test_it_says_where_kernels_are_kept(plugins: None) -> None:
    done = CliRunner().invoke(main, [*QUICKLY, "-s", "serial,honest"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"kernels: {places().written} (")
    assert done.stderr == ""


def test_everything_that_is_installed_is_meant_plug_ins_too(plugins: None, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = _chosen(None)
    assert {"serial", "block_stm", "sharded", "sharded_ordered", "honest"} <= set(chosen)
    assert "unimportable" not in chosen
    assert "left out" in capsys.readouterr().err


def test_a_strategy_that_is_not_known_is_bad_input() -> None:
    done = CliRunner().invoke(main, [*QUICKLY, "-s", "blockstm"])
    assert done.exit_code == 2
    assert "blockstm" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_strategy_that_fails_is_told_of(plugins: None) -> None:
    done = CliRunner().invoke(main, [*QUICKLY, "-s", "wrong_receipt"])
    assert done.exit_code == 1
    assert "FAILED" in done.stderr


def test_where_nothing_can_be_kept_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_places, "places", lambda: Places(None, (), "/read/only cannot be written (closed)"))
    done = CliRunner().invoke(main, [*QUICKLY, "-s", "serial"])
    assert done.exit_code == 2
    assert "/read/only" in done.stderr
    assert "CONTEND_CACHE_DIR" in done.stderr


def test_a_run_without_a_home_draws_its_charts_and_complains_of_nothing(tmp_path: Path) -> None:
    # The kernels are there, as in an image; the home is not.
    closed = tmp_path / "closed"
    closed.mkdir()
    close_to_writing(closed)
    if writes_everywhere(closed):
        pytest.skip("this file system heeds no rights")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPLCONFIG"))}
    options = [
        "-w",
        "payments",
        "-s",
        "serial,block_stm",
        "--workers",
        "1",
        "--block-size",
        "50",
        "--repeat",
        "2",
        "-q",
    ]
    try:
        done: subprocess.CompletedProcess[str] = run_unprivileged(
            [sys.executable, "-m", "contend", "run", *options, "--results", str(tmp_path / "results")],
            env={**kept, "HOME": str(closed / "nobody"), "CONTEND_CACHE_DIR": str(places().written)},
        )
    finally:
        open_to_writing(closed)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list((tmp_path / "results" / "charts").glob("*.png"))
