"""Comparisons of strategies in Python: cells as a pandas DataFrame, with what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas

from contend.harness.compare.by_strategy.head_to_head import Meeting, StrategyComparison
from contend.harness.compare.by_strategy.head_to_head_text import strategies_markdown
from contend.harness.compare.result_frame import ComparisonResult

COLUMNS = {
    "workload": "name",
    "strategy": "name",
    "baseline": "strategy that it is held against",
    "workers": "worker count that both were asked for",
    "clock": "`wall`, or `virtual` where time is simulated",
    "network": "simulated network; empty for none",
    "seed": "of the workload",
    "block_size": "transactions asked for",
    "block_count": "blocks in a row",
    "verdict": "`faster`, `slower`, `same`, `inconclusive` or `not comparable`",
    "sentence": "the verdict in words, or why there is none",
    "ratio": "baseline's seconds to own, median of pairs of runs of one round; above 1 is faster than the baseline",
    "ratio_low": "lower end of its interval",
    "ratio_high": "upper end of its interval",
    "pairs": "of runs",
    "processes": "in which they were made",
    "speedup": "over serial, median",
    "baseline_speedup": "the baseline's, over serial",
    "tx_per_second": "transactions / median seconds",
    "baseline_tx_per_second": "the baseline's",
    "doubts": "warnings about either cell, a list",
    "records": "ids of the records whose pairs they are, a list",
    "dials": "value of every dial, a mapping",
}


@dataclass(frozen=True)
class StrategiesResult(ComparisonResult):
    """What `contend.compare` found between strategies.

    Attributes
    ----------
    cells : DataFrame
        One row a cell, in the order of the records; columns as in
        `contend.harness.compare.by_strategy.strategies_frame.COLUMNS`.
    verdicts : dict of str to int
        How many cells got each verdict.
    exit_code : int
        What ``contend compare --strategies`` ends with: 0, or 3 where nothing could be compared.
    summary : str
        The outcome in one line.
    notes : list of str
        About the whole.
    comparison : StrategyComparison
        All of it.
    """

    def markdown(self) -> str:
        """Show it as Markdown."""
        return strategies_markdown(self.comparison)


def strategies_result(comparison: StrategyComparison) -> StrategiesResult:
    """Put a comparison of strategies into tables."""
    counts = {kind.value: count for kind, count in comparison.counts.items()}
    if comparison.refused:
        counts["not comparable"] = len(comparison.refused)
    return StrategiesResult(
        cells=pandas.DataFrame([_row(comparison, one) for one in comparison.meetings], columns=[*COLUMNS]),
        verdicts=counts,
        exit_code=comparison.exit_code,
        summary=comparison.summary,
        notes=list(comparison.notes),
        comparison=comparison,
    )


def _row(comparison: StrategyComparison, one: Meeting) -> dict[str, Any]:
    kind, found = comparison.standing(one), one.found
    row: dict[str, Any] = {
        **one.name.as_json(),
        "baseline": one.baseline,
        "verdict": "not comparable" if kind is None else kind.value,
        "sentence": comparison.sentence(one),
        "doubts": list(one.doubts),
        "records": list(one.records),
    }
    if found is not None:
        row |= {"ratio": found.ratio.median, "ratio_low": found.ratio.low, "ratio_high": found.ratio.high}
        row |= {"pairs": found.pairs, "processes": found.processes}
    for prefix, cell in (("", one.own), ("baseline_", one.base)):
        if cell is not None and cell["speedup"]:
            row[f"{prefix}speedup"] = cell["speedup"]["median"]
            row[f"{prefix}tx_per_second"] = cell["tx_per_second"]
    return row
