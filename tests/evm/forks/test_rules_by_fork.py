"""Rules that a fork changed, each held on both sides of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from contend.evm import Environment, Transaction, errors
from contend.evm.forks import BLOB_GAS, FORKS, INSTRUCTION_SETS
from tests.evm.assembly import assemble, push
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Runner, free_call, make_state, with_code

OTHER = bytes.fromhex("0e" * 20)


def at(fork: str, **changes: int) -> Environment:
    return replace(FREE, fork=fork, **changes)  # type: ignore[arg-type]  # by name


def test_forks_are_numbered_in_their_order_and_lose_nothing() -> None:
    assert [fork.number for fork in FORKS.values()] == list(range(len(FORKS)))
    for before, after in pairwise(FORKS.values()):
        assert before.opcodes.keys() <= after.opcodes.keys()
        assert before.precompiles <= after.precompiles
        assert before.transaction_types <= after.transaction_types


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("fork", "cleared", "share"), [("Berlin", 15_000, 2), ("London", 4_800, 5), ("Cancun", 4_800, 5)]
)
def test_a_cleared_slot_is_refunded(runner: Runner, fork: str, cleared: int, share: int) -> None:
    def gas(*slots: int) -> int:
        code = assemble(*(part for slot in slots for part in (push(0, 1), slot, "SSTORE")), "STOP")
        return runner.run(with_code(code, dict.fromkeys(slots, 1)), free_call(), at(fork)).gas_used

    paid = 21_000 + 5_006
    assert gas(1) == paid - min(cleared, paid // share)
    paid = 21_000 + 3 * 5_006
    assert gas(1, 2, 3) == paid - min(3 * cleared, paid // share)


@pytest.mark.parametrize(("fork", "refund"), [("Berlin", 24_000), ("London", 0)])
def test_selfdestruct_is_refunded_once(runner: Runner, fork: str, refund: int) -> None:
    # It calls itself, and both frames destroy the account.
    zero, target = push(0, 1), push(int.from_bytes(SENDER, "big"), 20)
    recursion = assemble(zero, zero, zero, zero, zero, "ADDRESS GAS CALL POP")
    head = assemble("ADDRESS CALLER EQ", push(6 + len(recursion), 1), "JUMPI")
    world = with_code(head + recursion + assemble("JUMPDEST", target, "SELFDESTRUCT"))
    twice = 21_000 + 16 * 4096 + 2 * (7 + 3 + 10 + 1 + 3 + 5_000) + 5 * 3 + 2 + 2 + 100 + 2
    assert twice // 2 > 2 * 24_000
    assert runner.run(world, free_call(data=b"\1" * 4096), at(fork)).gas_used == twice - refund


@pytest.mark.parametrize(("fork", "error"), [("Berlin", None), ("London", "code begins with 0xef")])
def test_code_may_begin_with_ef_before_london(runner: Runner, fork: str, error: str | None) -> None:
    init = assemble(push(0xEF, 1), push(0, 1), "MSTORE8", push(1, 1), push(0, 1), "RETURN")
    result = runner.run(with_code(b""), replace(free_call(data=init), to=None), at(fork))
    assert result.error == error


@pytest.mark.parametrize(("fork", "error"), [("Paris", None), ("Shanghai", "init code size exceeded")])
def test_init_code_has_a_limit_since_shanghai(runner: Runner, fork: str, error: str | None) -> None:
    long = replace(free_call(data=bytes(49_153), gas_limit=10_000_000), to=None)
    result = runner.run(with_code(b""), long, at(fork))
    assert result.error == error
    if error is None:
        assert result.gas_used == 53_000 + 4 * 49_153
    code = assemble(push(49_153, 3), push(0, 1), push(0, 1), "CREATE STOP")
    result = runner.run(with_code(code), free_call(gas_limit=10_000_000), at(fork))
    assert result.error == (None if error is None else "out of gas")


def test_init_code_is_priced_by_the_word_since_shanghai(runner: Runner) -> None:
    create = replace(free_call(data=bytes(33)), to=None)
    before, after = (runner.run(with_code(b""), create, at(fork)).gas_used for fork in ("Paris", "Shanghai"))
    assert after - before == 2 * 2
    for operation, salt in (("CREATE", ()), ("CREATE2", (push(0, 1),))):
        code = assemble(*salt, push(33, 1), push(0, 1), push(0, 1), operation, "STOP")
        before, after = (runner.run(with_code(code), free_call(), at(fork)).gas_used for fork in ("Paris", "Shanghai"))
        assert after - before == 2 * 2


def test_the_beneficiary_is_warm_since_shanghai(runner: Runner) -> None:
    code = assemble("COINBASE BALANCE STOP")
    before, after = (runner.run(with_code(code), free_call(), at(fork)).gas_used for fork in ("Paris", "Shanghai"))
    assert before - after == 2_500


@pytest.mark.parametrize(
    ("code", "first"),
    [
        (assemble("BASEFEE STOP"), "London"),
        (assemble("PUSH0 STOP"), "Shanghai"),
        (assemble(push(0, 1), "TLOAD STOP"), "Cancun"),
    ],
)
def test_an_instruction_is_invalid_before_its_fork(runner: Runner, code: bytes, first: str) -> None:
    world = with_code(code)
    state = make_state(world)
    for fork in FORKS.values():
        error = None if fork.number >= FORKS[first].number else "invalid opcode"
        assert runner.run(world, free_call(), at(fork.name)).error == error
    # What is decoded for one is shared by all that have the same instructions.
    assert len(FORKS) > INSTRUCTION_SETS
    assert len(state.codes) == 2


@pytest.mark.parametrize(("fork", "word"), [("London", 5), ("Paris", 9)])
def test_what_mining_asked_for_became_randomness(runner: Runner, fork: str, word: int) -> None:
    code = assemble("PREVRANDAO", push(0, 1), "MSTORE", push(32, 1), push(0, 1), "RETURN")
    result = runner.run(with_code(code), free_call(), at(fork, difficulty=5, prev_randao=9))
    assert int.from_bytes(result.output, "big") == word


@pytest.mark.parametrize(("kind", "first"), [(0, "Berlin"), (1, "Berlin"), (2, "London"), (3, "Cancun")])
def test_a_transaction_of_a_type_before_its_fork_is_refused(runner: Runner, kind: int, first: str) -> None:
    blobs = {"blob_hashes": (b"\1" + bytes(31),), "max_blob_fee": 1} if kind == 3 else {}
    transaction = replace(free_call(), declared_type=kind, **blobs)  # type: ignore[arg-type]  # by name
    for fork in FORKS.values():
        result = runner.run(with_code(b""), transaction, at(fork.name, blob_base_fee=0))
        known = fork.number >= FORKS[first].number
        assert result.status == (errors.STATUS_SUCCESS if known else errors.STATUS_INVALID)
        assert result.error == (None if known else "transaction type before its fork")


def test_the_type_of_a_transaction_is_what_it_holds_unless_it_says() -> None:
    plain = Transaction(SENDER, CONTRACT, 0)
    assert plain.type == 2
    assert replace(plain, declared_type=0).type == 0
    assert replace(plain, blob_hashes=()).type == 3


def test_the_excess_of_blob_gas_follows_the_parent() -> None:
    cancun = FORKS["Cancun"]
    assert cancun.excess_blob_gas(0, 3 * BLOB_GAS, 7) == 0
    assert cancun.excess_blob_gas(5, 6 * BLOB_GAS, 7) == 5 + 3 * BLOB_GAS
    assert cancun.excess_blob_gas(0, 2 * BLOB_GAS, 7) == 0


def test_an_account_that_pays_at_berlin_pays_no_base_fee(runner: Runner) -> None:
    transaction = Transaction(SENDER, OTHER, 0, 21_000, 1, b"", 10, 10, declared_type=0)
    world = {SENDER: Account(balance=10**9)}
    result = runner.run(world, transaction, replace(FREE, fork="Berlin", base_fee=0))
    assert result.state.balance(FREE.coinbase) == 210_000
    assert result.state.balance(SENDER) == 10**9 - 210_001
