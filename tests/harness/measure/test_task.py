"""Tasks and results as plain data, and the worker program that takes one and gives the other."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contend.harness.measure import worker
from contend.harness.measure.task import Result, Task, VersionPlan, tasks_of
from contend.harness.measure.worker_process import WorkerProcess
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import BASELINE_CELL, CellKey, WorkloadPlan, resolve
from contend.harness.record.bound import KINDS, Bound, Bounds
from contend.harness.record.measurement import CellFailure
from contend.harness.record.sample import BlockFacts, Sample

WORKLOAD = WorkloadPlan("swaps", {"pools": 3, "skew": 0.5, "mode": "x"}, "hot", ("ab", None), block_count=2)
BOUND = Bound(3, 100, 50, 1, 2, 60, 30, dict.fromkeys(KINDS, 1), blocks=((40, 30), (60, 30)))
FACTS = BlockFacts("ab", "cd", 3, 63_000, 0, 7, Bounds(BOUND, BOUND), ((1, 2), (0, 0)))
SAMPLE = Sample(
    0.1, 0.3, 0.2, {"prepare": 0.0, "execute": 0.1, "commit": 1e-12}, {"aborts": 2}, (0.04, 0.06), {"reset": 0.7}
)


def sent(plain: object) -> object:
    """What arrives in another process."""
    return json.loads(json.dumps(plain, allow_nan=False))


def test_a_task_arrives_as_it_was_sent() -> None:
    for task in (
        Task(WORKLOAD, 1, 100, "block_stm", 8, "virtual", "costs.json", "rack", "main"),
        *tasks_of(Request(clock="virtual", seed=7), WorkloadPlan("payments", {}), [CellKey("sharded", 2)]).values(),
    ):
        assert Task.from_plain(sent(task.as_plain())) == task  # type: ignore[arg-type]
    assert task.key == CellKey("sharded", 2)
    assert task.seed == 7


@pytest.mark.parametrize(
    "result",
    [
        Result(facts=FACTS, compile_seconds=0.5, peak_memory_bytes=1 << 28),
        Result(sample=SAMPLE),
        Result(sample=Sample(0.1, 0.3, 0.2, {}, {})),
        Result(failure=CellFailure("differs", ("transaction 3, status: serial 1, here 0",)), broken=True),
    ],
)
def test_a_result_arrives_as_it_was_sent(result: Result) -> None:
    assert Result.from_plain(sent(result.as_plain())) == result  # type: ignore[arg-type]


def test_what_another_version_says_beside_what_is_known_is_left_out() -> None:
    plain = Result(facts=FACTS, sample=SAMPLE).as_plain()
    plain["facts"]["weather"] = "fine"
    plain["sample"]["luck"] = 7
    del plain["facts"]["arrivals"], plain["facts"]["bounds"]
    found = Result.from_plain(plain)
    assert found.sample == SAMPLE
    del plain["sample"]["untimed"], plain["sample"]["block_seconds"]
    assert Result.from_plain(plain).sample == replace(SAMPLE, untimed={}, block_seconds=())
    assert found.facts == BlockFacts("ab", "cd", 3, 63_000, 0, 7)


@pytest.mark.parametrize("name", worker._NAMES)
def test_what_the_worker_uses_is_where_its_table_says_first(name: str) -> None:
    module, _, attribute = worker._NAMES[name][0].partition(":")
    assert worker.find(name) is (getattr(sys.modules[module], attribute) if attribute else sys.modules[module])


def test_a_version_without_a_name_is_too_old_and_one_that_cannot_be_imported_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_version.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    places = {
        "gone": ("contend.harness.no_such_module:resolve", ""),
        "elsewhere": ("contend.harness.plan.resolve:no_such_name", ""),
        "broken": ("broken_version:x", ""),
        "there": ("contend.harness.plan.resolve:resolve", ""),
    }
    monkeypatch.setattr(worker, "_NAMES", places)
    with pytest.raises(ImportError, match=r"it has no contend\.harness\.no_such_module\.resolve"):
        worker.find("gone")
    with pytest.raises(ImportError, match=r"it has no contend\.harness\.plan\.resolve\.no_such_name"):
        worker.find("elsewhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        worker.find("broken")
    assert worker.find("there") is resolve


def test_the_worker_imports_nothing_of_ours_before_its_path_is_set() -> None:
    tree = ast.parse(Path(worker.__file__).read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert len(names) > 10
    assert all(name.partition(".")[0] in sys.stdlib_module_names for name in names)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    made = WorkerProcess(0)
    yield made
    made.end()


def answer(process: WorkerProcess) -> Result:
    """What comes of a task; what is said meanwhile is skipped."""
    while True:
        message = process.receive()
        assert message is not None, process.tail()
        if message[0] == "result":
            return Result.from_plain(message[1])


def test_a_task_is_all_that_a_worker_needs(process: WorkerProcess) -> None:
    workload = WorkloadPlan("payments", dict(resolve(Request(("payments",), ("serial",))).workloads[0].dials))
    task = Task(workload, 1, 20, "serial", 1, "virtual")
    results = []
    for one in (task, task, Task(workload, 2, 20, "serial", 1, "virtual")):
        process.send("run", one.as_plain())
        results.append(answer(process))
    first, again, other = results
    assert first.facts is not None
    assert first.facts.transactions == 20
    assert first.sample is not None
    # Simulated, it takes the same time again; the block has been told of.
    assert replace(again, peak_memory_bytes=0) == Result(sample=first.sample)
    assert 0 < first.peak_memory_bytes <= again.peak_memory_bytes <= other.peak_memory_bytes
    assert other.facts is not None
    assert other.facts.block_digest != first.facts.block_digest


def test_a_failure_is_of_the_cell_or_of_the_workload(process: WorkerProcess) -> None:
    workload = WorkloadPlan("payments", {"accounts": "no number"})
    process.send("run", Task(workload, 1, 20, "serial", 1, "virtual").as_plain())
    broken = answer(process)
    assert broken.broken
    assert broken.failure is not None
    assert broken.sample is None


def test_a_plan_arrives_as_it_was_made() -> None:
    plan = resolve(Request(("payments", "swaps"), ("block_stm",), (2,)))
    content = {
        "workloads": [{"name": one.name, "dials": one.dials, "unknown": 1} for one in plan.workloads],
        "cells": [list(key) for key in plan.cells],
        "reported": [list(key) for key in plan.reported],
        "kernels_digest": plan.kernels_digest,
        "cold": plan.cold,
        "cold_strategies": list(plan.cold_strategies),
        "costs_digest": plan.costs_digest,
        "llvm": plan.llvm,
        "python": "3.11.0",
    }
    # A version that tells of no plug-ins is an older one.
    assert VersionPlan.from_plain(sent(content)) == VersionPlan(plan, "3.11.0")  # type: ignore[arg-type]
    told = {**content, "plugins": [{"name": "waves"}]}
    assert VersionPlan.from_plain(sent(told)).plugins == ({"name": "waves"},)  # type: ignore[arg-type]
    assert plan.cells[0] == BASELINE_CELL
