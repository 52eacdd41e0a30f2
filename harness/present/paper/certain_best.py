"""The best strategy of a workload, where that is certain."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pandas

from contend.harness.present.report.answer import believable, figures_of
from contend.harness.present.role_groups import RANKED
from contend.harness.record.statistics.paired import ratio_between
from contend.harness.record.statistics.paired_verdict import Standing, standing


def ranked(part: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
    """Cells that may be ranked with each other: those of one role, and of no ceiling."""
    for role in RANKED:
        own = part[part["role"] == role]
        if len(own):
            yield own


def certain_best(part: pandas.DataFrame) -> Hashable | None:
    """Label of the row with the best cell of a workload; None where nobody can tell.

    The cell with the largest speed-up is the best if, run beside run, it is faster beyond doubt (`paired_verdict`) than
    every cell of every other strategy. A cell of which a warning says that it misleads is not considered; nor is one
    that has no pair with it, of another record for instance, passed over: then nobody can tell.

    Parameters
    ----------
    part : DataFrame
        Cells of one workload, setting, clock and role.
    """
    good = believable(part)
    good = good[good["speedup"].notna()]
    if good["strategy"].nunique() < 2:
        return None
    place = int(good["speedup"].to_numpy().argmax())
    best = good.iloc[place]
    for _, other in good[good["strategy"] != best["strategy"]].iterrows():
        pair = ratio_between(figures_of(best), figures_of(other))
        if pair is None or standing(pair) is not Standing.FASTER:
            return None
    label: Hashable = good.index[place]
    return label
