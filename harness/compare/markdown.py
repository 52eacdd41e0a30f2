"""A comparison as a comment on a pull request: the verdict first, then what changed, the rest folded away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contend.harness.compare.exit_policy import EXIT_REGRESSION
from contend.harness.compare.result import CellResult, Comparison, distinctions, ordered, percent, seconds
from contend.harness.compare.verdict import Verdict
from contend.harness.record.statistics import Interval

_MARKS = {
    Verdict.SLOWER: "🔺 slower",
    Verdict.BROKEN: "❌ broken",
    Verdict.FASTER: "🔹 faster",
    Verdict.SAME: "same",
    Verdict.INCONCLUSIVE: "inconclusive",
}
_HEADINGS = ("workload", "strategy", "W", "clock", "A", "B", "B / A", "floor", "verdict")
_RIGHT = {"W", "A", "B", "B / A", "floor"}


def markdown(comparison: Comparison) -> str:
    """GitHub-flavoured Markdown, ending with a line break."""
    mark = "✅" if comparison.clear else "🔺" if comparison.exit_code == EXIT_REGRESSION else "⚠️"
    changed = [cell for cell in ordered(comparison.compared) if cell.changed]
    rest = [cell for cell in ordered(comparison.compared) if not cell.changed]
    parts = [f"### {mark} {comparison.summary}", f"A: {side_line(comparison.a)}  \nB: {side_line(comparison.b)}"]
    if found := grounds(comparison):
        parts.append("  \n".join(f"{line}." for line in found))
    if changed:
        parts.append(_table(changed))
    if rest:
        counts = f"{len(rest)} cell{'' if len(rest) == 1 else 's'} without a change that could be shown"
        parts.append(_folded(counts, _table(rest)))
    if comparison.refused:
        lines = "\n".join(f"- {_escaped(str(cell.name))}: {_escaped(cell.note)}" for cell in comparison.refused)
        parts.append(_folded(f"{len(comparison.refused)} not compared", lines))
    parts.append(_folded("How this was measured", "\n".join(f"- {line}" for line in how(comparison))))
    return "\n\n".join(parts) + "\n"


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _table(cells: Iterable[CellResult]) -> str:
    lines = [_row(_HEADINGS), _row("---:" if heading in _RIGHT else "---" for heading in _HEADINGS)]
    every = list(cells)
    told = distinctions(cell.name for cell in every)
    for cell in every:
        name = cell.name
        words = _MARKS[cell.verdict] + (f": {_escaped(cell.note)}" if cell.note else "")
        for line in counter_lines(cell):
            words += f"<br>{line}"
        lines.append(
            _row(
                (
                    _escaped(name.workload + told[name]),
                    _escaped(name.strategy),
                    str(name.workers),
                    name.clock,
                    time_text(seconds(cell.a)),
                    time_text(seconds(cell.b)),
                    ratio_text(cell),
                    floor_text(cell),
                    words,
                )
            )
        )
    return "\n".join(lines)


def _row(values: Iterable[str]) -> str:
    return f"| {' | '.join(values)} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def side_line(side: Mapping[str, Any]) -> str:
    """One side in words: what it was called, its commits, whether they had changes of their own.

    Plug-ins come first, since of two sides of a plug-in's repository they are what differs.
    """
    label, revision = str(side["label"]), side.get("revision")
    plugins = side.get("plugins") or ()
    told = [_package(f"{one['name']} {one['version']}", one["git"], f"sources {one['sources']}") for one in plugins]
    git = None if not revision else {"revision": revision, "dirty": side.get("dirty")}
    if side["kind"] == "record":
        told.append(_package(f"Contend {side['contend']}", git, f"kernels {side['kernels']}"))
    elif git is not None and not label.startswith(str(revision)[:7]):
        told.append(_commit(git))
    return f"`{label}`" + (f" ({'; '.join(told)})" if told else "")


def _package(name: str, git: Mapping[str, Any] | None, digest: str) -> str:
    """A package by its commit, or by a digest where nobody knows one."""
    return f"{name} at {_commit(git)}" if git else f"{name}, {digest}"


def _commit(git: Mapping[str, Any]) -> str:
    return f"{str(git['revision'])[:10]}{', with uncommitted changes' if git['dirty'] else ''}"


def time_text(value: float | None) -> str:
    """A time of a block, in milliseconds or in seconds."""
    if value is None:
        return "-"
    return f"{value:.3f} s" if value >= 1.0 else f"{f'{value * 1e3:#.3g}'.rstrip('.')} ms"


def ratio_text(cell: CellResult) -> str:
    """The change with its interval; simulated changes have none."""
    return "-" if cell.ratio is None else interval_text(cell.ratio)


def interval_text(ratio: Interval) -> str:
    """A ratio as a change, with its interval where it has one."""
    if ratio.low == ratio.high:
        return percent(ratio.median)
    low, high = (percent(value).removesuffix(" %") for value in (ratio.low, ratio.high))
    return f"{percent(ratio.median)} [{low}, {high}]"


def floor_text(cell: CellResult) -> str:
    """The floor of a cell: below it nothing is claimed; simulated cells have none, since they are exact."""
    floor = cell.floor
    if floor is None:
        return "-"
    share = 100.0 * max(floor, 0.0001)
    return "exact" if cell.name.clock != "wall" else f"±{share:.2g} %" if share < 99.0 else f"±{share:.0f} %"


def grounds(comparison: Comparison) -> list[str]:
    """Grounds of the verdicts, one a line: what was tested together, and what a version differs by from itself."""
    family, null = comparison.family, comparison.null
    if family is None:
        timed = [cell for cell in comparison.compared if cell.ratio is not None]
        exact = [cell for cell in timed if cell.name.clock != "wall"]
        lines = ["Simulated time is exact: nothing is left to chance, and no null run is needed"] if exact else []
        if len(exact) < len(timed):
            lines.append("Real time is judged cell by cell: records have too few processes to test all cells together")
        return lines
    cells = f"{family.tested} cell{'' if family.tested == 1 else 's'} tested"
    withdrawn = f"; {family.withdrawn} withdrawn for it" if family.withdrawn else ""
    tested = f"{cells} at a false discovery rate of {100 * family.rate:.3g} %{withdrawn}"
    if null is None:
        return [f"{tested}. No null run was made (--null): a bias for a side's place would not show"]
    by_place, by_turn = (interval_text(ratio) for ratio in (null.places, null.turns))
    return [
        f"{tested}. No difference below a cell's floor is claimed",
        f"Null run, a version against itself: {by_place} in the second place, {by_turn} in the second turn",
        *(
            f"Bias: the same version takes {interval_text(ratio)} in the {where}; that is no difference of A and B"
            for where, ratio in null.biases()
        ),
    ]


def counter_lines(cell: CellResult) -> list[str]:
    """Changed counters of a simulated cell, exactly."""
    return [f"{name} {_exactly(a)} → {_exactly(b)} ({_exactly(b - a, '+')})" for name, (a, b) in cell.counters.items()]


def _exactly(value: float, sign: str = "") -> str:
    return f"{int(value):{sign},}" if value == int(value) else f"{value:{sign}}"


def how(comparison: Comparison) -> list[str]:
    """Method and versions: what a reader needs to judge the comparison, and to make it again."""
    where = comparison.environment
    fails = ", ".join(sorted(comparison.fail_on))
    lines = [
        f"`{comparison.command}`",
        f"machine: {where.get('cpu')}, {where.get('cores')} cores, {where.get('platform')}",
        f"Python {where.get('python')}, numba {where.get('numba')}, numpy {where.get('numpy')}; {where.get('time')}",
    ]
    if comparison.interleaved:
        lines.append("A and B were measured in turns (A B, B A, ...), each run verified against the serial result")
    if comparison.null is not None:
        lines.append(
            "null run: two pairs of processes take turns, the second with its places exchanged (A B | B A), and each "
            "version is held against itself, second place against first and second turn of a pair against first; "
            "floor: the furthest end of these intervals"
        )
    if comparison.family is not None:
        lines.append(
            "false discovery rate: Benjamini-Hochberg over all cells, on exact signed-rank tests over the pairs of "
            "processes that followed the pilot"
        )
    lines += [
        "B / A: median change of the block's time with its 95 % interval over processes and rounds. Slower: more than "
        f"{comparison.rule.threshold:.0%}, with the whole interval, in two independent measurements; faster likewise. "
        "Simulated figures (virtual clock) are exact: no interval, no floor, nothing left to chance",
        f"fails on: {fails}",
        *comparison.notes,
    ]
    return lines
