"""The question where more workers stop helping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.formatting import count, factor
from contend.harness.present.report.answer import Answer, believable, by_role, doubt_of, place_of, workers_of
from contend.harness.present.report.selection import Selection
from contend.harness.record.content.cell_facts import VALIDATOR

_QUESTION = "Where does it stop helping?"
_OF_VALIDATOR = "Where does it stop helping a validator?"
_WORTH_IT = 1.05
"""A doubling of workers that gives less than this has stopped helping."""
_FEW_COUNTS = 3


def where(every: Sequence[Selection]) -> Iterator[Answer]:
    """Answer for each role, by the first clock that has enough worker counts."""
    able: dict[str, tuple[Selection, dict[str, pandas.DataFrame]]] = {}
    for selected, role in (one for clock in every for one in by_role(clock)):
        lines = _lines(selected)
        if lines and role not in able:
            able[role] = (selected, lines)
    for role, (selected, lines) in able.items():
        yield _answer(_OF_VALIDATOR if role == VALIDATOR else _QUESTION, selected, lines)
    if not able:
        yield Answer(
            _QUESTION,
            "Fewer than three worker counts were measured, so nobody can tell.",
            ("contend run --clock virtual --workers 1,2,4,...,1024 simulates more than this machine has.",),
            False,
        )


def _answer(question: str, chosen: Selection, lines: dict[str, pandas.DataFrame]) -> Answer:
    simulated = chosen.simulated
    points, ends = [], []
    for workload, line in lines.items():
        end, most = _end_of_growth(line), int(line["workers"].max())
        text = f"{place_of(chosen, workload)}: {line['strategy'].iloc[0]} with "
        text += f"{workers_of(int(end['workers']), simulated)}, {factor(end['speedup'])} serial"
        if int(end["workers"]) == most:
            text += "; it was still growing"
        else:
            ends.append(int(end["workers"]))
        bound = float(line["role_bound_speedup"].max())
        if bound == bound:
            text += f"; the bound with {workers_of(most, simulated)} is {factor(bound)}"
        points.append(f"{text}.")
    in_what = f", {chosen.setting}" if chosen.setting else ""
    doubt = doubt_of(pandas.concat(list(lines.values())))
    if not ends:
        most = max(int(line["workers"].max()) for line in lines.values())
        headline = f"Not within the {workers_of(most, simulated)} measured{in_what}."
        return Answer(question, headline, tuple(points), simulated, doubt)
    at = f"At {workers_of(min(ends), simulated)}{in_what}"
    if min(ends) != max(ends):
        at = f"At {min(ends):,} to {workers_of(max(ends), simulated)}, depending on the workload{in_what}"
    headline = f"{at}: more of them give less than 5% each doubling."
    if len(ends) < len(lines):
        growing = count(len(lines) - len(ends), "workload")
        headline += f" Not within what was measured on {growing}."
    return Answer(question, headline, tuple(points), simulated, doubt)


def _lines(selected: Selection) -> dict[str, pandas.DataFrame]:
    """By workload, the cells of its fastest strategy, workers ascending, where there are enough of them."""
    found = {}
    for workload, part in selected.plain.groupby("workload", sort=False):
        rivals = believable(part[part["strategy"] != BASELINE])
        if rivals.empty:
            continue
        name = str(rivals.sort_values("speedup")["strategy"].iloc[-1])
        line = rivals[rivals["strategy"] == name].sort_values("workers")
        if line["workers"].nunique() >= _FEW_COUNTS:
            found[str(workload)] = line
    return found


def _end_of_growth(line: pandas.DataFrame) -> pandas.Series[Any]:
    """The row with the fewest workers from which no larger number is worth 5% more."""
    for place in range(len(line)):
        row = line.iloc[place]
        if (line["speedup"].iloc[place + 1 :] < _WORTH_IT * row["speedup"]).all():
            return row
    return line.iloc[-1]
