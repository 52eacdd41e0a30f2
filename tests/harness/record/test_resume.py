"""Runs that are killed lose nothing that was finished, leave no process, and can be gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from running import WAIT_SECONDS, children_of, contend_run, lives, until

import contend
from contend.harness import records
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.record import resume
from contend.harness.record.lock import RecordLock, is_locked
from contend.harness.record.store import Store

Make = Callable[..., dict[str, Any]]
Pids = Callable[[str], list[int]]
Samples = list[dict[str, Any]]

SMALL = ("--block-size", "50", "--workers", "1")
RESUME = ("--no-charts", "-q", "--resume")


def stored(folder: Path) -> dict[str, Any]:
    """The one record, as it lies in its file."""
    (path,) = (folder / "results" / "records").glob("*.json")
    content: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(content, records.schema())
    return content


def samples_of(record: dict[str, Any]) -> dict[tuple[str, str], Samples]:
    return {(cell["workload"], cell["strategy"]): cell["samples"] for cell in record["cells"]}


def kill(run: subprocess.Popen[str], others: list[int]) -> None:
    """Kill a run, and see that nothing of it goes on."""
    everyone = children_of(run.pid) + others
    assert any(map(lives, everyone))
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not any(map(lives, everyone)), "all processes end", seconds=15)


def go_on(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "contend", "run", *RESUME, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )


def test_a_run_killed_while_it_sets_up_leaves_nothing(plugin_environment: dict[str, str], tmp_path: Path) -> None:
    with contend_run(plugin_environment, tmp_path, "-w", "ledger", "-s", "dozing", *SMALL) as run:
        until(lambda: len(children_of(run.pid)) == 2, "two processes have been started")
        kill(run, [])
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results" / "records").glob("*.json"))
    done = go_on(plugin_environment, tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_killed_run_keeps_finished_cells_and_is_gone_on_with(
    plugin_environment: dict[str, str], pids: Pids, tmp_path: Path
) -> None:
    arguments = ("-w", "ledger,restless", "-s", "serial,honest", "--repeat", "4", *SMALL)
    with contend_run(plugin_environment, tmp_path, *arguments) as run:
        # The second workload makes the strategy sleep; the first is finished by then.
        until(lambda: pids("asleep"), "a strategy sleeps")
        kill(run, pids("honest"))
    before = stored(tmp_path)
    assert before["complete"] is False
    assert {name: len(samples) for name, samples in samples_of(before).items()} == {
        ("ledger", "serial"): 4,
        ("ledger", "honest"): 4,
    }
    assert all(cell["verified"] for cell in before["cells"])

    done = go_on(plugin_environment | {"CONTEND_FAKES_AWAKE": "1"}, tmp_path)
    assert done.returncode == 0, done.stderr
    after = stored(tmp_path)
    assert after["complete"] is True
    assert after["id"] == before["id"]
    # What was measured is what it was, figure for figure.
    assert after["cells"][:2] == before["cells"]
    assert {name: len(samples) for name, samples in samples_of(after).items()} == dict.fromkeys(
        [(workload, strategy) for workload in ("ledger", "restless") for strategy in ("serial", "honest")], 4
    )
    assert {sample["process"] for sample in samples_of(after)["restless", "honest"]} == {2, 3}
    first, second = after["sessions"]
    assert first == before["sessions"][0]
    assert second["first_process"] == 2
    assert second["began"] >= first["ended"]
    assert "--resume" in second["command"]
    # Nothing but the record is left where it lies.
    assert len(list((tmp_path / "results" / "records").iterdir())) == 1


def test_a_run_that_is_killed_again_and_again_loses_no_sample(
    plugin_environment: dict[str, str], pids: Pids, tmp_path: Path
) -> None:
    rounds = 90
    arguments = ("-w", "ledger", "-s", "dozing", "--repeat", str(rounds), *SMALL)
    seen: Samples = []
    for turn in range(3):
        command = RESUME[2:] if turn else arguments
        before = len(seen)
        with contend_run(plugin_environment, tmp_path, *command) as run:

            def measured(before: int = before) -> Samples:
                found = list((tmp_path / "results" / "records").glob("*.json"))
                cells = json.loads(found[0].read_text())["cells"] if found else []
                samples: Samples = cells[0]["samples"] if cells else []
                return samples if len(samples) > before else []

            until(measured, "runs have been measured and recorded")
            kill(run, pids("dozing"))
        record = stored(tmp_path)
        assert record["complete"] is False
        (samples,) = samples_of(record).values()
        assert samples[: len(seen)] == seen
        assert len(seen) < len(samples) < rounds
        seen = samples
    done = go_on(plugin_environment, tmp_path)
    assert done.returncode == 0, done.stderr
    record = stored(tmp_path)
    (cell,) = record["cells"]
    assert cell["samples"][: len(seen)] == seen
    assert sorted(sample["round"] for sample in cell["samples"]) == list(range(rounds))
    # Every session has processes of its own, so that the interval spans them.
    firsts = [session["first_process"] for session in record["sessions"]]
    assert len(firsts) == 4
    assert firsts == sorted(set(firsts))
    sessions = [
        bisect_right(firsts, sample["process"]) for sample in sorted(cell["samples"], key=lambda one: one["round"])
    ]
    assert sessions == sorted(sessions)
    assert set(sessions) == {1, 2, 3, 4}
    assert cell["speedup"]["low"] <= cell["speedup"]["median"] <= cell["speedup"]["high"]


@pytest.fixture
def interrupted(plugins: None, tmp_path: Path) -> Path:
    """A record of a run that ended after its first round."""

    class Stop(Observer):
        def finished(self, workload: str) -> None:
            raise KeyboardInterrupt

    store = Store(tmp_path / "results")
    request = Request(("ledger", "restless"), ("serial",), (1,), block_size=20, repeat=2)
    with pytest.raises(KeyboardInterrupt):
        Engine(request, Stop(), store.open, store.write).run()
    path = store.path
    store.close()
    assert path is not None
    return path


def run_contend(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *RESUME, *arguments], standalone_mode=False)


def refused(*arguments: str) -> str:
    done = run_contend(*arguments)
    assert isinstance(done.exception, SystemExit), done.output
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
    return done.stderr


def altered(path: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record["environment"].update(kernels="00ff"), "kernels have changed since (digest 00ff, now "),
        (lambda record: record["environment"].update(cpu="abacus"), "another machine (cpu: abacus, "),
        (lambda record: record["environment"].update(costs="00ff"), "the cost table has changed"),
        (lambda record: record["planned"]["cells"].append({"strategy": "x", "workers": 9}), "means other workloads"),
    ],
)
def test_what_would_not_be_comparable_is_refused(
    interrupted: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    before = altered(interrupted, change)
    assert words in refused(str(interrupted))
    assert interrupted.read_bytes() == before
    assert not is_locked(interrupted)


def test_another_block_is_refused_before_anything_is_measured(interrupted: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        for cell in record["cells"]:
            cell["block_digest"] = "00ff"
            cell["samples"] = cell["samples"][:1]

    before = altered(interrupted, change)
    assert "ledger: its block is not the record's any more (digest 00ff, now " in refused(str(interrupted))
    assert interrupted.read_bytes() == before


def test_the_newest_record_that_is_not_complete_is_gone_on_with(interrupted: Path, tmp_path: Path) -> None:
    folder = interrupted.parent
    complete = json.loads(interrupted.read_text()) | {"complete": True}
    (folder / "30000101T000000Z-00000000.json").write_text(json.dumps(complete))
    (folder / "40000101T000000Z-00000000.json").write_text("{")
    said: list[str] = []
    assert resume.choose(None, tmp_path / "results", said.append) == interrupted
    assert len(said) == 1
    assert "40000101T000000Z" in said[0]
    lock = RecordLock(interrupted)
    with pytest.raises(BadInputError, match="no incomplete record in"):
        resume.choose(None, tmp_path / "results", said.append)
    assert "is being measured at this moment" in refused(str(interrupted))
    lock.release()
    done = run_contend("--results", str(tmp_path / "results"))
    assert done.exit_code == 0, done.output
    record = records.read(interrupted)
    assert record["complete"]
    assert [cell["workload"] for cell in record["cells"]] == ["ledger", "restless"]


def test_a_complete_record_an_old_one_and_a_missing_one_are_refused(interrupted: Path) -> None:
    altered(interrupted, lambda record: record.update(planned=None))
    assert "an older Contend wrote it" in refused(str(interrupted))
    altered(interrupted, lambda record: record.update(complete=True))
    assert "is complete; there is nothing to resume" in refused(str(interrupted))
    interrupted.unlink()
    assert f"{interrupted}: not a readable record" in refused(str(interrupted))


def test_python_goes_on_with_a_record_too(interrupted: Path) -> None:
    cells = contend.resume(interrupted)
    assert list(cells["workload"]) == ["ledger", "restless"]
    assert records.read(interrupted)["complete"]
    assert not is_locked(interrupted)
    assert [one.name for one in interrupted.parent.iterdir()] == [interrupted.name]
    with pytest.raises(BadInputError, match="there is nothing to resume"):
        contend.resume(interrupted)


def test_what_to_measure_is_the_records_own(interrupted: Path) -> None:
    assert "leave out --repeat" in refused(str(interrupted), "--repeat", "3")
    assert "leave out --workload" in refused(str(interrupted), "-w", "ledger")


def test_a_failed_cell_is_not_tried_again(fakes: Any, tmp_path: Path) -> None:
    class Stop(Observer):
        def __init__(self) -> None:
            self.rounds = 0

        def measured(self, workload: str, key: CellKey, runs: int) -> None:
            if runs == 2:
                raise KeyboardInterrupt

    store = Store(tmp_path)
    request = Request(("ledger",), ("serial", "raising", "honest"), (1,), block_size=20, repeat=3)
    with pytest.raises(KeyboardInterrupt):
        Engine(request, Stop(), store.open, store.write).run()
    path = store.path
    store.close()
    assert path is not None
    before = {cell["strategy"]: cell for cell in records.read(path)["cells"]}
    assert [len(cell["samples"]) for cell in before.values()] == [1, 0, 1]
    record = Engine(request, resumed=resume.read_incomplete(path)).run()
    after = {cell["strategy"]: cell for cell in record["cells"]}
    assert [len(cell["samples"]) for cell in after.values()] == [3, 0, 3]
    assert after["raising"]["error"] == before["raising"]["error"]
    for name, cell in before.items():
        assert after[name]["samples"][: len(cell["samples"])] == cell["samples"]


def test_simulated_cells_are_gone_on_with_workload_by_workload(tmp_path: Path) -> None:
    class Stop(Observer):
        def finished(self, workload: str) -> None:
            raise KeyboardInterrupt

    request = Request(("payments", "swaps", "nft"), ("block_stm",), (1, 2, 4), block_size=30, clock="virtual")
    whole, store = Engine(request).run(), Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        Engine(request, Stop(), store.open, store.write).run()
    path = store.path
    store.close()
    assert path is not None
    before = records.read(path)["cells"]
    assert {len(cell["samples"]) for cell in before} == {1}
    after = Engine(request, resumed=resume.read_incomplete(path)).run()
    assert after["complete"]
    # Cells stand in the order of the plan, whichever workload was done first, and what was measured stays as it is.
    names = [(cell["workload"], cell["workers"], cell["figures_digest"]) for cell in after["cells"]]
    assert names == [(cell["workload"], cell["workers"], cell["figures_digest"]) for cell in whole["cells"]]
    assert all(cell in after["cells"] for cell in before)


def test_the_record_is_written_between_rounds_and_never_within_one(fakes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contend.harness.measure.run_request._SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("contend.harness.measure.run_request._SAVE_SHARE", float("inf"))
    events: list[str] = []

    class Watching(Observer):
        def measured(self, workload: str, key: CellKey, runs: int) -> None:
            events.append("run")

    def save(record: dict[str, Any]) -> None:
        counts = {len(cell["samples"]) for cell in record["cells"]}
        events.append(f"save {counts}")

    request = Request(("ledger",), ("serial", "honest", "solo"), (1,), block_size=20, repeat=3)
    Engine(request, Watching(), save=save).run()
    one_round = ["run"] * 3
    assert events[:12] == [*one_round, "save {1}", *one_round, "save {2}", *one_round, "save {3}"]
    assert set(events[12:]) == {"save {3}"}


def test_runs_at_the_same_time_in_one_folder_do_not_meet(plugin_environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "contend", "run", "-w", "ledger", "-s", "dozing", "--repeat", "6", "-q", *SMALL]
    runs = [
        subprocess.Popen([*command, "--no-charts"], cwd=tmp_path, env=plugin_environment, stdout=subprocess.DEVNULL)
        for _ in range(3)
    ]
    assert [run.wait(WAIT_SECONDS) for run in runs] == [0, 0, 0]
    files = list((tmp_path / "results" / "records").iterdir())
    found = [records.read(file) for file in files]
    assert len({record["id"] for record in found}) == 3
    assert all(record["complete"] and len(record["cells"][0]["samples"]) == 6 for record in found)


CLAIMANT = """
import json, sys
from pathlib import Path
from contend.harness.record.store import Store
record = {"id": "20260102T030405Z-0a1b2c3d", "who": int(sys.argv[2])}
store = Store(Path(sys.argv[1]))
store.open()
input()
store.write(record)
print(flush=True)
input()
"""


@pytest.fixture
def claimants(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are about to write a record of the same name; each waits for a line twice."""
    made = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMANT, str(tmp_path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for number in range(6)
    ]
    yield made
    for popen in made:
        popen.kill()
        popen.communicate()


