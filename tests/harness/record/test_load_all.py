from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import contend
from contend.harness import records
from contend.harness.errors import BadInputError, RecordWarning
from contend.harness.record import atomic_write
from contend.harness.record.load_all import read_all
from contend.harness.record.migrate import SCHEMA

Make = Callable[..., dict[str, Any]]
NAMES = ("20260102T000000Z-ffffffff", "20260103T000000Z-00000000")


@pytest.fixture
def folder(tmp_path: Path, make_cell: Make, make_record: Make) -> Path:
    """Two records of two cells each."""
    for name in reversed(NAMES):
        cells = [make_cell(strategy="serial", workers=1), make_cell()]
        atomic_write.write_json(tmp_path / f"{name}.json", make_record(cells) | {"id": name})
    return tmp_path


def test_a_folder_is_loaded_in_the_order_of_time(folder: Path) -> None:
    assert list(records.load(folder)["record"]) == [NAMES[0], NAMES[0], NAMES[1], NAMES[1]]
    assert contend.load is records.load


def test_a_file_several_and_a_results_folder_are_loaded(folder: Path, tmp_path: Path) -> None:
    first, second = (folder / f"{name}.json" for name in NAMES)
    assert set(records.load(str(first))["record"]) == {NAMES[0]}
    # Each file once, in the order in which it is named.
    assert list(records.load(second, first, folder)["record"]) == [NAMES[1], NAMES[1], NAMES[0], NAMES[0]]
    inside = tmp_path / "results" / "records"
    inside.mkdir(parents=True)
    first.rename(inside / first.name)
    assert len(records.load(tmp_path / "results")) == 2


def test_nothing_is_an_empty_frame_with_columns(tmp_path: Path) -> None:
    assert len(records.load(tmp_path)) == 0
    assert "speedup" in records.load(tmp_path)


def test_what_cannot_be_read_is_named_and_skipped(folder: Path) -> None:
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text(json.dumps({"schema": "contend-record/99"}))
    (folder / "c.json").write_text((folder / f"{NAMES[0]}.json").read_text()[:3000])
    (folder / "d.json").write_text(json.dumps({"schema": SCHEMA, "id": "d"}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cells = records.load(folder)
    assert len(cells) == 4
    assert all(issubclass(one.category, RecordWarning) for one in caught)
    lines = [str(one.message) for one in caught]
    assert all("\n" not in line for line in lines)
    for line, name, why in zip(
        lines,
        "abcd",
        ("not a readable record", "a newer one wrote it", "not a readable record", "environment: missing"),
        strict=True,
    ):
        assert f"{name}.json" in line
        assert why in line


def test_the_caller_may_say_what_happens_with_what_is_skipped(folder: Path) -> None:
    (folder / "a.json").write_text("{")
    said: list[str] = []
    assert len(list(read_all([folder], said.append))) == 2
    assert len(said) == 1


def test_a_bad_file_that_is_named_is_refused(folder: Path) -> None:
    (folder / "a.json").write_text("{")
    with pytest.raises(BadInputError, match=r"a\.json"):
        records.load(folder / f"{NAMES[0]}.json", folder / "a.json")


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file or folder; give a record, or a results folder"):
        records.load(tmp_path / "none")
