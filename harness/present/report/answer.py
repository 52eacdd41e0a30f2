"""Answer: a question, what the records say, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import workload_titles
from contend.harness.present.formatting import count
from contend.harness.present.report.selection import Selection
from contend.harness.present.role_groups import RANKED
from contend.harness.record.statistics.paired_verdict import told_by_chance
from contend.harness.record.warnings import MISLEADING, MOSTLY_FAILED


@dataclass(frozen=True)
class Answer:
    """A question, and what the records say.

    Attributes
    ----------
    question : str
    headline : str
        The answer in a sentence or two.
    points : tuple of str
        What it is made of.
    simulated : bool
        Whether it rests on simulated figures.
    doubt : str
        How sure it is: what the warnings say of the cells that it is made of; empty where there are none of them.
    """

    question: str
    headline: str
    points: tuple[str, ...]
    simulated: bool
    doubt: str = ""


def believable(part: pandas.DataFrame) -> pandas.DataFrame:
    """Cells whose speed-up is the strategy's doing."""
    return part[[not any(str(one).startswith(MISLEADING) for one in warnings) for warnings in part["warnings"]]]


def warnings_of(cells: pandas.DataFrame) -> str:
    """Kinds of warnings that cells have, each with how many of them have it; empty where there are none."""
    found: dict[str, int] = {}
    for warnings in cells["warnings"]:
        for kind in dict.fromkeys(str(one).partition(":")[0] for one in warnings):
            found[kind] = found.get(kind, 0) + 1
    kinds = sorted(found.items(), key=lambda item: -item[1])
    return "; ".join(f"{kind} ({number:,} of {count(len(cells), 'cell')})" for kind, number in kinds)


def doubt_of(cells: pandas.DataFrame) -> str:
    """How sure an answer from these cells is: their warnings, counted."""
    text = warnings_of(cells)
    total = count(len(cells), "cell")
    simulated = bool(cells["simulated"].all())
    if not text and simulated:
        text = f"simulated figures are exact and leave out what real cores add ({total})"
    elif not text:
        text = f"no warning on any of {total}" if len(cells) > 1 else "no warning on its one cell"
    chance = told_by_chance(int((cells["strategy"] != BASELINE).sum()), simulated)
    return f"{text}; {chance}" if chance else text


def workers_of(number: int, simulated: bool) -> str:
    """So many workers, in words."""
    return count(number, "simulated worker" if simulated else "worker")


def by_role(selected: Selection) -> Iterator[tuple[Selection, str]]:
    """Cells of each role that is ranked and has a rival of serial; the ceiling, which nobody has, is not."""
    plain = selected.plain
    for role in RANKED:
        own = plain[(plain["role"] == role) | (plain["strategy"] == BASELINE)]
        if set(own["strategy"]) - {BASELINE}:
            yield replace(selected, plain=own), role


def name_of(selected: Selection, workload: str) -> str:
    """What sentences call a workload: a file by the name that it gives itself."""
    return workload_titles(selected.plain.assign(mostly_failed=False))[workload]


def place_of(selected: Selection, workload: str) -> str:
    """Workload and setting, as sentences name them."""
    own = selected.plain[selected.plain["workload"] == workload]
    turned = next((str(text) for text in own.get("turned", ()) if text), "")
    name = name_of(selected, workload)
    if own["mostly_failed"].any():
        name += f" ({MOSTLY_FAILED})"
    return ", ".join(text for text in (name, selected.setting, turned) if text)


def figures_of(row: pandas.Series[Any]) -> Mapping[str, Any]:
    """A row of a frame as the mapping that paired ratios take."""
    return {str(name): value for name, value in row.items()}
