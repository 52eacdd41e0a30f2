"""Seconds a block, and aborts a transaction, of every strategy on every workload.

The cells are measured once, together, by the same interleaved and verified runs as ``contend run``; the benchmarks look
their figures up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import harness
from strategies import registry as strategies
from workloads import registry as workloads

BLOCK_SIZE = 2_000
"""Transactions: enough that a block takes milliseconds, few enough that the suite takes a minute."""
REPEAT = 10
WORKERS = (1, 2)
"""Not the machine's cores: a history must have the same cells everywhere."""

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
    counters : dict
        What the strategy counted in its median run.
    error : str or None
        Why the cell failed, with the first differences from the serial result.
    """

    seconds: tuple[float, ...]
    transactions: int
    counters: dict[str, float]
    error: str | None


class WrongResultError(RuntimeError):
    """A run failed, or its result differs from the serial one: there is no figure."""


def measure(**request: Any) -> dict[Key, Measured]:
    """Measure cells by `harness.run`.

    Parameters
    ----------
    **request
        As for `harness.run`.

    Returns
    -------
    dict
        By strategy, workload and workers; failed cells included.
    """
    frame = harness.run(**request)
    counted = {column: column.removeprefix("count.") for column in frame.columns if column.startswith("count.")}
    cells = {}
    for row in frame.to_dict("records"):
        failed = not row["verified"]
        # A counter that another cell has and this one lacks is a NaN in the frame.
        counters = {name: row[column] for column, name in counted.items() if row[column] == row[column]}
        cells[row["strategy"], row["workload"], int(row["workers"])] = Measured(
            seconds=() if failed else tuple(row["samples_seconds"]),
            transactions=0 if failed else int(row["transactions"]),
            counters={} if failed else counters,
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


class Cells:
    """What the benchmarks over cells share: their parameters, and one measurement of all cells."""

    params: ClassVar = (strategies.names(), workloads.DEFAULT, WORKERS)
    param_names: ClassVar = ("strategy", "workload", "workers")
    # A strategy that is not parallel has one worker.
    skip_params: ClassVar = [
        (strategy, workload, workers)
        for strategy in strategies.names()
        if not strategies.get(strategy).parallel
        for workload in workloads.DEFAULT
        for workers in WORKERS
        if workers > 1
    ]

    def setup_cache(self) -> dict[Key, Measured]:
        """Measure every cell; asv calls this once, however many benchmarks look figures up."""
        return measure(workers=WORKERS, block_size=BLOCK_SIZE, repeat=REPEAT)

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
    """Work done in vain."""

    unit = "aborts per transaction"

    def track_aborts(self, cells: dict[Key, Measured], strategy: str, workload: str, workers: int) -> float:
        """Give the median run's count over the transactions of the block; NaN for a strategy that cannot abort."""
        cell = verified(cells, strategy, workload, workers)
        return cell.counters.get("aborts", math.nan) / cell.transactions
