"""``contend access-list``: a list written, shown and checked, and what is no list."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from contend.evm.access_list import AccessList, decode, encode, hash_of
from contend.harness.analysis.block_lists import SCHEMA_FILE, flaw_of, listed_block
from contend.harness.cli import main
from contend.harness.commands.export import export
from contend.harness.plan.request import Request
from contend.strategies.serial import Serial
from contend.workloads.files.block_file import read_block

SWAPS = ("--workload", "swaps", "--block-size", "20")


def contend(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(main, ["access-list", *arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "swaps.rlp"
    code, shown, _ = contend(*SWAPS, "-o", str(path))
    assert code == 0
    assert f"hash 0x{hash_of(path.read_bytes()).hex()}" in shown
    assert "EIP-7928" in shown
    return path


def test_what_is_written_is_right(written: Path) -> None:
    assert contend(*SWAPS, "--check", str(written), "-q") == (0, "", "")
    code, shown, _ = contend(*SWAPS, "--check", str(written))
    assert code == 0
    assert f"right, {written.stat().st_size} bytes for 20 transactions" in shown


@pytest.mark.parametrize("maker", ["block_stm", "static_partition"])
def test_whoever_makes_it_it_is_the_same(written: Path, tmp_path: Path, maker: str) -> None:
    path = tmp_path / "other.rlp"
    assert contend(*SWAPS, "-s", maker, "--workers", "3", "-q", "-o", str(path))[0] == 0
    assert path.read_bytes() == written.read_bytes()


def test_json_has_figures_and_the_list(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "swaps.json"
    code, shown, _ = contend(*SWAPS, "--json", "-o", str(path))
    assert code == 0
    found: dict[str, Any] = json.loads(shown)
    jsonschema.validate(found, json.loads(SCHEMA_FILE.read_text()))
    content = decode(written.read_bytes())
    assert found["bytes"] == written.stat().st_size
    assert (found["accounts"], found["items"]) == (len(content), content.items)
    assert sum(found["entries"].values()) == content.entries
    assert found["list"] == json.loads(path.read_text())
    for form in (path.read_text(), "0x" + written.read_bytes().hex()):
        path.write_text(form)
        assert contend(*SWAPS, "--check", str(path))[0] == 0


@pytest.mark.parametrize("kind", ["locations", "reads", "indexed"])
def test_other_kinds_are_written_and_checked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "list.rlp"
    code, shown, _ = contend(*SWAPS, "--kind", kind, "-o", str(path))
    assert code == 0
    assert f"kind {kind}" in shown
    figures = json.loads(contend(*SWAPS, "--kind", kind, "--json")[1])
    jsonschema.validate(figures, json.loads(SCHEMA_FILE.read_text()))
    assert "7928" not in shown, "nothing but the kind full is called so"
    assert contend(*SWAPS, "--kind", kind, "--check", str(path))[0] == 0
    assert contend(*SWAPS, "--check", str(path))[0] in (1, 2)


def test_a_wrong_list_is_refused_with_its_first_difference(written: Path, tmp_path: Path) -> None:
    content = decode(written.read_bytes())
    first = content.accounts[0]
    wrong = {
        "missing entry: account": content.accounts[1:],
        "wrong order": (content.accounts[1], first, *content.accounts[2:]),
        "superfluous entry": (replace(first, storage_reads=(*first.storage_reads, 2**256 - 1)), *content.accounts[1:]),
    }
    for text, accounts in wrong.items():
        path = tmp_path / "wrong.rlp"
        path.write_bytes(encode(AccessList(accounts)))
        code, shown, _ = contend(*SWAPS, "--check", str(path))
        assert code == 1
        assert text in shown
        assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "none is named; give --workload NAME, or --block FILE"),
        (("-w", "swaps,nft"), "name one workload, not 2"),
        ((*SWAPS, "-s", "serail"), "unknown strategy 'serail'; did you mean 'serial'?"),
        ((*SWAPS, "-s", "block_stm", "--kind", "reads"), "strategies make the kind full"),
        ((*SWAPS, "--check", "nowhere"), "nowhere: No such file"),
        ((*SWAPS, "--check", "junk"), "junk: the bytes are not RLP"),
        ((*SWAPS, "--check", "junk.json"), "is missing; a list is RLP, or JSON"),
        ((*SWAPS, "--kind", "reads", "-o", "list.json"), "has no form in JSON"),
        ((*SWAPS, "-o", "no/folder"), "cannot be written"),
        (("--block", "nowhere.json"), "nowhere.json"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "junk").write_bytes(b"\xc1")
    (tmp_path / "junk.json").write_text("[{}]")
    code, _, error = contend(*arguments)
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_who_makes_no_list_is_told_of_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Serial, "lists_accesses", False)
    code, _, error = contend(*SWAPS)
    assert code == 2
    assert "strategy serial makes no access list; give --strategy" in error


def test_a_list_that_names_more_than_the_block_has_gas_for_is_refused(written: Path) -> None:
    subject = listed_block(Request(workloads=("swaps",), block_size=20))
    data = written.read_bytes()
    assert flaw_of(data, subject, "full") is None
    environment = replace(subject.block.environment, gas_limit=2_000 * decode(data).items - 1)
    poor = replace(subject, block=replace(subject.block, environment=environment))
    assert "addresses and slots; at" in str(flaw_of(data, poor, "full"))


def test_an_exported_block_carries_its_list(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "swaps.json.gz"
    export(Request(workloads=("swaps",), block_size=20), path)
    assert read_block(path).access_list == written.read_bytes()
    assert contend("--block", str(path), "--check", str(written))[0] == 0
    code, shown, _ = contend("--block", str(path))
    assert code == 0
    assert "the list that came with the block: right" in shown
