"""The three questions that a report answers in sentences.

Which strategy should I use, where does it stop helping, what got slower. An answer that the records do not support is
not given; what to run for it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from contend.harness.compare.from_records import compare_records
from contend.harness.compare.result import CellResult, percent
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import marked
from contend.harness.present.formatting import count, factor, listed, share
from contend.harness.present.report.history import Series
from contend.harness.present.report.selection import Selection
from contend.harness.record.warnings import MISLEADING, MOSTLY_FAILED

_WORTH_IT = 1.05
"""A doubling of workers that gives less than this has stopped helping."""
_MOST_NAMED = 5
_FEW_COUNTS = 3


@dataclass(frozen=True)
class Answer:
    """A question, and what the records say.

    Attributes
    ----------
    question : str
    headline : str
        The answer in one sentence.
    points : tuple of str
        What it is made of.
    simulated : bool
        Whether it rests on simulated figures alone.
    """

    question: str
    headline: str
    points: tuple[str, ...]
    simulated: bool


def answers(
    selected: Sequence[Selection], records: Sequence[Mapping[str, Any]], histories: Sequence[Series]
) -> Iterator[Answer]:
    """Answer the three questions."""
    yield _which(selected)
    yield _where(selected)
    yield _slower(records, histories)


def _which(every: Sequence[Selection]) -> Answer:
    question = "Which strategy should I use?"
    # Real cores count for more than simulated ones, whatever can be simulated.
    told = [selected for selected in every if len(set(selected.plain["strategy"]) - {BASELINE})]
    if not told:
        return Answer(question, "No strategy was measured beside serial.", ("Run contend run.",), False)
    chosen = told[0]
    winners: dict[str, list[str]] = {}
    points = []
    doubtful = []
    failing: list[str] = []
    for workload, part in chosen.plain.groupby("workload", sort=False):
        believable = _believable(part)
        doubtful += [f"{one['strategy']} on {workload}" for _, one in part.drop(believable.index).iterrows()]
        winner, text = _best_of(believable)
        winners.setdefault(winner, []).append(str(workload))
        points.append(f"{marked(part)['workload'].iloc[0]}: {text}")
        if part["mostly_failed"].any():
            failing.append(str(workload))
    most = max(winners, key=lambda name: (len(winners[name]), name != BASELINE))
    total = sum(len(names) for names in winners.values())
    workers = int(chosen.plain["workers"].max())
    where = f"{count(workers, 'simulated worker')}" if chosen.simulated else count(workers, "worker")
    if len(winners) == 1:
        headline = f"{most}, on all {total} workloads with up to {where}." if total > 1 else f"{most}."
    else:
        rest = [f"{name} on {listed(names)}" for name, names in winners.items() if name != most]
        headline = f"{most} on {len(winners[most])} of {total} workloads with up to {where}; {listed(rest)}."
    if most == BASELINE:
        headline += " Serial here means that no strategy is faster beyond doubt."
    if failing:
        headline += f" On {listed(failing)} {MOSTLY_FAILED}: what is told of it is about failing."
    if doubtful:
        named = listed(list(dict.fromkeys(doubtful)))
        points.append(f"Not considered, since a warning says that it misleads: {named}.")
    points += [_beside(other) for other in told[1:]]
    return Answer(question, headline, tuple(points), chosen.simulated)


def _beside(selected: Selection) -> str:
    """Figures of the other clock, in a sentence."""
    wins: dict[str, int] = {}
    for _, part in selected.plain.groupby("workload", sort=False):
        winner, _ = _best_of(_believable(part))
        wins[winner] = wins.get(winner, 0) + 1
    most = count(int(selected.plain["workers"].max()), "worker")
    told = [f"{name} wins on {number}" for name, number in sorted(wins.items(), key=lambda item: -item[1])]
    kind = "Simulated" if selected.simulated else "By the wall clock"
    return f"{kind}, with up to {most}: of {count(sum(wins.values()), 'workload')} {listed(told)}."


def _believable(part: pandas.DataFrame) -> pandas.DataFrame:
    """Cells whose speed-up is the strategy's doing."""
    return part[[not any(str(one).startswith(MISLEADING) for one in warnings) for warnings in part["warnings"]]]


def _best_of(part: pandas.DataFrame) -> tuple[str, str]:
    """The strategy to use on one workload, and why."""
    rivals = part[part["strategy"] != BASELINE]
    if rivals.empty:
        return BASELINE, "only serial was measured"
    ranked = rivals.sort_values("speedup", ascending=False)
    best = ranked.iloc[0]
    measured = f"{factor(best['speedup'])} with {count(int(best['workers']), 'worker')}"
    if not best["simulated"]:
        measured += f" [{best['speedup_low']:.2f}, {best['speedup_high']:.2f}]"
    name = str(best["strategy"])
    if best["speedup_low"] <= 1:
        return BASELINE, f"nothing beats serial for certain; the best is {name}, {measured}."
    others = ranked[ranked["strategy"] != name]
    text = f"{name}, {measured}"
    if len(others):
        second = others.iloc[0]
        close = second["speedup_high"] >= best["speedup_low"]
        why = "too close to tell" if close else "next"
        text += f"; {why}: {second['strategy']}, {factor(second['speedup'])}"
    if best["share_of_bound"] == best["share_of_bound"]:
        text += f". That is {share(best['share_of_bound'])} of the bound"
    return name, f"{text}."


