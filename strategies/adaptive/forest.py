"""Forest: regression trees with several outputs each, laid out for kernels.

Each tree asks at a node whether a feature is at most a threshold; a leaf says for every candidate what is expected. The
forest's word is the sum over its trees (Breiman, "Random forests", Machine Learning 45, 2001). Whole numbers
throughout: what is chosen is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel

Integers = npt.NDArray[np.int64]
LEAF = -1
"""The feature of a leaf."""


@dataclass(frozen=True)
class Tree:
    """A tree; its nodes by number, the root being 0.

    Attributes
    ----------
    feature : sequence of int
        That a node asks for, or `LEAF`.
    threshold : sequence of int
        Up to which one goes to the left.
    left, right : sequence of int
        Where one goes on; always to a higher number. 0 of a leaf.
    value : sequence of sequences of int
        Of each leaf what is expected for each candidate; empty for other nodes.
    """

    feature: Sequence[int]
    threshold: Sequence[int]
    left: Sequence[int]
    right: Sequence[int]
    value: Sequence[Sequence[int]]


@kernel()
def sum_leaves(roots, nodes, values, features, sums):
    """Add up what the leaves say that the features lead to; how many nodes were asked."""
    asked = 0
    for candidate in range(sums.size):
        sums[candidate] = 0
    for root in roots:
        at = root
        while nodes[at, 0] >= 0:
            asked += 1
            at = nodes[at, 2] if features[nodes[at, 0]] <= nodes[at, 1] else nodes[at, 3]
        asked += 1
        leaf = nodes[at, 1]
        for candidate in range(sums.size):
            sums[candidate] += values[leaf, candidate]
    return I(asked)


class Forest:
    """Trees that say together what is expected for each candidate.

    Parameters
    ----------
    trees : sequence of Tree
    candidates : int
        That leaves have values for.
    """

    def __init__(self, trees: Sequence[Tree], candidates: int) -> None:
        total = sum(len(tree.feature) for tree in trees)
        self._nodes = np.zeros((total, 4), np.int64)  # feature, threshold or the leaf's row, left, right
        self._roots = np.zeros(len(trees), np.int64)
        self._sums = np.zeros(candidates, np.int64)
        leaves: list[Any] = []
        at = 0
        for number, tree in enumerate(trees):
            self._roots[number] = at
            for place, feature in enumerate(tree.feature):
                row = self._nodes[at + place]
                if feature == LEAF:
                    row[:] = LEAF, len(leaves), 0, 0
                    leaves.append(tree.value[place])
                else:
                    row[:] = feature, tree.threshold[place], at + tree.left[place], at + tree.right[place]
            at += len(tree.feature)
        self._values = np.array(leaves, np.int64).reshape(len(leaves), candidates)

    def expected(self, features: Integers) -> tuple[Integers, int]:
        """What is expected for each candidate, and how many nodes were asked.

        Parameters
        ----------
        features : ndarray of int64

        Returns
        -------
        ndarray of int64, shape (candidates,)
            The mean over the trees; valid until the next call.
        int
        """
        asked = sum_leaves(self._roots, self._nodes, self._values, features, self._sums)
        self._sums //= len(self._roots)
        return self._sums, int(asked)
