from __future__ import annotations

import copy
import dataclasses
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contend.harness import records
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import BASELINE_CELL, CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.record import atomic_write, build, derived
from contend.harness.record.bound import KINDS, Bound, Bounds
from contend.harness.record.measurement import WorkloadMeasurement
from contend.harness.record.sample import BlockFacts, Sample
from contend.harness.record.store import Store

RIVAL = CellKey("block_stm", 2)
FACTS = BlockFacts("ab", "cd", transactions=100, gas=2_100_000, failed_transactions=1, changed_locations=7)

Make = Callable[..., dict[str, Any]]


def sample(seconds: float, aborts: int = 0) -> Sample:
    phases = {"prepare": 0.0, "execute": seconds, "commit": 0.0}
    return Sample(seconds, seconds, 2 * seconds, phases, {"aborts": aborts})


@pytest.fixture
def measurement() -> WorkloadMeasurement:
    found = WorkloadMeasurement(WorkloadPlan("swaps", {"pools": 1}), (BASELINE_CELL, RIVAL), FACTS)
    for number, (base, own) in enumerate([(2.0, 1.0), (4.0, 2.0), (3.0, 1.5)]):
        found.add(number % 2, number, {BASELINE_CELL: sample(base), RIVAL: sample(own, aborts=10 + number)})
    return found


def test_a_cell_has_its_samples_and_what_follows_from_them(measurement: WorkloadMeasurement) -> None:
    cell = build.cell_record(measurement, RIVAL, Request(repeat=3))
    # Samples are kept by process: the two of process 0 come first.
    assert cell["samples_seconds"] == [1.0, 1.5, 2.0]
    assert [one["baseline_seconds"] for one in cell["samples"]] == [2.0, 3.0, 4.0]
    assert cell["tx_per_second"] == pytest.approx(100 / 1.5)
    assert cell["gas_per_second"] == pytest.approx(2_100_000 / 1.5)
    assert cell["speedup"]["median"] == pytest.approx(2.0)
    assert cell["counters"] == {"aborts": 12}
    assert cell["cpu_seconds"] == pytest.approx(3.0)
    assert cell["verified"] is True
    assert cell["error"] is None


def test_untimed_seconds_are_kept_where_they_are_told(measurement: WorkloadMeasurement) -> None:
    told = dataclasses.replace(sample(1.0), untimed={"snapshot": 0.25, "verification": 0.5})
    measurement.add(1, 3, {BASELINE_CELL: sample(2.0), RIVAL: told})
    cell = build.cell_record(measurement, RIVAL, Request(repeat=4))
    assert [one.get("untimed") for one in cell["samples"]].count(None) == 3
    assert told.untimed in [one.get("untimed") for one in cell["samples"]]
    one_sample = {"$ref": "#/$defs/sample", "$defs": records.schema()["$defs"]}
    for one in cell["samples"]:
        jsonschema.validate(one, one_sample)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**cell["samples"][0], "untimed": {"snapshot": -1.0}}, one_sample)


def test_a_cell_has_its_share_of_the_bound(measurement: WorkloadMeasurement) -> None:
    depth = dict.fromkeys(KINDS, 1)
    plain = Bound(
        100, work=4_000, gas=2_100_000, dependent=60, longest_chain=9, critical_path=1_000, critical_gas=1, depth=depth
    )
    bounds = Bounds(plain, dataclasses.replace(plain, critical_path=500))
    measurement.facts = dataclasses.replace(FACTS, bounds=bounds)
    cell = build.cell_record(measurement, CellKey("block_stm", 2), Request(repeat=3))
    # Two workers cannot do better than two, whatever the critical path.
    assert (cell["bound_speedup"], cell["bound_speedup_commutative"]) == (2.0, 2.0)
    assert cell["share_of_bound"] == pytest.approx(1.0)
    # A cell with many workers, as a record may hold it: the critical path decides.
    many = derived.derived({**cell, "workers": 16})
    assert (many["bound_speedup"], many["bound_speedup_commutative"]) == (4.0, 8.0)
    assert many["share_of_bound"] == pytest.approx(0.5)


def test_a_malformed_bound_is_refused(make_cell: Make, make_record: Make, tmp_path: Path) -> None:
    record = make_record([make_cell(critical_path=5)])
    del record["cells"][0]["bounds"]["plain"]["work"]
    (tmp_path / "bad.json").write_text(json.dumps(record))
    with pytest.raises(BadInputError, match="malformed record"):
        records.read(tmp_path / "bad.json")


