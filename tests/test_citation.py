"""CITATION.cff: what the Citation File Format 1.2.0 requires, and nothing that is not so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINE = re.compile(
    r"(?P<key>[a-z-]+):(?: (?P<value>[^:#\[{&*!|>'\"%@`].*))?|  - (?:(?P<field>[a-z-]+): )?(?P<item>\S.*)"
)


def citation() -> dict[str, Any]:
    """The file, which keeps to keys, plain texts and lists of one level."""
    found: dict[str, Any] = {}
    key = ""
    for line in (ROOT / "CITATION.cff").read_text().splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, line
        if match["key"]:
            key = match["key"]
            assert key not in found
            found[key] = match["value"] if match["value"] is not None else []
        else:
            found[key].append({match["field"]: match["item"]} if match["field"] else match["item"])
    return found


def test_it_has_what_the_format_requires_and_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = citation()
    assert found["cff-version"] == "1.2.0"
    assert found["message"]
    assert found["title"].lower() == project["name"]
    assert found["authors"] == project["authors"]
    assert found["version"] == project["version"]
    assert found["license"] == project["license"]
    assert found["keywords"] == project["keywords"]
    assert found["type"] == "software"


def test_it_invents_no_identifier() -> None:
    assert not {"doi", "identifiers", "date-released", "repository-code", "url"} & set(citation())


def test_a_parser_of_yaml_reads_the_same() -> None:
    yaml = pytest.importorskip("yaml", reason="no parser of YAML is installed")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text()) == citation()
