"""What follows from a cell's samples: medians, speed-up and its interval, share of the bound, warnings."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from harness import latency, statistics
from harness.analysis.bound import Bounds
from harness.measuring.sample import OWN_ORDER_FAILED, OWN_ORDER_GAS, PHASES
from harness.plan import BASELINE

_BUSY_SHARE = 0.9
BEYOND = "beyond the bound"
OVERSUBSCRIBED = "more workers than cores"
# A speed-up may pass its bound by so much before it is told: simulated, and by the wall clock.
_ROUNDING, _TABLE_ERROR = 0.001, 0.25
# Reading the changes off the state for the oracle takes up to half as long as a block; more than that is work.
_PHASES_SHARE, _NOTICED_SECONDS = 1 / 3, 0.01
_MANY_FAILING, _MORE_FAILING = 0.5, 0.05


def derived(cell: Mapping[str, Any], cores: int | None = None) -> dict[str, Any]:
    """Compute what follows from a cell's samples.

    Parameters
    ----------
    cell : mapping
        With ``samples``, ``transactions``, ``gas``, ``repeat``, ``strategy``, ``workers`` and, in records that have
        it, ``bounds``.
    cores : int, optional
        That the run could use.

    Returns
    -------
    dict
        ``samples_seconds`` (in order), ``began`` and ``ended`` (of the first and the last run), ``seconds`` (median),
        ``tx_per_second``, ``gas_per_second``, ``cpu_seconds``
        (median), ``phases`` (medians, seconds), ``speedup`` (``median``, ``low``, ``high``, ``confidence``; a pure
        number), ``counters`` (of the median run), ``warnings``, ``figures_digest`` where time is simulated (the same in
        every run on every machine), and what `_beside_bound` gives; of several blocks in a row, ``latency``
        (`harness.latency.summary`). Figures of a cell without samples are None.
    """
    of_chain = {"latency": latency.summary(cell)} if "arrivals" in cell else {}
    samples = cell["samples"]
    if not samples:
        figures = ("seconds", "tx_per_second", "gas_per_second", "cpu_seconds", "speedup")
        empty = dict.fromkeys((*figures, "began", "ended"))
        nothing: dict[str, Any] = {"phases": {}, "counters": {}, "warnings": [], "figures_digest": None}
        return {"samples_seconds": [], **empty, **nothing, **_beside_bound(cell, None), **of_chain}
    own, base = by_process(samples, "seconds"), by_process(samples, "baseline_seconds")
    seconds = np.array([sample["seconds"] for sample in samples])
    middle = float(np.median(seconds))
    ratio = statistics.speedup(own, base)
    typical = samples[int(np.argsort(seconds, kind="stable")[(len(seconds) - 1) // 2])]
    simulated = bool(cell.get("simulated"))
    return {
        "samples_seconds": seconds.tolist(),
        **_times(samples),
        "seconds": middle,
        "tx_per_second": cell["transactions"] / middle,
        "gas_per_second": typical["counters"].get(OWN_ORDER_GAS, cell["gas"]) / middle,
        "cpu_seconds": float(np.median([sample["cpu_seconds"] for sample in samples])),
        "phases": {name: float(np.median([sample["phases"][name] for sample in samples])) for name in PHASES},
        "speedup": {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence},
        "counters": typical["counters"],
        "warnings": [*_warnings(cell, own, cores), *_beyond(cell, ratio), *_failing(cell, typical)],
        "figures_digest": _figures_digest(typical) if simulated else None,
        **_beside_bound(cell, ratio.median),
        **of_chain,
    }


def _times(samples: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """When the first run began and the last one ended, as far as the samples say."""
    runs = [(sample["began"], sample["wall_seconds"]) for sample in samples if sample.get("began")]
    if not runs:
        return {"began": None, "ended": None}
    # All in one format and in UTC, so that the order of the texts is that of the times.
    last, seconds = max(runs)
    ended = datetime.datetime.fromisoformat(last) + datetime.timedelta(seconds=seconds)
    return {"began": min(runs)[0], "ended": ended.isoformat(timespec="milliseconds")}


def _beside_bound(cell: Mapping[str, Any], speedup: float | None) -> dict[str, float | None]:
    """The best conceivable speed-up with the cell's workers, under both views, and what share of the first it has.

    All None where the record has no bound.
    """
    if not cell.get("bounds"):
        return dict.fromkeys(("bound_speedup", "bound_speedup_commutative", "share_of_bound"))
    bounds = Bounds.from_json(cell["bounds"])
    bound = bounds.plain.speedup(cell["workers"])
    return {
        "bound_speedup": bound,
        "bound_speedup_commutative": bounds.commutative.speedup(cell["workers"]),
        "share_of_bound": None if speedup is None else speedup / bound,
    }


def _figures_digest(sample: Mapping[str, Any]) -> str:
    """Digest of a simulated run: its phases in picoseconds, and all that was counted."""
    phases = {name: round(seconds * 1e12) for name, seconds in sample["phases"].items()}
    blocks = [[round(seconds * 1e12) for seconds in sample["block_seconds"]]] if "block_seconds" in sample else []
    text = json.dumps([phases, sample["counters"], *blocks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_beyond_bound(low: float, bound: float | None, simulated: bool) -> bool:
    """Whether a speed-up is greater than its block's dependencies allow.

    Parameters
    ----------
    low : float
        Lower end of the speed-up's interval.
    bound : float or None
    simulated : bool
        Then bound and speed-up are of one table of costs; else the table's error has to be allowed for.
    """
    return bound is not None and low > bound * (1.0 + (_ROUNDING if simulated else _TABLE_ERROR))


def _beyond(cell: Mapping[str, Any], ratio: statistics.Interval) -> list[str]:
    bound = _beside_bound(cell, ratio.median)["bound_speedup"]
    if not is_beyond_bound(ratio.low, bound, bool(cell.get("simulated"))):
        return []
    return [f"{BEYOND}: {ratio.median / (bound or 1.0):.0%} of it; work that is not measured, or an order of its own"]


def _failing(cell: Mapping[str, Any], typical: Mapping[str, Any]) -> list[str]:
    """What a reader should know of transactions that fail: they are cheap."""
    count, failed = cell["transactions"], cell.get("failed_transactions") or 0
    own = typical["counters"].get(OWN_ORDER_FAILED)
    if own is not None and own > failed + _MORE_FAILING * count:
        return [f"its own order makes {own:,} of {count:,} transactions fail, the block's {failed:,}"]
    if cell["strategy"] == BASELINE and failed > _MANY_FAILING * count:
        return [f"most transactions fail: {failed:,} of {count:,}"]
    return []


def _warnings(cell: Mapping[str, Any], own: list[statistics.Samples], cores: int | None) -> list[str]:
    samples = cell["samples"]
    if cell.get("simulated"):
        return []
    found = statistics.warnings(own)
    if cores is not None and cell["workers"] > cores:
        found.append(f"{OVERSUBSCRIBED}: {cell['workers']} on {cores}")
    outside = float(np.median([sample["wall_seconds"] - sample["seconds"] for sample in samples]))
    inside = float(np.median([sample["seconds"] / sample["wall_seconds"] for sample in samples]))
    if outside > _NOTICED_SECONDS and inside < _PHASES_SHARE:
        found.append(f"work outside the phases: they hold {inside:.0%} of the call's time")
    if cell["strategy"] == BASELINE:
        share = float(np.median([sample["cpu_seconds"] / sample["wall_seconds"] for sample in samples]))
        if share < _BUSY_SHARE:
            found.append(f"busy machine: one worker that never waits got {share:.0%} of a core")
    if len(samples) < cell["repeat"]:
        found.append(f"interrupted after {len(samples)} of {cell['repeat']} runs")
    return found


def by_process(samples: Iterable[Mapping[str, Any]], figure: str) -> list[statistics.Samples]:
    """One figure of the samples, one array a process, in order."""
    groups: dict[int, list[float]] = {}
    for sample in samples:
        groups.setdefault(sample["process"], []).append(sample[figure])
    return [np.array(group) for group in groups.values()]
