"""``contend calibrate``: fit a cost table to this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from contend.harness.calibrate.fit import Floats, errors, fit
from contend.harness.calibrate.measure import amounts, ratio, slowdown, subjects
from contend.harness.observer import Observer
from contend.harness.record import environment
from contend.harness.record.atomic_write import write_json
from contend.harness.record.environment import usable_cores
from contend.strategies.clocks.cost_table import CLASSES, CostTable, default_costs

_NANOSECONDS = 1e9
_DIGITS = 3
_LEAST_SHARE = 0.05  # of a run, that its preparation or the rest has to have


@dataclass(frozen=True)
class Calibration:
    """A fitted table and how well it explains what was measured.

    Attributes
    ----------
    costs : CostTable
    names : list of str
        What was measured: a run, or its preparation and its rest apart.
    seconds : list of float
    errors : list of float
        Relative: modelled time over measured time, less one.
    """

    costs: CostTable
    names: list[str]
    seconds: list[float]
    errors: list[float]


def calibrate(observer: Observer, only: Sequence[str] = (), prior: CostTable | None = None) -> Calibration:
    """Measure and fit.

    Parameters
    ----------
    observer : Observer
        Told what is being measured.
    only : sequence of str
        Classes to fit where the others are to keep the costs of the project's table: how a new class joins a table
        that figures were published with. Times are then brought to that table's machine, by what it says of the serial
        run of the same block, so that what is fitted is times over serial. By default all are fitted.
    prior : CostTable or None
        Towards which costs are drawn where times cannot tell them apart. By default the project's table.

    Raises
    ------
    ValueError
        For a class that is not known.
    """
    unknown = [name for name in only if name not in CLASSES]
    if unknown:
        raise ValueError(f"class {unknown[0]!r} is not known; classes are {', '.join(CLASSES)}")

    def progress(text: str) -> None:
        observer.stage(0, "calibration", text)
        observer.tick()

    free = np.isin(CLASSES, only) if only else np.ones(len(CLASSES), np.bool_)
    found = {subject.name: subject for subject in subjects()}
    project = default_costs()
    own, drawn = (_seconds(table) for table in (project, project if prior is None else prior))
    known = np.where(free, drawn, own)
    counts: dict[str, Floats] = {}
    rests: dict[str, Floats] = {}
    for name, subject in found.items():
        progress(f"counting the work of {name}")
        counts[name], rests[name] = amounts(subject, free)
    ratios: dict[str, Floats] = {}
    references: dict[str, list[float]] = {}
    # What has no work of the classes in question says nothing of them.
    telling = {name: subject for name, subject in found.items() if not only or counts[name][:, free].any()}
    for name, subject in telling.items():
        progress(f"measuring {name}")
        ratios[name], seconds = ratio(subject, found[subject.reference])
        references.setdefault(subject.reference, []).append(seconds)
    if only:
        bases = {name: float((counts[name] @ own + rests[name]).sum()) for name in references}
    else:
        bases = {name: float(np.median(seconds)) for name, seconds in references.items()}
    names, rows, others, times = [], [], [], []
    for name, subject in telling.items():
        for part, which in _observed(ratios[name]).items():
            if not counts[name][which].any() and not rests[name][which].any():
                continue  # what Python does once a block, a tenth of a millisecond, is in no class
            names.append(name + part)
            rows.append(counts[name][which].sum(axis=0))
            others.append(rests[name][which].sum())
            times.append(ratios[name][which].sum() * bases[subject.reference])
    counted, rest_times, measured = np.array(rows), np.array(others), np.array(times)
    costs = fit(counted, measured, known, rest=rest_times, free=free)
    slow: dict[int, int] = {}
    for workers in range(2, len(usable_cores()) + 1) if not only else ():
        progress(f"measuring how {workers} cores slow each other down")
        slow[workers] = slowdown(workers)
    nanoseconds = {name: round(float(cost) * _NANOSECONDS, _DIGITS) for name, cost in zip(CLASSES, costs, strict=True)}
    machine = environment.describe()
    origin = f"{machine['cpu']}, {machine['cores']} cores, {machine['time'][:10]}"
    if only:
        origin = origin_after(project.origin, only, origin)
    return Calibration(
        CostTable(nanoseconds, origin, slow),
        names,
        measured.tolist(),
        errors(counted, measured, costs, rest_times).tolist(),
    )


def origin_after(table: str, fitted: Sequence[str], machine: str) -> str:
    """Where costs are from, once some classes of a table have been fitted anew.

    Parameters
    ----------
    table : str
        What the table says: a machine, and behind it, by semicolons, classes that are from another one.
    fitted : sequence of str
    machine : str
        Where they were fitted.
    """
    first, *parts = table.split("; ")
    kept: dict[str, list[str]] = {}
    for part in parts:
        names, _, where = part.partition(": ")
        kept.setdefault(where, []).extend(name for name in names.split(", ") if name not in fitted)
    kept.setdefault(machine, []).extend(fitted)
    return "; ".join([first, *(f"{', '.join(names)}: {where}" for where, names in kept.items() if names)])


def _seconds(table: CostTable) -> Floats:
    """Costs of a table, shape (classes,)."""
    return np.array([table.nanoseconds[name] for name in CLASSES]) / _NANOSECONDS


def _observed(ratios: Floats) -> dict[str, list[int]]:
    """Parts of a run that are observations of their own: both, or the whole where one would be mostly noise."""
    if ratios.min() < _LEAST_SHARE * ratios.sum():
        return {"": [0, 1]}
    return {": preparation": [0], ": the rest": [1]}


def write(costs: CostTable, path: Path) -> None:
    """Write a table to a file."""
    write_json(path, costs.as_json())


def print_calibration(console: Console, calibration: Calibration) -> None:
    """Print costs beside those of the project's table, and how well they explain the measurements."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("class")
    for heading in ("here, ns", "project's, ns"):
        table.add_column(heading, justify="right")
    for name in CLASSES:
        table.add_row(name, f"{calibration.costs.nanoseconds[name]:.2f}", f"{default_costs().nanoseconds[name]:.2f}")
    console.print(table)
    wrong = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    wrong.add_column("measured with one worker")
    for heading in ("ms", "error of the model"):
        wrong.add_column(heading, justify="right")
    for name, time, error in zip(calibration.names, calibration.seconds, calibration.errors, strict=True):
        wrong.add_row(name, f"{1e3 * time:.2f}", f"{error:+.1%}")
    console.print(wrong)
    for workers, factor in calibration.costs.slowdown.items():
        console.print(f"{workers} workers slow each other down to {factor / 1000:.2f} times the time of one alone.")
