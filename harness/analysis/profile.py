"""From recorded access sets to the bound."""

from __future__ import annotations

import numpy as np

from contend.evm.drivers.recorder import Recording
from contend.evm.layout import KIND_NAMES
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import longest_chain
from contend.harness.record.bound import KINDS, Bound, Bounds


def bounds_of(recording: Recording) -> Bounds:
    """Compute the bound of a recorded block, once with balances as they are and once with credits commutative."""
    return Bounds(_bound(recording, False), _bound(recording, True))


def _bound(recording: Recording, commutative: bool) -> Bound:
    graph = build_graph(recording, commutative)
    each = np.ones(len(recording), np.int64)
    kinds = recording.kinds
    depth = {
        kind: longest_chain(build_graph(recording, commutative, kinds == KIND_NAMES.index(kind)), each).length
        for kind in KINDS
    }
    return Bound(
        transactions=len(recording),
        work=int(recording.work.sum()),
        gas=int(recording.costs.sum()),
        dependent=int(graph.dependent.sum()),
        longest_chain=longest_chain(graph, each).length,
        critical_path=longest_chain(graph, recording.work, graph.lags).length,
        critical_gas=longest_chain(graph, recording.costs).length,
        depth=depth,
    )
