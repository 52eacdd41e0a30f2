"""The question where the time of a node goes: in which stage, where stages beside execution are in the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from contend.harness.present.formatting import count, listed
from contend.harness.present.report.answer import Answer
from contend.harness.present.report.selection import Selection
from contend.harness.record.content.bottleneck import NAMES, bottlenecks

QUESTION = "Where does a node's time go?"


def stages(selected: Sequence[Selection]) -> Iterator[Answer]:
    """Answer for each clock by which anything was measured with stages of a node."""
    for one in selected:
        cells = one.plain[one.plain["bottleneck"].notna() & one.plain["tx_per_second"].notna()]
        if cells.empty:
            continue
        told = bottlenecks(cells.to_dict("records"))
        fastest = cells.loc[cells.groupby("workload", sort=False)["tx_per_second"].idxmax()]
        found = Counter(NAMES[str(stage)] for stage in fastest["bottleneck"]).most_common()
        parts = [f"{name} on {count(number, 'workload')}" for name, number in found]
        yield Answer(
            QUESTION,
            f"Of the fastest strategies' most of it goes into {listed(parts)}.",
            tuple(told),
            one.simulated,
        )