def test_a_failed_cell_keeps_no_sample(measurement: WorkloadMeasurement) -> None:
    measurement.fail(RIVAL, "differs", ["transaction 3, status"])
    cell = build.cell_record(measurement, RIVAL, Request(repeat=3))
    assert cell["samples"] == cell["samples_seconds"] == []
    assert cell["tx_per_second"] is None
    assert cell["speedup"] is None
    assert (cell["verified"], cell["error"], cell["differences"]) == (False, "differs", ["transaction 3, status"])


def test_only_the_first_failure_of_a_cell_counts(measurement: WorkloadMeasurement) -> None:
    measurement.fail(RIVAL, "first")
    measurement.fail(RIVAL, "second")
    assert measurement.failures[RIVAL].error == "first"


def test_without_its_baseline_no_cell_counts(measurement: WorkloadMeasurement) -> None:
    measurement.fail(BASELINE_CELL, "broken")
    assert measurement.live() == []
    assert build.cell_record(measurement, RIVAL, Request())["error"] == "the serial baseline failed: broken"


def test_an_interrupted_cell_says_so(measurement: WorkloadMeasurement) -> None:
    cell = build.cell_record(measurement, RIVAL, Request(repeat=10))
    assert "interrupted after 3 of 10 runs" in cell["warnings"]


def test_a_serial_run_that_did_not_get_its_core_says_so(measurement: WorkloadMeasurement) -> None:
    def cell(cpu_seconds: float) -> dict[str, Any]:
        for samples in measurement.rounds.values():
            seconds = samples[BASELINE_CELL].seconds
            samples[BASELINE_CELL] = dataclasses.replace(samples[BASELINE_CELL], cpu_seconds=cpu_seconds * seconds)
        return build.cell_record(measurement, BASELINE_CELL, Request(repeat=3))

    assert any("got 50% of a core" in warning for warning in cell(0.5)["warnings"])
    assert not any("core" in warning for warning in cell(1.0)["warnings"])


def test_what_makes_a_speed_up_doubtful_is_said(make_cell: Make) -> None:
    def warned(cell: dict[str, Any], cores: int = 2) -> list[str]:
        return [text for text in derived.derived(cell, cores)["warnings"] if "unstable" not in text]

    honest = make_cell(workers=2, ratio=1.5)
    count = honest["transactions"]
    assert warned(honest) == []
    assert warned(honest, cores=1) == ["more workers than cores: 2 on 1"]
    # Ten times what the bound allows with two workers; and most of the call is in no phase.
    (text,) = warned(make_cell(workers=2, ratio=20.0, critical_path=10_000_000))
    assert text.startswith("beyond the bound: ")
    hidden = copy.deepcopy(honest)
    for sample in hidden["samples"]:
        sample["wall_seconds"] = 10 * sample["seconds"]
    assert warned(hidden) == ["work outside the phases: they hold 10% of the call's time"]
    reordered = copy.deepcopy(honest)
    for sample in reordered["samples"]:
        sample["counters"] |= {"own_order_failed": count // 2, "own_order_gas": 21_000}
    assert warned(reordered) == [f"its own order makes transactions fail: {count // 2:,} of {count:,}, the block's 0"]
    assert derived.derived(reordered)["gas_per_second"] < derived.derived(honest)["gas_per_second"]
    serial = make_cell(strategy="serial", workers=1) | {"failed_transactions": count}
    assert warned(serial) == [f"most transactions fail: {count:,} of {count:,}"]


def test_cells_without_a_sample_are_left_out() -> None:
    nothing = WorkloadMeasurement(WorkloadPlan("swaps", {}), (BASELINE_CELL, RIVAL))
    assert build.measured_cells(nothing, {RIVAL}, Request()) == []


def test_only_reported_cells_are_recorded(measurement: WorkloadMeasurement) -> None:
    cells = build.measured_cells(measurement, {RIVAL}, Request())
    assert [cell["strategy"] for cell in cells] == ["block_stm"]


def test_records_satisfy_their_schema(measurement: WorkloadMeasurement, make_record: Make) -> None:
    validator = jsonschema.Draft202012Validator(records.schema())
    validator.check_schema(records.schema())
    good = build.measured_cells(measurement, {BASELINE_CELL, RIVAL}, Request(repeat=3))
    measurement.fail(RIVAL, "differs", ["transaction 3, status"])
    failed = build.measured_cells(measurement, {BASELINE_CELL, RIVAL}, Request(repeat=3))
    validator.validate(make_record([*good, *failed]))


def test_the_schema_refuses_a_failed_cell_with_throughput(make_cell: Make, make_record: Make) -> None:
    cell = make_cell() | {"error": "differs", "verified": False}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(make_record([cell]), records.schema())


def test_a_new_record_satisfies_the_schema_and_no_two_share_a_name() -> None:
    from contend.harness.record.environment import describe

    plan = MeasurementPlan(
        (WorkloadPlan("swaps", {"pools": 1}),), (BASELINE_CELL, RIVAL), frozenset({RIVAL}), "0123", cold=False
    )
    environment = build.full_environment(describe(), plan)
    made = [build.new_record(Request(), plan, environment, ["contend", "run"]) for _ in range(50)]
    # As JSON has it: tuples are arrays there.
    jsonschema.validate(json.loads(json.dumps(made[0])), records.schema())
    assert len({record["id"] for record in made}) == 50
    assert made[0]["planned"]["cells"] == [{"strategy": "block_stm", "workers": 2}]
    assert made[0]["sessions"][0]["load"]["began"] >= 0


def test_a_record_survives_the_way_to_disk_and_back(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell(counters={"aborts": 3}), make_cell(strategy="broken", error="differs")])
    store = Store(tmp_path / "results")
    store.open()
    path = store.write(record)
    assert path == tmp_path / "results" / "records" / f"{record['id']}.json"
    assert records.read(path) == record


