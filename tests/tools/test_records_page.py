"""The page about records is what schema and code say."""

from __future__ import annotations

from typing import Any

import pytest

from contend.harness.record.frame import COLUMNS
from contend.harness.record.migrate import VERSION, VERSIONS
from contend.harness.records import schema
from tools.docs.records import PAGE, PARTS, meaning_of, page

# Named by what they hold; what they are is said where they are used.
PLAIN = {"digest", "duration", "optionalDuration", "count", "optionalCount", "dials", "counters"}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tools.docs.records"


def test_every_key_and_column_is_explained() -> None:
    parts: dict[str, Any] = {"": schema(), **schema()["$defs"]}
    assert set(PARTS) == parts.keys() - PLAIN
    for name in PARTS:
        for key, field in parts[name]["properties"].items():
            assert len(meaning_of(field)) > 3, (name, key)
    assert all(len(text) > 3 for text in COLUMNS.values())
    assert list(VERSIONS) == list(range(1, VERSION + 1))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_says_its_unit(column: str) -> None:
    assert f"| `{column}` | " in page()
