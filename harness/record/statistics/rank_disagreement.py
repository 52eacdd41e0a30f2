"""Rank disagreement: two cells whose order by median throughput is not their order by paired speed-up.

Both figures are of the same runs. A median of seconds is over all rounds, whatever the machine did in each; a speed-up
is the median over rounds of a ratio within a round. Where the machine's speed changed between rounds, or runs of one
process are slower than those of another, the two medians fall on different rounds, and can put two cells that are close
to each other in different orders. Neither is a mistake, but who sees bars in one order and speed-ups in the other has
to be told, and what decides is the paired ratio of the two themselves.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from contend.harness.record.content.cell_facts import role_in
from contend.harness.record.statistics.paired import Cell, PairedRatio, ratio_between, setting_of
from contend.harness.record.statistics.paired_verdict import ends, times

VISIBLE = 0.01
"""Share by which both figures must differ: nobody sees less in a bar or in two decimals."""

WHY = (
    "a speed-up compares runs of one round, a median is over all rounds, and the machine was not equally fast in all "
    "of them"
)


@dataclass(frozen=True)
class RankDisagreement:
    """Two cells of one workload: by bars `ahead` leads, by paired speed-ups `behind` does.

    Attributes
    ----------
    ahead, behind : mapping
        Cells, with ``strategy``, ``workers``, ``tx_per_second`` and ``speedup``.
    ahead_speedup, behind_speedup : float
        Medians of the paired ratio to serial.
    ratio : PairedRatio or None
        Of `ahead` to `behind`, from runs of one round; None where they have none in common.
    """

    ahead: Cell
    behind: Cell
    ahead_speedup: float
    behind_speedup: float
    ratio: PairedRatio | None = None

    @property
    def workload(self) -> str:
        """Name of the workload."""
        return str(self.ahead["workload"])

    @property
    def fact(self) -> str:
        """What disagrees, without the reason and without a full stop."""
        first, second = (f"{cell['strategy']} x{cell['workers']}" for cell in (self.ahead, self.behind))
        bars = f"{self.ahead['tx_per_second']:,.0f} to {self.behind['tx_per_second']:,.0f}"
        text = (
            f"{first} leads {second} by median tx/s ({bars}) and trails it by paired speed-up "
            f"({self.ahead_speedup:.2f} to {self.behind_speedup:.2f})"
        )
        if self.ratio is None:
            return text
        return f"{text}; run beside run it is {times(self.ratio.ratio.median)} times as fast {ends(self.ratio.ratio)}"

    @property
    def sentence(self) -> str:
        """The fact with its reason, without a full stop."""
        return f"{self.workload}: {self.fact}: {WHY}"


def rank_disagreements(cells: Iterable[Cell], visible: float = VISIBLE) -> list[RankDisagreement]:
    """Find pairs of cells that bars and paired speed-ups put in different orders.

    Parameters
    ----------
    cells : iterable of mapping
        Of a record, or rows of its frame; cells without figures are left out, and so are simulated ones, of which one
        run gives both figures.
    visible : float
        Share by which both figures must differ.

    Returns
    -------
    list of RankDisagreement
        The most visible first.
    """
    groups: dict[Hashable, list[tuple[Cell, float]]] = {}
    for cell in cells:
        ratio = _speedup(cell)
        if ratio is not None and cell["tx_per_second"] and not cell.get("simulated"):
            # Whoever knows more is in no ranking with those who know less.
            groups.setdefault((setting_of(cell), role_in(cell)), []).append((cell, ratio))
    found = []
    for group in groups.values():
        for (one, one_speedup), (other, other_speedup) in combinations(group, 2):
            bars = one["tx_per_second"] / other["tx_per_second"]
            ratio = one_speedup / other_speedup
            least = 1.0 + visible
            if bars > least and ratio < 1.0 / least:
                found.append(RankDisagreement(one, other, one_speedup, other_speedup, ratio_between(one, other)))
            elif bars < 1.0 / least and ratio > least:
                found.append(RankDisagreement(other, one, other_speedup, one_speedup, ratio_between(other, one)))
    return sorted(found, key=_visibility, reverse=True)


def _visibility(found: RankDisagreement) -> float:
    bars = found.ahead["tx_per_second"] / found.behind["tx_per_second"]
    return float(min(bars, found.behind_speedup / found.ahead_speedup))


def _speedup(cell: Cell) -> float | None:
    """Median speed-up over serial of a record's cell, or of a frame's row."""
    value: Any = cell["speedup"]
    if isinstance(value, Mapping):
        value = value["median"]
    return None if value is None or value != value else float(value)
