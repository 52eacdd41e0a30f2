"""Peak memory, by strategy and workload."""

from __future__ import annotations

import resource
import sys
from typing import ClassVar

from contend.harness.bench.bench import Bench
from contend.harness.kernels import compile_lock
from contend.harness.plan.resolve import CellKey, WorkloadPlan, resolve_dials
from contend.strategies import registry as strategies
from contend.workloads import registry as workloads

# Relative: asv imports the folder under a name of its own.
from .cells import measure
from .settings import SETTINGS

WORKERS = 2
# What `ru_maxrss` counts in.
_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


class PeakMemory:
    """Memory of a process that executes a block, its interpreter and libraries included."""

    version = SETTINGS.version
    params: ClassVar = (SETTINGS.strategies, SETTINGS.workloads)
    param_names: ClassVar = ("strategy", "workload")
    unit = "bytes"

    def setup_cache(self) -> None:
        """Have every kernel compiled, in processes of their own: the compiler would be most of the memory."""
        measure(
            workloads="payments", strategies=SETTINGS.strategies, workers=WORKERS, block_size=64, repeat=1, processes=1
        )

    # Seconds, on a cold cache.
    setup_cache.timeout = 1_800  # type: ignore[attr-defined]  # asv's way to give it

    def track_resident(self, strategy: str, workload: str) -> int:
        """Give the largest resident set of this process, and of the largest process that the strategy started.

        The run is verified as any other; `harness.bench.bench.RunError` ends the benchmark if it is wrong.
        """
        bench = Bench(strategies.get, workloads.get, compile_lock)
        try:
            bench.prepare(WorkloadPlan(workload, resolve_dials(workload, {})), 1, SETTINGS.block_size)
            bench.warm_up(CellKey(strategy, WORKERS))
        finally:
            # A child counts once it has ended.
            bench.close()
        own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return (own + children) * _UNIT_BYTES
