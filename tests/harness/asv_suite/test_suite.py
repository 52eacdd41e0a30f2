"""The asv suite: what it records, and that nothing wrong is recorded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any

import pytest

import contend
from contend.harness.asv_suite import cells, compilation, memory, settings, virtual
from contend.harness.asv_suite.cells import Aborts, Cells, Measured, Seconds, WrongResultError, measure, verified
from contend.harness.asv_suite.virtual import VirtualAborts, VirtualCells, VirtualSeconds
from contend.harness.errors import BadInputError
from contend.harness.record.frame import to_frame
from contend.strategies import registry as strategies


def cell(strategy: str, workers: int, counters: dict[str, int], error: str | None = None) -> dict[str, Any]:
    samples = [] if error else [{"seconds": seconds, "counters": counters} for seconds in (0.25, 0.5)]
    return {
        "workload": "payments",
        "strategy": strategy,
        "workers": workers,
        "transactions": 100,
        "samples": samples,
        "samples_seconds": [sample["seconds"] for sample in samples],
        "speedup": None,
        "phases": {},
        "dials": {},
        "counters": counters,
        "verified": error is None,
        "error": error,
        "differences": ["transaction 3: status 0, serially 1"] if error else [],
    }


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[cells.Key, Measured]:
    found = [
        cell("serial", 1, {}),
        cell("block_stm", 2, {"aborts": 25}),
        cell("sharded", 2, {}, error="differs from the serial result"),
    ]
    record = {"id": "r", "environment": {"time": "now"}, "cells": found}
    monkeypatch.setattr(contend, "run", lambda **request: to_frame([record]), raising=False)
    return measure(workers=(1, 2))


def test_every_sample_of_a_verified_cell_is_kept(measured: dict[cells.Key, Measured]) -> None:
    assert Seconds().track_block(measured, "serial", "payments", 1) == {"samples": [0.25, 0.5], "number": 1}


def test_aborts_are_per_transaction(measured: dict[cells.Key, Measured]) -> None:
    # Of every run, so that asv can tell luck from change.
    assert Aborts().track_aborts(measured, "block_stm", "payments", 2) == {"samples": [0.25, 0.25], "number": 1}


@pytest.mark.parametrize(
    "benchmark",
    [Seconds().track_block, Aborts().track_aborts, VirtualSeconds().track_block, VirtualAborts().track_aborts],
)
def test_a_wrong_result_gives_no_figure(measured: dict[cells.Key, Measured], benchmark: Any) -> None:
    with pytest.raises(WrongResultError, match=r"differs from the serial result; transaction 3"):
        benchmark(measured, "sharded", "payments", 2)


def test_a_cell_that_is_missing_is_an_error_and_not_skipped(measured: dict[cells.Key, Measured]) -> None:
    with pytest.raises(WrongResultError, match="was not measured"):
        verified(measured, "static_partition", "payments", 1)


def test_what_does_not_apply_has_no_figure(measured: dict[cells.Key, Measured]) -> None:
    assert ("serial", "payments", 2) in Seconds.skip_params
    assert ("serial", "payments", 1) not in Seconds.skip_params
    for benchmark in (Aborts(), VirtualAborts()):
        figure = benchmark.track_aborts(measured, "serial", "payments", 1)
        assert isinstance(figure, float)
        assert math.isnan(figure)


def test_a_compilation_that_did_not_happen_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    done = {(name, "payments", 1): Measured((0.5,), 64, ({},), None) for name in strategies.names()}
    monkeypatch.setattr(compilation, "measure", lambda **request: done)
    with pytest.raises(WrongResultError, match="nothing was compiled"):
        compilation.ColdCompilation().setup_cache()


def test_simulated_figures_are_exact() -> None:
    simulated = {("serial", "payments", 1): Measured((0.25,), 100, ({"aborts": 5},), None)}
    assert VirtualSeconds().track_block(simulated, "serial", "payments", 1) == 0.25
    assert VirtualAborts().track_aborts(simulated, "serial", "payments", 1) == 0.05


def test_each_clock_measures_its_own_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def noted(**request: Any) -> dict[cells.Key, Measured]:
        asked.append(request)
        return {}

    monkeypatch.setattr(cells, "measure", noted)
    monkeypatch.setattr(virtual, "measure", noted)
    for benchmark in (Seconds(), VirtualSeconds()):
        benchmark.setup_cache()
    wall, simulated = asked
    assert wall.get("clock", "wall") == "wall"
    assert simulated["clock"] == "virtual"
    for request, kind in ((wall, Cells), (simulated, VirtualCells)):
        names, workloads, workers = kind.params
        assert (tuple(request["strategies"]), request["workloads"], request["workers"]) == (names, workloads, workers)
    # asv tells caches apart by where their functions stand.
    assert Cells.setup_cache.__code__ is not VirtualCells.setup_cache.__code__


def test_the_environment_narrows_the_suite() -> None:
    found = settings.read(
        {
            "CONTEND_SUITE_STRATEGIES": "serial, block_stm",
            "CONTEND_SUITE_WORKLOADS": "swaps",
            "CONTEND_SUITE_ROUNDS": "2",
            "CONTEND_SUITE_BLOCK_SIZE": "100",
        }
    )
    assert (found.strategies, found.workloads) == (("serial", "block_stm"), ("swaps",))
    assert (found.rounds, found.block_size) == (2, 100)


def test_figures_of_other_blocks_are_never_compared_and_surer_ones_are() -> None:
    ours = settings.read({}).version
    assert settings.read({"CONTEND_SUITE_ROUNDS": "2"}).version == ours
    assert settings.read({"CONTEND_SUITE_BLOCK_SIZE": "100"}).version != ours


@pytest.mark.parametrize(
    ("variable", "text"),
    [("STRATEGIES", "serial,nobody"), ("WORKLOADS", " , "), ("ROUNDS", "0"), ("ROUNDS", "-3"), ("BLOCK_SIZE", "many")],
)
def test_a_setting_that_cannot_be_meant_is_refused(variable: str, text: str) -> None:
    with pytest.raises(BadInputError, match=f"CONTEND_SUITE_{variable}={text}: give"):
        settings.read({f"CONTEND_SUITE_{variable}": text})


def benchmarks() -> Iterator[type]:
    for module in (cells, compilation, memory, virtual):
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and any(name.startswith("track_") for name in vars(found)):
                yield found


def test_of_every_figure_a_larger_one_is_worse() -> None:
    # asv has no notion of direction; a throughput that doubled would be reported as a regression.
    units = {found.__name__: found.unit for found in benchmarks()}  # type: ignore[attr-defined]  # asv's protocol
    assert len(units) >= 6
    assert set(units.values()) <= {"seconds", "aborts per transaction", "bytes"}


def test_a_history_outlives_a_docstring() -> None:
    # Without a version of its own a figure has its source's digest, and every edit ends its history.
    for found in benchmarks():
        assert getattr(found, "version", None), found.__name__


@pytest.mark.usefixtures("plugins")
def test_an_installed_plug_in_begins_no_history_unless_it_is_named() -> None:
    assert settings.read({}).strategies == strategies.built_in()
    assert settings.read({"CONTEND_SUITE_STRATEGIES": "serial,honest"}).strategies == ("serial", "honest")
