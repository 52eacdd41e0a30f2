"""The race: each program here and on revm in turns, the ratio of each, and their geometric mean.

A ratio is revm's time over ours, the median over rounds; in a round both run, one right after the other, and who is
first changes from round to round. Times are processor time of the thread (`tools.programs.machines` says of what).
A program that takes revm less than `SHORTEST` measures Python's call more than the machine: it is shown, and is in no
mean.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tools.middle_half import middle_half
from tools.programs.machines import Here, Machine, OnRevm
from tools.programs.program_files import SUITES, Program, data_folder, programs_of

ROUNDS = 31
SHORTEST = 50e-6
LEAST_GOAL, MEAN_GOAL = 1.0, 1.7


class DifferenceError(Exception):
    """The two did not do the same, so that their times say nothing."""


@dataclass(frozen=True)
class Pace:
    """How fast a program ran on both.

    Attributes
    ----------
    suite, name : str
    here, revm : tuple of float
        Seconds of each round; those of a round are a pair.
    """

    suite: str
    name: str
    here: tuple[float, ...]
    revm: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """How many times as fast it is here, by round, the least first."""
        return sorted(theirs / ours for ours, theirs in zip(self.here, self.revm, strict=True))

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which the middle half of the rounds lies."""
        return middle_half(self.ratios)

    @property
    def counts(self) -> bool:
        """Whether it is long enough to say something of the machines."""
        return statistics.median(self.revm) >= SHORTEST


def race(program: Program, here: Machine, revm: Machine, rounds: int) -> Pace:
    """Run a program on both in turns.

    Raises
    ------
    DifferenceError
        If success, gas or output are not the same on both.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            times[side].append((here, revm)[side].run())
        ours, theirs = here.result(), revm.result()
        if ours != theirs:
            raise DifferenceError(f"{program.name}: {ours} here, {theirs} on revm")
    return Pace(program.suite, program.name, tuple(times[0]), tuple(times[1]))


def missing() -> str | None:
    """Why there can be no race; None where there can."""
    absent = [suite for suite in SUITES if not (data_folder() / suite).is_dir()]
    if absent:
        return f"programs skipped: {', '.join(absent)} not in $CONTEND_DATA_DIR nor in shared/data beside the checkout"
    try:
        import pyrevm  # noqa: F401  # whether it is there
    except ImportError:
        return "programs skipped: pyrevm is not installed (make develop)"
    return None


def paces(rounds: int = ROUNDS) -> Iterator[Pace]:
    """Race all programs of both suites.

    Yields
    ------
    Pace
    """
    for suite in SUITES:
        for program in programs_of(data_folder() / suite):
            yield race(program, Here(program), OnRevm(program), rounds)


def geometric_mean(found: list[Pace]) -> float:
    """Of the ratios of those that count."""
    return math.exp(statistics.fmean(math.log(pace.ratio) for pace in found if pace.counts))


def slowest(found: list[Pace]) -> Pace:
    """The program with the least ratio, among those that count."""
    return min((pace for pace in found if pace.counts), key=lambda pace: pace.ratio)


def print_paces(console: Console, found: list[Pace]) -> None:
    """Print the ratio of each, the means by suite and over all, and the slowest."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("program", no_wrap=True)
    for heading in ("here us", "revm us", "ratio", "quartiles"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pace in found:
        low, high = pace.quartiles
        times = [f"{1e6 * statistics.median(side):,.1f}" for side in (pace.here, pace.revm)]
        ratio = f"{pace.ratio:.2f}" if pace.counts else f"({pace.ratio:.2f})"
        table.add_row(pace.name, *times, ratio, f"{low:.2f}-{high:.2f}")
    console.print(table)
    suites = {pace.suite: [other for other in found if other.suite == pace.suite] for pace in found}
    for name, part in [*suites.items(), ("all", found)]:
        counted = [pace for pace in part if pace.counts]
        if counted:
            worst = slowest(counted)
            mean = geometric_mean(counted)
            line = f"{name}: {mean:.2f} in the geometric mean of {len(counted)}, least {worst.ratio:.2f} ({worst.name})"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"In brackets: less than {1e6 * SHORTEST:.0f} us on revm, in no mean.", highlight=False)


@click.command("programs")
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(min=2), help="Runs of each on both.")
def command(rounds: int) -> None:
    """Race public programs on this EVM and on revm, and print the ratio of each."""
    reason = missing()
    if reason is not None:
        click.echo(reason)
        return
    print_paces(Console(), list(paces(rounds)))


if __name__ == "__main__":
    command()
