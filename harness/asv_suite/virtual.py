"""The same figures under the virtual clock: simulated workers, exact, the same on every machine.

One run of a cell is all of them, so these figures have no interval: any difference between two commits is a difference
of the code (or of the cost table, which is code as well).
"""

from __future__ import annotations

import math
from typing import ClassVar

from contend.strategies import registry as strategies

# Relative: asv imports the folder under a name of its own.
from .cells import Key, Measured, aborts_per_transaction, measure, not_applicable, verified
from .settings import SETTINGS


class VirtualCells:
    """Base of the benchmarks over simulated cells.

    Not a kind of `cells.Cells`: asv knows a `setup_cache` by its source line and would run an inherited one only once.
    """

    version = SETTINGS.version
    params: ClassVar = (SETTINGS.strategies, SETTINGS.workloads, SETTINGS.virtual_workers)
    param_names: ClassVar = ("strategy", "workload", "workers")
    skip_params: ClassVar = not_applicable("virtual", SETTINGS.virtual_workers)

    def setup_cache(self) -> dict[Key, Measured]:
        """Simulate every cell once."""
        return measure(
            workloads=SETTINGS.workloads,
            strategies=[name for name in SETTINGS.strategies if "virtual" in strategies.get(name).clocks],
            workers=SETTINGS.virtual_workers,
            block_size=SETTINGS.block_size,
            clock="virtual",
        )

    # Seconds; the first measurement on a cold cache compiles every kernel.
    setup_cache.timeout = 1_800  # type: ignore[attr-defined]  # asv's way to give it


class VirtualSeconds(VirtualCells):
    """Simulated time of a block, all phases."""

    unit = "seconds"

    def track_block(self, cells: dict[Key, Measured], strategy: str, workload: str, workers: int) -> float:
        """Give the time, which is exact; asv takes a figure without samples as it is."""
        (seconds,) = verified(cells, strategy, workload, workers).seconds
        return seconds


class VirtualAborts(VirtualCells):
    """Work wasted by simulated workers."""

    unit = "aborts per transaction"

    def track_aborts(self, cells: dict[Key, Measured], strategy: str, workload: str, workers: int) -> float:
        """Give the count, which is exact; NaN for a strategy that cannot abort."""
        counts = aborts_per_transaction(verified(cells, strategy, workload, workers))
        return counts[0] if counts else math.nan
