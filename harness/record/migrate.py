"""Records of older versions, read as records of this one.

A version is raised when a key changes its meaning or a new one is required; a key that may be absent needs none. Each
migration is a pure function from one version to the next, and they are applied one after the other. What an old record
does not say becomes None, or what could not be otherwise at its time; nothing is made up. Files are never rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contend.harness.record.environment import machine_id

_FAMILY = "contend-record/"
VERSION = 2
SCHEMA = f"{_FAMILY}{VERSION}"
VERSIONS = {
    1: "The first. Some of its records lack `bounds` and the figures of it, `simulated`, and what the virtual clock "
    "brought to the request: these were added as keys that may be absent",
    2: "Says what was planned (`planned`), in which sittings it was measured (`sessions`, with command line and load), "
    "and when and in which order each timed run was made (`began` and `place` of a sample); the environment names the "
    "machine, LLVM, the governor and settings of the compiler",
}
"""What each version brought, for ``docs/records.md``."""

Record = dict[str, Any]


class VersionError(ValueError):
    """Content that is no record, or one that this version of Contend cannot read; the text says which."""


def migrate(content: Any) -> Record:
    """Bring a record to the current version.

    Parameters
    ----------
    content : object
        As `json.loads` gives it; not changed.

    Returns
    -------
    dict
        The same object if it is current.

    Raises
    ------
    VersionError
        If it is not a record or a newer one.
    KeyError, TypeError, AttributeError
        If it is a damaged record of an older version.
    """
    record = content
    version = _version(record)
    for older in range(version, VERSION):
        record = MIGRATIONS[older](record)
    return dict(record) if record is not content else content


def _version(content: Any) -> int:
    schema = content.get("schema") if isinstance(content, dict) else None
    number = schema.removeprefix(_FAMILY) if isinstance(schema, str) and schema.startswith(_FAMILY) else ""
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise VersionError(f"schema is {schema!r}, not {SCHEMA!r}; it is no record of Contend")
    if int(number) > VERSION:
        raise VersionError(
            f"schema is {schema!r}, and this version of Contend reads up to {SCHEMA!r}; a newer one wrote it"
        )
    return int(number)


def _from_1(record: Mapping[str, Any]) -> Record:
    environment = record["environment"]
    # Whether time is simulated was decided by the clock then as now; before there was a choice, it was the wall's.
    clock = next((cell["clock"] for cell in record["cells"]), "wall")
    request: Record = {"blocks": [], "suite": None, "clock": clock, "costs": None, "network": None, "sweep": None}
    session = {
        "began": environment["time"],
        "ended": None,
        "command": None,
        "first_process": 0,
        "load": {"began": None, "ended": None},
        "changed": {},
    }
    unknown: Record = {"llvm": None, "governor": None, "settings": {}, "costs": None}
    return {
        **record,
        "schema": f"{_FAMILY}2",
        "environment": {**unknown, **environment, "machine": machine_id(environment)},
        "request": {**request, **record["request"]},
        "planned": None,
        "sessions": [session],
        "cells": [_cell_from_1(cell) for cell in record["cells"]],
    }


def _cell_from_1(cell: Mapping[str, Any]) -> Record:
    samples = [{**sample, "place": None, "began": None} for sample in cell["samples"]]
    absent = {"simulated": cell["clock"] != "wall", "bounds": None, "began": None, "ended": None}
    return {**absent, **cell, "samples": samples}


MIGRATIONS: Mapping[int, Callable[[Mapping[str, Any]], Record]] = {1: _from_1}
