"""Suites: fixed workloads, dials, seeds and sizes, with the digests of the bytes that they give.

Two people who name one suite measure the same genesis and the same blocks, or are told that they do not. A suite is a
TOML file; those of the project are in ``harness/plan/standard``, and anyone can write another.

.. code:: toml

    name = "mine-1"
    summary = "what my engine must be good at"
    seed = 1
    block_size = 10_000

    [[workloads]]
    workload = "swaps"                      # a name, or the path of a workload file from here
    label = "swaps, one pool"               # where one workload is there twice
    dials = { preset = "burst-day", accounts = 5_000 }
    genesis = "..."                         # digests; `python -m tools.docs.suites FILE` prints the file with them
    block = "..."
    block_count = 12                        # where it is several in a row; `block` is then the digest of all
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import DialValue
from contend.harness.plan.request import DEFAULT_BLOCK_SIZE, MAX_BLOCK_COUNT, MAX_BLOCK_SIZE
from contend.outside_files import reason, text_of, toml_of

FOLDER = Path(__file__).with_name("standard")
KEYS = {"name", "summary", "seed", "block_size", "workloads"}
ENTRY_KEYS = {"workload", "label", "dials", "genesis", "block", "block_count"}
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class SuiteEntry:
    """One workload of a suite.

    Attributes
    ----------
    workload : str
        Name, or path of a file.
    label : str
        What tables and records call it; no two of a suite are the same.
    dials : dict
        Overrides, ``preset`` among them.
    genesis, block : str or None
        Digests that the build must have; None where the file does not say.
    block_count : int
        Blocks in a row.
    """

    workload: str
    label: str
    dials: dict[str, DialValue]
    genesis: str | None = None
    block: str | None = None
    block_count: int = 1


@dataclass(frozen=True)
class Suite:
    """A suite, checked in form; workloads and dials are looked up when it is planned."""

    name: str
    summary: str
    seed: int
    block_size: int
    entries: tuple[SuiteEntry, ...]


def names() -> list[str]:
    """Names of the project's suites."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> Suite:
    """Read a suite by its name, or by the path of its file, which ends in ``.toml``.

    Raises
    ------
    BadInputError
        If there is none, or its file is malformed.
    """
    from contend.workloads.suggest import nearest

    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if path.parent == FOLDER and not path.is_file():
        known = names()
        raise BadInputError(
            f"unknown suite {name!r}{nearest(name, known)}; known are {', '.join(known)}; or give a TOML file's path"
        )
    try:
        content = toml_of(text_of(path))
    except OSError as error:
        raise BadInputError(f"suite {path}: {reason(error)}") from error
    except ValueError as error:
        raise BadInputError(f"suite {path}: not TOML: {reason(error)}") from error
    return _suite(path, content)


def fixed_by_suite(said: Mapping[str, Any]) -> dict[str, Any]:
    """Seed and block size of the suite that is asked for, where none are said; others are refused by the plan.

    Parameters
    ----------
    said : mapping
        Options of a request, those that are given.

    Raises
    ------
    BadInputError
        As `read`.
    """
    if said.get("suite") is None:
        return {}
    suite = read(said["suite"])
    return {"seed": suite.seed, "block_size": suite.block_size}


def _suite(path: Path, content: dict[str, Any]) -> Suite:
    what = f"suite {path.stem if path.parent == FOLDER else path}"
    _known(what, content, KEYS)
    rows = content.get("workloads")
    if not isinstance(rows, list) or not rows:
        raise BadInputError(f'{what}: has no workloads; add one, as in [[workloads]] with workload = "swaps"')
    entries = tuple(_entry(f"{what}: [[workloads]] {place}", path, row) for place, row in enumerate(rows, 1))
    labels = [entry.label for entry in entries]
    if repeated := [label for label in labels if labels.count(label) > 1]:
        raise BadInputError(f"{what}: {repeated[0]!r} is there twice; give each a label of its own")
    return Suite(
        _text(what, content, "name", path.stem),
        _text(what, content, "summary", ""),
        _integer(what, content, "seed", 1, 0, 2**63 - 1),
        _integer(what, content, "block_size", DEFAULT_BLOCK_SIZE, 1, MAX_BLOCK_SIZE),
        entries,
    )


def _entry(what: str, path: Path, row: Any) -> SuiteEntry:
    if not isinstance(row, dict):
        raise BadInputError(f"{what}: is not a table of keys and values")
    _known(what, row, ENTRY_KEYS)
    workload = _text(what, row, "workload", None)
    dials = row.get("dials", {})
    if not isinstance(dials, dict) or any(
        isinstance(value, bool) or not isinstance(value, int | float | str) for value in dials.values()
    ):
        raise BadInputError(f"{what}: dials is not a table of numbers and texts, as in {{ pools = 1 }}")
    digests = {}
    for key in ("genesis", "block"):
        digests[key] = _text(what, row, key, "") or None
        if digests[key] is not None and not _DIGEST.fullmatch(str(digests[key])):
            raise BadInputError(f"{what}: {key} is not a digest of 32 hexadecimal digits")
    label = _text(what, row, "label", workload)
    if workload.endswith(".toml"):
        workload = str(path.parent / workload)
    count = _integer(what, row, "block_count", 1, 1, MAX_BLOCK_COUNT)
    return SuiteEntry(workload, label, dials, digests["genesis"], digests["block"], count)


def _known(what: str, table: dict[str, Any], keys: set[str]) -> None:
    from contend.workloads.suggest import nearest

    for key in table:
        if key not in keys:
            raise BadInputError(f"{what}: unknown key {key!r}{nearest(key, keys)}; known are {', '.join(sorted(keys))}")


def _text(what: str, table: dict[str, Any], key: str, default: str | None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise BadInputError(f"{what}: {key} is {'missing' if value is None else 'not a text'}")
    return value


def _integer(what: str, table: dict[str, Any], key: str, default: int, low: int, high: int) -> int:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInputError(f"{what}: {key} = {value!r} is not a whole number from {low} to {high}")
    return value
