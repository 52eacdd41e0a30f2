"""Old records stay readable. Those here were made by runs of the versions that wrote them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from contend.harness import records
from contend.harness.record.content.counter_names import with_present_names
from contend.harness.record.environment import machine_id
from contend.harness.record.migrate import MIGRATIONS, SCHEMA, VERSION, VersionError, migrate

OLD = sorted((Path(__file__).parents[1] / "old_records").glob("*.json"))
# What only records of version 1 that came later have.
LATER_KEYS = ("simulated", "bounds", "share_of_bound", "figures_digest")


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_record_is_read_as_one_of_this_version(path: Path) -> None:
    before = json.loads(path.read_text())
    record = records.read(path)
    jsonschema.validate(record, records.schema())
    assert record["schema"] == SCHEMA != before["schema"]
    assert record["environment"]["machine"] == machine_id(before["environment"])
    assert record["planned"] is None
    for old, new in zip(before["cells"], record["cells"], strict=True):
        assert new["tx_per_second"] == pytest.approx(old["tx_per_second"])
        assert new["speedup"] == pytest.approx(old["speedup"])
        assert new["samples_seconds"] == old["samples_seconds"]
        assert (new["began"], new["ended"]) == (None, None)
        for one, other in zip(old["samples"], new["samples"], strict=True):
            assert {**one, "place": None, "began": None, "counters": with_present_names(one["counters"])} == other
    cells = records.load(path)
    assert cells["verified"].all()
    assert cells["simulated"].tolist() == [before["request"].get("clock") == "virtual"] * len(cells)


def test_there_are_old_records_of_every_kind() -> None:
    contents = [json.loads(path.read_text()) for path in OLD]
    assert {content["schema"] for content in contents} == {f"contend-record/{version}" for version in MIGRATIONS}
    kinds = {tuple(name in content["cells"][0] for name in LATER_KEYS) for content in contents}
    assert kinds == {(False,) * 4, (True,) * 4}
    assert {content["request"].get("clock") for content in contents} == {None, "wall", "virtual"}


def test_every_version_leads_to_this_one() -> None:
    assert sorted(MIGRATIONS) == list(range(1, VERSION))


def test_an_upgrade_changes_nothing_that_it_is_given() -> None:
    for path in OLD:
        content = json.loads(path.read_text())
        before = copy.deepcopy(content)
        migrate(content)
        assert content == before


def test_a_newer_version_is_no_damage() -> None:
    with pytest.raises(VersionError, match=f"reads up to '{SCHEMA}'; a newer one wrote it"):
        migrate({"schema": f"contend-record/{VERSION + 1}"})
