"""The question what got slower."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contend.harness.compare.from_records import compare_records
from contend.harness.compare.result import CellResult, Comparison, percent
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.present.formatting import count
from contend.harness.present.report.answer import Answer, workers_of
from contend.harness.present.report.history import Series

_QUESTION = "What got slower?"
_MOST_NAMED = 5


def slower(records: Sequence[Mapping[str, Any]], histories: Sequence[Series]) -> Iterator[Answer]:
    """Answer for each clock of which a cell was measured twice."""
    found = [answer for clock in ("wall", "virtual") for answer in _of_clock(records, histories, clock)]
    yield from found
    if not found:
        yield Answer(
            _QUESTION,
            "No cell was measured twice, so nobody can tell.",
            ("Give older records as well, or contend compare main HEAD measures two versions in turns.",),
            False,
        )


def _of_clock(records: Sequence[Mapping[str, Any]], histories: Sequence[Series], clock: str) -> Iterator[Answer]:
    steps = _stepped([one for one in histories if one.clock == clock])
    comparison, newest = _compared(records, clock)
    cells = [] if comparison is None else comparison.compared
    if not cells and not steps:
        return
    worse = [cell for cell in cells if cell.verdict in (Verdict.SLOWER, Verdict.BROKEN)]
    uncertain = sum(cell.verdict is Verdict.INCONCLUSIVE for cell in cells)
    kind = "by the wall clock" if clock == "wall" else "simulated"
    against = f"record {newest} against those before it, {kind}"
    points = [_told(cell) for cell in worse[:_MOST_NAMED]]
    if len(worse) > _MOST_NAMED:
        points.append(f"{count(len(worse) - _MOST_NAMED, 'more cell')}.")
    points += steps
    if worse:
        headline = f"{len(worse):,} of {count(len(cells), 'cell')}: {against}."
    elif steps:
        headline = f"{count(len(steps), 'cell')} along the history, {kind}; none in the newest record."
    else:
        headline = f"Nothing beyond doubt, in {count(len(cells), 'cell')}: {against}."
    doubt = f"in {count(uncertain, 'cell')} the noise leaves both possible" if uncertain else ""
    yield Answer(_QUESTION, headline, tuple(points), clock != "wall", doubt)


def _compared(records: Sequence[Mapping[str, Any]], clock: str) -> tuple[Comparison | None, str]:
    """The newest record of which earlier ones have a cell, against those; an unrelated newer one changes nothing."""
    ordered = sorted(
        (dict(record) for record in records if record["request"]["clock"] == clock and record["cells"]),
        key=lambda record: str(record["id"]),
    )
    for place in range(len(ordered) - 1, 0, -1):
        label = str(ordered[place]["id"])
        found = compare_records(ordered[:place], [ordered[place]], ("before", label), Rule(), frozenset())
        if found.compared:
            return found, label
    return None, ""


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
            name = f"{one.workload}, {one.strategy} with {workers_of(one.workers, one.clock != 'wall')}"
            found.append((rise, f"{name}: {rise:+.0%} from record {one.records[place]} on."))
    found.sort(reverse=True)
    return [text for _, text in found[:_MOST_NAMED]]
