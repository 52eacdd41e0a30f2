"""Hostile and unfit files that once hung, crashed, or were called verified: each is refused in one line."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from shared_data import shared

from contend.evm.accounts import Account
from contend.harness.cli import main
from contend.harness.verify.state_root import state_root
from tests.harness.verify.test_statetest import SENDER, content, run, write


def refused(*arguments: object) -> str:
    """What is said in the one line of a refusal."""
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == 2, result.output
    (line,) = result.output.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("excesshuge.json", "excessBlobGas"),
        ("type4.json", "transaction of type 4, which blocks have from Prague on"),
        ("01_create2_selfdestruct_Shanghai.json.gz", "destroyed and is created again"),
        ("26_cumulative_gas_Cancun.json", "transaction 2 may use 400,000 gas, and the block has 200,000 left"),
        ("11b_blobs_cumulative_Cancun.json", "with transaction 2 the block has 9 blobs"),
        ("notx.json", "an empty block has nothing to execute"),
        ("underscore.json", "'0x52_08' is not an integer"),
        ("dupkeys.json", "two members with the name 'chain_id'"),
    ],
)
def test_a_block_is_refused_and_leaves_no_record(tmp_path: Path, name: str, words: str) -> None:
    path = shared(f"failing/{name}")
    results = tmp_path / "results"
    line = refused(
        "run", "-w", "replay", "--block", path, "-s", "serial", "--repeat", "1", "--processes", "1", "-q",
        "--results", results,
    )  # fmt: skip
    assert words in line
    assert not list(results.rglob("*.json"))


def test_a_pipe_as_a_block_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "block.json"
    os.mkfifo(pipe)
    assert "it is a pipe" in refused("run", "-w", "replay", "--block", pipe, "-s", "serial", "-q")
    assert "it is a pipe" in refused("statetest", pipe)


def test_a_malformed_state_test_is_one_failure_among_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    write(folder / "good.json", content())
    (folder / "cut.json").write_text("{")
    wrong = content()
    del wrong["payment"]["pre"]
    write(folder / "wrong.json", wrong)
    code, output = run("statetest", folder, "-q")
    assert code == 1
    assert "cut: malformed: " in output
    assert "wrong: malformed: " in output
    assert "the field 'pre' is missing" in output
    assert output.endswith("1 passed, 2 failed\n")
    assert "cut.json" in refused("statetest", folder, "-q", "--strict")


def test_a_number_that_no_transaction_can_hold_is_a_refused_transaction(tmp_path: Path) -> None:
    large = content()
    large["payment"]["transaction"]["value"] = ["0x:bigint 0x1" + "0" * 64]
    path = tmp_path / "large.json"
    code, output = run("statetest", write(path, large), "-q")
    assert code == 1
    assert "refused: " in output
    large["payment"]["post"]["Cancun"][0]["expectException"] = "TransactionException.RLP_INVALID_VALUE"
    assert run("statetest", write(path, large), "-q") == (0, "1 passed, 0 failed\n")


def test_a_type_that_the_fork_does_not_have_is_a_refused_transaction(tmp_path: Path) -> None:
    typed = content()
    typed["payment"]["transaction"]["authorizationList"] = []
    path = tmp_path / "typed.json"
    code, output = run("statetest", write(path, typed), "-q")
    assert code == 1
    assert "refused: transaction type before its fork" in output
    untouched = {bytes.fromhex(SENDER[2:]): Account(10**18)}
    typed["payment"]["post"]["Cancun"][0] |= {
        "expectException": "TransactionException.TYPE_4_TX_PRE_FORK",
        "hash": "0x" + state_root(untouched).hex(),
    }
    assert run("statetest", write(path, typed), "-q") == (0, "1 passed, 0 failed\n")


def test_a_test_of_other_forks_is_counted_and_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    write(folder / "good.json", content())
    old = content()
    old["payment"]["post"] = {"Istanbul": old["payment"]["post"]["Cancun"] * 2}
    write(folder / "old.json", old)
    assert run("statetest", folder, "-q", "--fork", "cancun") == (
        0, "1 passed, 0 failed, 2 not run: they say nothing of Cancun\n"
    )  # fmt: skip
    assert run("statetest", folder, "-q", "--results", "Istanbul")[1].startswith("2 passed, 0 failed, 1 not run")
    assert "they speak of Istanbul" in refused("statetest", folder / "old.json")


def test_every_fork_that_is_here_is_run_and_vectors_of_others_are_counted(tmp_path: Path) -> None:
    several = content()
    post = several["payment"]["post"]
    several["payment"]["post"] = dict.fromkeys(("Istanbul", "London", "Cancun", "BPO2", "Amsterdam"), post["Cancun"])
    path = write(tmp_path / "several.json", several)
    closing = "3 passed, 0 failed, 2 not run: they say nothing of a fork that has rules here\n"
    assert run("statetest", path, "-q") == (0, closing)
    wrong = post["Cancun"][0] | {"logs": "0x" + "00" * 32}
    several["payment"]["post"] = {"London": post["Cancun"], "Cancun": [wrong]}
    code, output = run("statetest", write(path, several), "-q")
    assert code == 1
    assert "several (Cancun)[0-0-0]: logs hash" in output
    assert output.endswith("1 passed, 1 failed\n")


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    with tarfile.open(archive, "w:gz") as files:
        files.add(write(tmp_path / "payment.json", content()), "folder/payment.json")
    raw = archive.read_bytes()
    for damaged in (raw[: len(raw) // 2], raw[:40] + b"\xff" * 20 + raw[60:], b"", b"no archive"):
        archive.write_bytes(damaged)
        assert str(archive) in refused("statetest", archive)
