"""A planned strategy that plans only every other transaction, and leaves the rest to be executed after the plan."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.plugin import Hints, Plan, PlannedStrategy


class HalfPlan(PlannedStrategy):
    """Every other transaction, shared out over the workers in turn."""

    name: ClassVar[str] = "half_plan"
    summary: ClassVar[str] = "every other transaction by plan"

    def plan(self, hints: Hints, workers: int) -> Plan:
        """One lane a worker."""
        return Plan(lanes=[np.arange(2 * lane, len(hints), 2 * workers) for lane in range(workers)])
