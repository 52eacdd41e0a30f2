from __future__ import annotations

import io

import pytest
from rich.console import Console

from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.present import progress_bar

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


def test_a_display_suits_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert isinstance(progress_bar.display(quiet=False), progress_bar.PlainDisplay)
    assert isinstance(progress_bar.display(quiet=True), progress_bar.SilentDisplay)
