"""Runs of a cell so far, by measurement and pair of processes, and how it is judged by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from contend.harness.compare.measured import CellName, MeasuredCell
from contend.harness.compare.ratio import Pair, paired
from contend.harness.compare.result import CellResult
from contend.harness.compare.significance.null_run import NullRun, NullSamples, null_run, pooled
from contend.harness.compare.significance.signed_rank import signed_rank
from contend.harness.compare.verdict import Rule
from contend.harness.record.sample import Sample
from contend.harness.record.statistics import Interval, Samples

A, B = range(2)
LETTERS = "AB"

PAIR = (A, B)
EXCHANGED_PAIRS = (A, B, B, A)
"""Places of a group of processes, by side: one pair, or two of which the second has its places exchanged."""


@dataclass
class PairRuns:
    """Runs of one cell in one process of A and one of B.

    Attributes
    ----------
    seconds : tuple of list of float
        Of A and of B, in the same rounds.
    a_first : list of bool
        By round: whether A was run before B.
    exchanged : bool
        Whether B has the first place of the pair; of two such pairs the other is the one before.
    """

    seconds: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    a_first: list[bool] = field(default_factory=list)
    exchanged: bool = False

    @property
    def pair(self) -> Pair:
        """The samples."""
        return Pair(np.array(self.seconds[A]), np.array(self.seconds[B]))

    def turns(self) -> Samples:
        """Ratios of what ran second to what ran first, of two rounds in which the sides changed turns."""
        ratios, first = self.pair.b / self.pair.a, np.array(self.a_first, dtype=bool)
        b_second, b_first = ratios[first], ratios[~first]
        count = min(len(b_second), len(b_first))
        return np.asarray(np.sqrt(b_second[:count] / b_first[:count]))


@dataclass
class CellRuns:
    """Runs of a cell of one workload so far.

    Attributes
    ----------
    rounds : list of dict
        By measurement, by number of the pair of processes, the odd ones of a null run with exchanged places.
    samples : list of Sample or None
        The last sample of each side.
    seconds : float
        What its rounds have taken, setting up and verifying included.
    """

    rounds: list[dict[int, PairRuns]] = field(default_factory=list)
    samples: list[Sample | None] = field(default_factory=lambda: [None, None])
    seconds: float = 0.0
    _known: dict[tuple[int, int], Interval] = field(default_factory=dict, repr=False)

    @property
    def pairs(self) -> list[Pair]:
        """Every pair of processes of every measurement, in the order of time."""
        return [pair for rounds in self.rounds for pair in _pairs(rounds)]

    @property
    def round_seconds(self) -> float:
        """Mean seconds of a round."""
        return self.seconds / max(sum(len(pair.a) for pair in self.pairs), 1)

    def ratios(self) -> list[Interval]:
        """The ratio by every measurement."""
        return [self._ratio(number, pairs) for number, pairs in enumerate(map(_pairs, self.rounds)) if pairs]

    def _ratio(self, measurement: int, pairs: list[Pair]) -> Interval:
        """The ratio by a measurement, found once: rounds are only ever added to it."""
        key = measurement, sum(len(pair.a) for pair in pairs)
        if key not in self._known:
            self._known[key] = paired(pairs)
        return self._known[key]

    def null_samples(self) -> list[NullSamples]:
        """The versions against themselves, by every measurement."""
        return [_null(rounds) for rounds in self.rounds if _pairs(rounds)]

    def nulls(self, floor: float) -> list[NullRun]:
        """Null run of every measurement, the pilot's not below a floor; none without exchanged places."""
        found = (null_run(samples, floor) for samples in self.null_samples())
        return [null for null in found if null is not None]

    def repeated(self) -> list[float]:
        """Logarithm of the median ratio of every pair of processes that followed the pilot."""
        further = [pair for rounds in self.rounds[1:] for pair in _pairs(rounds)]
        return [float(np.median(np.log(pair.b / pair.a))) for pair in further]

    def by_process(self, side: int) -> list[Samples]:
        """Seconds of a side's processes."""
        return [(pair.a, pair.b)[side] for pair in self.pairs]

    def unsettled(self, rule: Rule, floor: float) -> bool:
        """Whether the cell has to be measured again; see `judged`."""
        return rule.unsettled(self.ratios(), [null.floor for null in self.nulls(floor)])

    def judged(
        self, name: CellName, sides: tuple[MeasuredCell | None, MeasuredCell | None], rule: Rule, floor: float
    ) -> CellResult:
        """Judge the cell by itself.

        Parameters
        ----------
        name : CellName
        sides : tuple of MeasuredCell
            A and B.
        rule : Rule
        floor : float
            That of the workload (`pilot_floor`).
        """
        ratios, nulls = self.ratios(), self.nulls(floor)
        verdict, ratio, note = rule.settle(ratios, [null.floor for null in nulls])
        # Which way to look the pilot has said, of which the other pairs are independent.
        way = 1.0 if ratios[0].median > 1.0 else -1.0
        return CellResult(
            name,
            verdict,
            ratio,
            tuple(ratios),
            *sides,
            note=note,
            nulls=tuple(nulls),
            null_samples=pooled(self.null_samples()) if nulls else None,
            p_value=signed_rank([way * value for value in self.repeated()]),
        )


def pilot_floor(cells: Iterable[CellRuns]) -> float:
    """Floor of the pilots of cells that the same processes measured; 0 without exchanged places."""
    null = null_run(pooled(samples for cell in cells for samples in cell.null_samples()[:1]))
    return 0.0 if null is None else null.floor


def _pairs(rounds: Mapping[int, PairRuns]) -> list[Pair]:
    return [runs.pair for runs in rounds.values() if runs.a_first]


def _null(rounds: Mapping[int, PairRuns]) -> NullSamples:
    """What the second place took in relation to the first, under each version, and the second turn to the first."""
    places: list[Samples] = []
    for number, runs in rounds.items():
        if runs.exchanged:
            one, other = rounds[number - 1].pair, runs.pair
            places += [other.a / one.a, one.b / other.b]
    return NullSamples(tuple(places), tuple(runs.turns() for runs in rounds.values() if runs.a_first))
