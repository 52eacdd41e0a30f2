"""The page about `adaptive`: what it takes on blocks that its model has not seen, and the best in hindsight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contend.harness.analysis.learning.feature_choice import FIRST, time_of
from contend.harness.analysis.learning.lessons import Lesson
from contend.harness.analysis.learning.model_text import described
from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_model import Candidate, DecisionModel
from tools.docs.choosing.judge import USUAL_RIVAL, Judged, best_of

ROLES = {"none": "Builder", "block": "Validator"}
_TOO_SLOW = 0.9
_HEAD = """# Adaptive

Made by `python -m tools.docs.choosing`. `adaptive` hands each block to the contender that a learned model expects to be
quickest, or executes it serially ([decisions](decisions.md#adaptive)). Here is what that takes, the time of choosing
counted, beside the best in hindsight: the quickest of serial execution and all contenders that a block can be handed to
in that role, with the same workers. *Regret* is by how much longer it takes than that.

SIMULATED: {workers} workers, blocks of {least:,} to {most:,} transactions, the cost table {costs}, kernels {kernels};
{blocks:,} blocks of {workloads} workloads, by default dials and by hot, cold and uneven ones. Under simulated time
whoever is handed a block takes what it took alone, so nothing was run twice. Every workload was judged by a model that
was learned **without any block of that workload**, its features and candidates chosen without it as well.

A block is seen *first*, when nothing is known of the one before, or *behind* one that was like it. Seen first, only
the transactions themselves tell; behind another, so does what that has cost. Real blocks are single ones; *behind one
like it*, what they themselves have cost stands for that.

"""
_FOOT = """## What it goes by

{described}

That `{first}` may always be asked for, whatever the workloads that were left out say, was decided after a first look at
the real blocks: no workload of ours had transactions of such unequal length, and few had long chains of nonces. All
other features were taken by what they gain on workloads that were left out. The size of trees was chosen with the
figures of left-out workloads and of real blocks in view, so neither is a test that nobody had seen.

What a model asks of a block, `contend explain` shows: `contend explain -w WORKLOAD -s adaptive`.

| feature | says |
| --- | --- |
{features}

## Where it loses

{losses}
"""


@dataclass(frozen=True)
class Role:
    """What was found of a role.

    Attributes
    ----------
    source : str
    left_out, real : list of Judged
    """

    source: str
    left_out: list[Judged]
    real: list[Judged]


def page(roles: Sequence[Role], lessons: Sequence[Lesson], model: DecisionModel, image: str) -> str:
    """Text of the page."""
    sizes = [lesson.transactions for lesson in lessons]
    made_with = model.made_with
    head = _HEAD.format(
        workers=_several(sorted({lesson.workers for lesson in lessons})),
        least=min(sizes),
        most=max(sizes),
        costs=", ".join(made_with["costs"]),
        kernels=", ".join(made_with["kernels"]),
        blocks=len({lesson.block for lesson in lessons}),
        workloads=len({lesson.workload for lesson in lessons}),
    )
    parts = [head, f"![speed-up against the size of blocks]({image})\n\n", *map(_role, roles)]
    foot = _FOOT.format(
        described="\n".join(f"- {line}" for line in described(model)),
        first="`, `".join(FIRST[2:]),
        features="\n".join(f"| `{name}` | {text} |" for name, text in FEATURES.items()),
        losses="\n".join(_losses(role) for role in roles),
    )
    return "".join(parts) + foot


def _role(role: Role) -> str:
    rival = Candidate(USUAL_RIVAL[role.source])
    rows = []
    for name, judged in (
        ("left-out workloads, first", [one for one in role.left_out if one.is_first]),
        ("left-out workloads, behind", [one for one in role.left_out if not one.is_first]),
        ("real blocks, first", [one for one in role.real if one.is_first]),
        ("real blocks, behind one like it", [one for one in role.real if not one.is_first]),
    ):
        if judged:
            rows.append([name, *_figures(judged)])
    for name, lessons in (
        (f"always `{rival}`, left-out workloads", [one.lesson for one in role.left_out if one.is_first]),
        (f"always `{rival}`, real blocks", [one.lesson for one in role.real if one.is_first]),
    ):
        if lessons:
            rows.append([name, *_figures([_always(lesson, rival, role.source) for lesson in lessons])])
    heading = ["", "blocks", "regret, median", "geometric mean", "of 90 % at most", "least x serial", "below 0.9"]
    text = f"## {ROLES[role.source]}\n\n" + _table([*heading, "choosing, us"], rows) + "\n"
    text += _by("workload", lambda one: one.lesson.workload, role, rival)
    text += _by("transactions", lambda one: _decade(one.lesson.transactions), role, rival)
    text += _by("workers", lambda one: f"{one.lesson.workers}", role, rival)
    return text + (_real(role, rival) if role.real else "")


def _figures(judged: Sequence[Judged]) -> list[str]:
    regrets, speedups = np.array([one.regret for one in judged]), np.array([one.speedup for one in judged])
    choosing = np.mean([one.choosing for one in judged]) * 1e6
    return [
        f"{len(judged):,}",
        f"{np.median(regrets):.1%}",
        f"{np.exp(np.log1p(regrets).mean()) - 1:.1%}",
        f"{np.quantile(regrets, 0.9):.0%}",
        f"{speedups.min():.2f}",
        f"{(speedups < _TOO_SLOW).mean():.1%}",
        f"{choosing:.1f}" if choosing else "-",
    ]


def _always(lesson: Lesson, rival: Candidate, source: str) -> Judged:
    seconds = time_of(lesson, rival)
    assert seconds is not None
    return Judged(lesson, True, rival, seconds, best_of(lesson, source), 0.0)


def _by(title: str, key: Callable[[Judged], str], role: Role, rival: Candidate) -> str:
    """Median regret by some part of the left-out blocks."""
    rows = []
    for name in dict.fromkeys(map(key, sorted(role.left_out, key=lambda one: _order(title, one)))):
        own = [one for one in role.left_out if key(one) == name]
        first, behind = ([one for one in own if one.is_first is is_first] for is_first in (True, False))
        always = [_always(one.lesson, rival, role.source) for one in first]
        chosen = Counter(str(one.chosen) for one in first).most_common(3)
        rows.append(
            [
                name,
                *(_median(one) for one in (first, behind, always)),
                *(_worst(one) for one in (first, behind, always)),
                ", ".join(f"{whom} {count / len(first):.0%}" for whom, count in chosen),
            ]
        )
    heading = [title, "regret, first", "behind", f"always `{rival}`", "least x serial, first", "behind", "always"]
    return _table([*heading, "chosen, first"], rows) + "\n"


def _real(role: Role, rival: Candidate) -> str:
    rows = []
    for one in sorted(role.real, key=lambda judged: (judged.lesson.workload, judged.lesson.workers)):
        if one.is_first and one.lesson.workers in (2, 8, 32):
            always = _always(one.lesson, rival, role.source)
            name = one.lesson.workload.removeprefix("replay:")
            figures = (one.speedup, always.speedup, one.lesson.serial / one.best)
            rows.append(
                [name, f"{one.lesson.transactions:,}", f"{one.lesson.workers}", str(one.chosen)]
                + [f"{figure:.2f}" for figure in figures]
            )
    heading = ["real block", "transactions", "workers", "chosen", "x serial", f"`{rival}`", "best"]
    return _table(heading, rows, text=(0, 3)) + "\n"


def _losses(role: Role) -> str:
    """In which of the left-out blocks it is slower than nine tenths of serial execution."""
    slow = [one for one in (*role.left_out, *role.real) if one.speedup < _TOO_SLOW]
    if not slow:
        return f"- {ROLES[role.source]}: nowhere below {_TOO_SLOW} of serial execution."
    by_workload = Counter(one.lesson.workload for one in slow)
    worst = min(slow, key=lambda one: one.speedup)
    told = ", ".join(f"{name} {count}" for name, count in by_workload.most_common())
    return (
        f"- {ROLES[role.source]}: below {_TOO_SLOW} of serial execution in {len(slow)} of "
        f"{len(role.left_out) + len(role.real):,} choices ({told}); at worst {worst.speedup:.2f}, on "
        f"{worst.lesson.transactions:,} transactions of {worst.lesson.workload} by {worst.lesson.workers} workers, "
        f"handed to `{worst.chosen}`."
    )


def _order(title: str, one: Judged) -> tuple[int, str]:
    number = {"transactions": one.lesson.transactions, "workers": one.lesson.workers}.get(title, 0)
    return number, one.lesson.workload


def _decade(transactions: int) -> str:
    low = 10 ** (len(str(transactions)) - 1)
    return f"{low:,} to {10 * low - 1:,}"


def _median(judged: Sequence[Judged]) -> str:
    return f"{np.median([one.regret for one in judged]):.1%}" if judged else "-"


def _worst(judged: Sequence[Judged]) -> str:
    return f"{min(one.speedup for one in judged):.2f}" if judged else "-"


def _several(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], text: Iterable[int] = (0,)) -> str:
    lines = ["| " + " | ".join(heading) + " |"]
    lines.append("|" + "|".join(" --- " if place in set(text) else " ---: " for place in range(len(heading))) + "|")
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def draw(role: Role, folder: Path, name: str) -> Path:
    """Draw the chart: geometric means of speed-ups over workloads against the size of blocks."""
    from contend.harness.present.charts.axis_ticks import decimal_axis, whole
    from contend.harness.present.charts.chart import Chart
    from contend.harness.present.charts.style import chart_style

    rival = Candidate(USUAL_RIVAL[role.source])
    counts = [count for count in (2, 8, 32) if any(one.lesson.workers == count for one in role.left_out)]
    lines: Mapping[str, tuple[Callable[[Judged], float], dict[str, object]]] = {
        "best in hindsight": (lambda one: one.lesson.serial / one.best, {"color": "#888888", "linestyle": "--"}),
        f"always {rival}": (
            lambda one: _always(one.lesson, rival, role.source).speedup,
            {"color": "#d55e00", "marker": "s"},
        ),
        "adaptive, first": (lambda one: one.speedup, {"color": "#0072b2", "marker": "o"}),
    }
    with chart_style():
        chart = Chart(len(counts), width=3.0, height=2.6)
        chart.title, chart.across, chart.up = "Whoever is chosen, on workloads left out", "transactions", "times serial"
        chart.subtitle = "SIMULATED; geometric mean over workloads, by a model that has not seen the workload"
        for axes, count in zip(chart.panels, counts, strict=True):
            own = [one for one in role.left_out if one.lesson.workers == count]
            sizes = sorted({one.lesson.transactions for one in own})
            # Sizes that every workload has.
            sizes = [
                size
                for size in sizes
                if len({one.lesson.workload for one in own if one.lesson.transactions == size}) > 3
            ]
            for label, (figure, look) in lines.items():
                values = [
                    float(
                        np.exp(
                            np.mean(
                                [np.log(figure(one)) for one in own if one.lesson.transactions == size and one.is_first]
                            )
                        )
                    )
                    for size in sizes
                ]
                chart.key(label, *_drawn(axes, sizes, values, look))
            axes.axhline(1, color="black", linewidth=1)
            axes.set_xscale("log")
            decimal_axis(axes.xaxis, whole)
            chart.name_panel(axes, f"{count} workers")
        chart.arrange()
        folder.mkdir(parents=True, exist_ok=True)
        (written,) = chart.save(folder, name, ("svg",))
    return written


def _drawn(axes: object, across: Sequence[float], up: Sequence[float], look: Mapping[str, object]) -> tuple:  # type: ignore[type-arg]
    from matplotlib.lines import Line2D

    (line,) = axes.plot(across, up, linewidth=1.3, markersize=4, **look)  # type: ignore[attr-defined]
    return Line2D([], [], linewidth=1.3, markersize=4, **look), axes, line  # type: ignore[arg-type]
