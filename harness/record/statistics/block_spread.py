"""Spread over blocks: what each contender reaches over several real blocks, each of which was measured by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

Cell = Mapping[str, Any]
REPLAY = "replay"
_PREFIX = f"{REPLAY}:"
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


@dataclass(frozen=True)
class _Reached:
    """What one contender reached on one block."""

    workload: str
    file: str
    ratio: float
    seconds: float


def spreads(cells: Iterable[Cell]) -> list[Spread]:
    """Spread of each contender over the blocks on which it was measured, serial runs left out; empty for one block.

    Parameters
    ----------
    cells : iterable of mapping
        Of a record.
    """
    return _spreads(
        ((cell["strategy"], cell["workers"]), cell["workload"], cell["dials"].get("file"), _reached(cell))
        for cell in cells
    )


def spreads_of(frame: pandas.DataFrame) -> list[Spread]:
    """The same of cells as `contend.load` gives them."""
    if "dial.file" not in frame:
        return []
    known = frame[frame["verified"] & frame["speedup"].notna() & frame["dial.file"].notna()]
    return _spreads(
        (
            (str(row["strategy"]), int(row["workers"])),
            str(row["workload"]),
            str(row["dial.file"]),
            (float(row["speedup"]), float(row["seconds"])),
        )
        for row in known.to_dict("records")
    )


def is_block(workload: str) -> bool:
    """Whether a workload is a block of a file, whose size and dials nobody chose."""
    return workload.startswith(_PREFIX)


def _reached(cell: Cell) -> tuple[float, float] | None:
    """Speed-up and seconds of a cell; None where it has none."""
    if not cell["speedup"] or not cell["tx_per_second"]:
        return None
    return float(cell["speedup"]["median"]), cell["transactions"] / cell["tx_per_second"]


def _spreads(rows: Iterable[tuple[tuple[str, int], str, str | None, tuple[float, float] | None]]) -> list[Spread]:
    found: dict[tuple[str, int], list[_Reached]] = {}
    for key, workload, file, reached in rows:
        if is_block(workload) and file is not None and reached is not None and key[0] != _BASELINE:
            found.setdefault(key, []).append(_Reached(workload, file, *reached))
    return [_spread(key, own) for key, own in found.items() if len({one.file for one in own}) > 1]


def _spread(key: tuple[str, int], own: Sequence[_Reached]) -> Spread:
    names = [one.workload.removeprefix(_PREFIX) for one in own]
    if len(set(names)) < len(names):
        names = [one.file for one in own]
    whole = sum(one.ratio * one.seconds for one in own) / sum(one.seconds for one in own)
    return Spread(*key, {name: one.ratio for name, one in zip(names, own, strict=True)}, whole)
