"""Static partition: groups of transactions that do not touch each other, each group executed in order by one worker.

The conflict graph that the hints give falls into connected components; components are packed onto workers by
estimated gas, the largest first. What the hints missed is found and repaired by the engine of planned strategies.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.strategies.hints.predicted_sets import Hints
from contend.strategies.planned.engine import PlannedStrategy
from contend.strategies.planned.plan import Plan, pack_longest_first


class StaticPartition(PlannedStrategy):
    """Components of the conflict graph, packed onto workers before execution."""

    name: ClassVar[str] = "static_partition"
    summary: ClassVar[str] = "components of the hinted conflict graph, packed onto workers, validated and repaired"

    def plan(self, hints: Hints, workers: int) -> Plan:
        """One lane a worker, in block order."""
        _, members = np.unique(hints.components(), return_inverse=True)
        gas = np.bincount(members, weights=hints.costs).astype(np.int64)
        lane_of = pack_longest_first(gas, workers)[members]
        return Plan(lanes=[np.flatnonzero(lane_of == lane) for lane in range(workers)])
