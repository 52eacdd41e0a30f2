"""Derived figures of a cell's samples: medians, speed-up and its interval, share of the bound."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from contend.harness.record import latency, statistics, warnings
from contend.harness.record.bound import Bounds
from contend.harness.record.content.execution_counts import ABORTS, DRY_RUNS, WAITS, wasted
from contend.harness.record.sample import OWN_ORDER_GAS, phase_names
from contend.harness.record.statistics import pipeline

_TOLD = (ABORTS, WAITS, DRY_RUNS)
BESIDE_BOUND = (
    "bound_speedup",
    "bound_speedup_commutative",
    "role_bound_speedup",
    "list_schedule_speedup",
    "share_of_bound",
    "share_of_location_bound",
    "share_of_list_schedule",
)
"""Figures of a cell that are held against what is conceivable on its block."""


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
        every run on every machine), and what `_per_transaction` and `_beside_bound` give; of several blocks in a row,
        ``latency`` (`harness.record.latency.summary`), or ``pipeline`` (`harness.record.statistics.pipeline.summary`).
        Figures of a cell without samples are None.
    """
    of_chain = {"latency": latency.summary(cell)} if "arrivals" in cell else {}
    samples = cell["samples"]
    if overlapped := pipeline.summary(samples):
        of_chain["pipeline"] = overlapped
    if not samples:
        figures = ("seconds", "tx_per_second", "gas_per_second", "cpu_seconds", "speedup")
        empty = dict.fromkeys((*figures, "began", "ended"))
        nothing: dict[str, Any] = {"phases": {}, "counters": {}, "warnings": [], "figures_digest": None}
        nothing |= _per_transaction({}, 1)
        return {"samples_seconds": [], **empty, **nothing, **_beside_bound(cell, None), **of_chain}
    own, base = by_process(samples, "seconds"), by_process(samples, "baseline_seconds")
    seconds = np.array([sample["seconds"] for sample in samples])
    middle = float(np.median(seconds))
    ratio = statistics.speedup(own, base)
    typical = samples[int(np.argsort(seconds, kind="stable")[(len(seconds) - 1) // 2])]
    simulated = bool(cell.get("simulated"))
    beside = _beside_bound(cell, ratio.median)
    limit = _limit(samples)
    return {
        "samples_seconds": seconds.tolist(),
        **_times(samples),
        "seconds": middle,
        "tx_per_second": cell["transactions"] / middle,
        "gas_per_second": typical["counters"].get(OWN_ORDER_GAS, cell["gas"]) / middle,
        "cpu_seconds": float(np.median([sample["cpu_seconds"] for sample in samples])),
        "phases": {
            name: float(np.median([sample["phases"][name] for sample in samples]))
            for name in phase_names(samples[0]["phases"])
        },
        "speedup": {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence},
        "counters": typical["counters"],
        **_per_transaction(typical["counters"], cell["transactions"]),
        "warnings": warnings.about(cell, own, ratio, beside["role_bound_speedup"], typical["counters"], cores),
        "figures_digest": _figures_digest(typical) if simulated else None,
        **beside,
        **({} if limit is None else {"limit": limit}),
        **of_chain,
    }


def _limit(samples: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """The machine's limit: what serial runs at once reach beside one alone, in the same rounds; None if not measured.

    Each ``limit_seconds`` is the time for which one block is executed, all cores together.
    """
    measured = [sample for sample in samples if "limit_seconds" in sample]
    if not measured:
        return None
    ratio = statistics.speedup(by_process(measured, "limit_seconds"), by_process(measured, "baseline_seconds"))
    return {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence}


def _times(samples: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Times at which the first run began and the last one ended, as far as the samples say."""
    runs = [(sample["began"], sample["wall_seconds"]) for sample in samples if sample.get("began")]
    if not runs:
        return {"began": None, "ended": None}
    # All in one format and in UTC, so that the order of the texts is that of the times.
    last, seconds = max(runs)
    ended = datetime.datetime.fromisoformat(last) + datetime.timedelta(seconds=seconds)
    return {"began": min(runs)[0], "ended": ended.isoformat(timespec="milliseconds")}


def _per_transaction(counters: Mapping[str, float], transactions: int) -> dict[str, float | None]:
    """Executions that were thrown away, those of them that were aborted, waits and dry runs, per transaction.

    None where the strategy does not count them. These are rates and no shares: a transaction may be aborted many times.
    """
    counts = {"wasted": wasted(counters, transactions)} | {name: counters.get(name) for name in _TOLD}
    return {
        f"{name}_per_transaction": None if count is None else count / max(transactions, 1)
        for name, count in counts.items()
    }


def _beside_bound(cell: Mapping[str, Any], speedup: float | None) -> dict[str, float | None]:
    """The best conceivable speed-up with the cell's workers, and what share of it the cell has.

    `bound_speedup` is that of whoever waits for what he reads, `role_bound_speedup` that of the cell's role, which is
    another one where no transaction waits for another (`bound.waits_for_nobody`). All None where the record has no
    bound, and where stages are in the time, which it is no bound on.
    """
    if not cell.get("bounds") or cell.get("stages"):
        return dict.fromkeys(BESIDE_BOUND)
    bounds, workers = Bounds.from_json(cell["bounds"]), cell["workers"]
    own = bounds.of_given(cell.get("given"))
    bound, role = bounds.plain.speedup(workers), None if own is None else own.speedup(workers)
    schedule = cell.get("list_schedule")
    reached = bounds.plain.work / schedule if schedule else None
    figures = (
        bound,
        bounds.commutative.speedup(workers),
        role,
        reached,
        *(None if speedup is None or best is None else speedup / best for best in (role, bound, reached)),
    )
    return dict(zip(BESIDE_BOUND, figures, strict=True))


def _figures_digest(sample: Mapping[str, Any]) -> str:
    """Digest of a simulated run: its phases in picoseconds, and all that was counted."""
    phases = {name: round(seconds * 1e12) for name, seconds in sample["phases"].items()}
    blocks = [[round(seconds * 1e12) for seconds in sample["block_seconds"]]] if "block_seconds" in sample else []
    text = json.dumps([phases, sample["counters"], *blocks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_process(samples: Iterable[Mapping[str, Any]], figure: str) -> list[statistics.Samples]:
    """One figure of the samples, one array a process, in order."""
    groups: dict[int, list[float]] = {}
    for sample in samples:
        groups.setdefault(sample["process"], []).append(sample[figure])
    return [np.array(group) for group in groups.values()]
