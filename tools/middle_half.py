"""The middle half of some figures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def middle_half(figures: Sequence[float]) -> tuple[float, float]:
    """The quartiles between which the middle half of at least two figures lies."""
    low, _, high = statistics.quantiles(figures, n=4, method="inclusive")
    return low, high
