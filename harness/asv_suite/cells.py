"""Seconds a block, and aborts a transaction, of every strategy on every workload, on this machine's cores.

The cells are measured once, together, by the same interleaved and verified runs as ``contend run``; the benchmarks look
their figures up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import contend
from contend.harness.record.content.execution_counts import stale
from contend.strategies import registry as strategies

# Relative: asv imports the folder under a name of its own.
from .settings import SETTINGS

Key = tuple[str, str, int]


@dataclass(frozen=True)
class Measured:
    """One cell.

    Attributes
    ----------
    seconds : tuple of float
        Raw samples, seconds a block; empty if the cell failed.
    transactions : int
        In the block.
    counters : tuple of dict
        What the strategy counted, in the same runs.
    error : str or None
        Why the cell failed, with the first differences from the serial result.
    """

    seconds: tuple[float, ...]
    transactions: int
    counters: tuple[dict[str, float], ...]
    error: str | None


class WrongResultError(RuntimeError):
    """A run failed, or its result differs from the serial one: there is no figure."""


def measure(**request: Any) -> dict[Key, Measured]:
    """Measure cells by `contend.run`.

    Parameters
    ----------
    **request
        As for `contend.run`.

    Returns
    -------
    dict
        By strategy, workload and workers; failed cells included.
    """
    frame = contend.run(**request)
    cells = {}
    for row in frame.to_dict("records"):
        failed = not row["verified"]
        cells[row["strategy"], row["workload"], int(row["workers"])] = Measured(
            seconds=() if failed else tuple(row["samples_seconds"]),
            transactions=0 if failed else int(row["transactions"]),
            counters=() if failed else tuple(sample["counters"] for sample in row["samples"]),
            error="; ".join([row["error"], *row["differences"]]) if failed else None,
        )
    return cells


def verified(cells: dict[Key, Measured], strategy: str, workload: str, workers: int) -> Measured:
    """Look up a cell that counts.

    Raises
    ------
    WrongResultError
        If the cell failed or is missing: asv then reports a failure and keeps no figure.
    """
    cell = cells.get((strategy, workload, workers))
    if cell is None:
        raise WrongResultError(f"{strategy} on {workload} with {workers} workers was not measured")
    if cell.error is not None:
        raise WrongResultError(cell.error)
    return cell


def not_applicable(clock: str, counts: Iterable[int]) -> list[tuple[str, str, int]]:
    """Name the cells that do not exist.

    Parameters
    ----------
    clock : str
        ``wall`` or ``virtual``.
    counts : iterable of int
        Worker counts of the suite.

    Returns
    -------
    list of tuple
        Strategy, workload and workers: a strategy that is not parallel has one worker, and one that does not run under
        the clock has no cell.
    """
    kinds = {name: strategies.get(name) for name in SETTINGS.strategies}
    return [
        (name, workload, workers)
        for name, kind in kinds.items()
        for workload in SETTINGS.workloads
        for workers in counts
        if clock not in kind.clocks or (workers > 1 and not kind.parallel)
    ]


def aborts_per_transaction(cell: Measured) -> list[float]:
    """Give every run's aborts and repairs over the transactions of the block; nothing for a strategy without them.

    Both, as ever since there is a history: `repairs` were `aborts` before they had a name of their own.
    """
    counted = [counters for counters in cell.counters if "aborts" in counters or "repairs" in counters]
    return [stale(counters) / cell.transactions for counters in counted]


class Cells:
    """Base of the benchmarks over cells: their parameters, and one measurement of all cells."""

    version = SETTINGS.version
    params: ClassVar = (SETTINGS.strategies, SETTINGS.workloads, SETTINGS.workers)
    param_names: ClassVar = ("strategy", "workload", "workers")
    skip_params: ClassVar = not_applicable("wall", SETTINGS.workers)

    def setup_cache(self) -> dict[Key, Measured]:
        """Measure every cell; asv calls this once, however many benchmarks look figures up."""
        return measure(
            workloads=SETTINGS.workloads,
            strategies=[name for name in SETTINGS.strategies if "wall" in strategies.get(name).clocks],
            workers=SETTINGS.workers,
            block_size=SETTINGS.block_size,
            repeat=SETTINGS.rounds,
        )

    # Seconds; the first measurement on a cold cache compiles every kernel.
    setup_cache.timeout = 1_800  # type: ignore[attr-defined]  # asv's way to give it


class Seconds(Cells):
    """Time of a block, all phases."""

    unit = "seconds"

    def track_block(
        self, cells: dict[Key, Measured], strategy: str, workload: str, workers: int
    ) -> dict[str, int | list[float]]:
        """Give every sample; asv takes their median and interval itself."""
        return {"samples": list(verified(cells, strategy, workload, workers).seconds), "number": 1}


class Aborts(Cells):
    """Aborts a transaction: wasted work."""

    unit = "aborts per transaction"

    def track_aborts(
        self, cells: dict[Key, Measured], strategy: str, workload: str, workers: int
    ) -> dict[str, int | list[float]] | float:
        """Give every run's count, since aborts of real threads vary by chance (`virtual.VirtualAborts` is exact)."""
        samples = aborts_per_transaction(verified(cells, strategy, workload, workers))
        return {"samples": samples, "number": 1} if samples else math.nan