def test_derived_figures_of_a_file_are_not_trusted(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell()])
    forged = copy.deepcopy(record)
    forged["cells"][0]["tx_per_second"] *= 10
    forged["cells"][0]["speedup"]["median"] = 99.0
    atomic_write.write_json(tmp_path / "forged.json", forged)
    assert records.read(tmp_path / "forged.json") == record


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a readable record"),
        ("{", "not a readable record"),
        ("[]", "schema is None"),
        ('{"schema": "contend-record/9"}', "a newer one wrote it"),
        ('{"schema": "contend-record/one"}', "no record of Contend"),
        ('{"schema": "contend-record/0"}', "no record of Contend"),
        ('{"schema": "contend-record/1"}', "malformed record"),
        ('{"schema": "contend-record/1", "cells": [{"samples": [{}]}]}', "malformed record"),
        ('{"schema": "contend-record/2"}', "malformed record (id: missing)"),
        ('{"seconds": NaN}', "NaN is no number"),
        ("[" * 100_000, "not a readable record"),
    ],
)
def test_what_is_no_record_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"some\.json") as caught:
        records.read(path)
    assert words in str(caught.value)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.json"):
        records.read(tmp_path / "none.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    atomic_write.write_json(path, {"version": 1})

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        atomic_write.write_json(path, {"version": 2})
    assert json.loads(path.read_text()) == {"version": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_keeps_its_name_when_its_first_write_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_cell: Make, make_record: Make
) -> None:
    store, record = Store(tmp_path / "results"), make_record([make_cell()])
    store.open()
    name = record["id"]

    def full(path: Path, content: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("contend.harness.record.store.write_json", full)
        with pytest.raises(OSError, match="No space left"):
            store.write(record)
    assert store.write(record).stem == record["id"] == name
    store.close()
    assert [one.name for one in store.records.iterdir()] == [f"{name}.json"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    atomic_write.write_json(path, {"version": 1})
    seen = []
    replace = os.replace

    def look_first(source: str, target: Path) -> None:
        # All that is written is written elsewhere until this moment.
        seen.append(json.loads(path.read_text()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look_first)
    atomic_write.write_json(path, {"version": 2})
    assert seen == [{"version": 1}]
    assert json.loads(path.read_text()) == {"version": 2}


def test_records_are_readable_as_other_files_are(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    atomic_write.write_json(tmp_path / "record.json", {})
    assert (tmp_path / "record.json").stat().st_mode == plain.stat().st_mode


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic_write.write_json(tmp_path / "record.json", {"seconds": float("nan")})
    assert list(tmp_path.iterdir()) == []
