from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import contend
from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey
from contend.harness.record.frame import COLUMNS


class Watching(Observer):
    def __init__(self) -> None:
        self.runs: list[tuple[str, CellKey, int]] = []
        self.failures: list[CellKey] = []

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        self.runs.append((workload, key, runs))

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        self.failures.append(key)


@pytest.mark.usefixtures("plugins")
def test_run_gives_the_cells_as_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    observer = Watching()
    cells = contend.run(
        "ledger",
        ["serial", "honest", "wrong_receipt"],
        workers=2,
        dials={"accounts": 5},
        block_size=50,
        repeat=3,
        seed=3,
        observer=observer,
    )
    assert list(cells.columns)[: len(COLUMNS)] == list(COLUMNS)
    assert list(cells["strategy"]) == ["serial", "honest", "wrong_receipt"]
    assert list(cells["verified"]) == [True, True, False]
    assert list(cells["workers"]) == [1, 2, 2]
    assert (cells["dial.accounts"] == 5).all()
    assert cells.loc[1, "count.aborts"] == 5
    assert cells.loc[2, "differences"] == ["transaction 3, status: serial 1, here 0"]
    assert observer.failures == [CellKey("wrong_receipt", 2)]
    # A B, then the other way round would also do; each round has both, in one process after the other.
    assert [runs for _, _, runs in observer.runs] == [1, 1, 2, 2, 3, 3]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("plugins")
def test_run_leaves_a_record_where_it_is_told_to(tmp_path: Path) -> None:
    cells = contend.run("ledger", "serial", block_size=20, repeat=2, results=tmp_path / "kept")
    loaded = contend.load(tmp_path / "kept" / "records")
    assert loaded["samples_seconds"].tolist() == cells["samples_seconds"].tolist()
    assert loaded["record"].tolist() == cells["record"].tolist()


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"workloads": "ledgr"}, "unknown workload 'ledgr'"),
        ({"workloads": "ledger", "workers": 0}, "workers: 0"),
        ({"workloads": "ledger", "block_size": "20"}, "block size: '20' is not a whole number"),
        ({"suite": "quick-1", "seed": 5}, "suite quick-1: fixes the seed at 1; leave that option out"),
        ({"workloads": "ledger", "dials": {"accounts": 1}}, "accounts"),
    ],
)
def test_bad_input_is_raised_and_nothing_written(tmp_path: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(contend.BadInputError, match=words):
        contend.run(**{"strategies": "serial", "results": tmp_path / "kept", **arguments})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("plugins")
def test_run_works_in_a_thread() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(contend.run("ledger", "serial", block_size=20, repeat=1)))
    thread.start()
    thread.join()
    assert found[0]["verified"].all()


def test_a_script_needs_no_main_guard(tmp_path: Path, plugin_environment: dict[str, str]) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import contend\n"
        "print('begun')\n"
        "print(list(contend.run('ledger', 'serial', block_size=20, repeat=2)['verified']))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], env=plugin_environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "begun\n[True]\n"


def test_unknown_names_of_the_module_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = contend.nothing_like_it
