"""A record as it grows: begun without cells, then a cell for each that has finished."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contend.harness.plan.request import DEFAULT_LOAD, NO_STAGE, Request
from contend.harness.plan.resolve import CellKey, MeasurementPlan
from contend.harness.plan.setting import Setting
from contend.harness.record.derived import derived
from contend.harness.record.measurement import WorkloadMeasurement
from contend.harness.record.migrate import SCHEMA
from contend.harness.record.sessions import new_session, node_of, runs_beside
from contend.harness.record.statistics.paired import with_baseline


def new_record(
    request: Request,
    plan: MeasurementPlan,
    environment: Mapping[str, Any],
    command: Sequence[str] | None = None,
    settings: Iterable[Setting] = (),
) -> dict[str, Any]:
    """Begin a record without cells.

    Parameters
    ----------
    request : Request
    plan : MeasurementPlan
    environment : mapping
        As `full_environment` gives it.
    command : sequence of str, optional
        Command line, where there was one.
    settings : iterable of Setting, optional
        Those that the request takes values from.

    Returns
    -------
    dict
        ``schema``, ``id`` (UTC time and a random part: no two runs share one), ``environment``, ``request``,
        ``settings``, ``planned``, ``sessions``, ``complete`` (False until the run has ended by itself) and ``cells``.
    """
    return {
        "schema": SCHEMA,
        "id": new_id(),
        "environment": dict(environment),
        "request": request.as_json(),
        "settings": [one.as_json() for one in settings],
        "planned": plan.as_json(),
        "sessions": [new_session(environment, environment, command, first_process=0)],
        "complete": False,
        "cells": [],
    }


def new_id() -> str:
    """Draw the name of a record: UTC time and a random part."""
    time = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{time}-{secrets.token_hex(4)}"


def full_environment(
    environment: Mapping[str, Any], plan: MeasurementPlan, plugins: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Environment of `harness.record.environment.describe`, and what only a measuring process knows.

    Parameters
    ----------
    environment : mapping
    plan : MeasurementPlan
    plugins : sequence of mapping
        Packages that bring strategies or workloads of the plan.

    Returns
    -------
    dict
        With ``llvm``, ``kernels`` and ``costs`` (digests), ``cold_cache`` and ``plugins``.
    """
    return {
        **environment,
        "llvm": plan.llvm,
        "kernels": plan.kernels_digest,
        "cold_cache": plan.cold,
        "costs": plan.costs_digest,
        "plugins": [dict(one) for one in plugins],
    }


def cell_record(
    measurement: WorkloadMeasurement,
    key: CellKey,
    request: Request,
    cores: int | None = None,
    sessions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """One cell of a record, derived figures included; a failed cell keeps no sample.

    Parameters
    ----------
    measurement : WorkloadMeasurement
        Finished or interrupted.
    key : CellKey
    request : Request
    cores : int, optional
        That the run could use.
    sessions : sequence of mapping, optional
        Of the record so far, which say whether others were measuring at the same time.
    """
    failure = measurement.failures.get(key)
    facts, about = measurement.facts, measurement.about.get(key)
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
    if any(measurement.peak_memory_bytes.values()):
        cell["peak_memory_bytes"] = max(measurement.peak_memory_bytes.values())
    if request.quick:
        cell["quick"] = True
    if others := runs_beside(samples, sessions):
        cell["other_runs"] = others
    node = None if request.simulated else node_of(samples, sessions)
    if node is not None:
        cell["node"] = node["name"]
        cores = node["environment"]["cores"]
    if facts and facts.stages:
        cell["stages"] = facts.stages
    if about is not None:
        cell |= about.as_plain()
    if measurement.plan.own_title:
        cell["workload_title"] = measurement.plan.own_title
    if measurement.plan.block_count > 1:
        cell["block_count"] = measurement.plan.block_count
    if measurement.plan.block_count > 1 and request.pipeline == NO_STAGE:
        cell["arrivals"] = [list(one) for one in facts.arrivals] if facts else []
        cell |= {"rate": request.rate} if request.rate else {"load": request.load or DEFAULT_LOAD}
    return {**cell, **derived(cell, cores)}


def measured_cells(
    measurement: WorkloadMeasurement,
    reported: Iterable[CellKey],
    request: Request,
    cores: int | None = None,
    sessions: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """List the cells of a workload that were asked for and have failed or have at least one sample."""
    cells = [
        cell_record(measurement, key, request, cores, sessions) for key in measurement.cells if key in set(reported)
    ]
    measured = [cell for cell in cells if cell["samples"] or cell["error"] is not None]
    return with_baseline(measured, request.baseline)
