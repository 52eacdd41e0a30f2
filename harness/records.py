"""Records: what a run measured, as one JSON file with its raw samples.

The samples are the truth. Every derived figure in a file (median throughput, speed-up and its interval, warnings) is
there for readers without this package; `read` and `load` compute it again and ignore what the file says.
``docs/records.md`` documents the format.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import latency, statistics
from harness.analysis.bound import Bounds
from harness.archive.sessions import new_session
from harness.archive.structure import StructureError, check
from harness.archive.upgrade import SCHEMA, VersionError, upgrade
from harness.errors import BadInputError
from harness.measuring.measurement import WorkloadMeasurement
from harness.measuring.sample import PHASES
from harness.plan import BASELINE, CellKey, Plan
from harness.request import DEFAULT_LOAD, Request

if TYPE_CHECKING:
    import pandas

_BUSY_SHARE = 0.9
SCHEMA_FILE = Path(__file__).with_name("record.schema.json")


def new_record(
    request: Request, plan: Plan, environment: Mapping[str, Any], command: Sequence[str] | None = None
) -> dict[str, Any]:
    """Begin a record without cells.

    Parameters
    ----------
    request : Request
    plan : Plan
    environment : mapping
        As `full_environment` gives it.
    command : sequence of str, optional
        Command line, where there was one.

    Returns
    -------
    dict
        ``schema``, ``id`` (UTC time and a random part: no two runs share one), ``environment``, ``request``,
        ``planned``, ``sessions``, ``complete`` (False until the run has ended by itself) and ``cells``.
    """
    return {
        "schema": SCHEMA,
        "id": new_id(),
        "environment": dict(environment),
        "request": request.as_json(),
        "planned": plan.as_json(),
        "sessions": [new_session(environment, environment, command, first_process=0)],
        "complete": False,
        "cells": [],
    }


def new_id() -> str:
    """Draw the name of a record: UTC time and a random part."""
    time = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{time}-{secrets.token_hex(4)}"


def full_environment(environment: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """What `harness.environment.describe` says, and what only a measuring process knows.

    Returns
    -------
    dict
        With ``llvm``, ``kernels`` and ``costs`` (digests) and ``cold_cache``.
    """
    return {
        **environment,
        "llvm": plan.llvm,
        "kernels": plan.kernels_digest,
        "cold_cache": plan.cold,
        "costs": plan.costs_digest,
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
    if measurement.plan.block_count > 1:
        cell |= {
            "block_count": measurement.plan.block_count,
            "arrivals": [list(one) for one in facts.arrivals] if facts else [],
        }
        cell |= {"rate": request.rate} if request.rate else {"load": request.load or DEFAULT_LOAD}
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
        "gas_per_second": cell["gas"] / middle,
        "cpu_seconds": float(np.median([sample["cpu_seconds"] for sample in samples])),
        "phases": {name: float(np.median([sample["phases"][name] for sample in samples])) for name in PHASES},
        "speedup": {"median": ratio.median, "low": ratio.low, "high": ratio.high, "confidence": ratio.confidence},
        "counters": typical["counters"],
        "warnings": _warnings(cell, own),
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
    """Read a record of this version or an older one, with its derived figures computed anew.

    Returns
    -------
    dict
        As the current version has it, whatever the file's version is (`harness.archive.upgrade`).

    Raises
    ------
    BadInputError
        If the file is missing, is not JSON, is damaged, or is of a newer version.
    """
    try:
        content = json.loads(path.read_text(), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInputError(f"{path}: not a readable record ({error})") from error
    try:
        record = upgrade(content)
        check(record, schema())
        record["cells"] = [{**cell, **derived(cell)} for cell in record["cells"]]
    except VersionError as error:
        raise BadInputError(f"{path}: {error}") from error
    except StructureError as error:
        raise BadInputError(f"{path}: malformed record ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise BadInputError(f"{path}: malformed record ({type(error).__name__}: {error})") from error
    return record


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def load(*places: str | Path) -> pandas.DataFrame:
    """Load records as a DataFrame, one row a cell.

    Parameters
    ----------
    *places : str or Path
        Files; folders of records; or results folders, which have one.

    Returns
    -------
    DataFrame
        Columns as in `harness.frame.COLUMNS`, then one ``dial.<name>`` a dial and one ``count.<name>`` a counter.

    Raises
    ------
    BadInputError
        If a path does not exist, or a file that is named itself cannot be read.

    Warns
    -----
    RecordWarning
        For every file in a folder that is damaged or newer than this version of Contend; it is left out.

    Examples
    --------
    >>> from harness.records import load
    >>> cells = load("results")  # doctest: +SKIP
    >>> cells.groupby(["workload", "strategy", "workers"])["tx_per_second"].median()  # doctest: +SKIP
    """
    from harness.archive.reading import read_all
    from harness.frame import to_frame

    return to_frame(read_all(places))


@cache
def schema() -> dict[str, Any]:
    """Read the JSON Schema of a record (draft 2020-12)."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content
