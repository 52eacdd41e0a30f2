"""Choice of features: those by which choices are good on workloads that were no part of the learning.

A block's features tell which workload it is of long before they tell what it needs, and a tree that is given all of
them learns a dozen workloads by heart. So features are taken one by one, each time the one with which trees that were
grown without a workload choose best for that workload, all workloads in turn, as long as that is worth it (forward
selection by cross-validation: Kohavi and John, "Wrappers for feature subset selection", Artificial Intelligence 97,
1997). What a feature costs to look at counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.harness.analysis.learning.lessons import Lesson
from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import BASELINE
from contend.strategies.adaptive.block_features import FEATURES, SAMPLE, group_of
from contend.strategies.adaptive.decision_model import LEAST_PART, UNIT, Candidate
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import PS_PER_SECOND
from contend.strategies.clocks.cost_table import default_costs

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PACKAGE = "scikit-learn"
FIRST = ("workers", "transactions", "same_sender", "most_gas")
"""Features that every choice may go by: what is sure. Transactions of one sender depend on each other whatever they
call, and nothing is over before its largest transaction; the others only suggest something."""
_WORTH = 0.005  # binary logarithm of what another feature must shorten times by
_SLOWEST = 6.0  # binary logarithm: what is slower than this is as bad
_USUAL_DEPTH = 7
_NOBODY, _BY_SERIAL = -2, -1
_TOO_SLOW, _PENALTY = 0.9, 1.0  # of serial execution, and what that weighs


@dataclass(frozen=True)
class Settings:
    """How a tree is grown.

    Attributes
    ----------
    leaves : int
    least : float
        Share of all weight that a leaf has at least.
    margin : int
        By how much a candidate must be expected to be faster than serial execution, see `Part.margin`.
    """

    leaves: int = 64
    least: float = 0.003
    margin: int = 200


USUAL = Settings()


@dataclass(frozen=True)
class Table:
    """Lessons as a tree learns them: a row for a block as it is seen alone, and one for each way it is seen behind one.

    Attributes
    ----------
    lessons : tuple of Lesson
    costs : ndarray of float64, shape (lessons, candidates)
        Binary logarithms of times as shares of serial execution.
    features : ndarray of int64, shape (rows, len(FEATURES))
    lesson : ndarray of int64, shape (rows,)
        That each row is of.
    behind : ndarray of int64, shape (rows,)
        The candidate that has executed the block before, `_NOBODY` or `_BY_SERIAL`.
    weights : ndarray of float64, shape (rows,)
    """

    lessons: tuple[Lesson, ...]
    costs: Floats
    features: Integers
    lesson: Integers
    behind: Integers
    weights: Floats

    @classmethod
    def of(cls, lessons: Sequence[Lesson], candidates: Sequence[Candidate]) -> Table:
        """Lay lessons out.

        A part of the workers that was not measured counts as what all of them take; a contender that was not, as slow.
        """
        costs = np.full((len(lessons), len(candidates)), _SLOWEST)
        place = {one.contender: number for number, one in reversed(list(enumerate(candidates)))} | {
            BASELINE: _BY_SERIAL
        }
        of_workload = Counter(lesson.workload for lesson in lessons)
        rows: list[tuple[Integers, int, int, float]] = []
        for number, lesson in enumerate(lessons):
            for column, one in enumerate(candidates):
                seconds = time_of(lesson, one)
                if seconds is not None:
                    costs[number, column] = min(np.log2(seconds / lesson.serial), _SLOWEST)
            seen = [(name, lesson.behind(name)) for name in sorted(lesson.past) if name in place]
            told = [(features, place[name]) for name, features in seen if features is not None]
            weight = 1.0 / of_workload[lesson.workload] / (2 if told else 1)
            rows.append((lesson.features, number, _NOBODY, weight))
            rows += [(features, number, behind, weight / len(told)) for features, behind in told]
        features, numbers, behind, weights = zip(*rows, strict=True)
        return cls(
            tuple(lessons), costs, np.array(features), np.array(numbers), np.array(behind), np.array(weights, float)
        )


def time_of(lesson: Lesson, candidate: Candidate) -> float | None:
    """Seconds that a candidate takes for a lesson's block; None where nobody has measured it."""
    all_of_them = lesson.of_block.get((candidate.contender, lesson.workers))
    part = candidate.workers_of(lesson.workers)
    return lesson.of_block.get((candidate.contender, part), all_of_them) if part >= LEAST_PART else all_of_them


