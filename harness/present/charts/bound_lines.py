"""Bound lines: what no contender of a panel can beat, and what guides the eye beside it.

Who waits for what he reads is held against the critical path, and what a list schedule reaches that knows all of it.
Who has the values that transactions read waits for nobody: his bound is that of independent transactions. A panel has
the lines of those who are in it, and none that lies on another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contend.harness.plan.resolve import LIMIT
from contend.harness.present.charts.palette import GUIDE, INK

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas

BOUND = "bound"
COMMUTATIVE = "bound, if credits commute"
WITH_VALUES = "bound, with the values"
WITHOUT_VALUES = "bound, without the values"
SCHEDULE = "list schedule"
_VISIBLE = 0.02
_LOOKS: dict[str, dict[str, Any]] = {
    BOUND: {"color": INK, "linestyle": "-", "linewidth": 1.4},
    WITHOUT_VALUES: {"color": INK, "linestyle": "-", "linewidth": 1.4},
    COMMUTATIVE: {"color": INK, "linestyle": ":", "linewidth": 1.4},
    WITH_VALUES: {"color": INK, "linestyle": (0, (6, 1.5)), "linewidth": 1.4},
    SCHEDULE: {"color": INK, "linestyle": "-.", "linewidth": 1.0},
    LIMIT: {"color": GUIDE, "linestyle": (0, (2, 1)), "linewidth": 1.6},
}


@dataclass(frozen=True)
class BoundLine:
    """A line of a panel.

    Attributes
    ----------
    name : str
    values : Series
        By what the panel has across.
    """

    name: str
    values: pandas.Series[float]

    @property
    def look(self) -> dict[str, Any]:
        """Look of the line; a single value is a mark."""
        look = _LOOKS[self.name]
        mark = {"marker": "_", "markersize": 16, "markeredgewidth": look["linewidth"]} if len(self.values) == 1 else {}
        return look | mark


def bound_lines(part: pandas.DataFrame, across: str) -> Iterator[BoundLine]:
    """Lines of the contenders of a panel.

    Parameters
    ----------
    part : DataFrame
        Cells of one workload and one role, those of the baseline left out.
    across : str
        Column of what the panel has across.
    """
    values = uses_values(part)
    waiting = part[~values]
    bound = _by(waiting, across, "bound_speedup")
    if len(waiting):
        for name, line in (
            # Beside somebody who has the values and may pass it, it says whose it is.
            (WITHOUT_VALUES if values.any() else BOUND, bound),
            (COMMUTATIVE, _by(waiting, across, "bound_speedup_commutative")),
            (SCHEDULE, _by(waiting, across, "list_schedule_speedup")),
        ):
            if len(line) and (line is bound or _differs(line, bound)):
                yield BoundLine(name, line)
    valued = _by(part[values], across, "role_bound_speedup")
    if len(valued) and _differs(valued, bound):
        yield BoundLine(WITH_VALUES, valued)
    limit = _by(part, across, "limit")
    if len(limit):
        yield BoundLine(LIMIT, limit)


def uses_values(cells: pandas.DataFrame) -> pandas.Series[bool]:
    """Which cells are of contenders that have the values which transactions read."""
    if "uses_values" not in cells:
        return cells["workers"] < 0
    return cells["uses_values"].fillna(value=False).astype(bool)


def _by(part: pandas.DataFrame, across: str, column: str) -> pandas.Series[float]:
    found = part[column] if column in part else part["workers"].map(lambda _: float("nan"))
    return found.astype(float).groupby(part[across]).max().dropna()


def _differs(line: pandas.Series[float], bound: pandas.Series[float]) -> bool:
    """Whether a line can be told from the bound anywhere."""
    beside = bound.reindex(line.index)
    return bool((beside.isna() | ((line / beside - 1).abs() > _VISIBLE)).any())
