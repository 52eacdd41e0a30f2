"""Comparisons in Python: cells as a pandas DataFrame, with what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from contend.harness.compare.markdown import markdown, ratio_text, time_text
from contend.harness.compare.result import CellResult, Comparison, ordered, seconds
from contend.harness.present.notebook.html_table import html_table

if TYPE_CHECKING:
    import pandas

COLUMNS = {
    "workload": "name",
    "strategy": "name",
    "workers": "worker count",
    "clock": "`wall`, or `virtual` where time is simulated",
    "network": "simulated network; empty for none",
    "seed": "of the workload",
    "block_size": "transactions asked for",
    "block_count": "blocks in a row",
    "verdict": "`slower`, `faster`, `same`, `inconclusive`, `broken` (it fails in B only) or `not comparable`",
    "regression": "whether the comparison fails for it",
    "ratio": "B's seconds to A's; None where there is nothing to compare",
    "ratio_low": "lower end of its interval",
    "ratio_high": "upper end of its interval",
    "floor": "share below which no difference is claimed; 0 where time is simulated, None without a null run",
    "p_value": "probability of the pairs of processes where nothing differs; None where nothing was tested",
    "a_seconds": "median time of the block in A",
    "b_seconds": "median time of the block in B",
    "measurements": "independent measurements of the ratio",
    "counters": "of simulated runs: those that differ, each with both values, a mapping",
    "note": "what a reader should know; for a refused or broken cell, why",
    "dials": "value of every dial, a mapping",
}


@dataclass(frozen=True)
class ComparisonResult:
    """What `contend.compare` found.

    Attributes
    ----------
    cells : DataFrame
        One row a cell, the worst first; columns as in `contend.harness.compare.result_frame.COLUMNS`.
    verdicts : dict of str to int
        How many cells got each verdict.
    exit_code : int
        What ``contend compare`` ends with: 0 no regression, 1 regression, 3 nothing could be compared.
    summary : str
        The outcome in one line.
    notes : list of str
        About the whole.
    comparison : Comparison
        All of it, raw samples included; of strategies, a `StrategyComparison`.
    """

    cells: pandas.DataFrame
    verdicts: dict[str, int]
    exit_code: int
    summary: str
    notes: list[str]
    comparison: Any

    def as_json(self) -> dict[str, Any]:
        """Show it as ``contend compare --json`` writes it; ``comparison.schema.json`` says what is what."""
        shown: dict[str, Any] = self.comparison.as_json()
        return shown

    def markdown(self) -> str:
        """Show it as a comment for a pull request."""
        return markdown(self.comparison)

    def _repr_html_(self) -> str:
        """Show it in a notebook: the outcome, and the cells with their ratios first."""
        rows = [
            (
                str(cell.name),
                ratio_text(cell),
                cell.verdict.value,
                time_text(seconds(cell.a)),
                time_text(seconds(cell.b)),
                cell.note,
            )
            for cell in ordered(self.comparison.cells)
        ]
        table = html_table(("cell", "B / A", "verdict", "A", "B", "note"), rows)
        return f"<p>{'<br>'.join(map(escape, [self.summary, *self.notes]))}</p>{table}"


def result_of(comparison: Comparison) -> ComparisonResult:
    """Put a comparison into tables."""
    import pandas

    regressions = {id(cell) for cell in comparison.regressions}
    rows = [_row(cell, id(cell) in regressions) for cell in ordered(comparison.cells)]
    return ComparisonResult(
        cells=pandas.DataFrame(rows, columns=[*COLUMNS]),
        verdicts={verdict.value: count for verdict, count in comparison.counts.items()},
        exit_code=comparison.exit_code,
        summary=comparison.summary,
        notes=list(comparison.notes),
        comparison=comparison,
    )


def _row(cell: CellResult, regression: bool) -> dict[str, Any]:
    ratio = cell.ratio
    return {
        **cell.name.as_json(),
        "verdict": cell.verdict.value,
        "regression": regression,
        "ratio": ratio and ratio.median,
        "ratio_low": ratio and ratio.low,
        "ratio_high": ratio and ratio.high,
        "floor": cell.floor,
        "p_value": cell.p_value,
        "a_seconds": seconds(cell.a),
        "b_seconds": seconds(cell.b),
        "measurements": len(cell.ratios),
        "counters": dict(cell.counters),
        "note": cell.note,
    }
