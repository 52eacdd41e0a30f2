"""``contend statetest`` and ``contend fuzz-evm``: what they print, their exit codes, and what they refuse."""

from __future__ import annotations

import copy
import importlib.util
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contend.evm.accounts import Account
from contend.harness.cli import main
from contend.harness.verify.state_root import logs_hash, state_root

SENDER, TO, COINBASE = "0x" + "a1" * 20, "0x" + "b2" * 20, "0x" + "c3" * 20
EMPTY_LOGS = "0x" + logs_hash(()).hex()


def root_after(value: int = 5) -> str:
    """Root after the test's transaction: computed by hand from what it does."""
    world = {
        bytes.fromhex(SENDER[2:]): Account(10**18 - value - 21_000 * 10, 1),
        bytes.fromhex(TO[2:]): Account(value),
        bytes.fromhex(COINBASE[2:]): Account(21_000 * 3),
    }
    return "0x" + state_root(world).hex()


def content() -> dict[str, Any]:
    """A payment of 5 wei, and of 6 where the file says that it must be refused."""
    return {
        "payment": {
            "env": {
                "currentCoinbase": COINBASE,
                "currentNumber": "0x01",
                "currentTimestamp": "0x03e8",
                "currentGasLimit": "0x0f4240",
                "currentBaseFee": "0x07",
                "currentRandom": "0x" + "00" * 32,
                "currentExcessBlobGas": "0x00",
            },
            "pre": {SENDER: {"balance": hex(10**18), "nonce": "0x00", "code": "0x", "storage": {}}},
            "transaction": {
                "data": ["0x"],
                "gasLimit": ["0x5208"],
                "value": ["0x05"],
                "nonce": "0x00",
                "to": TO,
                "sender": SENDER,
                "maxFeePerGas": "0x0a",
                "maxPriorityFeePerGas": "0x03",
            },
            "post": {
                "Cancun": [
                    {
                        "indexes": {"data": 0, "gas": 0, "value": 0},
                        "hash": root_after(),
                        "logs": EMPTY_LOGS,
                    }
                ]
            },
        }
    }


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(one) for one in arguments], standalone_mode=True)
    return result.exit_code, result.output


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_a_test_passes_and_one_line_closes(tmp_path: Path) -> None:
    path = write(tmp_path / "payment.json", content())
    assert run("statetest", path) == (0, "1 passed, 0 failed\n")
    assert run("statetest", tmp_path, path) == (0, "2 passed, 0 failed\n")
    archive = tmp_path / "all.tar.gz"
    with tarfile.open(archive, "w:gz") as files:
        files.add(path, "folder/payment.json")
    assert run("statetest", archive) == (0, "1 passed, 0 failed\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hash": "0x" + "11" * 32}, "state root 0x"),
        ({"logs": "0x" + "11" * 32}, "logs hash 0x"),
        ({"expectException": "TransactionException.ANY"}, "accepted, must be refused for TransactionException.ANY"),
    ],
)
def test_a_failure_is_named_and_the_exit_code_tells(tmp_path: Path, change: dict[str, str], words: str) -> None:
    wrong = content()
    wrong["payment"]["post"]["Cancun"][0].update(change)
    code, output = run("statetest", write(tmp_path / "wrong.json", wrong))
    assert code == 1
    first, last = output.splitlines()
    assert first.startswith("wrong[0-0-0]: ")
    assert words in first
    assert last == "0 passed, 1 failed"


def test_names_are_printed_in_one_line_and_move_no_cursor(tmp_path: Path) -> None:
    wrong = content()
    wrong["payment"]["post"]["Cancun"][0]["hash"] = "0x" + "11" * 32
    path = write(tmp_path / "names.json", {"a\x1b[2J\nb": wrong["payment"], "\u202e": {}, "c": content()["payment"]})
    code, output = run("statetest", path)
    first, second, last = output.splitlines()
    assert (code, last) == (1, "1 passed, 2 failed")
    assert first.startswith(r"names:\u202e: malformed: ")
    assert second.startswith(r"names:a\x1b[2J\nb[0-0-0]: state root 0x")
    assert first.isprintable()
    assert second.isprintable()
    path = write(tmp_path / "none.json", {"\x1b[2J": {}})
    code, output = run("statetest", path)
    assert code == 2
    assert output.rstrip("\n").isprintable()


@pytest.mark.parametrize("name", ["Merge", "Paris", "merge"])
def test_paris_has_two_names(tmp_path: Path, name: str) -> None:
    test = content()
    test["payment"]["post"] = {name: test["payment"]["post"]["Cancun"], "Merge+3855": []}
    path = write(tmp_path / "merge.json", test)
    assert run("statetest", path, "--fork", "paris") == (0, "1 passed, 0 failed\n")
    assert run("statetest", path, "--fork", "Merge") == (0, "1 passed, 0 failed\n")
    assert run("statetest", path)[0] == 0
    assert run("statetest", path, "--fork", "London")[0] == 2


def test_an_expected_rejection_passes(tmp_path: Path) -> None:
    refused = content()
    refused["payment"]["transaction"]["nonce"] = "0x05"
    vector = refused["payment"]["post"]["Cancun"][0]
    vector["hash"] = "0x" + state_root({bytes.fromhex(SENDER[2:]): Account(10**18)}).hex()
    code, output = run("statetest", write(tmp_path / "refused.json", refused))
    assert (code, output.splitlines()[0]) == (1, "refused[0-0-0]: refused: nonce mismatch")
    vector["expectException"] = "TransactionException.NONCE_MISMATCH_TOO_HIGH"
    assert run("statetest", write(tmp_path / "refused.json", refused))[0] == 0


