"""Spread over blocks: what each contender reaches over several real blocks, each of which was measured by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

Cell = Mapping[str, Any]
_PREFIX = "replay:"
_BASELINE = "serial"


@dataclass(frozen=True)
class Spread:
    """Speed-ups of one contender over blocks.

    Attributes
    ----------
    strategy : str
    workers : int
    by_block : dict
        Speed-up by name of the block.
    whole : float
        Serial time of all blocks over this contender's, so that long blocks count for more.
    """

    strategy: str
    workers: int
    by_block: dict[str, float]
    whole: float

    @property
    def middle(self) -> float:
        """Median over blocks."""
        return median(self.by_block.values())

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which the middle half of the blocks lies."""
        values = list(self.by_block.values())
        low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
        return low, high

    @property
    def ends(self) -> tuple[str, str]:
        """Names of the blocks with the least and the largest speed-up."""
        return min(self.by_block, key=self.by_block.__getitem__), max(self.by_block, key=self.by_block.__getitem__)


def spreads(cells: Sequence[Cell]) -> list[Spread]:
    """Spread of each contender over the blocks on which it was measured, serial runs left out; empty for one block."""
    found: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        of_block = cell["workload"].startswith(_PREFIX) and "file" in cell["dials"]
        if of_block and cell["speedup"] and cell["tx_per_second"] and cell["strategy"] != _BASELINE:
            found.setdefault((cell["strategy"], cell["workers"]), []).append(cell)
    return [_spread(key, own) for key, own in found.items() if len({cell["dials"]["file"] for cell in own}) > 1]


def _spread(key: tuple[str, int], cells: Sequence[Cell]) -> Spread:
    names = [cell["workload"].removeprefix(_PREFIX) for cell in cells]
    if len(set(names)) < len(names):
        names = [cell["dials"]["file"] for cell in cells]
    ratios = [float(cell["speedup"]["median"]) for cell in cells]
    seconds = [cell["transactions"] / cell["tx_per_second"] for cell in cells]
    whole = sum(ratio * own for ratio, own in zip(ratios, seconds, strict=True)) / sum(seconds)
    return Spread(*key, dict(zip(names, ratios, strict=True)), whole)
