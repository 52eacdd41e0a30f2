"""Decision tree: questions about a block, each answered when it is asked, and at its leaves what candidates take.

A regression tree with several outputs (Breiman, Friedman, Olshen and Stone, "Classification and regression trees",
1984). A node asks whether a feature is at most a threshold. One tree, and not many of them whose mean is taken: who is
asked about a block of ten transactions has a microsecond, in which a way down one tree looks at what it meets, and no
more. Such a way is also a reason that can be read. Whole numbers throughout: what is chosen is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from contend.evm.block_image import BlockImage
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.adaptive.block_features import FEATURES, TABLE_WORDS, Features, group_of, look

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

    def way(self, features: Features) -> list[int]:
        """The nodes that features lead past, from the root to a leaf."""
        found = [0]
        while self.feature[found[-1]] != LEAF:
            at = found[-1]
            goes_left = features[self.feature[at]] <= self.threshold[at]
            found.append(self.left[at] if goes_left else self.right[at])
        return found

    def reasons(self, features: Features) -> list[str]:
        """What was asked on the way to a leaf, with the answers; of each feature what is known in the end."""
        bounds: dict[int, list[int | None]] = {}
        way = self.way(features)
        for at, following in pairwise(way):
            between = bounds.setdefault(self.feature[at], [None, None])
            if following == self.left[at]:
                between[1] = self.threshold[at]
            else:
                between[0] = self.threshold[at]
        names = list(FEATURES)
        return [_between(names[feature], *between) for feature, between in bounds.items()]


@kernel()
def descend(image, nodes, features, table, counts):
    """Go down a tree, looking at the block where a node asks for what is not known yet; the leaf.

    `counts` gets how many nodes were asked, and how many transactions were looked at, each time it was.
    """
    at, known = I(0), U1
    counts[0] = counts[1] = 0
    while nodes[at, 0] >= 0:
        feature = nodes[at, 0]
        group = group_of(feature)
        if (known >> U(group)) & U1 != U1:
            known |= U1 << U(group)
            counts[1] += look(image, group, table, features)
        counts[0] += 1
        at = nodes[at, 2] if features[feature] <= nodes[at, 1] else nodes[at, 3]
    return at


class Descent:
    """A tree in use, in memory of its own."""

    def __init__(self, tree: Tree) -> None:
        rows = zip(tree.feature, tree.threshold, tree.left, tree.right, strict=True)
        self._nodes = np.array(list(rows), np.int64)
        self._table = np.zeros(TABLE_WORDS, np.uint64)
        self._counts = np.zeros(2, np.int64)
        self.features: Features = np.zeros(len(FEATURES), np.int64)

    def leaf(self, image: BlockImage, workers: int, past: tuple[int, ...]) -> tuple[int, int, int]:
        """The leaf that a block leads to, how many nodes were asked, and how many looks at transactions that took.

        Parameters
        ----------
        image : BlockImage
        workers : int
        past : tuple of int
            See `OF_PAST`.
        """
        self.features[:2] = workers, len(image)
        self.features[2 : 2 + len(past)] = past
        found = int(descend(image.address, self._nodes, self.features, self._table, self._counts))
        return found, int(self._counts[0]), int(self._counts[1])


def _between(name: str, above: int | None, most: int | None) -> str:
    if above is None:
        return f"{name} <= {most}"
    return f"{name} > {above}" if most is None else f"{above} < {name} <= {most}"
