"""Pipeline: figures of blocks of which several were in the node at a time, from when each came and went.

Blocks are always there to be taken, so the time for which one is in the node is the node's own: from when the first
stage took it until the last was done with it. It is longer than the time between two of them that leave. A stage model
foretells the time of all from what each stage takes alone (`node.pipeline.stage_model`); what it is off by is what
stages do to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


def summary(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Figures of a pipeline.

    Parameters
    ----------
    samples : sequence of mapping
        Of a cell.

    Returns
    -------
    dict or None
        Medians over the samples: ``latency_seconds``, for which a block is in the node, on average;
        ``interval_seconds``, between two that leave it; ``alone_seconds``, by station, of a block where no other is in
        the node, on average; ``overlap``, all of these together over the time that all blocks take in the pipeline;
        ``foretold_seconds``, and ``error``, what is foretold over what is measured, less one. ``bottleneck`` is the
        station at which blocks are longest. None without such samples.
    """
    told = [(sample["seconds"], sample["pipeline"]) for sample in samples if sample.get("pipeline")]
    if not told:
        return None
    alone = {name: _median(np.mean(one["alone"][name]) for _, one in told) for name in told[0][1]["alone"]}
    return {
        "latency_seconds": _median(np.mean(np.subtract(one["ended"], one["began"])) for _, one in told),
        "interval_seconds": _median(np.mean(np.diff(one["ended"])) if len(one["ended"]) > 1 else s for s, one in told),
        "alone_seconds": alone,
        "bottleneck": max(alone, key=lambda name: alone[name]),
        "overlap": _median(sum(map(sum, one["alone"].values())) / seconds for seconds, one in told),
        "foretold_seconds": _median(one["foretold_seconds"] for _, one in told),
        "error": float(np.median([one["foretold_seconds"] / seconds - 1.0 for seconds, one in told])),
    }


def _median(figures: Iterable[Any]) -> float:
    return float(np.median(list(figures)))
