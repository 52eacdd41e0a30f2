"""Result of a comparison, cell by cell, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from contend.harness.compare.exit_policy import (
    EXIT_NOTHING,
    EXIT_OK,
    EXIT_REGRESSION,
    INCONCLUSIVE,
    NEVER,
    SLOWER,
    WASTE,
)
from contend.harness.compare.measured import CellName, MeasuredCell
from contend.harness.compare.significance.false_discovery import Family, adjusted
from contend.harness.compare.significance.null_run import SURE, NullRun, NullSamples, null_run, pooled
from contend.harness.compare.verdict import Rule, Verdict, wasteful
from contend.harness.present.formatting import differing
from contend.harness.record.statistics import Interval, Samples

SCHEMA = "contend-comparison/1"
SCHEMA_FILE = Path(__file__).with_name("comparison.schema.json")


@dataclass(frozen=True)
class CellResult:
    """One cell of a comparison.

    Attributes
    ----------
    name : CellName
    verdict : Verdict
    ratio : Interval or None
        B's seconds to A's; its ends are equal where time is simulated. None where there is nothing to compare.
    ratios : tuple of Interval
        Of every independent measurement, in order.
    a, b : MeasuredCell or None
        All samples; None where a side does not have the cell.
    counters : mapping
        Of simulated runs: those that differ, each with both values.
    note : str
        What a reader should know; for a refused or broken cell, why.
    nulls : tuple of NullRun
        Of every independent measurement, in the order of `ratios`; empty without a null run.
    null_samples : NullSamples or None
        Of all measurements.
    p_value : float or None
        Probability of the pairs that followed the pilot where nothing differs: 1 if none followed. None where time is
        simulated, or was measured before.
    """

    name: CellName
    verdict: Verdict
    ratio: Interval | None = None
    ratios: tuple[Interval, ...] = ()
    a: MeasuredCell | None = None
    b: MeasuredCell | None = None
    counters: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""
    nulls: tuple[NullRun, ...] = ()
    null_samples: NullSamples | None = None
    p_value: float | None = None

    @property
    def floor(self) -> float | None:
        """Share below which no difference of the cell is claimed; None if that was not measured, 0 if time is exact."""
        if self.ratio is None:
            return None
        if self.name.clock != "wall":
            return 0.0
        if not self.nulls:
            return None
        if self.ratio in self.ratios:
            return self.nulls[self.ratios.index(self.ratio)].floor
        return max(null.floor for null in self.nulls)

    @property
    def compared(self) -> bool:
        """Whether the cell has a verdict on its speed, or broke."""
        return self.verdict is not Verdict.REFUSED

    @property
    def changed(self) -> bool:
        """Whether a reader wants to see it first."""
        moved = self.verdict in (Verdict.SLOWER, Verdict.FASTER, Verdict.BROKEN)
        return moved or bool(self.counters)

    @property
    def wasteful(self) -> bool:
        """Whether simulated workers wasted more work."""
        return wasteful(self.counters)

    def as_json(self) -> dict[str, Any]:
        """Show the cell as JSON has it: name, verdict, ratios, medians and raw samples of both sides."""
        return {
            **self.name.as_json(),
            "verdict": self.verdict.value,
            "note": self.note,
            "ratio": _interval(self.ratio),
            "measurements": [_interval(ratio) for ratio in self.ratios],
            "floor": self.floor,
            "null": [null_json(null) for null in self.nulls],
            "p_value": self.p_value,
            "counters": {name: list(values) for name, values in self.counters.items()},
            "a": _side(self.a),
            "b": _side(self.b),
        }


def seconds(side: MeasuredCell | None) -> float | None:
    """Median time of the block, in seconds; None without samples."""
    if side is None or not side.seconds:
        return None
    return float(np.median(np.concatenate(side.seconds)))


def _interval(ratio: Interval | None) -> dict[str, float] | None:
    if ratio is None:
        return None
    return {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence}


def null_json(null: NullRun | None) -> dict[str, Any] | None:
    """Show a null run as JSON has it."""
    if null is None:
        return None
    return {"places": _interval(null.places), "turns": _interval(null.turns), "floor": null.floor}


def _side(side: MeasuredCell | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "source": side.source,
        "genesis_digest": side.genesis_digest,
        "block_digest": side.block_digest,
        "costs": side.costs,
        "error": side.error,
        "seconds": seconds(side),
        "picoseconds": side.picoseconds,
        "counters": dict(side.counters),
        "samples_seconds": [_listed(group) for group in side.seconds],
    }


def _listed(group: Samples) -> list[float]:
    return [float(value) for value in group]


@dataclass
class Comparison:
    """All cells of A against all of B.

    Attributes
    ----------
    a, b : dict
        Both sides in words: ``label``, ``kind`` (``record`` or ``tree``), and what is known of ``revision``,
        ``dirty``, ``kernels``, ``python``.
    rule : Rule
    fail_on : frozenset of str
        Of `policy.FAIL_ON`.
    interleaved : bool
        Whether A and B were measured in turns.
    environment : dict
        Machine and versions, as in a record; of B where these are records.
    cells : list of CellResult
    notes : list of str
        About the whole.
    command : str
        That makes it again.
    settings : list of dict
        Of options whose values stood in a settings file or the environment: ``option``, ``value``, ``source``.
    interrupted : bool
        Whether cells are missing that would have been compared, or measured again.
    null : NullRun or None
        The versions against themselves, all cells together; None if that was not measured.
    family : Family or None
        The cells that were tested together; None where nothing is left to chance, or records were compared.
    """

    a: dict[str, Any]
    b: dict[str, Any]
    rule: Rule
    fail_on: frozenset[str]
    interleaved: bool
    environment: Mapping[str, Any]
    cells: list[CellResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    command: str = ""
    settings: list[dict[str, str]] = field(default_factory=list)
    interrupted: bool = False
    null: NullRun | None = None
    family: Family | None = None

    def conclude(self, results: Iterable[CellResult]) -> None:
        """Take the cells, each judged by itself, and judge them all together.

        A claim that would not be made at the rate of the rule among so many cells is withdrawn.

        Parameters
        ----------
        results : iterable of CellResult
            All there are; those of an earlier call again, as they were then.
        """
        self.cells = list(results)
        tested = [place for place, cell in enumerate(self.cells) if cell.compared and cell.p_value is not None]
        rates = adjusted([self.cells[place].p_value or 0.0 for place in tested])
        withdrawn = 0
        for place, rate in zip(tested, rates, strict=True):
            cell = self.cells[place]
            if cell.verdict in (Verdict.SLOWER, Verdict.FASTER) and rate > self.rule.false_discovery_rate:
                asked = f"at a false discovery rate of {100 * self.rule.false_discovery_rate:.3g} %"
                note = f"{cell.verdict.value}, but not among {len(tested)} cells {asked}: it takes {100 * rate:.2g} %"
                self.cells[place] = replace(cell, verdict=Verdict.INCONCLUSIVE, note=note)
                withdrawn += 1
        self.family = Family(len(tested), self.rule.false_discovery_rate, withdrawn) if tested else None
        samples = pooled(cell.null_samples for cell in self.cells if cell.null_samples is not None)
        self.null = null_run(samples, confidence=SURE)

    @property
    def compared(self) -> list[CellResult]:
        """Cells that were compared."""
        return [cell for cell in self.cells if cell.compared]

    @property
    def refused(self) -> list[CellResult]:
        """Cells that were not."""
        return [cell for cell in self.cells if not cell.compared]

    @property
    def regressions(self) -> list[CellResult]:
        """Cells for which the comparison fails."""
        return [cell for cell in self.compared if self._fails(cell)]

    def _fails(self, cell: CellResult) -> bool:
        if NEVER in self.fail_on:
            return False
        if cell.verdict in (Verdict.SLOWER, Verdict.BROKEN):
            return SLOWER in self.fail_on
        if cell.verdict is Verdict.INCONCLUSIVE:
            return INCONCLUSIVE in self.fail_on
        return cell.wasteful and WASTE in self.fail_on

    @property
    def exit_code(self) -> int:
        """0 ok, 1 regression, 3 nothing could be compared."""
        if not self.compared:
            return EXIT_NOTHING
        return EXIT_REGRESSION if self.regressions else EXIT_OK

    @property
    def counts(self) -> Counter[Verdict]:
        """Cells by verdict."""
        return Counter(cell.verdict for cell in self.cells)

    @property
    def clear(self) -> bool:
        """Whether all is well as far as can be told: it passes, and not for want of evidence or by being told to."""
        bad = self.counts[Verdict.SLOWER] + self.counts[Verdict.BROKEN]
        told = len(self.compared) - self.counts[Verdict.INCONCLUSIVE]
        return self.exit_code == EXIT_OK and not self.interrupted and not bad and told > 0

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        tail = ", ".join(f"{self.counts[one]} {one.value}" for one in _ORDER if self.counts[one])
        counted = f"{len(self.compared)} cell{_s(self.compared)} ({tail})"
        if self.interrupted:
            return f"Interrupted: {counted} compared until then."
        if not self.compared:
            return f"Nothing could be compared: {len(self.cells)} cell{_s(self.cells)}, all refused."
        failed = self.regressions
        if failed:
            worst = max(failed, key=_severity)
            # What the gate was told to stop need not be slower.
            slower = any(cell.verdict in (Verdict.SLOWER, Verdict.BROKEN) for cell in failed)
            word = "Regression" if slower else "Stopped"
            return f"{word}: {len(failed)} of {len(self.compared)} cells. Worst: {worst.name}, {_extent(worst)}."
        if self.clear:
            return f"No regression: {counted}."
        if self.counts[Verdict.INCONCLUSIVE] == len(self.compared):
            return f"No regression could be shown, nor that there is none: {counted}."
        return f"Slower, but told not to fail for it: {counted}."

    def as_json(self) -> dict[str, Any]:
        """Show the comparison as ``contend compare --json`` writes it; ``comparison.schema.json`` says what is what.

        Returns
        -------
        dict
            ``schema``, ``a``, ``b``, ``threshold``, ``virtual_threshold``, ``fail_on``, ``interleaved``, ``null``,
            ``family``, ``exit_code``, ``summary``, ``environment``, ``command``, ``settings``, ``notes``, ``cells``
            (`CellResult.as_json`).
        """
        return {
            "schema": SCHEMA,
            "a": self.a,
            "b": self.b,
            "threshold": self.rule.threshold,
            "virtual_threshold": self.rule.virtual_threshold,
            "fail_on": sorted(self.fail_on),
            "interleaved": self.interleaved,
            "null": null_json(self.null),
            "family": None if self.family is None else asdict(self.family),
            "exit_code": self.exit_code,
            "summary": self.summary,
            "environment": dict(self.environment),
            "command": self.command,
            "settings": self.settings,
            "notes": self.notes,
            "cells": [cell.as_json() for cell in self.cells],
        }


_BESIDE_DIALS = ("seed", "block_size", "block_count", "network", "stages")
_ORDER = (Verdict.BROKEN, Verdict.SLOWER, Verdict.FASTER, Verdict.SAME, Verdict.INCONCLUSIVE)


def _severity(cell: CellResult) -> float:
    return float("inf") if cell.verdict is Verdict.BROKEN else cell.ratio.median if cell.ratio else 0.0


def _extent(cell: CellResult) -> str:
    if cell.verdict is Verdict.BROKEN:
        return "which fails"
    if cell.verdict is Verdict.SLOWER and cell.ratio:
        return f"{percent(cell.ratio.median)} in time"
    return "cannot be told" if cell.verdict is Verdict.INCONCLUSIVE else "more work wasted"


def percent(ratio: float) -> str:
    """Write a ratio as a signed change, as finely as it is small: +12 %, +1.3 %, +0.0040 %."""
    change = 100.0 * (ratio - 1.0)
    if change == 0.0:
        return "0 %"
    digits = 0
    while digits < 6 and abs(change) < 10.0 ** (1 - digits):
        digits += 1
    return f"{change:+.{digits}f} %"


def _s(things: Sequence[object]) -> str:
    return "" if len(things) == 1 else "s"


def ordered(cells: Iterable[CellResult]) -> list[CellResult]:
    """Cells as a reader wants them: the worst first, then by name."""
    places = {verdict: place for place, verdict in enumerate((*_ORDER, Verdict.REFUSED))}
    return sorted(cells, key=lambda cell: (places[cell.verdict], -_severity(cell), cell.name))


def grouped(cells: Iterable[CellResult]) -> dict[str, list[CellResult]]:
    """The same by workload, that with the worst cell first; its name tells what its cells differ in from others'."""
    every = ordered(cells)
    told = distinctions(cell.name for cell in every)
    groups: dict[str, list[CellResult]] = {}
    for cell in every:
        groups.setdefault(f"{cell.name.workload}{told[cell.name]}", []).append(cell)
    return groups


def distinctions(names: Iterable[CellName]) -> dict[CellName, str]:
    """Distinctions between the cells of one workload: dials, seed, block size and so on, where they differ."""
    settings: dict[str, dict[CellName, dict[str, object]]] = {}
    for name in names:
        one = {**dict(name.dials), **{field: getattr(name, field) for field in _BESIDE_DIALS}}
        settings.setdefault(name.workload, {})[name] = one
    return {
        name: "".join(f", {key}={one.get(key)}" for key in differing(own.values()))
        for own in settings.values()
        for name, one in own.items()
    }
