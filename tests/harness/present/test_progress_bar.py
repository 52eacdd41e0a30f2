from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.present.progress import progress_bar
from contend.harness.present.tables.result_table import ResultTable

PLAN = MeasurementPlan(
    (WorkloadPlan("swaps", {}),), (CellKey("serial", 1),), frozenset(), "0123", cold=True, cold_strategies=("serial",)
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress_bar, "time", made)
    return made


def console() -> tuple[Console, io.StringIO]:
    target = io.StringIO()
    return Console(file=target, width=80), target


def test_a_kernel_that_only_loads_is_not_named_and_one_that_compiles_is_named_once(clock: Clock) -> None:
    shown, target = console()
    display = progress_bar.PlainDisplay(shown)
    display.compiling(0, "loads")
    clock.now += 0.2
    display.tick()
    display.compiled(0, "loads", 0.2)
    display.compiling(0, "compiles")
    for _ in range(3):
        clock.now += 0.2
        display.tick()
    display.compiled(0, "compiles", 0.6)
    clock.now += 1
    display.tick()
    assert target.getvalue() == "[   0.6 s] compiling compiles\n"


def test_plain_lines_come_seldom(clock: Clock) -> None:
    shown, target = console()
    display = progress_bar.PlainDisplay(shown)
    display.repeat = 100
    for run in range(1, 101):
        clock.now += 0.1
        display.measured("swaps", CellKey("serial", 1), run)
        display.tick()
    display.finished("swaps")
    lines = target.getvalue().splitlines()
    assert len(lines) == 2
    assert "swaps: run 51 of 100 of each cell" in lines[0]
    assert "swaps: done" in lines[1]


def test_a_cold_cache_is_announced() -> None:
    shown, target = console()
    progress_bar.PlainDisplay(shown).planned(PLAN, 3)
    assert "not compiled yet" in target.getvalue()


def test_failures_are_printed_at_once_and_as_they_are() -> None:
    shown, target = console()
    progress_bar.SilentDisplay(shown).failed("swaps", CellKey("wrong", 2), "index [3] out of range", [])
    assert target.getvalue() == "FAILED swaps, wrong with 2 workers: index [3] out of range\n"


def test_the_live_display_shows_what_is_going_on() -> None:
    target = io.StringIO()
    with progress_bar.LiveDisplay(Console(file=target, width=80, force_terminal=True)) as display:
        display.planned(PLAN, 4)
        display.stage(0, "swaps", "building")
        display.measured("swaps", CellKey("serial", 1), 1)
        display._progress.refresh()
    assert "swaps: measuring serial x1" in target.getvalue()
    assert "1/4" in target.getvalue()


@pytest.mark.parametrize("minutes", [1, 10, 60])
@pytest.mark.parametrize("is_compiling", [True, False])
def test_the_lines_of_a_long_run_are_not_many(clock: Clock, minutes: int, is_compiling: bool) -> None:
    shown, target = console()
    display = progress_bar.PlainDisplay(shown)
    for second in range(60 * minutes):
        if is_compiling:
            display.compiling(0, f"kernel {second}")
        clock.now += 1
        display.measured("swaps", CellKey("serial", 1), second)
        display.tick()
    lines = target.getvalue().splitlines()
    # Some ten in the first minute, and few more in an hour.
    assert 8 <= len(lines) < 60
    assert any("compiling kernel" in line for line in lines) == is_compiling


def cell(workload: str = "swaps") -> dict[str, Any]:
    return {
        "workload": workload,
        "dials": {},
        "strategy": "serial",
        "workers": 1,
        "transactions": 10,
        "failed_transactions": 0,
        "error": None,
        "verified": True,
        "warnings": [],
        "speedup": None,
        "tx_per_second": 12_345.0,
        "gas_per_second": 1e9,
        "phases": {},
        "counters": {},
    }


@pytest.mark.parametrize("kind", [progress_bar.PlainDisplay, progress_bar.SilentDisplay, progress_bar.LiveDisplay])
def test_figures_of_a_finished_workload_go_to_the_results(kind: type[progress_bar.Display]) -> None:
    shown, _ = console()
    results, output = console()
    with kind(shown, ResultTable(results)) as display:
        display.planned(dataclasses.replace(PLAN, reported=frozenset(PLAN.cells)), 1)
        display.recorded("swaps", [cell()])
        assert "12,345" in output.getvalue()


def test_the_bar_is_wiped_off_before_figures_are_printed_and_comes_back_below() -> None:
    target = io.StringIO()
    terminal = Console(file=target, width=80, height=24, force_terminal=True, color_system=None)
    with progress_bar.LiveDisplay(terminal, ResultTable(terminal)) as display:
        display.planned(PLAN, 4)
        display.measured("swaps", CellKey("serial", 1), 1)
        display._progress.refresh()
        before = len(target.getvalue())
        display.recorded("swaps", [cell()])
        display._progress.refresh()
    after = target.getvalue()[before:]
    erased, figures, bar = after.index("\x1b[2K"), after.index("12,345"), after.rindex("1/4")
    assert erased < figures < bar


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_bar_stays_on_one_line_and_leaves_its_end_free(width: int) -> None:
    target = io.StringIO()
    terminal = Console(file=target, width=width, height=24, force_terminal=True, color_system=None)
    display = progress_bar.LiveDisplay(terminal)
    display.planned(PLAN, 1_000)
    display.stage(0, "a workload with a long name, pools=1000", "warming up static_partition with 1,024 workers")
    target.truncate(0)
    terminal.print(display._progress.get_renderable())
    (line,) = target.getvalue().strip("\x00").rstrip("\n").splitlines()
    assert len(line.rstrip()) <= width - 4
    assert "0/1000 runs" in line


def test_a_display_suits_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert isinstance(progress_bar.display(quiet=False), progress_bar.PlainDisplay)
    assert isinstance(progress_bar.display(quiet=True), progress_bar.SilentDisplay)
