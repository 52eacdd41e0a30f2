"""One record from its file, with all that can be wrong about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.record.content.counter_names import with_present_names
from contend.harness.record.content.schema_check import StructureError, validate
from contend.harness.record.derived import derived
from contend.harness.record.migrate import VersionError, migrate
from contend.harness.record.statistics.paired import with_baseline
from contend.outside_files import MOST_BYTES, json_of, reason, text_of

SCHEMA_FILE = Path(__file__).with_name("record.schema.json")


def read(path: Path) -> dict[str, Any]:
    """Read a record of this version or an older one, with its derived figures computed anew.

    Returns
    -------
    dict
        As the current version has it, whatever the file's version is (`harness.record.migrate`).

    Raises
    ------
    BadInputError
        If the file is missing, is not JSON, is damaged, or is of a newer version.
    """
    try:
        content = json_of(text_of(path, MOST_BYTES))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a readable record ({reason(error)})") from error
    try:
        record = migrate(content)
        validate(record, schema())
        cells = [_with_present_names(cell) for cell in record["cells"]]
        cells = [{**cell, **derived(cell, record["environment"]["cores"])} for cell in cells]
        record["cells"] = with_baseline(cells, record["request"].get("baseline"))
    except VersionError as error:
        raise BadInputError(f"{path}: {error}") from error
    except StructureError as error:
        raise BadInputError(f"{path}: malformed record ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise BadInputError(f"{path}: malformed record ({type(error).__name__}: {error})") from error
    return record


def _with_present_names(cell: Mapping[str, Any]) -> dict[str, Any]:
    samples = [{**sample, "counters": with_present_names(sample["counters"])} for sample in cell["samples"]]
    return {**cell, "samples": samples}


@cache
def schema() -> dict[str, Any]:
    """Read the JSON Schema of a record (draft 2020-12)."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content
