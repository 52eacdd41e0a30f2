"""Contract files from outside: whatever is in them, they are read, or refused in one line that names the file."""

from __future__ import annotations

import copy
import datetime
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared

from contend.workloads import PluginError, get
from contend.workloads.contract_file.file import check_content
from contend.workloads.contract_file.refusal import ContractFileError
from contend.workloads.contract_file.workload import workload_of
from contend.workloads.files.fields import FieldError

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TEXTS = {path.stem: path.read_text() for path in sorted(EXAMPLES.glob("*.toml"))}
LONGEST = 1_000
USED = "used"


def refused(path: Path) -> str:
    with pytest.raises(PluginError) as refusal:
        get(str(path))
    assert_told(str(refusal.value), path)
    return str(refusal.value)


def assert_told(message: str, path: Path) -> None:
    """A file was used, or a message says in one line that it was not."""
    assert message == USED or message.startswith(f"workload file {path}: "), message
    assert message.isprintable(), message
    assert len(message) < LONGEST, message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a = " + b"[" * 10_000, "not TOML: nested too deeply"),
        (b"a" + b".a" * 5_000 + b" = 1", "unknown key 'a'"),
        (b"a = " + b"9" * 5_000, "not TOML: Exceeds the limit"),
        (b"[accounts]\ncount = 0x" + b"f" * 5_000, "[accounts]: count: an integer of 20000 bits is larger than"),
        (b"name = '\xff'", "not TOML: 'utf-8' codec"),
        (b"#" * (1 << 21), "it has 2,097,152 bytes; at most 1,048,576 are read"),
        (b'name = "a\\nb"', "at most 100 printable characters"),
        (b"[contracts.a" + b".b" * 3_000 + b"]", "[contracts.a]: unknown key 'b'"),
        (b"[contracts.a]\nartifact = 'x\\u0000'", "artifact"),
        (b"[contracts.a]\nartifact = '/dev/zero'", "it is a device or a socket, not a regular file"),
        (b"[accounts]\nroles = ['account']", "roles: 'account' is not a name of its own"),
        (b"[accounts]\nroles = [['x']]", "roles: ['x'] is not a name of its own"),
    ],
)
def test_what_is_deep_huge_or_no_text_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    assert complaint in refused(path)


def test_the_nested_file_that_ended_a_measuring_process(tmp_path: Path) -> None:
    path = tmp_path / "own_deep.toml"
    path.write_bytes(shared("failing/own_deep.toml").read_bytes())
    assert "nested too deeply" in refused(path)


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    os.mkfifo(path)
    assert "it is a pipe, not a regular file" in refused(path)
    path.unlink()
    path.mkdir()
    assert "is a directory" in refused(path).lower()
    path.rmdir()
    path.write_text('[contracts.a]\nartifact = "pipe.json"')
    os.mkfifo(tmp_path / "pipe.json")
    assert "[contracts.a]: artifact" in refused(path)


ODD_KEYS = st.sampled_from(
    ["sender", "account", "zipf", "n", "uniform", "sequence", "signature", "part", "argument", "x"]
)
SCALARS = st.one_of(
    st.integers(-(1 << 300), 1 << 300),
    st.sampled_from([0, 1, -1, 1 << 255, 1 << 256, 1 << 10_000, 10**6, 10**6 + 1]),
    st.floats(),
    st.booleans(),
    st.text(max_size=20),
    st.sampled_from(
        ["2**256-1", "9**9**9", "1 ether", "0x", "0x12", "account", "deployer", "gold", "v", "owner", "(" * 90]
    ),
    st.just(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD_KEYS, inner, max_size=3)),
    max_leaves=5,
)


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every member of the tables and lists in a value: what holds it, and its key."""
    for key in value if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            places(value[key], found)
    return found


def read(path: Path) -> str:
    """What became of a file: read, or the message that refused it."""
    try:
        get(str(path))
    except PluginError as error:
        return str(error)
    return USED


def outcome(path: Path, content: dict[str, Any]) -> str:
    """What became of a file: built, or the message that refused it."""
    try:
        kind = workload_of(str(path), check_content(path, content))
    except ContractFileError as error:
        return str(error)
    try:
        scenario = kind().build({"accounts": 3, "sender_zipf": 0.8, "burst": "steady", "access_lists": "none"}, 1, 5)
    except FieldError as error:
        return str(error)
    assert len(scenario.blocks[0]) == 5
    return USED


@pytest.mark.parametrize("name", TEXTS)
def test_the_examples_are_built(name: str) -> None:
    path = EXAMPLES / f"{name}.toml"
    assert outcome(path, tomllib.loads(TEXTS[name])) == USED


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_file_with_other_values_is_built_or_refused_in_one_line(name: str, data: st.DataObject) -> None:
    content = copy.deepcopy(tomllib.loads(TEXTS[name]))
    for _ in range(data.draw(st.integers(1, 2))):
        held, key = data.draw(st.sampled_from(places(content, [])))
        if data.draw(st.booleans()):
            held[key] = data.draw(VALUES)
        elif isinstance(held, dict) and data.draw(st.booleans()):
            held[data.draw(ODD_KEYS)] = held.pop(key)
        else:
            del held[key]
    path = EXAMPLES / f"{name}.toml"
    assert_told(outcome(path, content), path)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_file_with_other_characters_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    text = TEXTS[name]
    begin = data.draw(st.integers(0, len(text)))
    end = min(len(text), begin + data.draw(st.integers(0, 40)))
    changed = text[:begin] + data.draw(st.text(max_size=5)) + text[end:]
    folder = tmp_path_factory.mktemp("mutated")
    path = folder / "own.toml"
    path.write_text(changed.replace("solidity/", f"{EXAMPLES}/solidity/"), encoding="utf-8")
    assert_told(read(path), path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_artifact_with_other_values_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = json.loads((EXAMPLES / "solidity" / "contracts.json").read_text())
    held, key = data.draw(st.sampled_from(places(content["contracts"]["Permit.sol"], [])))
    held[key] = data.draw(VALUES)
    folder = tmp_path_factory.mktemp("mutated")
    (folder / "contracts.json").write_text(json.dumps(content, default=str))
    path = folder / "permit.toml"
    assert_told(outcome(path, tomllib.loads(TEXTS["permit"].replace("solidity/", ""))), path)
