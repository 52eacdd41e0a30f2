"""What is no file of the kind that a command reads: one line that names it, exit code 2, at once, and nothing written.

Every command that is given a file is held against every way in which a file can be none.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contend import outside_files
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import parse_cores, parse_duration, parse_workers
from contend.harness.verify.schedule_fuzzer.cases import SCHEMA, ScheduleCase
from contend.strategies.clocks.cost_table import CostTable, CostTableError, default_costs

# Commands that read a file in this process, for speed; the file is called as the last part says.
READERS = {
    "block": ("access-list --block {}", "hostile.json"),
    "access list": ("access-list -w payments --check {}", "hostile.json"),
    "access list in RLP": ("access-list -w payments --check {}", "hostile.rlp"),
    "state test": ("statetest {}", "hostile.json"),
    "block test": ("blocktest --serial-only {}", "hostile.json"),
    "packed block tests": ("blocktest --serial-only {}", "hostile.tgz"),
    "schedule": ("fuzz --replay {}", "hostile.json"),
    "record": ("report {}", "hostile.json"),
    "costs": ("explain -w payments --workers 2 --costs {} -q", "hostile.json"),
    "suite": ("run --suite {}", "hostile.toml"),
    "own contract": ("access-list -w {}", "hostile.toml"),
}


def written(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b" " * (outside_files.FREELY_UNPACKED + 1)))


PACKED = gzip.compress(json.dumps({"a": list(range(1000))}).encode())
FORMS: dict[str, Callable[[Path], None]] = {
    "nothing": lambda path: None,
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "empty": written(b""),
    "a bomb": bomb,
    "cut off": written(PACKED[: len(PACKED) // 2]),
    "damaged": written(PACKED[:20] + b"\xff" * 20 + PACKED[40:]),
    "no text": written(b"\xff\xfe\xfd"),
    "deep and whole": written(b"[" * 5_000 + b"]" * 5_000),
    "a name that stands twice": written(b'{"a": 1, "a": 1}'),
    "a key that stands twice": written(b"a = 1\na = 1\n"),
    "a long number": written(b"1" * 5_000),
    "a long number in TOML": written(b"a = " + b"1" * 5_000),
    "an object": written(b"{}"),
    "no number": written(b'{"a": NaN}'),
    "control characters": written(b'{"\\u001b[2J\\n": {}}'),
    "half a character": written(b'{"\\ud800": {"\\udfff": "\\ud800"}}'),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_of_the_kind_is_refused(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, name = READERS[reader]
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for form, make in FORMS.items():
        path = tmp_path / form / name
        path.parent.mkdir()
        make(path)
        result = CliRunner().invoke(main, [word.format(path) for word in command.split()])
        assert result.exception is None or isinstance(result.exception, SystemExit), (form, result.exception)
        assert result.exit_code == 2, (form, result.output)
        lines = result.output.splitlines()
        assert len(lines) == 1, (form, lines)
        assert "hostile" in lines[0], (form, lines)
        assert lines[0].isprintable(), (form, lines)
        assert len(lines[0]) < 1_000, (form, lines)
    assert not list(here.rglob("*"))


ARABIC_ONE, SUPERSCRIPT_TWO = "\N{ARABIC-INDIC DIGIT ONE}", "\N{SUPERSCRIPT TWO}"
# Numbers of JSON that are none of ours: beyond all ranges, of another type, or in a form that only Python reads.
NO_NUMBERS: list[Any] = [
    -1,
    True,
    None,
    1.5,
    1e300,
    10**30,
    10**4000,
    "1",
    "0x1",
    "1_0",
    "+1",
    " 1",
    ARABIC_ONE,
    [],
    {},
]


@pytest.mark.parametrize("name", ["workers", "block", "schedule", "kept", "percent", "seed"])
def test_numbers_of_schedules(name: str) -> None:
    right = {"schema": SCHEMA, "strategy": "block_stm", "source": "x", "workers": 2, "block": 2**63 - 1, "schedule": 0}
    assert ScheduleCase.from_json(right, "f").workers == 2
    for value in NO_NUMBERS:
        if name == "kept":
            wrong: dict[str, Any] = {"kept": [value]}
            if type(value) is int:
                continue  # which places there are says the block
        elif name in ("percent", "seed"):
            wrong = {"damage": {"kind": "mixed", "percent": 5, "seed": 1, name: value}}
        else:
            wrong = {name: value}
        with pytest.raises(BadInputError) as caught:
            ScheduleCase.from_json({**right, **wrong}, "f")
        assert len(str(caught.value)) < 200
    with pytest.raises(BadInputError):
        ScheduleCase.from_json({**right, "workers": 0}, "f")


def test_numbers_of_costs(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    right = default_costs().as_json()
    path.write_text(json.dumps(right))
    assert CostTable.read(path).digest == default_costs().digest
    costs, wrong = dict(default_costs().nanoseconds), list[dict[str, Any]]()
    wrong += [{"nanoseconds": {**costs, "task": value}} for value in NO_NUMBERS if value != 1.5]
    wrong += [{"slowdown": {"2": value}} for value in NO_NUMBERS]
    wrong += [
        {"slowdown": {key: 1000}}
        for key in (
            "",
            "0",
            "-1",
            "01",
            "1_0",
            " 1",
            "0x1",
            SUPERSCRIPT_TWO,
            ARABIC_ONE,
            "9" * 5000,
        )
    ]
    for change in wrong:
        path.write_text(json.dumps({**right, **change}))
        with pytest.raises(CostTableError) as caught:
            CostTable.read(path)
        assert str(path) in str(caught.value)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [SUPERSCRIPT_TWO, ARABIC_ONE, "9" * 5000, "-1", "1.0", "0x1", ""])
def test_counts_and_times_of_options(text: str) -> None:
    for parse in (
        lambda: parse_cores("cores", text),
        lambda: parse_cores("cores", f"0-{text}x" if text in ("", "-1") else f"0-{text}"),
        lambda: parse_workers(f"1,2,...,{text}"),
        lambda: parse_duration("time", f"{text}h"),
    ):
        with pytest.raises(BadInputError):
            parse()
