"""A full disk: the table is printed, the place is named, exit code 2; and no strategy is called wrong for it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import contend
from contend.harness.cli import main

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
RUN = ("run", "-w", "ledger", "-s", "serial,honest", "--block-size", "50", "--repeat", "4", "-q")


@pytest.fixture
def flush(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], None]:
    """Lets writes that come to the disk fail: those whose number, from 0, a function picks."""

    def fail(which: Callable[[int], bool]) -> None:
        seen = 0

        def flushed(descriptor: int) -> None:
            nonlocal seen
            seen += 1
            if which(seen - 1):
                raise FULL

        monkeypatch.setattr(os, "fsync", flushed)

    return fail


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, [*RUN, "--results", str(folder / "results"), *options])


def test_the_table_is_printed_and_the_place_is_named(
    plugins: None, tmp_path: Path, flush: Callable[[Callable[[int], bool]], None]
) -> None:
    flush(lambda number: True)
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "honest" in done.stdout
    assert "FAILED" not in done.output
    assert "record:" not in done.stdout
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{tmp_path}/results/records: No space left on device")
    assert last.startswith(f"contend: {tmp_path}/results/records: No space left on device")
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []


def test_a_disk_that_has_room_again_gets_the_record(
    plugins: None, tmp_path: Path, flush: Callable[[Callable[[int], bool]], None]
) -> None:
    flush(lambda number: number == 0)
    done = run(tmp_path, "--no-charts")
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    assert f"record: {path}" in done.stdout.replace("\n", "")
    assert json.loads(path.read_text())["complete"]
    (line,) = done.stderr.splitlines()
    assert "No space left on device; the record cannot be kept for now" in line


def test_charts_and_a_further_copy_that_find_no_room_are_named(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def full(source: str, target: Path) -> None:
        if target.suffix == ".png" or target.name == "copy.json":
            raise FULL
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    done = run(tmp_path, "--json", str(tmp_path / "copy.json"))
    assert done.exit_code == 2
    assert "record:" in done.stdout
    copy, chart = done.stderr.splitlines()
    assert copy == f"contend: {tmp_path}/copy.json: No space left on device"
    assert chart.startswith(f"contend: {tmp_path}/results/charts/")
    assert chart.endswith(".png: No space left on device")
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"], "half of a file is left"


def test_a_wrong_strategy_outranks_a_full_disk(
    plugins: None, tmp_path: Path, flush: Callable[[Callable[[int], bool]], None]
) -> None:
    flush(lambda number: True)
    done = CliRunner().invoke(main, [*RUN, "-s", "serial,wrong_receipt", "--results", str(tmp_path)])
    assert done.exit_code == 1
    assert "No space left on device" in done.stderr


def test_a_comparison_is_printed_before_it_is_written(
    plugins: None, tmp_path: Path, flush: Callable[[Callable[[int], bool]], None]
) -> None:
    assert run(tmp_path, "--no-charts").exit_code == 0
    flush(lambda number: True)
    place = str(tmp_path / "results")
    done = CliRunner().invoke(main, ["compare", place, place, "--markdown", str(tmp_path / "comment.md")])
    assert done.exit_code == 2
    assert "honest" in done.stdout
    assert done.stderr == f"contend: {tmp_path}/comment.md: No space left on device\n"


def test_in_python_the_cells_come_back_with_a_warning(
    plugins: None, tmp_path: Path, flush: Callable[[Callable[[int], bool]], None]
) -> None:
    flush(lambda number: True)
    with pytest.warns(contend.RecordWarning, match="No space left on device"):
        cells = contend.run("ledger", "serial", block_size=20, repeat=2, processes=1, results=tmp_path)
    assert cells["verified"].tolist() == [True]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    """A device of its own, without room for a record."""
    place = tmp_path / "device"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a device can only be mounted by a root that may")
    try:
        (place / "filling").write_bytes(bytes(60 * 1024))
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_device_that_is_really_full(device: Path, plugin_environment: dict[str, str]) -> None:
    # Kernels find no room there either, and go where there is some.
    command = [sys.executable, "-m", "contend", *RUN, "--results", str(device / "results")]
    done = subprocess.run(command, env=plugin_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "honest" in done.stdout
    assert "FAILED" not in done.stdout
    assert str(device) in done.stderr
    assert "No space left on device" in done.stderr
