"""Records: what a run measured, as one JSON file with its raw samples.

The samples are the truth. Every derived figure in a file (median throughput, speed-up and its interval, warnings) is
there for readers without this package; `read` computes it again and ignores what the file says.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness import statistics
from harness.bound import Bounds
from harness.errors import BadInputError
from harness.measurement import WorkloadMeasurement
from harness.plan import BASELINE, CellKey, Plan
from harness.request import Request
from harness.sample import PHASES

SCHEMA = "contend-record/1"
_BUSY_SHARE = 0.9
SCHEMA_FILE = Path(__file__).with_name("record.schema.json")


def new_record(request: Request, plan: Plan, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a record without cells.

    Returns
    -------
    dict
        ``schema``, ``id`` (UTC time and a random part: no two runs share one), ``environment``, ``request``,
        ``complete`` (False until the run has ended by itself) and ``cells``.
    """
    time = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return {
        "schema": SCHEMA,
        "id": f"{time}-{secrets.token_hex(4)}",
        "environment": {
            **environment,
            "kernels": plan.kernels_digest,
            "cold_cache": plan.cold,
            "costs": plan.costs_digest,
        },
        "request": request.as_json(),
        "complete": False,
        "cells": [],
    }


def cell_record(measurement: WorkloadMeasurement, key: CellKey, request: Request) -> dict[str, Any]:
    """One cell of a record, derived figures included; a failed cell keeps no sample.

    Parameters
    ----------
    measurement : WorkloadMeasurement
        Finished or interrupted.
    key : CellKey
    request : Request
    """
    failure = measurement.failures.get(key)
    facts = measurement.facts
    samples = [] if failure else measurement.samples(key)
    cell: dict[str, Any] = {
        "workload": measurement.plan.title,
        "dials": measurement.plan.dials,
        "seed": request.seed,
        "block_size": request.block_size,
        "strategy": key.strategy,
        "workers": key.workers,
        "clock": request.clock,
        "simulated": request.simulated,
        "transactions": facts.transactions if facts else None,
        "failed_transactions": facts.failed_transactions if facts else None,
        "changed_locations": facts.changed_locations if facts else None,
        "gas": facts.gas if facts else None,
        "genesis_digest": facts.genesis_digest if facts else None,
        "block_digest": facts.block_digest if facts else None,
        "bounds": facts.bounds.as_json() if facts and facts.bounds else None,
        "compile_seconds": max(measurement.compile_seconds.values(), default=0.0),
        "repeat": request.rounds,
        "verified": failure is None and bool(samples),
        "error": failure.error if failure else None,
        "differences": list(failure.differences) if failure else [],
        "samples": samples,
    }
    return {**cell, **derived(cell)}


def measured_cells(
    measurement: WorkloadMeasurement, reported: Iterable[CellKey], request: Request
) -> list[dict[str, Any]]:
    """List the cells of a workload that were asked for and have failed or have at least one sample."""
    cells = [cell_record(measurement, key, request) for key in measurement.cells if key in set(reported)]
    return [cell for cell in cells if cell["samples"] or cell["error"] is not None]


def derived(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Compute what follows from a cell's samples.

    Parameters
    ----------
    cell : mapping
        With ``samples``, ``transactions``, ``gas``, ``repeat``, ``strategy``, ``workers`` and, in records that have
        it, ``bounds``.

    Returns
    -------
    dict
        ``samples_seconds`` (in order), ``seconds`` (median), ``tx_per_second``, ``gas_per_second``, ``cpu_seconds``
        (median), ``phases`` (medians, seconds), ``speedup`` (``median``, ``low``, ``high``, ``confidence``; a pure
        number), ``counters`` (of the median run), ``warnings``, ``figures_digest`` where time is simulated (the same in
        every run on every machine), and what `_beside_bound` gives. Figures of a cell without samples are None.
    """
    samples = cell["samples"]
    if not samples:
        empty = dict.fromkeys(("seconds", "tx_per_second", "gas_per_second", "cpu_seconds", "speedup"))
        nothing: dict[str, Any] = {"phases": {}, "counters": {}, "warnings": [], "figures_digest": None}
        return {"samples_seconds": [], **empty, **nothing, **_beside_bound(cell, None)}
    own, base = by_process(samples, "seconds"), by_process(samples, "baseline_seconds")
    seconds = np.array([sample["seconds"] for sample in samples])
    middle = float(np.median(seconds))
    ratio = statistics.speedup(own, base)
    typical = samples[int(np.argsort(seconds, kind="stable")[(len(seconds) - 1) // 2])]
    simulated = bool(cell.get("simulated"))
    return {
        "samples_seconds": seconds.tolist(),
        "seconds": middle,
        "tx_per_second": cell["transactions"] / middle,
        "gas_per_second": cell["gas"] / middle,
        "cpu_seconds": float(np.median([sample["cpu_seconds"] for sample in samples])),
        "phases": {name: float(np.median([sample["phases"][name] for sample in samples])) for name in PHASES},
        "speedup": {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence},
        "counters": typical["counters"],
        "warnings": _warnings(cell, own),
        "figures_digest": _figures_digest(typical) if simulated else None,
        **_beside_bound(cell, ratio.median),
    }


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
    text = json.dumps([phases, sample["counters"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _warnings(cell: Mapping[str, Any], own: list[statistics.Samples]) -> list[str]:
    samples = cell["samples"]
    if cell.get("simulated"):
        return []
    found = statistics.warnings(own)
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


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader finds the old file or the new one, never half of one.

    Raises
    ------
    OSError
        If the folder cannot be written; nothing is left behind.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@cache
def _umask() -> int:
    # The mask can only be read by setting it; once, before any thread could create a file meanwhile.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def read(path: Path) -> dict[str, Any]:
    """Read a record, with its derived figures computed anew.

    Raises
    ------
    BadInputError
        If the file is missing, is not JSON, or is not a record of this schema version.
    """
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a readable record ({error})") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else None
        raise BadInputError(f"{path}: schema is {found!r}, not {SCHEMA!r}; it is no record of this version of Contend")
    try:
        record["cells"] = [{**cell, **derived(cell)} for cell in record["cells"]]
    except (KeyError, TypeError, IndexError, ZeroDivisionError) as error:
        raise BadInputError(f"{path}: malformed record ({type(error).__name__}: {error})") from error
    return record


def schema() -> dict[str, Any]:
    """Read the JSON Schema of a record (draft 2020-12)."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content