def say(popen: subprocess.Popen[str]) -> None:
    assert popen.stdin is not None
    popen.stdin.write("\n")
    popen.stdin.flush()


def test_records_of_the_same_name_are_all_kept(claimants: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    for popen in claimants:
        say(popen)
    for popen in claimants:
        assert popen.stdout is not None
        assert popen.stdout.readline() == "\n"
    files = sorted((tmp_path / "records").glob("*.json"))
    assert sorted(json.loads(file.read_text())["who"] for file in files) == list(range(6))
    assert all(json.loads(file.read_text())["id"] == file.stem for file in files)
    # Whoever writes a record holds it, until it ends in whatever way.
    assert all(map(is_locked, files))
    for popen in claimants:
        popen.kill()
        popen.wait()
    assert not any(map(is_locked, files))


def test_what_is_missing_of_a_record_is_known(make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell(rounds=4), make_cell(strategy="broken", error="differs")])
    record["planned"]["workloads"] = [{"workload": "swaps", "dials": {"pools": 100}}]
    keys = CellKey("block_stm", 2), CellKey("broken", 2)
    plan = MeasurementPlan((WorkloadPlan("swaps", {"pools": 100}),), keys, frozenset(keys), "0123", cold=False)
    measurement = resume.measurement_of(record, plan, 0)
    assert resume.is_finished(measurement, plan, 4)
    assert not resume.is_finished(measurement, plan, 5)
    assert measurement.next_round == 4
    assert resume.next_process(record) == 2
    assert resume.rounds_left(record, 10) == 6


def test_workloads_of_a_sweep_are_told_apart_by_their_dials(make_cell: Make, make_record: Make) -> None:
    calm, hot = make_cell(rounds=6), make_cell(rounds=2) | {"dials": {"pools": 1}}
    record = make_record([calm, hot])
    record["planned"]["workloads"] = [{"workload": "swaps", "dials": {"pools": pools}} for pools in (100, 1, 7)]
    assert [len(resume.cells_of(record, place)) for place in range(3)] == [1, 1, 0]
    assert resume.cells_of(record, 1) == [hot]
    # The third has not been begun.
    assert resume.rounds_left(record, 6) == 6
    record["planned"]["workloads"].pop()
    assert resume.rounds_left(record, 6) == 4
