"""Goals of this project (``make goals``): what it has to reach, measured here and now against what is wanted.

Nothing is asserted: a figure that depends on the machine is no test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.commands.options import Asked, request_options
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.option_types import DialValue
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import BASELINE, CellKey
from contend.harness.present.progress.progress_bar import display
from contend.harness.record.derived import by_process
from contend.harness.record.statistics import speedup
from tools.programs import race

_CACHE_VARIABLE = "CONTEND_CACHE_DIR"
UNCONTENDED: dict[str, DialValue] = {"accounts": 200_000, "sender_zipf": 0.0, "receiver_zipf": 0.0, "token_zipf": 0.0}
"""Dials of ``payments`` with which hardly a transaction conflicts with another."""
_PARALLEL = ("block_stm", "static_partition", "sharded")


@dataclass(frozen=True)
class GoalResult:
    """A goal and what was measured for it.

    Attributes
    ----------
    what : str
    goal : float
    unit : str
        Of both figures; ``"x"`` for ratios.
    measured : float or None
        None where nothing could be measured; `error` then says why.
    at_most : bool
        Whether less is better.
    interval : str
        Of the measured figure, where it has one.
    error : str or None
    """

    what: str
    goal: float
    unit: str
    measured: float | None
    at_most: bool = False
    interval: str = ""
    error: str | None = None

    @property
    def reached(self) -> bool:
        """Whether the figure is as good as wanted."""
        if self.measured is None:
            return False
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal


def findings(observer: Observer, block_size: int, repeat: int) -> Iterator[GoalResult]:
    """Measure every goal, one after the other.

    Parameters
    ----------
    observer : Observer
        Told about progress.
    block_size : int
        Transactions in each block.
    repeat : int
        Timed runs of each cell.

    Yields
    ------
    GoalResult
    """

    def measure(workload: str, strategies: tuple[str, ...], dials: dict[str, DialValue]) -> list[Mapping[str, Any]]:
        request = Request((workload,), strategies, (1, 2), dials, block_size, repeat)
        cells: list[Mapping[str, Any]] = Engine(request, observer).run()["cells"]
        return cells

    yield _throughput("payments, all ERC-20: serial", 150_000, measure("payments", (BASELINE,), {"erc20": 1.0}))
    many = measure("swaps", (BASELINE, "block_stm"), {"pools": 100})
    yield _throughput("swaps, 100 pools: serial", 40_000, many)
    yield _ratio("swaps, 100 pools: block_stm 1 / serial", 0.75, many, CellKey("block_stm", 1))
    yield _ratio("swaps, 100 pools: block_stm 2 / serial", 1.4, many, CellKey("block_stm", 2))
    one = measure("swaps", ("block_stm",), {"pools": 1})
    yield _ratio("swaps, 1 pool: block_stm 2 / serial", 0.6, one, CellKey("block_stm", 2))
    apart = measure("payments", _PARALLEL, UNCONTENDED)
    for strategy in _PARALLEL:
        yield _scaling(f"payments, apart: {strategy} 2 / 1", 1.0, apart, strategy)
    yield GoalResult("cold cache to first measured cell", 90, "s", cold_seconds(block_size), at_most=True)
    yield GoalResult("contend run on one small cell, warm", 4, "s", warm_seconds(), at_most=True)


def program_findings(rounds: int) -> Iterator[GoalResult]:
    """Race public programs against revm (`tools.programs`), and print the ratio of each; nothing where they are not.

    Parameters
    ----------
    rounds : int
        Runs of each program on both machines.

    Yields
    ------
    GoalResult
    """
    reason = race.missing()
    if reason is not None:
        click.echo(reason)
        return
    found = list(race.paces(rounds))
    race.print_paces(Console(), found)
    worst = race.slowest(found)
    yield GoalResult(f"programs, slowest ({worst.name}): here / revm", race.LEAST_GOAL, "x", worst.ratio)
    yield GoalResult("programs, geometric mean: here / revm", race.MEAN_GOAL, "x", race.geometric_mean(found))


def _find(cells: list[Mapping[str, Any]], key: CellKey) -> Mapping[str, Any]:
    return next(cell for cell in cells if (cell["strategy"], cell["workers"]) == key)


def _throughput(what: str, goal: float, cells: list[Mapping[str, Any]]) -> GoalResult:
    cell = _find(cells, CellKey(BASELINE, 1))
    return GoalResult(what, goal, "tx/s", cell["tx_per_second"], error=cell["error"])


def _ratio(what: str, goal: float, cells: list[Mapping[str, Any]], key: CellKey) -> GoalResult:
    cell = _find(cells, key)
    ratio = cell["speedup"]
    if ratio is None:
        return GoalResult(what, goal, "x", None, error=cell["error"])
    return GoalResult(what, goal, "x", ratio["median"], interval=f"[{ratio['low']:.2f}, {ratio['high']:.2f}]")


def _scaling(what: str, goal: float, cells: list[Mapping[str, Any]], strategy: str) -> GoalResult:
    one, two = (_find(cells, CellKey(strategy, workers)) for workers in (1, 2))
    if one["error"] or two["error"]:
        return GoalResult(what, goal, "x", None, error=one["error"] or two["error"])
    # Complete rounds only: both cells have the same ones, in the same order.
    ratio = speedup(by_process(two["samples"], "seconds"), by_process(one["samples"], "seconds"))
    return GoalResult(what, goal, "x", ratio.median, interval=f"[{ratio.low:.2f}, {ratio.high:.2f}]")


class _MeasuredError(Exception):
    """The first cell has been measured."""


class _FirstRun(Observer):
    """Ends a run as soon as one cell has been measured."""

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """End the run."""
        raise _MeasuredError


def cold_seconds(block_size: int) -> float:
    """Time from an empty compilation cache to the first measured cell of a run of all strategies.

    Returns
    -------
    float
        Seconds.
    """
    with tempfile.TemporaryDirectory() as folder, _cache(folder):
        began = time.perf_counter()
        try:
            Engine(Request(("payments",), block_size=block_size), _FirstRun()).run()
        except _MeasuredError:
            return time.perf_counter() - began
    raise RuntimeError("nothing could be measured from a cold cache; contend run --workload payments says why")


@contextmanager
def _cache(folder: str) -> Iterator[None]:
    before = os.environ.get(_CACHE_VARIABLE)
    os.environ[_CACHE_VARIABLE] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CACHE_VARIABLE]
        else:
            os.environ[_CACHE_VARIABLE] = before


def warm_seconds() -> float:
    """Time of ``contend run`` on one small cell, from starting the interpreter to its end.

    Returns
    -------
    float
        Seconds, the median of three.
    """
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "contend",
                "run",
                "--isolated",
                "--workload",
                "payments",
                "--strategy",
                "block_stm",
            ]
            command += ["--workers", "2", "--block-size", "1000", "--repeat", "4", "--results", folder]
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - began)
    return float(np.median(times))


def print_findings(console: Console, results: list[GoalResult]) -> None:
    """Print goals beside what was measured."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("what")
    for heading in ("goal", "measured"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reached", no_wrap=True)
    for one in results:
        goal = f"{'at most' if one.at_most else 'at least'} {_figure(one.goal, one.unit)}"
        measured = "-" if one.measured is None else _figure(one.measured, one.unit)
        reached = Text("yes", style="green") if one.reached else Text("no", style="bold red")
        table.add_row(one.what, goal, f"{measured} {one.interval}".strip(), reached)
    console.print(table)
    for one in results:
        if one.error is not None:
            console.print(f"{one.what}: {one.error}", markup=False, highlight=False)


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit == "tx/s" else f"{value:.2f} {unit}"


@click.command("goals")
@request_options("block_size", "repeat", settings=False)
def command(asked: Asked) -> None:
    """Measure what Contend itself has to reach, and print it beside the goals."""
    with bad_input(), interruptible():
        request = asked.request()
        with display(quiet=False) as observer:
            found = list(findings(observer, request.block_size, request.repeat))
        found += program_findings(race.ROUNDS)
        print_findings(Console(), found)


if __name__ == "__main__":
    command()
