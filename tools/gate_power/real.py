"""Real comparisons of this tree with itself: as it is, with a fault planted in B, and with one planted in a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contend.harness.compare.checkout import ROOT
from contend.harness.compare.exit_policy import SLOWER
from contend.harness.compare.result import Comparison
from contend.harness.compare.runner import VersionComparison
from contend.harness.compare.targets import Checkout
from contend.harness.compare.verdict import Rule
from contend.harness.measure.executor import Executor, LocalExecutor
from contend.harness.measure.version import Version
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from tools.gate_power.planted import DELAYED, WASTEFUL


@dataclass(frozen=True)
class Scale:
    """Size of a real comparison.

    Attributes
    ----------
    workload : str
    block_size : int
    repeat : int
        Pairs of runs of each cell.
    workers : tuple of int
    """

    workload: str = "payments"
    block_size: int = 2_000
    repeat: int = 20
    workers: tuple[int, ...] = (1, 2)


def timed(a: Path, b: Path, scale: Scale, rule: Rule, observer: Observer, second: Path | None = None) -> Comparison:
    """Compare in real time, with a null run: the serial baseline, and Block-STM with the delay of each side's plug-in.

    Parameters
    ----------
    a, b : Path
        Folders that `planted.write_plugin` has filled.
    second : Path, optional
        Another such folder, of whatever is in the second place of a pair of processes.
    """
    request = Request(
        (scale.workload,), ("serial", DELAYED), scale.workers, block_size=scale.block_size, repeat=scale.repeat
    )
    return _compare(a, b, request, rule, observer, LocalExecutor if second is None else _biased({a, b}, second))


def _biased(plain: set[Path], second: Path) -> Callable[..., Executor]:
    """An executor by which the second place of each pair of processes has another plug-in, whoever is there."""

    def executor(request: Request, observer: Observer, versions: Sequence[Version], first: int) -> Executor:
        replaced = {str(path): str(second) for path in plain}
        slowed = [replace(one, paths=tuple(replaced.get(path, path) for path in one.paths)) for one in versions]
        placed = [(slowed if place % 2 else versions)[place] for place in range(len(versions))]
        return LocalExecutor(request, observer, placed, first)

    return executor


def simulated(a: Path, b: Path, scale: Scale, rule: Rule, observer: Observer) -> Comparison:
    """Compare in simulated time: Block-STM with the aborts of each side's plug-in."""
    request = Request(
        (scale.workload,), (WASTEFUL,), scale.workers, block_size=scale.block_size, clock="virtual", processes=1
    )
    return _compare(a, b, request, rule, observer)


def _compare(
    a: Path,
    b: Path,
    request: Request,
    rule: Rule,
    observer: Observer,
    executor: Callable[..., Executor] = LocalExecutor,
) -> Comparison:
    sides = (Checkout("A", ROOT, (a,)), Checkout("B", ROOT, (b,)))
    versions = VersionComparison(*sides, request, rule, frozenset({SLOWER}), null=True, executor=executor)
    return versions.run(observer)
