from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey
from tools import goals
from tools.goals import GoalResult, print_findings

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def measured(make_cell: Make, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Requests that were measured, by an engine that makes its figures up; nothing is timed."""
    requests = []

    class MadeUp:
        def __init__(self, request: Request, observer: Observer) -> None:
            requests.append(request)

        def run(self) -> dict[str, Any]:
            (workload,) = requests[-1].workloads
            cells = [make_cell(workload, "serial", 1, 1.0)]
            for strategy in requests[-1].strategies:
                if strategy == "sharded":
                    cells += [make_cell(workload, strategy, workers, error="planted") for workers in (1, 2)]
                elif strategy != "serial":
                    cells += [make_cell(workload, strategy, workers, 0.8 * workers) for workers in (1, 2)]
            return {"cells": cells}

    monkeypatch.setattr(goals, "Engine", MadeUp)
    monkeypatch.setattr(goals, "cold_seconds", lambda block_size: 95.0)
    monkeypatch.setattr(goals, "warm_seconds", lambda: 2.0)
    return requests


def test_every_goal_of_the_project_is_measured_and_judged(measured: list[Request]) -> None:
    found = list(goals.findings(Observer(), 1_000, 4))
    assert [(one.goal, one.unit, one.reached) for one in found] == [
        (150_000, "tx/s", False),
        (40_000, "tx/s", False),
        (0.75, "x", True),
        (1.4, "x", True),
        (0.6, "x", True),
        (1.0, "x", True),
        (1.0, "x", True),
        (1.0, "x", False),
        (90, "s", False),
        (4, "s", True),
    ]
    assert found[3].measured == pytest.approx(1.6)
    # Runs of different rounds are not paired with each other here: the made-up ones differ a little.
    assert found[5].measured == pytest.approx(2.0, rel=0.05)
    assert found[7].error == "planted"
    assert {request.dials["pools"] for request in measured if request.workloads == ("swaps",)} == {1, 100}
    assert all((request.block_size, request.repeat) == (1_000, 4) for request in measured)


def test_dials_of_the_goals_exist() -> None:
    from contend.harness.plan.resolve import resolve

    for request in (
        Request(("payments",), ("serial",), dials={"erc20": 1.0}),
        Request(("payments",), ("serial",), dials=goals.UNCONTENDED),
        Request(("swaps",), ("serial",), dials={"pools": 1}),
    ):
        assert resolve(request).workloads[0].dials.items() >= request.dials.items()


def test_findings_are_printed_in_80_columns() -> None:
    target = io.StringIO()
    found = [
        GoalResult("swaps, 100 pools: block_stm 2 / serial", 1.4, "x", 1.52, interval="[1.41, 1.60]"),
        GoalResult("payments, apart: static_partition 2 / 1", 1.0, "x", None, error="differs [/] here"),
        GoalResult("cold cache to first measured cell", 90, "s", 95.0, at_most=True),
    ]
    print_findings(Console(file=target, width=80), found)
    lines = target.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "1.52 x [1.41, 1.60]  yes" in target.getvalue()
    assert "at most 90.00 s              95.00 s  no" in target.getvalue()
    assert lines[-1] == "payments, apart: static_partition 2 / 1: differs [/] here"


def test_a_cold_cache_is_set_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTEND_CACHE_DIR", "before")
    with goals._cache("meanwhile"):
        assert os.environ["CONTEND_CACHE_DIR"] == "meanwhile"
    assert os.environ["CONTEND_CACHE_DIR"] == "before"
    monkeypatch.delenv("CONTEND_CACHE_DIR")
    with goals._cache("meanwhile"):
        pass
    assert "CONTEND_CACHE_DIR" not in os.environ


def test_ctrl_c_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def __init__(self, request: Request, observer: Observer) -> None:
            pass

        def run(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(goals, "Engine", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        goals.cold_seconds(10)


def test_the_cold_start_ends_at_the_first_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    class Measuring:
        def __init__(self, request: Request, observer: Observer) -> None:
            self.observer = observer

        def run(self) -> None:
            self.observer.measured("payments", CellKey("serial", 1), 1)

    class Clock:
        """Tells the moments at which it is asked, in their order."""

        moments = iter([100.0, 107.5])

        def perf_counter(self) -> float:
            return next(self.moments)

    monkeypatch.setattr(goals, "Engine", Measuring)
    monkeypatch.setattr(goals, "time", Clock())
    assert goals.cold_seconds(10) == 7.5
