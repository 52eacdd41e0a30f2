"""The page about the gate: what was simulated and measured, in generated tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from contend.harness.compare.result import CellResult
from contend.harness.compare.verdict import Rule, Verdict
from tools.gate_power.noise import Noise
from tools.gate_power.outcomes import BIASED, SAME, SLOWER, Outcome
from tools.gate_power.simulate import Design, Simulated


@dataclass(frozen=True)
class Level:
    """Simulated comparisons at one level of noise.

    Attributes
    ----------
    name : str
    noise : Noise or None
        None where every kind of cell has a model of its own.
    bias : float
        Share by which whatever is in the second place of a pair takes longer.
    outcome : Simulated
    """

    name: str
    noise: Noise | None
    bias: float
    outcome: Simulated


@dataclass
class PowerStudy:
    """All that the page says.

    Attributes
    ----------
    command : str
    environment : mapping
    rule : Rule
    effect : float
        Share of the planted slow-downs.
    design : Design
    levels : list of Level
    outcomes : list of Outcome
        Of real comparisons.
    exact : list of CellResult
        Of the planted aborts, in simulated time.
    every : int
        One planted abort for so many transactions.
    seconds : float
        How long the study took.
    """

    command: str
    environment: Mapping[str, Any]
    rule: Rule
    effect: float
    design: Design
    levels: list[Level] = field(default_factory=list)
    outcomes: Sequence[Outcome] = ()
    exact: Sequence[CellResult] = ()
    every: int = 100
    seconds: float = 0.0


def page(study: PowerStudy) -> str:
    """Markdown of the whole page."""
    where = study.environment
    return "\n".join(
        [
            "# Power study of the gate",
            "",
            "<!-- generated; do not edit -->",
            "",
            f"Written by `{study.command}` in {study.seconds / 60:.0f} minutes. {where['cpu']}, "
            f"{where['cores']} cores, Python {where['python']}, numba {where['numba']}, {str(where['time'])[:10]}.",
            "",
            *_load(study),
            *_RULE,
            "",
            "## Real comparisons",
            "",
            *_real(study),
            "",
            "## Simulated comparisons",
            "",
            *_about_simulated(study),
            "",
            *_levels(study),
            "",
            "## A planted algorithmic loss",
            "",
            f"Block-STM whose validation aborts one valid incarnation in {study.every}, under the virtual clock: there "
            "is no noise, so that nothing is estimated and no null run is needed.",
            "",
            *_exact(study),
            "",
        ]
    )


def _load(study: PowerStudy) -> list[str]:
    """Load of the machine, which decides what can be found."""
    loads = [one.load for one in study.outcomes if one.load is not None]
    if not loads:
        return []
    middle, cores = median(loads), study.environment["cores"]
    text = f"The machine had {middle:.1f} processes running or waiting for its {cores} cores (median load)."
    if middle > 1.5 * cores:
        text += " That is more than it can run: real times are those of an overloaded machine."
    return [text, ""]


_RULE = [
    "What the gate promises: a version compared with itself does not fail, a version that is slower does, and what",
    "the machine's noise hides is called inconclusive and passes. A cell is *slower* only if its time grows by more",
    "than the threshold and the floor of the null run, the whole interval of the ratio lies beyond both, a second",
    "measurement by fresh processes says the same (`harness/compare/verdict.py`), and it stands out among all cells at",
    "the false discovery rate (`harness/compare/significance/`).",
]


def _about_simulated(study: PowerStudy) -> list[str]:
    design, times = study.design, study.levels[0].outcome.comparisons if study.levels else 0
    return [
        f"Each row: {times} comparisons of a version with itself, {design.cells} cells each, a false alarm if for any "
        f"cell a difference is claimed; and as many with a version of which {design.slower} of the {design.cells} "
        f"cells take {study.effect:.0%} longer. *False claims*: the mean share of false ones among the claims of such "
        f"a comparison, held below {study.rule.false_discovery_rate:.0%}. *Floor*: of the null run, median. Every cell "
        f"has {design.rounds} pairs of runs in {design.processes} pairs of processes, more where its noise calls for "
        "them, and is measured again where the rule says so (`harness/compare/sample_size.py`). *Core*: spread between "
        "runs of one process; *process*: between processes; *bursts*: runs that somebody else held up, and by how "
        "much; *drift*: the machine's step from round to round (`tools/gate_power/noise.py`); *bias*: by how much "
        "whatever is in the second place of a pair of processes takes longer. Where a bias is as large as the "
        "slow-down, finding the slow-down is not asked for, but claiming the bias is forbidden.",
    ]


def _levels(study: PowerStudy) -> list[str]:
    lines = [
        "| noise | core | process | bursts | drift | bias | floor | false alarms | false claims | slow-downs found |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for level in study.levels:
        found = level.outcome
        figures = ("fitted per cell",) * 4 if level.noise is None else _figures(level.noise)
        shares = (
            f"±{found.floor:.1%}",
            f"{found.alarms} of {found.comparisons}",
            f"{found.false_discoveries:.1%}",
            f"{found.found} of {found.planted}",
        )
        bias = f"{100 * level.bias:.0f} %" if level.bias else "-"
        lines.append(f"| {level.name} | {' | '.join(figures)} | {bias} | {' | '.join(shares)} |")
    return lines


def _figures(noise: Noise) -> tuple[str, str, str, str]:
    kept = {name: f"{100 * value:.1f} %" for name, value in asdict(noise).items()}
    return kept["core"], kept["process"], f"{kept['burst_share']} by {kept['burst_size']}", kept["drift"]


def _real(study: PowerStudy) -> list[str]:
    same, slower, biased = ([one for one in study.outcomes if one.kind == kind] for kind in (SAME, SLOWER, BIASED))
    if not same:
        return ["None were made."]
    alarms = sum(any(cell.claimed for cell in one.cells) for one in same)
    planted = [cell for one in slower for cell in one.cells if cell.planted]
    missed = [cell for cell in planted if cell.verdict != Verdict.SLOWER]
    others = [cell for one in slower for cell in one.cells if not cell.planted]
    lines = [
        "This tree against itself through `contend compare --null`'s own path, by fresh processes each time: the "
        f"serial baseline and Block-STM with 1 and 2 workers, three cells. Slow-down: {study.effect:.0%} of its own "
        "time, spent busy, added to Block-STM in B (`tools/gate_power/planted.py`). Bias: the same added to whatever "
        "is in the second place of a pair of processes, be it A or B.",
        "",
        "| planted | comparisons | outcome |",
        "| --- | ---: | --- |",
        f"| nothing | {len(same)} | {alarms} false alarm{'' if alarms == 1 else 's'} |",
    ]
    if slower:
        false = sum(cell.claimed for cell in others)
        lines.append(
            f"| a slow-down | {len(slower)}, with {len(planted)} slower cells | {len(planted) - len(missed)} of "
            f"{len(planted)} found; {false} of the {len(others)} other cells claimed |"
        )
    if biased:
        cells = [cell for one in biased for cell in one.cells if cell.planted]
        told = sum(bool(one.bias) for one in biased)
        lines.append(
            f"| a bias | {len(biased)}, with {len(cells)} biased cells | {sum(cell.claimed for cell in cells)} of "
            f"{len(cells)} claimed; named as a bias in {told} of {len(biased)} |"
        )
    floors = ", ".join(dict.fromkeys(cell.floor for one in biased for cell in one.cells if cell.planted))
    if missed:
        told_missed = (f"{cell.name} {cell.ratio}, floor {cell.floor}, {cell.verdict}" for cell in missed)
        lines += ["", f"Not found: {'; '.join(told_missed)}."]
    if biased:
        lines += ["", f"Floors of the biased cells: {floors}. What such a comparison says:", ""]
        lines += [f"> {one.bias or 'nothing of a bias'}" for one in biased[:1]]
    return lines


def _exact(study: PowerStudy) -> list[str]:
    lines = [
        "| workload | workers | simulated time | change | aborts | executions | verdict |",
        "| --- | ---: | --- | ---: | --- | --- | --- |",
    ]
    for cell in study.exact:
        if cell.a is None or cell.b is None or cell.a.picoseconds is None or cell.b.picoseconds is None:
            continue
        aborts, executions = (cell.counters.get(name, (0, 0)) for name in ("aborts", "executions"))
        grown = cell.b.picoseconds - cell.a.picoseconds
        lines.append(
            f"| {cell.name.workload} | {cell.name.workers} | {cell.a.picoseconds:,} ps → {cell.b.picoseconds:,} ps | "
            f"{grown:+,} ps | {aborts[0]:g} → {aborts[1]:g} | {executions[0]:g} → {executions[1]:g} | "
            f"{cell.verdict.value} |"
        )
    return lines
