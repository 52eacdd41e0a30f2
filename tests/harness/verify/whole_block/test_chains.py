"""Chains of whole blocks: official tests by RLP, refusals by name, and what a test that is wrong comes to."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rlp
from click.testing import CliRunner
from shared_data import SAMPLE, sample

from contend.evm.accounts import Account
from contend.evm.forks import FORKS
from contend.harness.cli import main
from contend.harness.verify.state_root import state_root
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.block_test import BlockTest, run_test
from contend.harness.verify.whole_block.block_test_files import read_block_tests
from contend.harness.verify.whole_block.chain import Chain
from contend.harness.verify.whole_block.contender_check import ContenderCheck
from contend.harness.verify.whole_block.fork_schedule import schedule_of
from contend.harness.verify.whole_block.rlp_fields import decoded
from contend.harness.verify.whole_block.signed_transaction import transaction_of
from contend.harness.verify.whole_block.verdicts import verdicts
from contend.workloads.files.fields import FieldError

ARCHIVE = "whole_blocks.tar.gz"


def read_tests() -> list[BlockTest]:
    if not (SAMPLE / ARCHIVE).is_file():
        return []
    return [one for one in read_block_tests(SAMPLE / ARCHIVE) if not isinstance(one, FieldError)]


def of_network(network: str) -> BlockTest:
    """A test of a network of which all blocks are valid."""
    sample(ARCHIVE)
    tests = (test for test in read_tests() if test.network == network)
    return next(test for test in tests if test.blocks and not any(block.exception for block in test.blocks))


@pytest.fixture(scope="module")
def contenders() -> Iterator[list[ContenderCheck]]:
    with ContenderCheck("block_stm", "virtual", 2) as one, ContenderCheck("bal", "wall", 2) as other:
        yield [one, other]


@pytest.mark.parametrize("test", read_tests(), ids=lambda test: test.name)
def test_chains_end_as_they_should(test: BlockTest, contenders: list[ContenderCheck]) -> None:
    if test.schedule is None:
        pytest.skip(f"{test.network} is not there")
    verdict = run_test(test, contenders)
    assert verdict.wrong is None
    assert verdict.otherwise == []


def changed(data: bytes, place: int, value: bytes) -> bytes:
    """A block with another field in its header."""
    header, *rest = rlp.decode(data)
    header = list(header)
    header[place] = value
    return bytes(rlp.encode([header, *rest]))


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, bytes(32), "UNKNOWN_PARENT"),
        (3, bytes(32), "INVALID_STATE_ROOT"),
        (4, bytes(32), "INVALID_TRANSACTIONS_ROOT"),
        (5, bytes(32), "INVALID_RECEIPTS_ROOT"),
        (6, b"\1" * 256, "INVALID_LOG_BLOOM"),
        (7, b"\1", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS"),
        (8, b"\7", "INVALID_BLOCK_NUMBER"),
        (9, b"\1", "INVALID_GASLIMIT"),
        (10, b"\xff" * 8, "GAS_USED_OVERFLOW"),
        (9, b"\x80" + bytes(7), "GASLIMIT_TOO_BIG"),
        (9, bytes(9), "RLP_LEADING_ZEROS"),
        (9, b"\1" * 9, "RLP_INVALID_FIELD_OVERFLOW_64"),
        (10, b"\1", "INVALID_GAS_USED"),
        (11, b"", "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT"),
        (12, bytes(33), "EXTRA_DATA_TOO_BIG"),
        (13, b"", "INCORRECT_BLOCK_FORMAT"),
        (15, b"\1", "INVALID_BASEFEE_PER_GAS"),
        (16, bytes(32), "INVALID_WITHDRAWALS_ROOT"),
        (17, b"\2" + bytes(2), "INCORRECT_BLOB_GAS_USED"),
        (18, b"\1", "INCORRECT_EXCESS_BLOB_GAS"),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused_for_it(place: int, value: bytes, reason: str) -> None:
    test = of_network("Cancun")
    wrong = changed(test.blocks[0].data, place, value)
    for exception, said in ((reason, []), ("SOMETHING_ELSE", [reason])):
        given = replace(test.blocks[0], data=wrong, exception=f"BlockException.X|BlockException.{exception}")
        verdict = run_test(replace(test, blocks=(given, *test.blocks)), [])
        # What was refused left nothing behind: the chain goes on.
        assert verdict.wrong is None
        assert len(verdict.otherwise) == len(said)


def test_what_is_wrong_in_a_test_is_told() -> None:
    test = of_network("Cancun")
    first, *rest = test.blocks
    accepted = replace(test, blocks=(replace(first, exception="BlockException.INVALID_STATE_ROOT"), *rest))
    assert "accepted, must be refused" in str(run_test(accepted, []).wrong)
    refused = replace(test, blocks=(replace(first, data=changed(first.data, 3, bytes(32))), *rest))
    assert "block 0: refused: another state root" in str(run_test(refused, []).wrong)
    assert "the chain does not have its last block" in str(run_test(replace(test, last_hash=bytes(32)), []).wrong)
    address, account = next(iter(test.world.items()))
    richer = {**test.world, address: replace(account, balance=account.balance + 1)}
    assert run_test(replace(test, world=richer), []).wrong == "genesis: another state root"
    assert test.post is not None
    other = {**test.post, address: replace(account, balance=7)}
    assert f"0x{address.hex()}" in str(run_test(replace(test, post=other), []).wrong)


def test_more_bytes_or_a_longer_encoding_are_refused() -> None:
    test = of_network("Cancun")
    data = test.blocks[0].data
    # The length of the list with a zero in front, and a byte behind the list.
    longer = bytes([data[0] + 1, 0]) + data[1:]
    for wrong in (data + b"\0", longer, data[:-1], b"", b"\x80", bytes(rlp.encode([])), bytes(rlp.encode([[]] * 4))):
        given = replace(test.blocks[0], data=wrong, exception="BlockException.RLP_STRUCTURES_ENCODING")
        verdict = run_test(replace(test, blocks=(given, *test.blocks)), [])
        assert verdict == type(verdict)()


def nested(levels: int) -> bytes:
    """Lists in lists."""
    data = b"\xc0"
    for _ in range(levels - 1):
        data = bytes([0xC0 + len(data)]) + data
    return data


def test_lists_deeper_than_any_block_are_refused() -> None:
    decoded(nested(16), "it")
    with pytest.raises(BlockRefusedError, match="nested too deeply"):
        decoded(nested(18), "it")


def test_a_list_in_an_envelope_is_no_transaction() -> None:
    """Types of envelopes begin at one (EIP-2718): a transaction has one encoding."""
    sample(ARCHIVE)
    data = [block.data for test in read_tests() for block in test.blocks if not block.exception]
    plain = next(one for block in data for one in rlp.decode(block)[1] if not isinstance(one, bytes))
    assert transaction_of(plain, FORKS["Cancun"], 1, "it").gas_limit
    with pytest.raises(BlockRefusedError, match="type 0"):
        transaction_of(b"\0" + bytes(rlp.encode(plain)), FORKS["Cancun"], 1, "it")


@pytest.mark.parametrize("genesis", [b"\xc0", b"", b"\xc3\xc0\xc0\xc0"])
def test_a_malformed_genesis_is_one_failure(genesis: bytes) -> None:
    verdict = run_test(replace(of_network("Cancun"), genesis=genesis), [])
    assert str(verdict.wrong).startswith("genesis: BlockRefusedError: ")


def test_a_chain_has_the_number_that_its_test_says() -> None:
    sample(ARCHIVE)
    tests = [test for test in read_tests() if test.network == "Cancun"]
    # Their transactions are signed for chain 1.
    assert any("for another chain" in str(run_test(replace(test, chain_id=7), []).wrong) for test in tests)


def test_an_empty_account_of_the_genesis_block_is_there_until_it_is_touched() -> None:
    test = of_network("Cancun")
    assert test.schedule is not None
    idle, sender = b"\xee" * 20, b"\xdd" * 20
    world = {sender: Account(balance=1), idle: Account()}
    chain = Chain(world, changed(test.genesis, 3, state_root(world)), test.schedule)
    genesis = chain.blocks[chain.genesis.hash]
    assert genesis.hollow == {idle}
    assert genesis.world(chain.state) == world
    assert (
        state_root(genesis.world(chain.state)) == chain.genesis.state_root != state_root({sender: Account(balance=1)})
    )


class Deadly:
    """What ends the process that it is sent to."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (3,)


