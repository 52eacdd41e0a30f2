from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import contend
from contend.harness.cli import main
from contend.harness.compare.result_frame import COLUMNS as COMPARED
from contend.harness.observer import Observer
from contend.harness.plan.resolve import LIMIT, CellKey
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
    # With cores for two there are also serial runs at once, which belong to no cell.
    assert [runs for _, key, runs in observer.runs if key.strategy != LIMIT] == [1, 1, 2, 2, 3, 3]
    assert list(tmp_path.iterdir()) == []


class Staged(Observer):
    def __init__(self) -> None:
        self.stages: list[str] = []
        self.finished_cells: list[tuple[str, list[str]]] = []

    def stage(self, process: int, workload: str, what: str) -> None:
        self.stages.append(what)

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        self.finished_cells.append((workload, [cell["strategy"] for cell in cells]))


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("clock", ["wall", "virtual"])
def test_stages_say_what_is_done_and_each_workload_hands_over_its_cells(clock: str) -> None:
    observer = Staged()
    contend.run(["ledger", "restless"], "serial", clock=clock, block_size=20, repeat=1, processes=1, observer=observer)
    # Simulated, the first run of a cell is all of them, and no warming up.
    assert any("warming up" in stage for stage in observer.stages) == (clock == "wall")
    assert any("running serial" in stage for stage in observer.stages) == (clock == "virtual")
    assert observer.finished_cells == [("ledger", ["serial"]), ("restless", ["serial"])]


@pytest.mark.usefixtures("plugins")
def test_any_strategy_can_be_the_baseline(tmp_path: Path) -> None:
    options: dict[str, Any] = {"workers": [1, 2], "block_size": 50, "repeat": 3, "baseline": "honest"}
    cells = contend.run("ledger", ["honest", "solo", "dozing"], results=tmp_path, **options)
    assert set(cells["baseline"]) == {"honest"}
    # Serial was not asked for: the speed-up over it is there all the same.
    assert cells["speedup"].notna().all()
    own = {(cell["strategy"], cell["workers"]): cell for _, cell in cells.iterrows()}
    assert own["honest", 1]["over_baseline"] == own["honest", 2]["over_baseline"] == 1.0
    # What is not parallel has one worker, and so has its baseline.
    for place, opposite in ((("dozing", 2), ("honest", 2)), (("solo", 1), ("honest", 1))):
        pairs = zip(*(own[one]["samples_seconds"] for one in (opposite, place)), strict=True)
        assert own[place]["over_baseline"] == pytest.approx(sorted(base / mine for base, mine in pairs)[1])
    kept = contend.load(tmp_path)
    assert kept["over_baseline_high"].tolist() == cells["over_baseline_high"].tolist()


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
        ({"workloads": "ledger", "baseline": "honset"}, "baseline: 'honset' is not measured; measured are serial"),
        ({"workloads": "ledger", "baseline": 5}, "baseline: 5 is no name"),
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


@pytest.fixture
def sides(tmp_path: Path, make_record: Callable[..., Any], make_cell: Callable[..., Any]) -> tuple[Path, Path]:
    """Two records of simulated runs: Block-STM takes twice as long in the second, serial execution as long."""
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, factor in zip(paths, (1, 2), strict=True):
        cells = []
        for strategy, seconds in (("serial", 1e-3), ("block_stm", 1e-3 * factor)):
            cell = make_cell(strategy=strategy, workers=1 if strategy == "serial" else 2, rounds=1)
            cell |= {"clock": "virtual", "simulated": True}
            cell["samples"][0] |= {
                "seconds": seconds,
                "phases": {"prepare": 0.0, "execute": seconds, "commit": 0.0},
                "counters": {"aborts": 3 * factor} if strategy == "block_stm" else {},
            }
            cells.append(cell)
        path.write_text(json.dumps(make_record(cells)))
    return paths


