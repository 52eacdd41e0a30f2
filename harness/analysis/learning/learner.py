"""Learner: a decision model of lessons, by a regression tree.

What is learned is, for each candidate, the binary logarithm of its time as a share of serial execution: so half the
time on a small block counts as much as on a large one, and errors of a choice are ratios. The tree has an output for
each candidate (predictive clustering trees: Blockeel, De Raedt and Ramon, "Top-down induction of clustering trees",
ICML 1998), so that a leaf says of blocks that look alike what each would take.

Candidates are taken one by one, each time the one that shortens the geometric mean of the best times most, as long as
that is worth it: who is never much better than the others is not asked for, and costs nothing. So are features
(`feature_choice`).

Every workload has the same weight, however many blocks of it there are, and so has every block of one, whether seen
without a block before or behind one of whatever contender.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contend.harness.analysis.learning.feature_choice import USUAL, Floats, Settings, Table, chosen_features, grow
from contend.harness.analysis.learning.lessons import Lesson, Lessons
from contend.harness.errors import BadInputError
from contend.strategies import registry
from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_model import UNIT, Candidate, DecisionModel, Part
from contend.strategies.adaptive.decision_tree import LEAF, Tree
from contend.strategies.adaptive.delegates import ALLOWED, can_delegate_to

DIVISORS = (1, 4)
_WORTH, _MOST_CANDIDATES = 0.005, 6  # binary logarithm of what another candidate must shorten times by
_CLEARLY = 1.1  # times faster than serial execution


def learn(lessons: Lessons, settings: Settings = USUAL) -> DecisionModel:
    """Learn a model.

    Raises
    ------
    BadInputError
        If scikit-learn is not there, or no record has a contender that blocks can be handed to.
    """
    parts = {}
    for source in ALLOWED:
        candidates = candidates_of(lessons.lessons, source)
        if candidates:
            parts[source] = part_of(lessons.lessons, candidates, settings)
    if not parts:
        raise BadInputError("records: of no contender that blocks can be handed to, such as block_stm, or bal")
    return DecisionModel(
        parts,
        {
            "records": lessons.records,
            "blocks": len({lesson.block for lesson in lessons.lessons}),
            "workloads": sorted({lesson.workload for lesson in lessons.lessons}),
            "kernels": list(lessons.kernels),
            "costs": list(lessons.costs),
        },
    )


def candidates_of(lessons: Sequence[Lesson], source: str) -> list[Candidate]:
    """Candidates that are worth being asked for where a source is given; the best of all blocks first."""
    names = sorted({name for lesson in lessons for name, _ in lesson.of_block})
    every = [
        Candidate(name, divisor)
        for name in names
        if can_delegate_to(registry.get(name), source)
        for divisor in DIVISORS
    ]
    if not every:
        return []
    costs, chosen = Table.of(lessons, every).costs, list[int]()
    best = np.zeros(len(lessons))  # serial execution is always there
    while len(chosen) < min(_MOST_CANDIDATES, len(every)):
        means = np.minimum(best[:, None], costs).mean(axis=0)
        one = int(means.argmin())
        if best.mean() - means[one] < _WORTH:
            break
        chosen.append(one)
        best = np.minimum(best, costs[:, one])
    return [every[one] for one in chosen] or every[:1]


def part_of(lessons: Sequence[Lesson], candidates: Sequence[Candidate], settings: Settings = USUAL) -> Part:
    """What is learned of these lessons for these candidates."""
    table = Table.of(lessons, candidates)
    names = chosen_features(table, settings)
    columns = [list(FEATURES).index(name) for name in names]
    grown = grow(table.features[:, columns], table.costs[table.lesson], table.weights, settings)
    tree = _plain(grown.tree_, columns)
    return Part(tuple(candidates), _serial_below(lessons, table.costs), settings.margin, tree)


def _plain(tree: Any, columns: Sequence[int]) -> Tree:
    """A tree as kernels read it, its children numbered behind their parents."""
    count = tree.node_count
    values = np.rint(tree.value.reshape(count, -1) * UNIT).astype(int).tolist()
    is_leaf = [int(one) < 0 for one in tree.children_left]
    return Tree(
        [LEAF if leaf else columns[int(one)] for leaf, one in zip(is_leaf, tree.feature, strict=True)],
        [0 if leaf else int(np.floor(one)) for leaf, one in zip(is_leaf, tree.threshold, strict=True)],
        [0 if leaf else int(one) for leaf, one in zip(is_leaf, tree.children_left, strict=True)],
        [0 if leaf else int(one) for leaf, one in zip(is_leaf, tree.children_right, strict=True)],
        [row if leaf else [] for leaf, row in zip(is_leaf, values, strict=True)],
    )


def _serial_below(lessons: Sequence[Lesson], costs: Floats) -> int:
    """The smallest block on which anybody was clearly faster than serial execution, in transactions."""
    faster = [lesson.transactions for lesson, row in zip(lessons, costs, strict=True) if row.min() < -np.log2(_CLEARLY)]
    return min(faster, default=max(lesson.transactions for lesson in lessons) + 1)
