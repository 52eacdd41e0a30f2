"""Counters of older versions: what they say is kept under its present name, what they cannot say stays unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.harness import records
from contend.harness.compare.verdict import changes, wasteful
from contend.harness.record.content.counter_names import with_present_names
from contend.harness.record.content.execution_counts import contradiction
from contend.harness.record.sample import Sample


def test_counters_of_this_version_stay_as_they_are() -> None:
    counters = {"executions": 9, "aborts": 2, "wait_restarts": 1, "repairs": 1, "waits": 4, "messages": 7}
    assert with_present_names(counters) == counters
    # A strategy of somebody else's may use the word as it likes.
    assert with_present_names({"repaired": 3, "aborts": 2}) == {"repaired": 3, "aborts": 2}


@given(aborts=st.integers(0, 100), waits=st.integers(0, 100), size=st.integers(0, 100))
def test_old_counters_add_up_or_do_not_claim_to(aborts: int, waits: int, size: int) -> None:
    # As Block-STM and planned strategies counted: what was repaired was everything once more.
    executions = size + aborts + waits
    stm = with_present_names({"executions": executions, "aborts": aborts, "dependency_waits": waits})
    assert stm == {"executions": executions, "aborts": aborts, "wait_restarts": waits}
    assert contradiction(stm, size) is None
    repaired = executions - size
    old = {"executions": executions, "aborts": aborts, "dependency_waits": waits, "repaired": repaired}
    planned = with_present_names(old)
    assert (planned["executions"], planned["wait_restarts"]) == (executions, waits)
    if aborts:
        assert not {"aborts", "repairs", "repaired"} & planned.keys()
    else:
        assert planned["aborts"] == planned["repairs"] == 0
        assert contradiction(planned, size) is None


def test_waits_for_locks_are_waits() -> None:
    assert with_present_names({"lock_waits": 3}) == {"waits": 3}


def test_a_sample_of_an_older_version_is_read_with_present_names() -> None:
    plain = {"seconds": 1.0, "wall_seconds": 1.0, "cpu_seconds": 1.0, "phases": {}, "counters": {"lock_waits": 2}}
    assert Sample.from_plain(plain).counters == {"waits": 2}


@pytest.mark.parametrize("aborts", [0, 40])
def test_an_old_record_of_a_plan_keeps_what_it_wasted(
    tmp_path: Path, make_cell: Any, make_record: Any, aborts: int
) -> None:
    old = {"executions": 1_000 + aborts + 7, "aborts": aborts, "dependency_waits": 7, "repaired": aborts + 7}
    path = tmp_path / "old.json"
    path.write_text(json.dumps(make_record([make_cell(strategy="planned", counters=old)])))
    (cell,) = records.read(path)["cells"]
    assert cell["wasted_per_transaction"] == pytest.approx((aborts + 7) / 1_000)
    assert cell["aborts_per_transaction"] == (None if aborts else 0)
    frame = records.load(path)
    assert frame.loc[0, "count.wait_restarts"] == 7
    assert ("count.repairs" in frame) == (aborts == 0)


def test_what_an_older_version_could_not_count_is_no_difference() -> None:
    old = with_present_names({"executions": 1_047, "aborts": 40, "dependency_waits": 7, "repaired": 47})
    new = {"executions": 1_047, "aborts": 0, "wait_restarts": 7, "repairs": 40, "waits": 3, "dry_runs": 1_000}
    assert changes(old, new) == {}
    assert wasteful(changes({**new, "repairs": 39, "executions": 1_046}, new))