def test_compare_of_records_is_what_the_command_says(sides: tuple[Path, Path], tmp_path: Path) -> None:
    found = contend.compare(*sides)
    assert list(found.cells.columns) == list(COMPARED)
    assert found.cells["strategy"].tolist() == ["block_stm", "serial"]
    assert found.cells["verdict"].tolist() == ["slower", "same"]
    assert found.cells["ratio"].tolist() == [2.0, 1.0]
    assert found.cells["regression"].tolist() == [True, False]
    assert found.cells.loc[0, "counters"] == {"aborts": (3.0, 6.0)}
    assert found.verdicts == {"slower": 1, "same": 1}
    assert found.exit_code == 1
    assert "Regression" in found.markdown()
    done = CliRunner().invoke(main, ["compare", *map(str, sides), "--json", str(tmp_path / "found.json")])
    assert done.exit_code == found.exit_code
    written = json.loads((tmp_path / "found.json").read_text())
    assert written["summary"] == found.summary
    assert written["cells"] == json.loads(json.dumps(found.as_json()["cells"]))


def test_compare_fails_for_what_it_is_told_to(sides: tuple[Path, Path]) -> None:
    assert contend.compare(*sides, fail_on="never").exit_code == 0
    assert contend.compare(*sides, virtual_threshold=0.5, fail_on=("slower", "waste")).exit_code == 1
    assert contend.compare(sides[1], sides[0]).verdicts == {"faster": 1, "same": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 2}, "workers: records have been measured already; the option is for revisions"),
        ({"fail_on": ["slower", "luck"]}, "fail_on: 'luck' is not known; choose of slower, waste"),
        ({"threshold": 5}, "threshold: 5 is not a share"),
        ({"block_size": 0}, "block size: 0"),
    ],
)
def test_what_compare_is_told_is_checked(sides: tuple[Path, Path], options: dict[str, Any], words: str) -> None:
    with pytest.raises(contend.BadInputError, match=words):
        contend.compare(*sides, **options)


def test_compare_refuses_what_is_no_record_and_no_version(sides: tuple[Path, Path]) -> None:
    with pytest.raises(contend.BadInputError, match="no such file or folder, and no revision"):
        contend.compare("nothing-like-it", "HEAD")
    with pytest.raises(contend.BadInputError, match="a record can only be compared with records"):
        contend.compare(sides[0], "HEAD")
    with pytest.raises(contend.BadInputError, match="two things, A and B, or one range"):
        contend.compare(sides[0])


def test_compare_measures_versions() -> None:
    root = Path(__file__).resolve().parents[2]
    observer = Watching()
    found = contend.compare(
        root, root, workloads="payments", strategies="serial", block_size=20, clock="virtual", observer=observer
    )
    assert found.cells[["strategy", "verdict", "ratio"]].to_numpy().tolist() == [["serial", "same", 1.0]]
    assert found.exit_code == 0
    assert len(observer.runs) == 2


def test_compare_takes_the_options_of_a_request_that_are_not_for_runs_alone() -> None:
    parameters = inspect.signature(contend.compare).parameters
    assert list(parameters)[:3] == ["a", "b", "workloads"]
    assert parameters["a"].default is inspect.Parameter.empty
    assert parameters["repeat"].default == 20
    assert {"dials", "clock", "suite", "threshold", "fail_on"} <= set(parameters)
    assert not {"load", "rate"} & set(parameters)
    assert "\nrepeat : int, default 20\n    Timed pairs of runs of each cell" in str(contend.compare.__doc__)
    assert "<options>" not in str(contend.compare.__doc__)


@pytest.mark.usefixtures("plugins")
def test_list_is_the_catalogue() -> None:
    found = contend.list()
    assert {"serial", "block_stm", "honest", "sharded_ordered"} <= {one["name"] for one in found["strategies"]}
    (swaps,) = (one for one in found["workloads"] if one["name"] == "swaps")
    assert {"pools", "burst"} <= {dial["name"] for dial in swaps["dials"]}
    (broken,) = (one for one in found["strategies"] if one["name"] == "unimportable")
    assert "contend_fakes_that_are_not_there" in broken["error"]
    done = CliRunner().invoke(main, ["list", "--json"])
    assert json.loads(done.output) == json.loads(json.dumps(found))


def test_what_the_package_offers_is_imported_when_it_is_used() -> None:
    program = (
        "import sys, contend\n"
        "heavy = {'numpy', 'numba', 'pandas', 'click'}\n"
        "assert not heavy & set(sys.modules)\n"
        "assert set(contend.__all__) <= set(dir(contend))\n"
        "from contend import *\n"
        "assert {'pandas', 'numpy'} <= set(sys.modules)\n"
        "print(all(callable(getattr(contend, name)) and getattr(contend, name).__doc__ for name in contend.__all__))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
