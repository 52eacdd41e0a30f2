"""What must be the same on all nodes for their figures to stand in one record; a node that differs is refused."""

from __future__ import annotations

from collections.abc import Sequence

from contend.harness.errors import BadInputError
from contend.harness.measure.cluster.host import Description
from contend.harness.measure.cluster.ray_cluster import Node
from contend.harness.measure.task import VersionPlan

_VERSIONS = {"python": "Python", "numba": "numba", "llvmlite": "llvmlite", "numpy": "numpy"}


def check_nodes(nodes: Sequence[Node], here: Description) -> None:
    """Make sure that all nodes run what runs here.

    Raises
    ------
    BadInputError
        Naming the first node that does not, and what it has instead.
    """
    for node in nodes:
        there = node.description
        if there.sources != here.sources:
            _refuse(node, "Contend", f"sources {there.sources}", f"sources {here.sources}")
        for name, title in _VERSIONS.items():
            if there.environment[name] != here.environment[name]:
                _refuse(node, title, there.environment[name], here.environment[name])


def check_plan(node: Node, there: VersionPlan, first: VersionPlan) -> None:
    """Make sure that a worker makes of the request what the first one made of it, kernels and costs included.

    Raises
    ------
    BadInputError
        If it does not.
    """
    for name, title in (("kernels_digest", "kernel digest"), ("costs_digest", "cost table"), ("llvm", "LLVM")):
        found, wanted = getattr(there.plan, name), getattr(first.plan, name)
        if found != wanted:
            _refuse(node, title, found, wanted)
    if there.plan.as_json() != first.plan.as_json():
        _refuse(node, "plan of the same request", "its own", "the first node's")


def _refuse(node: Node, what: str, found: object, wanted: object) -> None:
    raise BadInputError(
        f"cluster: node {node.name} has another {what} ({found}, not {wanted}); install the same on all"
    )