def grow(features: Integers, costs: Floats, weights: Floats, settings: Settings) -> Any:
    """Grow a tree by scikit-learn.

    Raises
    ------
    BadInputError
        If it is not there.
    """
    try:
        from sklearn.tree import DecisionTreeRegressor
    except ImportError:
        raise BadInputError(f"learn needs the package {PACKAGE}; pip install '{PACKAGE}>=1.7'") from None
    tree = DecisionTreeRegressor(
        max_leaf_nodes=settings.leaves, min_weight_fraction_leaf=settings.least, random_state=1
    )
    return tree.fit(features, costs, sample_weight=weights)


def chosen_features(table: Table, settings: Settings) -> list[str]:
    """Names of the features that are worth being looked at; all, where there is one workload only."""
    if len({lesson.workload for lesson in table.lessons}) == 1:
        return list(FEATURES)
    chosen, left = list(FIRST), [name for name in FEATURES if name not in FIRST]
    score = _score(table, chosen, settings)
    while left:
        scores = [_score(table, [*chosen, name], settings) for name in left]
        best = int(np.argmin(scores))
        if score - scores[best] < _WORTH:
            break
        score = scores[best]
        chosen.append(left.pop(best))
    return chosen


def _score(table: Table, names: Sequence[str], settings: Settings) -> float:
    """What choices take on workloads that were left out, as a binary logarithm: the less, the better.

    Blocks behind another count by who would have been chosen for that.
    """
    columns = [list(FEATURES).index(name) for name in names]
    choosing = _choosing_seconds(columns, np.array([lesson.transactions for lesson in table.lessons]))
    serial = np.array([lesson.serial for lesson in table.lessons])
    total = np.zeros(len(table.lessons))
    for own in _by_workload(table):
        grown = grow(table.features[~own][:, columns], table.costs[table.lesson[~own]], table.weights[~own], settings)
        rows = np.flatnonzero(own)
        expected = grown.predict(table.features[rows][:, columns]).reshape(len(rows), -1)
        choice = np.where(expected.min(axis=1) < -settings.margin / UNIT, expected.argmin(axis=1), -1)
        alone = table.behind[rows] == _NOBODY
        first = dict(zip(table.lesson[rows[alone]].tolist(), choice[alone].tolist(), strict=True))
        for row, chosen in zip(rows.tolist(), choice.tolist(), strict=True):
            number, behind = int(table.lesson[row]), int(table.behind[row])
            if behind not in (_NOBODY, first[number]):
                continue
            seconds = serial[number] * (1.0 if chosen < 0 else 2.0 ** table.costs[number, chosen]) + choosing[number]
            slow = serial[number] / seconds < _TOO_SLOW
            total[number] += (np.log2(seconds / serial[number]) + _PENALTY * slow) / 2
    return float(total.mean())


def _by_workload(table: Table) -> Iterator[npt.NDArray[np.bool_]]:
    """Which rows are of a workload, one workload after the other."""
    names = np.array([lesson.workload for lesson in table.lessons])[table.lesson]
    for name in sorted(set(names.tolist())):
        yield names == name


def _choosing_seconds(columns: Sequence[int], transactions: Integers) -> Floats:
    """Seconds that choosing by all of these features takes, by the cost table."""
    looks = len({int(group_of(column)) for column in columns} - {0})
    costs = default_costs().table
    looked = np.minimum(transactions, SAMPLE) * looks * float(costs[cost_table.SORT_HINT])
    return (looked + _USUAL_DEPTH * float(costs[cost_table.ORDER_ACCESS])) / PS_PER_SECOND
