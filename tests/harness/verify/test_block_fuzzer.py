"""``contend fuzz-blocks``: blocks against the Python specification, and what it does where something differs."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from contend.evm import Transaction
from contend.evm.accounts import Account
from contend.harness.cli import main
from contend.harness.verify.block_fuzzer import our_side, places
from contend.harness.verify.block_fuzzer.actors import ACTORS, signed_item
from contend.harness.verify.block_fuzzer.block_case import CHAIN, BlockCase, Withdrawn, sizes
from contend.harness.verify.block_fuzzer.random_blocks import case_of
from contend.harness.verify.block_fuzzer.smaller_blocks import small_block
from contend.harness.verify.block_fuzzer.whole_result import WholeResult, differences
from contend.harness.verify.full_receipts import FullReceipt
from contend.harness.verify.whole_block.signed_transaction import transaction_of
from contend.workloads.files.fields import FieldError, load

FORKS = ("Cancun", "Prague", "Osaka")
specified = pytest.mark.skipif(
    importlib.util.find_spec("ethereum") is None, reason="the Python specification is not installed"
)


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("fork", FORKS)
def test_a_seed_gives_the_same_block_and_a_file_keeps_it(fork: str) -> None:
    for seed in range(5):
        case = case_of(seed, fork)
        assert case == case_of(seed, fork) != case_of(seed + 100, fork)
        assert BlockCase.from_json(load("a file", json.dumps(case.as_json())).strictly()) == case


@pytest.mark.parametrize("fork", FORKS)
def test_what_is_signed_is_decoded_to_the_same(fork: str) -> None:
    seen = set()
    for seed in range(20):
        case = case_of(seed, fork)
        for one in case.transactions:
            if one.type in case.rules.transaction_types and (one.to or one.type < 3):
                assert transaction_of(signed_item(one, CHAIN), case.rules, CHAIN, "it") == one
                seen.add(one.type)
    assert seen == case_of(0, fork).rules.transaction_types


@specified
def test_generated_blocks_are_not_hollow() -> None:
    from contend.harness.verify.block_fuzzer.block_printing import NAMED
    from contend.harness.verify.block_fuzzer.specification import Specification

    specification = Specification("Prague")
    results = [specification.run(case_of(seed, "Prague")) for seed in range(60)]
    transactions = sum(len(one.receipts) + len(one.refused) for one in results)
    reasons = {reason for one in results for reason in one.refused.values()}
    assert {name for name in NAMED if not specification.seen[name]} == set()
    assert specification.seen["succeeded"] > 0.5 * transactions
    assert {"GasUsedExceedsLimitError", "NonceMismatchError", "InsufficientBalanceError"} <= reasons
    assert any(one.invalid for one in results)


@specified
def test_blocks_are_as_the_specification_says(tmp_path: Path) -> None:
    options = ("--blocks", "18", "--seed", "7", "--jobs", "1", "--results", tmp_path)
    contenders = ("--strategy", "block_stm", "--strategy", "bal", "--clock", "virtual")
    code, output = run("fuzz-blocks", *options, *contenders)
    assert code == 0, output
    assert output.splitlines()[-1].startswith("18 blocks, ")
    assert output.splitlines()[-1].endswith(" refused, no difference")
    assert "delegations made" in output


def without_clearing(one: Transaction, case: BlockCase, place: int) -> Transaction:
    """A transaction in which delegations are never cleared."""
    kept = tuple(each for each in one.authorizations or () if any(each.address))
    return replace(one, authorizations=kept) if kept else one


@specified
def test_a_wrong_result_is_found_and_made_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--serial-only", "--jobs", "1", "--results", tmp_path, "--quiet")
    with monkeypatch.context() as patched:
        patched.setattr(our_side, "_received", without_clearing)
        code, output = run("fuzz-blocks", "--blocks", "1", "--seed", "8", "--fork", "Prague", *options)
        assert code == 1
        assert output.splitlines()[-1].endswith("differ from the specification")
        (file,) = (tmp_path / "blocks").glob("Prague-*.json")
        assert f"fuzz-blocks --replay {file}" in output
        small = BlockCase.from_json(load("it", file.read_text()))
        assert sizes(small)["transactions"] == 1
        assert run("fuzz-blocks", "--replay", file, *options)[0] == 1
    code, output = run("fuzz-blocks", "--replay", file, *options)
    assert code == 0
    assert output.splitlines()[-1] == "no difference"


def test_nonces_are_closed_up_where_transactions_are_left_out() -> None:
    def one(nonce: int) -> Transaction:
        return Transaction(ACTORS[0], places.PLAIN, nonce, declared_type=2)

    world = {ACTORS[0]: Account(10**18), places.PLAIN: Account(5, 0, b"\x5b\x60\x01\x00", {1: 1})}
    case = BlockCase("Osaka", world, places.BENEFICIARY, 10**7, 7, 0, tuple(map(one, range(6))))

    def fails(candidate: BlockCase) -> bool:
        nonces = [each.nonce for each in candidate.transactions]
        code = candidate.world.get(places.PLAIN, Account()).code
        return len(nonces) >= 2 and nonces == list(range(len(nonces))) and b"\x60\x01" in code

    small = small_block(case, fails, 10.0)
    assert [each.nonce for each in small.transactions] == [0, 1]
    assert small.world == {places.PLAIN: Account(5, 0, b"\x60\x01")}


RECEIPT = FullReceipt(2, 1, 21_000, 21_000, 0, bytes(256), ())
RESULT = WholeResult(
    {1: "nonce mismatch"}, {0: RECEIPT}, {0: b"r"}, b"o", b"b", b"q", None, {ACTORS[0]: Account(5, 1)}, b"s"
)
THERE = replace(RESULT, refused={1: "NonceMismatchError"})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"receipts": {0: replace(RECEIPT, gas_used=1)}}, "transaction 0: gas_used 21000 here, 1"),
        ({"encodings": {0: b"s"}}, "transaction 0: another encoding"),
        (
            {"refused": {}, "receipts": {0: RECEIPT, 1: RECEIPT}},
            "transaction 1: refused (nonce mismatch) here, accepted",
        ),
        ({"refused": {1: "NonceOverflowError"}}, "transaction 1: refused (nonce mismatch) here, refused (NonceOver"),
        ({"requests": None}, "requests: 0x71 here, none"),
        ({"receipts_root": b"x"}, "root of receipts: 0x6f here, 0x78"),
        ({"bloom": b"x"}, "bloom filter: 0x62 here, 0x78"),
        ({"state_root": b"x"}, "state root: 0x73 here, 0x78"),
        ({"invalid": "no code"}, "block: accepted here, refused (no code)"),
        ({"accounts": {}}, f"account 0x{ACTORS[0].hex()}: Account"),
        ({"accounts": {ACTORS[0]: Account(6, 1)}}, "balance 5 here, 6 by"),
        ({"accounts": {ACTORS[0]: Account(5, 1, b"", {3: 4})}}, "storage[0x3] 0x0 here, 0x4 by"),
    ],
)
def test_what_differs_is_named(other: dict[str, object], told: str) -> None:
    assert list(differences(RESULT, THERE)) == []
    (line,) = differences(RESULT, replace(THERE, **other))  # type: ignore[arg-type]
    assert told in line


@specified
@pytest.mark.parametrize(
    "arguments",
    [("--blocks", "0"), ("--seed", "-1"), ("--fork", "Berlin"), ("--strategy", "none_such"), ("--replay", "none_such")],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, str], tmp_path: Path) -> None:
    code, output = run("fuzz-blocks", *arguments, "--results", tmp_path)
    assert code == 2
    assert len(output.splitlines()) == 1


def test_a_file_that_is_no_block_is_refused() -> None:
    with pytest.raises(FieldError, match="schema"):
        BlockCase.from_json(load("it", "{}"))
    with pytest.raises(FieldError, match="fork"):
        BlockCase.from_json(load("it", json.dumps({**case_of(0, "Osaka").as_json(), "fork": "None"})))


@specified
@pytest.mark.parametrize("fork", FORKS)
def test_an_account_with_nothing_but_storage_goes_when_it_is_paid_nothing(fork: str) -> None:
    """EIP-161, EIP-7523: by a withdrawal of nothing, or as the beneficiary of a transaction that tips nothing."""
    from contend.harness.verify.block_fuzzer.block_checker import BlockChecker

    world = {ACTORS[0]: Account(10**18), places.STORED: Account(storage={1: 1, 2: 2})}
    plain = Transaction(ACTORS[0], places.PLAIN, 0, 21_000, max_fee=7, max_priority_fee=0, declared_type=2)
    withdrawals = [(0,), (0, 0), (0, 3), (3, 0)]
    cases = [
        BlockCase(fork, world, coinbase, 10**7, 7, 0, sent, tuple(Withdrawn(places.STORED, wei) for wei in paid))
        for coinbase in (places.STORED, places.BENEFICIARY)
        for sent in ((), (plain,), (replace(plain, nonce=5),), (replace(plain, max_fee=8, max_priority_fee=1),))
        for paid in ((), *withdrawals)
    ]
    with BlockChecker([]) as checker:
        assert [checker.differences(case) for case in cases] == [[]] * len(cases)
