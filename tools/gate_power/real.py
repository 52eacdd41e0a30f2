"""Real comparisons of this tree with itself, as it is and with a fault planted in B."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contend.harness.compare.checkout import ROOT
from contend.harness.compare.exit_policy import SLOWER
from contend.harness.compare.result import Comparison
from contend.harness.compare.runner import VersionComparison
from contend.harness.compare.targets import Checkout
from contend.harness.compare.verdict import Rule
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


def timed(a: Path, b: Path, scale: Scale, rule: Rule, observer: Observer) -> Comparison:
    """Compare in real time: the serial baseline, and Block-STM with the delay of each side's plug-in.

    Parameters
    ----------
    a, b : Path
        Folders that `planted.write_plugin` has filled.
    """
    request = Request(
        (scale.workload,), ("serial", DELAYED), scale.workers, block_size=scale.block_size, repeat=scale.repeat
    )
    return _compare(a, b, request, rule, observer)


def simulated(a: Path, b: Path, scale: Scale, rule: Rule, observer: Observer) -> Comparison:
    """Compare in simulated time: Block-STM with the aborts of each side's plug-in."""
    request = Request(
        (scale.workload,), (WASTEFUL,), scale.workers, block_size=scale.block_size, clock="virtual", processes=1
    )
    return _compare(a, b, request, rule, observer)


def _compare(a: Path, b: Path, request: Request, rule: Rule, observer: Observer) -> Comparison:
    sides = (Checkout("A", ROOT, (a,)), Checkout("B", ROOT, (b,)))
    return VersionComparison(*sides, request, rule, frozenset({SLOWER})).run(observer)
