"""A time budget ends a run in order: what was measured is kept, what was left out is said and can be measured later."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import contend
from contend.harness.cli import main
from contend.harness.errors import CrashError
from contend.harness.measure import worker_pool
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.record import resume
from contend.harness.record.store import Store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that budgets are held against, which passes only when a test says so."""
    made = SimpleNamespace(now=0.0)
    monkeypatch.setattr(worker_pool, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("kind", ["wall", "virtual"])
def test_what_a_budget_leaves_out_is_said_and_measured_later(
    kind: str, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONTEND_FAKES_AWAKE", "1")
    strategy, workloads = ("honest", ("ledger", "restless")) if kind == "wall" else ("serial", ("dao", "grants"))

    class Impatient(Observer):
        def finished(self, workload: str) -> None:
            clock.now += 301.0

    request = Request(workloads, strategy, 1, block_size=50, repeat=2, clock=kind, processes=1, time_budget="5m")
    store = Store(tmp_path)
    engine = Engine(request, Impatient(), accepted=store.open, save=store.write)
    try:
        record = engine.run()
    finally:
        store.close()
    (path,) = (tmp_path / "records").glob("*.json")
    assert not record["complete"]
    assert {cell["workload"] for cell in record["cells"]} == {workloads[0]}
    assert all(cell["verified"] for cell in record["cells"])
    assert resume.left_out(record) == [f"{workloads[1]} (nothing measured)"]
    assert record["request"]["time_budget"] == 300.0
    assert resume.request_of(path).time_budget is None
    # A resumption has no limit but one of its own.
    words = ["run", "--resume", str(path), "--time-budget", "1h", "--results", str(tmp_path), "--no-charts", "-q"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    frame = contend.load(path)
    assert set(frame["workload"]) == set(workloads)
    assert frame["complete"].all()


@pytest.mark.usefixtures("plugins")
def test_a_budget_in_which_nothing_can_be_measured_is_told_in_one_line(clock: SimpleNamespace) -> None:
    class Hasty(Observer):
        def planned(self, plan: Any, repeat: int) -> None:
            clock.now += 11.0

    engine = Engine(Request("ledger", "solo", block_size=50, time_budget=10.0), Hasty())
    with pytest.raises(CrashError, match=r"^time budget: 10 s were over before anything was measured; give more$"):
        engine.run()


def test_what_is_left_out_is_said_by_workload_and_by_value_of_a_sweep(make_cell: Any, make_record: Any) -> None:
    cells = [make_cell(strategy=strategy, rounds=rounds) for strategy, rounds in (("serial", 10), ("block_stm", 4))]
    for cell in cells:
        cell["dials"] = {"pools": 1}
    failed = make_cell(error="raised", strategy="sharded")
    failed["dials"] = {"pools": 1}
    record = make_record([*cells, failed])
    record["request"] |= {"sweep": ["pools", [1, 10]], "repeat": 10}
    record["planned"]["workloads"] = [{"workload": "swaps", "dials": {"pools": pools}} for pools in (1, 10)]
    assert resume.left_out(record) == [
        "swaps pools=1 (4 of 10 runs of each cell)",
        "swaps pools=10 (nothing measured)",
    ]
    for cell in cells:
        cell["samples"] = cell["samples"][:1] * 10
    assert resume.left_out(record) == ["swaps pools=10 (nothing measured)"]


def test_a_run_whose_time_is_up_says_what_is_left_out(
    make_cell: Any, make_record: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record: dict[str, Any] = make_record([make_cell(rounds=4)])
    record["planned"]["workloads"] = [{"workload": "swaps", "dials": {"pools": 100}}]
    record["complete"] = False

    def run(self: Engine) -> dict[str, Any]:
        self.record = record
        return record

    monkeypatch.setattr(Engine, "run", run)
    words = ["run", "--time-budget", "2m", "--results", str(tmp_path), "--no-charts", "-q", "--isolated"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert "The time budget of 120 s is spent. Left out: swaps (4 of 10 runs of each cell); `contend run" in said
