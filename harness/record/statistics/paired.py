"""Paired ratio: how fast one strategy is beside another, from runs of the same rounds.

In a round every cell is run once, in one process, one after the other, so that whatever the machine does for a while it
does to all of them. The ratio of two runs of one round is therefore a sample of its own, whichever two strategies they
are of, and speed-up over serial is but the one with the serial baseline below it. Its median and interval are those of
`contend.harness.record.statistics`: pairs within rounds, resampled over processes and then rounds (Kalibera and Jones,
*Rigorous Benchmarking in Reasonable Time*, 2013). Ratios of medians, or of two speed-ups over serial, would add the
noise of what was divided out.

Simulated runs are the same whenever they are made, so that their ratio is exact.

This is the one place for it: tables, comparisons, charts and reports all ask here. Cells are mappings as a record or a
row of its frame (`contend.harness.record.frame`) has them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contend.harness.plan.resolve import BASELINE
from contend.harness.record.statistics import Interval, Samples, speedup

Cell = Mapping[Any, Any]
_SETTING = ("record", "workload", "seed", "block_size", "block_count", "clock", "genesis_digest", "block_digest")
_DIAL = "dial."
_PICO = 1e12


@dataclass(frozen=True)
class Pairs:
    """Runs of two cells that were made in the same rounds.

    Attributes
    ----------
    own, base : list of ndarray, each shape (rounds,)
        Seconds of the strategy and of its baseline, by process; equal places are of one round.
    simulated : bool
        Whether the one pair that there is has no noise.
    """

    own: list[Samples] = field(default_factory=list)
    base: list[Samples] = field(default_factory=list)
    simulated: bool = False

    def __bool__(self) -> bool:
        return any(len(group) for group in self.own)

    def __add__(self, other: Pairs) -> Pairs:
        """Pairs of two records: their processes side by side."""
        return Pairs(self.own + other.own, self.base + other.base, self.simulated and other.simulated)

    @property
    def count(self) -> int:
        """Number of pairs."""
        return sum(map(len, self.own))

    def ratio(self) -> Interval:
        """Median of the baseline's seconds to own seconds, with its interval: above 1 is faster than the baseline.

        Raises
        ------
        ValueError
            If there is no pair.
        """
        if self.simulated and self.count == 1:
            exact = float(self.base[0][0] / self.own[0][0])
            return Interval(exact, exact, exact, 1.0)
        return speedup(self.own, self.base)


@dataclass(frozen=True)
class PairedRatio:
    """One cell beside another of the same block.

    Attributes
    ----------
    strategy, workers
        The cell.
    baseline, baseline_workers
        What it is held against.
    ratio : Interval
        Above 1 is faster than the baseline; both ends are the median where time is simulated.
    pairs : int
        Pairs of runs.
    processes : int
        In which they were made.
    simulated : bool
        Whether the ratio is exact.
    """

    strategy: str
    workers: int
    baseline: str
    baseline_workers: int
    ratio: Interval
    pairs: int
    processes: int
    simulated: bool

    def as_json(self) -> dict[str, Any]:
        """Show it as a cell of a record has it."""
        ends = {"median": self.ratio.median, "low": self.ratio.low, "high": self.ratio.high}
        return {
            "strategy": self.baseline,
            "workers": self.baseline_workers,
            **ends,
            "confidence": self.ratio.confidence,
        }


def pairs_of(own: Cell, base: Cell | None) -> Pairs:
    """Pair the runs of two cells of one record; without `base`, with the serial runs that each sample names.

    A cell without samples has no pairs, and cells of two records have none either.
    """
    simulated = bool(own.get("simulated"))
    if base is None:
        below = {_place(sample, simulated): sample["baseline_seconds"] for sample in own["samples"]}
    elif own.get("record") != base.get("record") or simulated != bool(base.get("simulated")):
        below = {}
    else:
        below = {_place(sample, simulated): _seconds(sample, simulated) for sample in base["samples"]}
    groups: dict[int, list[tuple[float, float]]] = {}
    for sample in own["samples"]:
        place = _place(sample, simulated)
        if place in below:
            groups.setdefault(sample["process"], []).append((_seconds(sample, simulated), below[place]))
    tables = [np.array(group, dtype=np.float64) for group in groups.values()]
    return Pairs([table[:, 0] for table in tables], [table[:, 1] for table in tables], simulated)


def _place(sample: Mapping[str, Any], simulated: bool) -> Hashable:
    """What two runs have in common that are a pair. Simulated cells are shared out among processes."""
    return sample["round"] if simulated else (sample["process"], sample["round"])


def _seconds(sample: Mapping[str, Any], simulated: bool) -> float:
    """Time of a run; of a simulated one whole picoseconds, so that equal ones have the ratio 1."""
    if not simulated:
        return float(sample["seconds"])
    return float(sum(round(seconds * _PICO) for seconds in sample["phases"].values()) / _PICO)


def setting_of(cell: Cell) -> Hashable:
    """Identity of what a cell executed, equal for cells that may be held against each other."""
    dials = cell.get("dials")
    if not isinstance(dials, Mapping):
        # A row of a frame has NaN where another workload has a dial.
        dials = {name: value for name, value in cell.items() if str(name).startswith(_DIAL) and value == value}
    return (*(cell.get(name) for name in _SETTING), tuple(sorted(dials.items())))


def cell_at(cells: Iterable[Cell], strategy: str, workers: int) -> Cell | None:
    """The cell of a strategy with so many workers; a strategy that is not parallel has its one cell at every number.

    Parameters
    ----------
    cells : iterable of mapping
        Of one setting.
    strategy : str
    workers : int
    """
    counts = {one["workers"]: one for one in cells if one["strategy"] == strategy}
    return counts.get(workers, counts[1] if set(counts) == {1} else None)


def ratio_to(cells: Sequence[Cell], cell: Cell, baseline: str) -> PairedRatio | None:
    """Ratio of one cell to a baseline with as many workers.

    Parameters
    ----------
    cells : sequence of mapping
        Of one setting; failed ones, which have no samples, may be among them.
    cell : mapping
        One of them.
    baseline : str
        Name of a strategy. Serial runs are known even where serial has no cell of its own.

    Returns
    -------
    PairedRatio or None
        None where there is no pair.
    """
    if baseline == BASELINE:
        return ratio_between(cell, None)
    base = cell_at(cells, baseline, cell["workers"])
    return None if base is None else ratio_between(cell, base)


def ratio_between(own: Cell, base: Cell | None) -> PairedRatio | None:
    """Ratio of one cell to another, or to the serial runs of its rounds; None where there is no pair."""
    return measured_ratio(own, base, pairs_of(own, base))


def measured_ratio(own: Cell, base: Cell | None, pairs: Pairs) -> PairedRatio | None:
    """Ratio of one cell to another (serial, where None is given) by these pairs; None where there are none."""
    if not pairs:
        return None
    return PairedRatio(
        str(own["strategy"]),
        int(own["workers"]),
        BASELINE if base is None else str(base["strategy"]),
        1 if base is None else int(base["workers"]),
        pairs.ratio(),
        pairs.count,
        len(pairs.own),
        pairs.simulated,
    )


def ratios_to(cells: Iterable[Cell], baseline: str) -> list[PairedRatio | None]:
    """Ratio of every cell to a baseline, in their order; cells of several settings and records may be among them."""
    every = list(cells)
    groups: dict[Hashable, list[Cell]] = {}
    for cell in every:
        groups.setdefault(setting_of(cell), []).append(cell)
    return [ratio_to(groups[setting_of(cell)], cell, baseline) for cell in every]


def with_baseline(cells: Iterable[Cell], baseline: str | None) -> list[dict[str, Any]]:
    """Cells of a record, each with its ratio to the baseline that was asked for, ``over_baseline``.

    Parameters
    ----------
    cells : iterable of mapping
    baseline : str or None
        For serial, or None, the cells are as they were: their ``speedup`` says it.
    """
    every = [dict(cell) for cell in cells]
    if baseline in (None, BASELINE):
        return every
    ratios = ratios_to(every, str(baseline))
    return [
        {**cell, "over_baseline": None if ratio is None else ratio.as_json()}
        for cell, ratio in zip(every, ratios, strict=True)
    ]


def paired_ratio(
    record: Mapping[str, Any],
    workload: str,
    strategy: str,
    baseline: str = BASELINE,
    workers: int = 1,
    dials: Mapping[str, Any] | None = None,
) -> PairedRatio | None:
    """Ratio of one cell of a record to a baseline in the same record.

    Parameters
    ----------
    record : mapping
        As `harness.records.read` gives it.
    workload : str
        As the record names it.
    strategy : str
    baseline : str
        Its cell with as many workers is taken, or its only one where it is not parallel.
    workers : int
        Of the strategy.
    dials : mapping, optional
        Some that tell the workload from others of the name, in a sweep.

    Returns
    -------
    PairedRatio or None
        None where either was not measured or failed.

    Raises
    ------
    ValueError
        If several cells are meant.
    """
    wanted = (dials or {}).items()
    cells = [one for one in record["cells"] if one["workload"] == workload and wanted <= one["dials"].items()]
    found = [one for one in cells if (one["strategy"], one["workers"]) == (strategy, workers)]
    if len(found) > 1:
        raise ValueError(f"{workload}, {strategy} x{workers}: {len(found)} cells; name dials")
    if not found:
        return None
    return ratio_to([one for one in cells if setting_of(one) == setting_of(found[0])], found[0], baseline)
