"""Warnings: reasons to doubt the figures of a cell, from its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contend.harness.plan.resolve import BASELINE
from contend.harness.record import statistics
from contend.harness.record.sample import OWN_ORDER_FAILED

BEYOND = "beyond the bound"
OVERSUBSCRIBED = "more workers than cores"
OUTSIDE = "work outside the phases"
QUICK = "quick"
OWN_FAILURES = "its own order makes transactions fail"
MOSTLY_FAILED = "most transactions fail"
"""Begin of the warning about cells of blocks of which more than half fail: their speed-ups are of failing."""
SHARED_MACHINE = "another wall-clock run at the same time"
MISLEADING = (BEYOND, OVERSUBSCRIBED, OUTSIDE, OWN_FAILURES)
"""Begins of warnings about cells whose speed-up is not the strategy's doing: nobody should choose by it."""

_BUSY_SHARE = 0.9
# A speed-up may pass its bound by so much before it is told. The bound is of whole transactions, as a serial run
# executes them: who shows writes before the receipt, waits at a read, or reads cheaper than from the state can be a
# little above it (`analysis.version_path`); and by the wall clock, the cost table's error has to be allowed for.
_MARGIN = 0.25
# Reading the changes off the state for the oracle takes up to half as long as a block; more than that is work.
_PHASES_SHARE, _NOTICED_SECONDS = 1 / 3, 0.01
_MANY_FAILING, _MORE_FAILING = 0.5, 0.05


def about(
    cell: Mapping[str, Any],
    seconds: Sequence[statistics.Samples],
    speedup: statistics.Interval,
    bound: float | None,
    counters: Mapping[str, float],
    cores: int | None,
) -> list[str]:
    """List what to know before the figures of a cell are believed.

    Parameters
    ----------
    cell : mapping
        With ``samples``, of which there is one at least.
    seconds : sequence of ndarray, each shape (rounds,)
        Of its runs, by process.
    speedup : Interval
    bound : float or None
        The best conceivable speed-up with the cell's workers, where it is known.
    counters : mapping
        Of the median run.
    cores : int or None
        That the run could use, where that is known.

    Returns
    -------
    list of str
        Sentences without a full stop.
    """
    simulated = bool(cell.get("simulated"))
    found = [] if simulated else _of_time(cell, seconds, cores)
    if bound is not None and speedup.low > bound * (1.0 + _MARGIN):
        found.append(f"{BEYOND}: {speedup.median / bound:.0%} of it; work that is not measured, or an order of its own")
    if cell.get("quick"):
        found.append(
            f"{QUICK}: a first look (--quick) at smaller blocks or in fewer runs; a full run may say otherwise"
        )
    return found + _of_failures(cell, counters)


def _of_time(cell: Mapping[str, Any], seconds: Sequence[statistics.Samples], cores: int | None) -> list[str]:
    """Of real time, and the machine that it was measured on."""
    samples, found = cell["samples"], statistics.warnings(seconds)
    if cores is not None and cell["workers"] > cores:
        found.append(f"{OVERSUBSCRIBED}: {cell['workers']} on {cores}")
    outside = float(np.median([sample["wall_seconds"] - sample["seconds"] for sample in samples]))
    inside = float(np.median([sample["seconds"] / sample["wall_seconds"] for sample in samples]))
    if outside > _NOTICED_SECONDS and inside < _PHASES_SHARE:
        found.append(f"{OUTSIDE}: they hold {inside:.0%} of the call's time")
    if cell["strategy"] == BASELINE:
        share = float(np.median([sample["cpu_seconds"] / sample["wall_seconds"] for sample in samples]))
        if share < _BUSY_SHARE:
            found.append(f"busy machine: one worker that never waits got {share:.0%} of a core")
    if cell.get("other_runs"):
        found.append(f"{SHARED_MACHINE}: each took time from the other")
    if len(samples) < cell["repeat"]:
        found.append(f"interrupted after {len(samples)} of {cell['repeat']} runs")
    return found


def _of_failures(cell: Mapping[str, Any], counters: Mapping[str, float]) -> list[str]:
    """Transactions that fail are cheap."""
    count, failed = cell["transactions"], cell.get("failed_transactions") or 0
    own = counters.get(OWN_ORDER_FAILED)
    if own is not None and own > failed + _MORE_FAILING * count:
        return [f"{OWN_FAILURES}: {own:,} of {count:,}, the block's {failed:,}"]
    return [f"{MOSTLY_FAILED}: {failed:,} of {count:,}"] if mostly_failed(cell) else []


def mostly_failed(cell: Mapping[str, Any]) -> bool:
    """Whether more than half of the transactions of a cell's block fail, as its receipts say."""
    failed, count = cell.get("failed_transactions"), cell.get("transactions")
    return bool(failed and count and failed > _MANY_FAILING * count)