def test_a_test_that_does_not_end_fails_alone(tmp_path: Path) -> None:
    endless = content()
    # It does end, in some seconds, so that the thread that is left behind does not outlive the tests.
    endless["payment"]["env"]["currentGasLimit"] = hex(1 << 40)
    endless["payment"]["pre"]["0x" + "22" * 20] = {
        "balance": "0x0", "nonce": "0x0", "code": "0x5b600056", "storage": {},
    }  # fmt: skip
    endless["payment"]["transaction"] |= {"gasLimit": [hex(5 * 10**9)], "to": "0x" + "22" * 20}
    sender = next(iter(endless["payment"]["pre"].values()))
    sender["balance"] = hex(10**30)
    folder = tmp_path / "tests"
    folder.mkdir()
    write(folder / "endless.json", endless)
    write(folder / "payment.json", content())
    code, output = run("statetest", folder, "--timeout", "0.2")
    assert code == 1
    assert output == "endless[0-0-0]: no result within 0.2 s\n1 passed, 1 failed\n"
    code, output = run("statetest", folder, "--timeout", "0")
    assert code == 2
    assert "timeout: 0 is not a positive number" in output


def test_a_sender_is_found_by_its_key(tmp_path: Path) -> None:
    from contend.evm.crypto.curves import address_of_key

    keyed = content()
    secret = b"\7" * 32
    test = keyed["payment"]
    del test["transaction"]["sender"]
    test["transaction"]["secretKey"] = "0x" + secret.hex()
    test["pre"] = {"0x" + address_of_key(secret).hex(): test["pre"][SENDER]}
    code, output = run("statetest", write(tmp_path / "keyed.json", keyed))
    # The sender is another one, so the root is; but it has paid and was not refused.
    assert code == 1
    assert "(succeeded)" in output


def set_at(value: Any, way: str, new: object) -> None:
    *steps, last = way.split("/")
    for step in steps:
        value = value[int(step) if isinstance(value, list) else step]
    if new is KeyError:
        del value[last]
    else:
        value[int(last) if isinstance(value, list) else last] = new


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("payment", 7),
        ("payment/post", KeyError),
        ("payment/pre", []),
        ("payment/pre/" + SENDER + "/balance", "0x1" + "0" * 64),
        ("payment/pre/" + SENDER + "/nonce", "-1"),
        ("payment/pre/" + SENDER + "/code", "0xgg"),
        ("payment/pre/" + SENDER + "/storage", {"0x0": "zz"}),
        ("payment/env/currentCoinbase", "0x00"),
        ("payment/env/currentNumber", {}),
        ("payment/transaction/to", "0x12"),
        ("payment/transaction/data", "0x"),
        ("payment/transaction/maxFeePerGas", KeyError),
        ("payment/transaction/sender", "0x"),
        ("payment/post/Cancun", {}),
        ("payment/post/Cancun/0/indexes", [0, 0, 0]),
        ("payment/post/Cancun/0/indexes/gas", 1),
        ("payment/post/Cancun/0/hash", "0x00"),
    ],
)
def test_a_malformed_file_gives_one_line(tmp_path: Path, way: str, value: object) -> None:
    bad = copy.deepcopy(content())
    set_at(bad, way, value)
    code, output = run("statetest", write(tmp_path / "bad.json", bad))
    assert code == 2, output
    (line,) = output.splitlines()
    assert line.startswith(f"contend: {tmp_path / 'bad.json'}")
    assert "payment" in line


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "payment.json", content())
    assert run("statetest", path, "--fork", "Shanghai")[0] == 2
    assert run("statetest", path, "--fork", "Prague")[0] == 2
    assert run("statetest", tmp_path / "absent")[0] == 2
    assert run("statetest")[0] == 2


@pytest.mark.skipif(importlib.util.find_spec("pyrevm") is None, reason="pyrevm publishes no wheel here")
def test_fuzzing_closes_with_one_line() -> None:
    for fork in ("berlin", "london", "paris", "shanghai"):
        assert run("fuzz-evm", "--programs", "150", "--fork", fork)[0] == 0
    assert run("fuzz-evm", "--programs", "1", "--fork", "prague")[0] == 2
    assert run("fuzz-evm", "--programs", "12", "--seed", "3") == (0, "12 programs, 0 differ from revm\n")


@pytest.mark.skipif(importlib.util.find_spec("pyrevm") is None, reason="pyrevm publishes no wheel here")
def test_a_difference_is_printed_as_assembly(monkeypatch: pytest.MonkeyPatch) -> None:
    from contend.harness.verify.evm_fuzzer.compare import RevmChecker

    monkeypatch.setattr(RevmChecker, "differences", lambda self, case: ["gas: 1 here, 2 on revm"])
    code, output = run("fuzz-evm", "--programs", "1", "--seed", "1")
    assert code == 1
    assert "program 1 differs (contend fuzz-evm --programs 1 --seed 1 --fork Cancun)" in output
    assert "gas: 1 here, 2 on revm" in output
    assert output.splitlines()[-1] == "1 programs, 1 differ from revm"


@pytest.mark.parametrize("arguments", [("--programs", "0"), ("--seed", "-1")])
def test_fuzzing_refuses_what_makes_no_sense(arguments: tuple[str, str]) -> None:
    code, output = run("fuzz-evm", *arguments)
    assert code == 2
    assert "out of range" in output
