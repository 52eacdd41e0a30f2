"""Simulated cells shared out over workers: each once, long ones first, whoever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import contend
from contend.harness.doctor.files import Files
from contend.harness.errors import CrashError
from contend.harness.measure.batch import Batch
from contend.harness.measure.capacity import most_processes
from contend.harness.measure.parallel_runner import ParallelRunner
from contend.harness.measure.progress_log import ProgressLog
from contend.harness.measure.task import Result, Task, tasks_of
from contend.harness.measure.worker_pool import PlaceLostError, WorkerGoneError
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import BASELINE_CELL, CellKey, WorkloadPlan
from contend.harness.record.environment import usable_cores
from contend.harness.record.measurement import CellFailure, WorkloadMeasurement
from contend.harness.record.sample import BlockFacts, Sample

REQUEST = Request(clock="virtual")
CELLS = [BASELINE_CELL, *(CellKey("block_stm", workers) for workers in (1, 2, 4, 8))]
Answer = Callable[[Task | None, Task], Result | None]


@dataclass
class FakeWorker:
    number: int
    task: Task | None = None
    sent: list[tuple[Any, ...]] = field(default_factory=list)

    def send(self, *message: Any) -> None:
        self.sent.append(message)

    def tail(self) -> str:
        return ""


class FakePool:
    """Workers that answer at once; all that were asked something are ready, in the order of their slots."""

    def __init__(self, count: int, answer: Callable[[FakeWorker, str, Task], Result | None], versions: int = 1) -> None:
        self.versions = tuple(range(versions))
        self.workers = [FakeWorker(number) for number in range(count)]
        self.log: list[tuple[int, str, Task]] = []
        self.restarted: list[int] = []
        self._answer = answer

    def __len__(self) -> int:
        return len(self.workers)

    def __getitem__(self, slot: int) -> FakeWorker:
        return self.workers[slot]

    def ready(self, slots: Iterable[int]) -> list[int]:
        return list(slots)

    def message(self, slot: int) -> list[Any]:
        worker = self.workers[slot]
        verb, content = worker.sent[-1]
        task = Task.from_plain(content)
        self.log.append((worker.number, verb, task))
        result = self._answer(worker, verb, task)
        if result is None:
            raise WorkerGoneError(worker, "it was ended")  # type: ignore[arg-type]
        return ["result", result.as_plain()]

    def restart(self, slot: int) -> None:
        self.restarted.append(slot)
        self.workers[slot] = FakeWorker(100 + len(self.restarted))


def facts(task: Task, block: str = "cd") -> BlockFacts:
    return BlockFacts(task.workload.name, block, 10, 21_000, 0, 1)


def fine(worker: FakeWorker, verb: str, task: Task) -> Result | None:
    if verb == "build":
        return Result(facts=facts(task), compile_seconds=1.0)
    seconds = 1.0 / task.workers
    return Result(sample=Sample(seconds, seconds, seconds, {"execute": seconds}, {}))


def batch(name: str, versions: int = 1) -> Batch:
    plan = WorkloadPlan(name, {})
    measurements = [WorkloadMeasurement(plan, CELLS) for _ in range(versions)]
    names = ("A", "B") if versions == 2 else ("",)
    log = ProgressLog(measurements, Observer(), names)
    return Batch(log, [tasks_of(REQUEST, plan, CELLS) for _ in range(versions)], dict.fromkeys(CELLS, 1))


def measure(pool: FakePool, batches: list[Batch]) -> list[str]:
    finished: list[str] = []
    runner = ParallelRunner(pool, lambda one: finished.append(one.log.title), ready=len(pool))  # type: ignore[arg-type]
    runner.measure(batches)
    return finished


def runs(pool: FakePool) -> list[tuple[str, CellKey]]:
    return [(task.workload.name, task.key) for _, verb, task in pool.log if verb == "run"]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_every_cell_is_run_once_and_kept(workers: int) -> None:
    pool, batches = FakePool(workers, fine), [batch(name) for name in "xyz"]
    assert sorted(measure(pool, batches)) == ["x", "y", "z"]
    assert sorted(runs(pool)) == sorted((name, key) for name in "xyz" for key in CELLS)
    for one in batches:
        (measurement,) = one.log.measurements
        assert {key: len(measurement.samples(key)) for key in CELLS} == dict.fromkeys(CELLS, 1)
        assert [measurement.samples(key)[0]["seconds"] for key in CELLS] == [1.0, 1.0, 0.5, 0.25, 0.125]
        assert measurement.samples(CELLS[-1])[0]["baseline_seconds"] == 1.0
    # A worker that is not needed is not made to build.
    assert len({number for number, _, _ in pool.log}) <= workers


def test_long_cells_come_first_behind_the_baseline() -> None:
    pool = FakePool(1, fine)
    measure(pool, [batch("x")])
    assert [key.workers for _, key in runs(pool)] == [1, 8, 4, 2, 1]
    assert runs(pool)[0] == ("x", BASELINE_CELL)


def test_one_workload_is_shared_and_its_samples_say_by_whom() -> None:
    pool, one = FakePool(2, fine), batch("x")
    measure(pool, [one])
    (measurement,) = one.log.measurements
    assert {measurement.samples(key)[0]["process"] for key in CELLS} == {0, 1}
    assert measurement.compile_seconds == {0: 1.0, 1: 1.0}


def test_on_a_cold_cache_workers_begin_with_different_strategies() -> None:
    pool, batches = FakePool(2, fine), [batch("x"), batch("y")]
    for one in batches:
        one.cold = True
    measure(pool, batches)
    verbs = [[message[0] for message in worker.sent] for worker in pool.workers]
    # The first worker runs the baseline; the other begins with what it is not at.
    first = [
        Task.from_plain(worker.sent[verb.index("run")][1]) for worker, verb in zip(pool.workers, verbs, strict=True)
    ]
    assert [task.strategy for task in first] == ["serial", "block_stm"]


def test_a_worker_that_dies_costs_its_cell_and_nothing_else() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return None if verb == "run" and task.key == CellKey("block_stm", 4) else fine(worker, verb, task)

    pool, one, other = FakePool(2, answer), batch("x"), batch("y")
    assert sorted(measure(pool, [one, other])) == ["x", "y"]
    assert sorted(runs(pool)) == sorted((name, key) for name in "xy" for key in CELLS)
    assert len(pool.restarted) == 2
    for each in (one, other):
        (measurement,) = each.log.measurements
        assert measurement.failures == {CellKey("block_stm", 4): CellFailure("it was ended")}
        assert all(measurement.samples(key) for key in CELLS if key.workers != 4)


@pytest.mark.parametrize("at", range(8))
def test_a_place_that_is_lost_costs_nothing(at: int) -> None:
    said = 0

    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        nonlocal said
        said += worker.number == 1
        if said == at + 1 and worker.number == 1:
            raise PlaceLostError(worker, "node 2 is lost")  # type: ignore[arg-type]
        return fine(worker, verb, task)

    pool, batches = FakePool(2, answer), [batch(name) for name in "xyz"]
    assert sorted(measure(pool, batches)) == ["x", "y", "z"]
    for one in batches:
        (measurement,) = one.log.measurements
        assert not measurement.failures
        assert {key: len(measurement.samples(key)) for key in CELLS} == dict.fromkeys(CELLS, 1)
    # It is neither restarted nor given anything any more.
    assert pool.restarted == []
    assert [number for number, _, _ in pool.log].count(1) == at + 1


def test_without_any_place_nothing_can_be_measured() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        raise PlaceLostError(worker, f"node {worker.number} is lost")  # type: ignore[arg-type]

    with pytest.raises(CrashError, match="is lost; nothing is left to measure on"):
        measure(FakePool(2, answer), [batch("x")])


def test_what_is_left_when_the_only_worker_dies_is_run_by_the_next() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return None if verb == "run" and task.key in CELLS[-3:] else fine(worker, verb, task)

    pool, one = FakePool(1, answer), batch("x")
    assert measure(pool, [one]) == ["x"]
    assert sorted(runs(pool)) == sorted(("x", key) for key in CELLS)
    assert set(one.log.measurements[0].failures) == set(CELLS[-3:])


def test_a_workload_that_ends_its_worker_fails_as_a_whole() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return None if task.workload.name == "x" else fine(worker, verb, task)

    pool, one, other = FakePool(2, answer), batch("x"), batch("y")
    assert sorted(measure(pool, [one, other])) == ["x", "y"]
    assert one.log.measurements[0].failures[BASELINE_CELL].error == "it was ended while it set the workload up"
    assert not one.log.live()
    assert other.log.live() == CELLS


def test_without_its_baseline_nothing_of_a_workload_is_run() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return (
            Result(failure=CellFailure("planted"))
            if task.strategy == "serial" and verb == "run"
            else fine(worker, verb, task)
        )

    pool, one = FakePool(1, answer), batch("x")
    measure(pool, [one])
    assert runs(pool) == [("x", BASELINE_CELL)]
    assert set(one.log.measurements[0].failures) == set(CELLS)


def test_blocks_that_differ_between_two_workers_are_not_reproducible() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return Result(facts=facts(task, f"cd{worker.number}")) if verb == "build" else fine(worker, verb, task)

    one = batch("x")
    measure(FakePool(2, answer), [one])
    assert "not reproducible" in one.log.measurements[0].failures[BASELINE_CELL].error


def test_versions_with_other_blocks_are_not_run_against_each_other() -> None:
    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        return Result(facts=facts(task, f"cd{worker.number % 2}")) if verb == "build" else fine(worker, verb, task)

    pool, one = FakePool(2, answer, versions=2), batch("x", versions=2)
    assert measure(pool, [one]) == ["x"]
    assert one.log.refused == "block"
    assert len(runs(pool)) <= 1


def test_what_fails_under_one_version_is_still_tried_under_the_other() -> None:
    failing = CellKey("block_stm", 8)

    def answer(worker: FakeWorker, verb: str, task: Task) -> Result | None:
        fails = verb == "run" and task.key == failing
        return Result(failure=CellFailure(f"by {worker.number}")) if fails else fine(worker, verb, task)

    pool, one = FakePool(2, answer, versions=2), batch("x", versions=2)
    measure(pool, [one])
    assert [measurement.failures[failing].error for measurement in one.log.measurements] == ["by 0", "by 1"]
    # What one version has no sample of has none of the other to stand beside.
    assert all(len(measurement.samples(CELLS[1])) == 1 for measurement in one.log.measurements)


def test_a_crash_in_a_simulated_cell_fails_that_cell(plugins: None) -> None:
    cells = contend.run("payments", ["block_stm", "crashing"], [1, 2, 4], block_size=50, clock="virtual")
    failed = cells[~cells["verified"].astype(bool)]
    assert list(failed["strategy"]) == ["crashing"] * 3
    assert list(failed["workers"]) == [1, 2, 4]
    assert failed["error"].str.contains("was ended by SIG").all()


def test_figures_do_not_depend_on_how_many_processes_there_are() -> None:
    asked: dict[str, Any] = {"strategies": ["block_stm", "sharded"], "workers": [1, 2, 4, 8], "block_size": 100}
    one, all_cores = (
        contend.run(["payments", "swaps"], clock="virtual", processes=processes, **asked) for processes in (1, 2)
    )
    for column in ("workload", "strategy", "workers", "figures_digest", "genesis_digest", "block_digest", "seconds"):
        assert one[column].tolist() == all_cores[column].tolist()
    assert {sample["process"] for samples in one["samples"] for sample in samples} == {0}


def test_processes_are_as_many_as_cores_quota_and_memory_allow(tmp_path: Path) -> None:
    files = Files(tmp_path)
    cores = len(usable_cores())
    assert most_processes(1_024, 10_000, files) == cores
    (tmp_path / "proc" / "self").mkdir(parents=True)
    meminfo = tmp_path / "proc" / "meminfo"
    meminfo.write_text(f"MemAvailable: {1 << 30} kB\n")
    assert most_processes(1_024, 10_000, files) == cores
    meminfo.write_text("MemAvailable: 1000 kB\n")
    assert most_processes(1_024, 10_000, files) == 1
    meminfo.write_text(f"MemAvailable: {1 << 30} kB\n")
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/\n")
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("50000 100000\n")
    assert most_processes(1, 100, files) == 1
