"""The page about the gate: what was simulated and measured, in generated tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from contend.harness.compare.result import CellResult
from tools.gate_power.noise import Noise
from tools.gate_power.simulate import Design, Simulated


@dataclass
class PowerStudy:
    """All that the page says.

    Attributes
    ----------
    command : str
    environment : mapping
    threshold, effect : float
        Shares.
    design : Design
    levels : list of (str, Noise or None, Simulated)
        Simulated: what the noise is, its figures where it is one model, and the outcome.
    real_alarms, real_found : list of bool
        Of each real comparison: whether a cell was found slower that was not; whether the planted cells were found.
    real_missed : list of str
        Verdicts of planted cells that were not found.
    exact : list of CellResult
        Of the planted aborts, in simulated time.
    every : int
        One planted abort for so many transactions.
    seconds : float
        How long the study took.
    loads: list of float
        Processes that ran or waited for a core, on average, at the beginning and after each pair of real comparisons.
    """

    command: str
    environment: Mapping[str, Any]
    threshold: float
    effect: float
    design: Design
    levels: list[tuple[str, Noise | None, Simulated]] = field(default_factory=list)
    real_alarms: list[bool] = field(default_factory=list)
    real_found: list[bool] = field(default_factory=list)
    real_missed: list[str] = field(default_factory=list)
    exact: Sequence[CellResult] = ()
    every: int = 100
    seconds: float = 0.0
    loads: list[float] = field(default_factory=list)


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
            "## Simulated comparisons",
            "",
            f"Each row: {study.levels[0][2].comparisons if study.levels else 0} comparisons of a version with itself, "
            f"{study.design.cells} cells each, a false alarm if any cell is found slower; and as many of a cell that "
            f"takes {study.effect:.0%} longer. Every cell has {study.design.rounds} pairs of runs in "
            f"{study.design.processes} pairs of processes, more where its noise calls for them, and is measured again "
            "where the rule says so (`harness/compare/sample_size.py`). *Core*: "
            "spread between runs of one process; *process*: between processes; *bursts*: runs that somebody "
            "else held up, and by how much; *drift*: the machine's step from round to round "
            "(`tools/gate_power/noise.py`).",
            "",
            *_levels(study),
            "",
            "## Real comparisons",
            "",
            *_real(study),
            "",
            "## A planted algorithmic loss",
            "",
            f"Block-STM whose validation aborts one valid incarnation in {study.every}, under the virtual clock: there "
            "is no noise, so that nothing is estimated.",
            "",
            *_exact(study),
            "",
        ]
    )


def _load(study: PowerStudy) -> list[str]:
    """Load of the machine, which decides what can be found."""
    if not study.loads:
        return []
    middle, cores = median(study.loads), study.environment["cores"]
    text = f"The machine had {middle:.1f} processes running or waiting for its {cores} cores (median load)."
    if middle > 1.5 * cores:
        text += " That is more than it can run: real times are those of an overloaded machine."
    return [text, ""]


_RULE = [
    "What the gate promises: a version compared with itself does not fail, a version that is slower does, and what",
    "the machine's noise hides is called inconclusive and passes. A cell is *slower* only if its time grows by more",
    "than the threshold, the whole interval of the ratio lies beyond the threshold, and a second measurement by fresh",
    "processes says the same (`harness/compare/verdict.py`).",
]


def _levels(study: PowerStudy) -> list[str]:
    lines = [
        "| noise | core | process | bursts | drift | false alarms | slow-down found |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, noise, outcome in study.levels:
        figures = ("fitted per cell",) * 4 if noise is None else _figures(noise)
        share = (outcome.alarms / outcome.comparisons, outcome.found / outcome.comparisons)
        lines.append(
            f"| {name} | {' | '.join(figures)} | {share[0]:.1%} ({outcome.alarms}) | {share[1]:.1%} ({outcome.found}) |"
        )
    return lines


def _figures(noise: Noise) -> tuple[str, str, str, str]:
    kept = {name: f"{100 * value:.1f} %" for name, value in asdict(noise).items()}
    return kept["core"], kept["process"], f"{kept['burst_share']} by {kept['burst_size']}", kept["drift"]


def _real(study: PowerStudy) -> list[str]:
    if not study.real_alarms:
        return ["None were made."]
    found, alarms = sum(study.real_found), sum(study.real_alarms)
    lines = [
        "This tree against itself through `contend compare`'s own path, by fresh processes each time: the serial "
        f"baseline and Block-STM with 1 and 2 workers, three cells. Slow-down: {study.effect:.0%} of its own time, "
        "spent busy, added to Block-STM in B.",
        "",
        "| comparisons | how many | outcome |",
        "| --- | ---: | --- |",
        f"| with itself | {len(study.real_alarms)} | {alarms} false alarms ({alarms / len(study.real_alarms):.1%}) |",
    ]
    if study.real_found:
        count = len(study.real_found)
        lines.append(f"| with a planted slow-down | {count} cells | {found} found ({found / count:.1%}) |")
    if study.real_missed:
        lines += ["", f"Not found: {'; '.join(study.real_missed)}."]
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
