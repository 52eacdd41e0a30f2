"""Role parts: cells of each role by themselves, each with the baseline, so that no chart ranks two roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contend.harness.plan.resolve import BASELINE
from contend.harness.record.content.cell_facts import BUILDER, CEILING, MEANING, VALIDATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas

    from contend.harness.present.charts.chart import Chart

_TITLES = {BUILDER: "builders", VALIDATOR: "validators", CEILING: "ceilings, ranked nowhere"}


@dataclass(frozen=True)
class RolePart:
    """Cells of one role, with those of the baseline.

    Attributes
    ----------
    role : str
    cells : DataFrame
    named : bool
        Whether titles say the role: where there are others, or it is not the builder's.
    """

    role: str
    cells: pandas.DataFrame
    named: bool

    @property
    def suffix(self) -> str:
        """Ending of file names: none for builders."""
        return "" if self.role == BUILDER else f"-{self.role}"

    @property
    def title(self) -> str:
        """Those who have the role, in a word or two."""
        return _TITLES[self.role]

    def titled(self, title: str) -> str:
        """A title with the role, where that has to be said."""
        return f"{title}: {self.title}" if self.named else title

    @property
    def meaning(self) -> str:
        """Who has the role, in words, where that has to be said."""
        return f"{self.role}: {MEANING[self.role]}" if self.named else ""

    def name(self, chart: Chart) -> None:
        """Say in a chart's head whom it is about."""
        chart.title = self.titled(chart.title)
        chart.subtitle = "; ".join(filter(None, (chart.subtitle, self.meaning)))


def role_parts(cells: pandas.DataFrame, baseline: str = BASELINE) -> Iterator[RolePart]:
    """Parts of cells, builders first; one part where nobody says what was given.

    Parameters
    ----------
    cells : DataFrame
    baseline : str, optional
        What the cells are held against beside serial: it is in each part.
    """
    if "role" not in cells:
        yield RolePart(BUILDER, cells, named=False)
        return
    common = cells["strategy"].isin([BASELINE, baseline])
    roles = [role for role in MEANING if (~common & (cells["role"] == role)).any()]
    for role in roles or [BUILDER]:
        named = len(roles) > 1 or role != BUILDER
        yield RolePart(role, cells[common | (cells["role"] == role)] if roles else cells, named)