def test_processes_give_the_verdicts_in_order_and_one_that_dies_fails_its_test() -> None:
    test = of_network("Cancun")
    wrong = replace(test, last_hash=bytes(32))
    tests: list[Any] = [test, Deadly(), wrong, test]
    found = list(verdicts(tests, [("serial", "wall", 1)], 2))
    assert found[1].wrong == "its process ended: with exit code 3"
    assert [found[0], *found[2:]] == list(verdicts([test, wrong, test], [], 1))


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["blocktest", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_counts_what_passes_fails_and_is_not_run(tmp_path: Path) -> None:
    code, output = run(
        sample(ARCHIVE), "--network", "Berlin", "-s", "block_stm", "--clock", "virtual", "-n", 2, "-q", "-j", 1
    )
    assert (code, output.splitlines()[-1].endswith("passed, 0 failed, 0 not run")) == (0, True)
    with tarfile.open(sample(ARCHIVE)) as files:
        good = next(one for one in files if "ethereum-tests" in one.name)
        stream = files.extractfile(good)
        assert stream is not None
        (tmp_path / "good.json").write_bytes(stream.read())
    (tmp_path / "cut.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"_info": {}, "one": {"network": "Cancun"}}')
    code, output = run(tmp_path, "--serial-only", "-q")
    assert code == 1
    assert output.splitlines()[-1] == "1 passed, 2 failed, 0 not run"
    assert output.count("malformed: ") == 2


def test_nothing_to_run_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "one.json").write_text("{")
    assert run(tmp_path / "cut", "-q", "--serial-only")[0] == 2
    assert schedule_of("Atlantis") is None
    assert schedule_of("BerlinToAtlantisAt5") is None
    for path, said in ((tmp_path / "empty.json", "no test of blocks"), (tmp_path / "absent", "no such file or folder")):
        code, output = run(path, "-q", "--serial-only")
        assert code == 2
        assert said in output
        assert len(output.splitlines()) == 1
