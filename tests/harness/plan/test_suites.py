"""Suites: the project's give the bytes that they promise; bad ones are refused; a user can write one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import contend
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import WorkloadPlan, resolve
from contend.harness.plan.suites import FOLDER, names, read
from tools.docs.suites import pinned, render

MINE = """
name = "mine"
seed = 3
block_size = 20

[[workloads]]
workload = "ledger"

[[workloads]]
workload = "ledger"
label = "ledger, few"
dials = { accounts = 4 }
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", names())
def test_the_projects_suites_are_these_bytes(name: str) -> None:
    # A digest that changes makes another suite: give it another name, and keep this one as long as it can be built.
    suite = read(name)
    assert suite.name == name
    assert list(pinned(suite)) == list(suite.entries)
    assert render(suite) == (FOLDER / f"{name}.toml").read_text()
    assert all(entry.genesis and entry.block for entry in suite.entries)


@pytest.mark.usefixtures("plugins")
def test_a_suite_becomes_a_plan(tmp_path: Path) -> None:
    plan = resolve(Request(suite=write(tmp_path, MINE), strategies=("serial",), seed=3, block_size=20))
    assert plan.workloads == (
        WorkloadPlan("ledger", {"accounts": 20}, "ledger"),
        WorkloadPlan("ledger", {"accounts": 4}, "ledger, few"),
    )


@pytest.mark.usefixtures("plugins")
def test_a_users_suite_is_pinned_measured_and_verified(tmp_path: Path) -> None:
    path = write(tmp_path, MINE)
    suite = read(path)
    Path(path).write_text(render(replace(suite, entries=tuple(pinned(suite)))))
    assert read(path).entries[0].genesis
    cells = contend.run(suite=path, strategies="serial", repeat=2, processes=1)
    assert cells["workload"].tolist() == ["ledger", "ledger, few"]
    assert cells["verified"].all()
    assert cells["transactions"].tolist() == [20, 20]
    found = re.sub(r'block = "[0-9a-f]+"', f'block = "{"0" * 32}"', Path(path).read_text(), count=1)
    Path(path).write_text(found)
    first, second = contend.run(suite=path, strategies="serial", repeat=2, processes=1)["error"].tolist()
    assert "its block is not the suite's: digest" in first
    assert second != second or second is None  # a missing text in a frame


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("[[workloads]]", "[workloads]", "not TOML"),
        ('name = "mine"', 'nam = "mine"', "unknown key 'nam' (did you mean 'name'?)"),
        ("seed = 3", "seed = -3", "seed = -3 is not a whole number from 0"),
        ("block_size = 20", "block_size = 0", "block_size = 0 is not a whole number from 1"),
        ('label = "ledger, few"\n', "", "'ledger' is there twice"),
        ('workload = "ledger"\nlabel', "label", "[[workloads]] 2: workload is missing"),
        ("dials = { accounts = 4 }", "dials = 4", "[[workloads]] 2: dials is not a table"),
        ("dials = { accounts = 4 }", 'block = "12"', "block is not a digest of 32"),
        ("dials = { accounts = 4 }", "dial = 4", "unknown key 'dial' (did you mean 'dials'?)"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in MINE
    with pytest.raises(BadInputError) as refusal:
        read(write(tmp_path, MINE.replace(before, after, 1)))
    assert complaint in str(refusal.value), str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_empty_file_and_names_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="has no workloads"):
        read(write(tmp_path, ""))
    with pytest.raises(BadInputError, match=r"unknown suite 'standard' \(did you mean 'standard-1'\?\)"):
        read("standard")
    with pytest.raises(BadInputError, match=r"suite nowhere\.toml: No such file"):
        read("nowhere.toml")


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"seed": 4}, "fixes the seed at 3"),
        ({"block_size": 21}, "fixes the block size at 20"),
        ({"workloads": ("ledger",)}, "leave out --workload"),
        ({"dials": {"accounts": 5}}, "leave out --workload, --set"),
    ],
)
def test_what_a_suite_fixes_cannot_be_asked_for(tmp_path: Path, request_: dict[str, object], complaint: str) -> None:
    options: dict[str, object] = {"suite": write(tmp_path, MINE), "seed": 3, "block_size": 20, **request_}
    with pytest.raises(BadInputError, match=complaint):
        resolve(Request(**options))  # type: ignore[arg-type]  # one value at a time, each of its field's type


@pytest.mark.usefixtures("plugins")
def test_dials_and_workloads_of_a_suite_are_looked_up(tmp_path: Path) -> None:
    for before, after, complaint in (
        ("accounts = 4", "acounts = 4", "unknown dial 'acounts'"),
        ('"ledger"', '"ledgr"', "unknown workload 'ledgr'"),
    ):
        with pytest.raises(BadInputError, match=complaint):
            resolve(Request(suite=write(tmp_path, MINE.replace(before, after, 1)), seed=3, block_size=20))
