"""Kernels by which tests call the union-find of components on many nodes at once."""

from __future__ import annotations

from typing import Any

from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel
from contend.strategies.planned.components import find_root, unite


@kernel()
def unite_all(parents: Any, edges: Any) -> None:
    """Unite the two nodes of each edge."""
    for i in range(edges.shape[0]):
        unite(parents, I(edges[i, 0]), I(edges[i, 1]))


@kernel()
def find_all(parents: Any, roots: Any) -> None:
    """Find the root of every node."""
    for node in range(parents.size):
        roots[node] = find_root(parents, I(node))