def _where(every: Sequence[Selection]) -> Answer:
    question = "Where does it stop helping?"
    able = [(one, lines) for one in every if (lines := _lines(one))]
    if not able:
        return Answer(
            question,
            "Fewer than three worker counts were measured, so nobody can tell.",
            ("contend run --clock virtual --workers 1,2,4,...,1024 simulates more than this machine has.",),
            False,
        )
    chosen, lines = able[0]
    points, ends = [], []
    for workload, line in lines.items():
        end, most = _end_of_growth(line), int(line["workers"].max())
        text = f"{workload}: {line['strategy'].iloc[0]} at {count(int(end['workers']), 'worker')}, "
        text += f"{factor(end['speedup'])} serial"
        if int(end["workers"]) == most:
            text += "; it was still growing"
        else:
            ends.append(int(end["workers"]))
        bound = float(line["bound_speedup"].max())
        if bound == bound:
            text += f"; the bound with {count(most, 'worker')} is {factor(bound)}"
        points.append(f"{text}.")
    what = "simulated workers" if chosen.simulated else "workers"
    if not ends:
        most = max(int(line["workers"].max()) for line in lines.values())
        return Answer(question, f"Not within the {most:,} {what} measured.", tuple(points), chosen.simulated)
    where = f"At {min(ends):,} {what}"
    if min(ends) != max(ends):
        where = f"At {min(ends):,} to {max(ends):,} {what}, depending on the workload"
    headline = f"{where}: more of them give less than 5% each doubling."
    if len(ends) < len(lines):
        growing = count(len(lines) - len(ends), "workload")
        headline += f" Not within what was measured on {growing}."
    return Answer(question, headline, tuple(points), chosen.simulated)


def _lines(selected: Selection) -> dict[str, pandas.DataFrame]:
    """By workload, the cells of its fastest strategy, workers ascending, where there are enough of them."""
    found = {}
    for workload, part in selected.plain.groupby("workload", sort=False):
        rivals = _believable(part[part["strategy"] != BASELINE])
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


def _slower(records: Sequence[Mapping[str, Any]], histories: Sequence[Series]) -> Answer:
    question = "What got slower?"
    points: list[str] = []
    slower: list[CellResult] = []
    compared = uncertain = 0
    for clock in ("wall", "virtual"):
        ordered = sorted(
            (dict(record) for record in records if record["request"]["clock"] == clock and record["cells"]),
            key=lambda record: str(record["id"]),
        )
        if len(ordered) < 2:
            continue
        found = compare_records(ordered[:-1], ordered[-1:], ("before", ordered[-1]["id"]), Rule(), frozenset())
        compared += len(found.compared)
        uncertain += sum(cell.verdict is Verdict.INCONCLUSIVE for cell in found.compared)
        slower += [cell for cell in found.compared if cell.verdict in (Verdict.SLOWER, Verdict.BROKEN)]
    points += [_told(cell) for cell in slower[:_MOST_NAMED]]
    if len(slower) > _MOST_NAMED:
        points.append(f"{len(slower) - _MOST_NAMED} more cells.")
    steps = _stepped(histories)
    points += steps
    simulated = bool(compared) and all(record["request"]["clock"] != "wall" for record in records)
    if not compared and not points:
        return Answer(
            question,
            "No cell was measured twice, so nobody can tell.",
            ("Give older records as well, or contend compare main HEAD measures two versions in turns.",),
            False,
        )
    if slower:
        headline = f"{count(len(slower), 'cell')} of {compared} compared with the record before."
    elif steps:
        headline = f"{count(len(steps), 'cell')} along the history, none from the last record to the one before."
    else:
        headline = f"Nothing beyond doubt, in {count(compared, 'cell')} compared with the record before."
    if uncertain:
        points.append(f"{count(uncertain, 'cell')}: the noise leaves both possible.")
    return Answer(question, headline, tuple(points), simulated)


def _told(cell: CellResult) -> str:
    if cell.verdict is Verdict.BROKEN or cell.ratio is None:
        return f"{cell.name}: fails now ({cell.note})."
    return f"{cell.name}: {percent(cell.ratio.median)} in time."


def _stepped(histories: Iterable[Series]) -> list[str]:
    """The largest steps up in the histories, the latest of each cell."""
    found = []
    for one in histories:
        ups = [
            (after / before - 1, place)
            for place, before, after in zip(one.steps, one.levels, one.levels[1:], strict=False)
            if after > before
        ]
        if ups:
            rise, place = ups[-1]
            what = " simulated" if one.clock != "wall" else ""
            name = f"{one.workload}, {one.strategy} with {count(one.workers, f'{what} worker'.strip())}"
            found.append((rise, f"{name}: {rise:+.0%} from record {one.records[place]} on."))
    found.sort(reverse=True)
    return [text for _, text in found[:_MOST_NAMED]]
