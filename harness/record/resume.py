"""Going on with a record whose run did not come to its end.

What was measured stays as it is, to the last digit; what is missing is measured by new processes, which are numbered
on, so that an interval still spans processes. That makes one record of two sittings, so both must have measured the
same thing on the same machine: kernels, costs, machine, plan and blocks are compared, and the first difference is a
refusal. Simulated times are the same on every machine, so there the machine is free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey, MeasurementPlan
from contend.harness.record.content.cell_facts import CellFacts
from contend.harness.record.environment import machine_differences
from contend.harness.record.load import read
from contend.harness.record.load_all import record_files
from contend.harness.record.lock import is_locked
from contend.harness.record.measurement import CellFailure, WorkloadMeasurement
from contend.harness.record.sample import BlockFacts

Record = Mapping[str, Any]


def read_incomplete(path: Path) -> dict[str, Any]:
    """Read a record that can be gone on with.

    Raises
    ------
    BadInputError
        If it cannot be read, is complete, or is of a version that does not say what was planned.
    """
    record = read(path)
    if record["complete"]:
        raise BadInputError(f"{path}: is complete; there is nothing to resume")
    if record["planned"] is None:
        raise BadInputError(f"{path}: an older Contend wrote it, which did not note what was planned; run it anew")
    return record


def request_of(path: Path) -> Request:
    """The request of a record that can be gone on with.

    Raises
    ------
    BadInputError
        As `read_incomplete`.
    """
    content = read_incomplete(path)["request"]
    try:
        # What a time budget left out is what is to be measured now.
        return Request.from_json({**content, "time_budget": None})
    except TypeError as error:
        raise BadInputError(f"{path}: its request is not one of this version of Contend ({error})") from error


def choose(place: Path | None, results: Path, skip: Callable[[str], object]) -> Path:
    """Choose the record to go on with.

    Parameters
    ----------
    place : Path or None
        The record; None for the newest incomplete one of the results folder that nobody is measuring.
    results : Path
        Results folder.
    skip : callable
        Given one line about each file there that cannot be read.

    Raises
    ------
    BadInputError
        If there is none.
    """
    if place is not None:
        return place
    for path in reversed(record_files(results)):
        try:
            record = read(path)
        except BadInputError as error:
            skip(f"skipped {error}")
            continue
        if not record["complete"] and record["planned"] is not None and not is_locked(path):
            return path
    raise BadInputError(f"--resume: no incomplete record in {results}; name one, or another folder with --results")


def check_same(record: Record, plan: MeasurementPlan, environment: Record, request: Request) -> None:
    """Make sure that what is measured now may stand beside what the record has.

    Parameters
    ----------
    record : mapping
    plan : MeasurementPlan
        Of the record's request, now.
    environment : mapping
        As `harness.record.build.full_environment` gives it.
    request : Request

    Raises
    ------
    BadInputError
        At the first difference.
    """
    begun = record["environment"]
    if begun["kernels"] != environment["kernels"]:
        reason = f"kernels have changed since (digest {begun['kernels']}, now {environment['kernels']})"
    elif begun["costs"] != environment["costs"]:
        reason = f"the cost table has changed since (digest {begun['costs']}, now {environment['costs']})"
    elif not request.simulated and machine_differences(begun, environment):
        reason = f"it was begun on another machine ({'; '.join(machine_differences(begun, environment))})"
    elif record["planned"] != plan.as_json():
        reason = "the same request now means other workloads, dials or strategies"
    else:
        return
    raise BadInputError(f"record {record['id']}: {reason}; what is missing would not be comparable, so run it anew")


def check_block(workload: str, known: BlockFacts, found: BlockFacts) -> None:
    """Make sure that a workload builds the block of which there are samples already.

    Raises
    ------
    BadInputError
        If it does not.
    """
    for what in ("genesis", "block"):
        before, now = (getattr(facts, f"{what}_digest") for facts in (known, found))
        if before != now:
            raise BadInputError(
                f"{workload}: its {what} is not the record's any more (digest {before}, now {now}); what is missing "
                "would not be comparable, so run it anew"
            )


def cells_of(record: Record, workload_index: int) -> list[dict[str, Any]]:
    """List the cells that a record has of a workload, by its index in the plan."""
    planned = record["planned"]["workloads"][workload_index]
    return [cell for cell in record["cells"] if all(cell[name] == planned[name] for name in ("workload", "dials"))]


def measurement_of(record: Record, plan: MeasurementPlan, workload_index: int) -> WorkloadMeasurement:
    """Measurement of a workload, by its index in the plan, as a record has it, to be continued."""
    measurement = WorkloadMeasurement(plan.workloads[workload_index], plan.cells)
    for cell in cells_of(record, workload_index):
        key = CellKey(cell["strategy"], cell["workers"])
        measurement.earlier[key] = list(cell["samples"])
        measurement.about[key] = CellFacts.from_plain(cell)
        if cell["error"] is not None:
            measurement.failures[key] = CellFailure(cell["error"], tuple(cell["differences"]))
        if cell["block_digest"] is not None:
            measurement.facts = BlockFacts.from_plain(cell)
        # Each cell says the most that any process of an earlier session spent; those of this one have other numbers.
        measurement.compile_seconds[0] = cell["compile_seconds"]
        measurement.peak_memory_bytes[0] = cell.get("peak_memory_bytes", 0)
    return measurement


def is_finished(measurement: WorkloadMeasurement, plan: MeasurementPlan, rounds: int) -> bool:
    """Whether nothing of a workload is missing: every cell that was asked for has failed or has all its runs."""
    return measurement.next_round >= rounds or plan.reported <= measurement.failures.keys()


def left_out(record: Record) -> list[str]:
    """Say for each workload of a record what of it has not been measured; nothing about those that are finished."""
    rounds = Request.from_json(record["request"]).rounds
    found = []
    for place, planned in enumerate(record["planned"]["workloads"]):
        cells = cells_of(record, place)
        done = [len(cell["samples"]) for cell in cells if cell["error"] is None]
        if not cells:
            found.append(f"{_titled(record, planned)} (nothing measured)")
        elif done and min(done) < rounds:
            found.append(f"{_titled(record, planned)} ({min(done)} of {rounds} runs of each cell)")
    return found


def _titled(record: Record, planned: Mapping[str, Any]) -> str:
    """A workload, with the dial that a sweep takes through its values."""
    sweep = record["request"].get("sweep")
    dial = sweep[0].rpartition(".")[2] if sweep else None
    return f"{planned['workload']} {dial}={planned['dials'][dial]}" if dial in planned["dials"] else planned["workload"]


def is_untouched(measurement: WorkloadMeasurement) -> bool:
    """Whether this session has neither measured nor lost a cell of the workload."""
    known = {key for key, samples in measurement.earlier.items() if not samples}
    return not measurement.rounds and measurement.failures.keys() <= known


def next_process(record: Record) -> int:
    """Number of the first process that no session has used."""
    used: list[int] = [session["first_process"] for session in record["sessions"]]
    used += [sample["process"] for cell in record["cells"] for sample in cell["samples"]]
    return 1 + max(used)


def rounds_left(record: Record, rounds: int) -> int:
    """Most rounds that a workload still needs."""
    done = []
    for place in range(len(record["planned"]["workloads"])):
        numbers = [sample["round"] for cell in cells_of(record, place) for sample in cell["samples"]]
        done.append(1 + max(numbers, default=-1))
    return rounds - min(done, default=0)
