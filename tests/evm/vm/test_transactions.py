"""Whole transactions: what is refused, what is paid, and who gets it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contend.evm import Environment, State, Transaction, errors, layout
from contend.evm import opcodes as op
from tests.evm.runner import CONTRACT, SENDER, Account, Runner, World, with_code

BASE_FEE, TIP = 7, 3
ENVIRONMENT = Environment(base_fee=BASE_FEE)
COINBASE = ENVIRONMENT.coinbase
OTHER = bytes.fromhex("0e" * 20)
RICH = 10**18
PRICE = BASE_FEE + TIP
RETURN_TOP = bytes([op.PUSH0, op.MSTORE, op.PUSH0 + 1, 32, op.PUSH0, op.RETURN])


def pay(
    to: bytes = OTHER,
    value: int = 5,
    nonce: int = 0,
    gas_limit: int = 50_000,
    max_fee: int = 20,
    max_priority_fee: int = TIP,
) -> Transaction:
    return Transaction(SENDER, to, nonce, gas_limit, value, b"", max_fee, max_priority_fee)


def balance_of(address: bytes) -> bytes:
    """Code that returns the balance of an address."""
    return bytes([op.PUSH0 + 20]) + address + bytes([op.BALANCE]) + RETURN_TOP


def push(value: int) -> bytes:
    return bytes([op.PUSH32]) + value.to_bytes(32, "big")


def refused(runner: Runner, world: World, transaction: Transaction, error: str) -> None:
    result = runner.run(world, transaction, ENVIRONMENT)
    assert (result.status, result.error, result.gas_used) == (errors.STATUS_INVALID, error, 0)
    assert not result.changes
    assert not result.output
    assert not result.logs


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("transaction", "error"),
    [
        (pay(nonce=1), "nonce mismatch"),
        (pay(nonce=5), "nonce mismatch"),
        (pay(value=RICH), "insufficient funds"),
        (pay(value=RICH - 50_000 * 20 + 1), "insufficient funds"),
        (pay(value=(1 << 256) - 1), "insufficient funds"),
        (pay(max_fee=(1 << 128) - 1), "insufficient funds"),
        (pay(max_fee=1 << 128), "insufficient funds"),
        (pay(max_fee=(1 << 256) - 1, gas_limit=21_000), "insufficient funds"),
        (pay(gas_limit=20_999), "gas limit below intrinsic gas"),
        (pay(gas_limit=0), "gas limit below intrinsic gas"),
        (replace(pay(gas_limit=21_019), data=b"\0\1"), "gas limit below intrinsic gas"),
        (pay(max_fee=BASE_FEE - 1, max_priority_fee=0), "max fee below base fee"),
        (pay(max_fee=BASE_FEE, max_priority_fee=BASE_FEE + 1), "max priority fee above max fee"),
    ],
)
def test_an_invalid_transaction_does_nothing_and_pays_nothing(
    runner: Runner, transaction: Transaction, error: str
) -> None:
    refused(runner, {SENDER: Account(RICH)}, transaction, error)


def test_an_old_nonce_is_a_mismatch(runner: Runner) -> None:
    refused(runner, {SENDER: Account(RICH, nonce=3)}, pay(nonce=2), "nonce mismatch")


def test_the_greatest_nonce_cannot_be_used(runner: Runner) -> None:
    last = (1 << 64) - 1
    refused(runner, {SENDER: Account(RICH, nonce=last)}, pay(nonce=last), "nonce overflow")


def test_a_sender_with_code_is_refused(runner: Runner) -> None:
    # EIP-3607. Was accepted.
    refused(runner, {SENDER: Account(RICH, code=b"\0")}, pay(), "sender has code")


@pytest.mark.parametrize("number", [0, 11])
def test_addresses_beside_the_precompiles_are_ordinary(runner: Runner, number: int) -> None:
    result = runner.run({SENDER: Account(RICH)}, pay(to=number.to_bytes(20, "big")), ENVIRONMENT)
    assert result.status == errors.STATUS_SUCCESS
    assert result.state.balance(number.to_bytes(20, "big")) == 5


def test_value_and_fee_move(runner: Runner) -> None:
    result = runner.run({SENDER: Account(RICH)}, pay(), ENVIRONMENT)
    assert (result.status, result.gas_used, result.error) == (errors.STATUS_SUCCESS, 21_000, None)
    assert result.state.balance(SENDER) == RICH - 5 - 21_000 * PRICE
    assert result.state.balance(OTHER) == 5
    assert result.state.balance(COINBASE) == 21_000 * TIP
    assert result.state.nonce(SENDER) == 1


def test_the_price_is_capped_by_the_max_fee(runner: Runner) -> None:
    result = runner.run({SENDER: Account(RICH)}, pay(max_fee=BASE_FEE + 1, max_priority_fee=3), ENVIRONMENT)
    assert result.state.balance(SENDER) == RICH - 5 - 21_000 * (BASE_FEE + 1)
    assert result.state.balance(COINBASE) == 21_000


def test_the_last_wei_can_be_spent_though_the_max_fee_must_be_covered(runner: Runner) -> None:
    needed = 5 + 50_000 * 20
    assert runner.run({SENDER: Account(needed)}, pay(), ENVIRONMENT).status == errors.STATUS_SUCCESS
    refused(runner, {SENDER: Account(needed - 1)}, pay(), "insufficient funds")


def test_intrinsic_gas_counts_zero_and_other_bytes(runner: Runner) -> None:
    result = runner.run({SENDER: Account(RICH)}, replace(pay(), data=b"\0\0\0\1\2"), ENVIRONMENT)
    assert result.gas_used == 21_000 + 3 * 4 + 2 * 16


def test_a_transfer_to_oneself_costs_only_gas(runner: Runner) -> None:
    result = runner.run({SENDER: Account(RICH)}, pay(to=SENDER), ENVIRONMENT)
    assert result.state.balance(SENDER) == RICH - 21_000 * PRICE


def test_a_failed_transaction_pays_for_its_gas_and_keeps_its_value(runner: Runner) -> None:
    code = bytes([op.PUSH0 + 1, 1, op.PUSH0, op.SSTORE, op.INVALID])
    result = runner.run(with_code(code), pay(to=CONTRACT), ENVIRONMENT)
    assert (result.status, result.gas_used, result.error) == (errors.STATUS_FAILED, 50_000, "invalid opcode")
    assert result.state.balance(SENDER) == 10**24 - 50_000 * PRICE
    assert result.state.balance(CONTRACT) == 1000
    assert result.state.storage(CONTRACT, 0) == 0
    assert result.state.nonce(SENDER) == 1
    assert result.state.balance(COINBASE) == 50_000 * TIP


def test_a_revert_returns_the_gas_left_and_its_data(runner: Runner) -> None:
    code = bytes([op.PUSH0 + 1, 0xAB, op.PUSH0, op.MSTORE, op.PUSH0 + 1, 1, op.PUSH0 + 1, 31, op.REVERT])
    result = runner.run(with_code(code), pay(to=CONTRACT), ENVIRONMENT)
    assert (result.status, result.error, result.output) == (errors.STATUS_FAILED, "reverted", b"\xab")
    assert result.gas_used == 21_000 + 3 + 2 + 6 + 3 + 3


def test_refunds_are_capped_at_a_fifth(runner: Runner) -> None:
    one = bytes([op.PUSH0, op.PUSH0, op.SSTORE])
    small = runner.run(with_code(one, {0: 1}), pay(to=CONTRACT), ENVIRONMENT)
    assert small.gas_used == 21_000 + 4 + 5_000 - 4_800
    many = b"".join(bytes([op.PUSH0, op.PUSH0 + 1, slot, op.SSTORE]) for slot in range(8))
    spent = 21_000 + 8 * (5 + 5_000)
    capped = runner.run(with_code(many, dict.fromkeys(range(8), 1)), pay(to=CONTRACT, gas_limit=100_000), ENVIRONMENT)
    assert capped.gas_used == spent - spent // 5


def test_a_failed_transaction_gets_no_refund(runner: Runner) -> None:
    code = bytes([op.PUSH0, op.PUSH0, op.SSTORE, op.PUSH0, op.PUSH0, op.REVERT])
    result = runner.run(with_code(code, {0: 1}), pay(to=CONTRACT), ENVIRONMENT)
    assert result.gas_used == 21_000 + 4 + 5_000 + 4


def test_nonces_chain_within_a_block(runner: Runner) -> None:
    block = [pay(nonce=0), pay(nonce=2), pay(nonce=1), pay(nonce=2)]
    result = runner.run({SENDER: Account(RICH)}, block, ENVIRONMENT)
    assert result.receipts.status.tolist() == [1, 2, 1, 1]
    assert result.state.balance(OTHER) == 15
    assert result.state.nonce(SENDER) == 3


def test_money_received_earlier_in_the_block_can_be_spent(runner: Runner) -> None:
    funded = pay(value=10**15)
    spent = Transaction(OTHER, CONTRACT, 0, 21_000, 7, b"", 20, TIP)
    result = runner.run({SENDER: Account(RICH)}, [funded, spent], ENVIRONMENT)
    assert result.receipts.status.tolist() == [1, 1]
    assert result.state.balance(OTHER) == 10**15 - 7 - 21_000 * PRICE


# The beneficiary.


def test_the_beneficiary_reads_its_balance_with_the_fees_so_far(runner: Runner) -> None:
    world = with_code(balance_of(COINBASE)) | {COINBASE: Account(1_000)}
    result = runner.run(world, [pay(nonce=0), pay(to=CONTRACT, nonce=1), pay(nonce=2)], ENVIRONMENT)
    assert int.from_bytes(result.receipts.output(1), "big") == 1_000 + 21_000 * TIP
    assert result.state.balance(COINBASE) == 1_000 + TIP * int(result.receipts.gas_used.sum())


def test_the_beneficiary_can_spend_the_fees_of_transactions_before(runner: Runner) -> None:
    cost = 21_000 * PRICE + 1
    spending = Transaction(COINBASE, OTHER, 0, 21_000, 1, b"", PRICE, TIP)
    earning = [pay(nonce=i) for i in range(4)]
    poor = runner.run({SENDER: Account(RICH)}, [*earning[:3], spending], ENVIRONMENT)
    assert poor.receipts.error(3) == "insufficient funds"
    rich = runner.run({SENDER: Account(RICH)}, [*earning, spending], ENVIRONMENT)
    assert rich.receipts.status.tolist() == [1] * 5
    assert rich.state.balance(COINBASE) == 5 * 21_000 * TIP - cost


def test_the_beneficiary_as_recipient_keeps_value_and_fees(runner: Runner) -> None:
    block = [pay(nonce=0), pay(to=COINBASE, value=11, nonce=1), pay(nonce=2)]
    result = runner.run({SENDER: Account(RICH), COINBASE: Account(100)}, block, ENVIRONMENT)
    assert result.state.balance(COINBASE) == 100 + 11 + 3 * 21_000 * TIP


def test_the_beneficiary_as_contract_that_is_paid_by_a_reverted_call_keeps_only_fees(runner: Runner) -> None:
    revert = bytes([op.PUSH0, op.PUSH0, op.REVERT])
    world = {SENDER: Account(RICH), COINBASE: Account(100, code=revert)}
    result = runner.run(world, [pay(nonce=0), pay(to=COINBASE, value=11, nonce=1)], ENVIRONMENT)
    assert result.receipts.status.tolist() == [1, 0]
    assert result.state.balance(COINBASE) == 100 + TIP * int(result.receipts.gas_used.sum())


def test_the_beneficiary_is_warm_from_the_start(runner: Runner) -> None:
    # EIP-3651.
    gas = {
        address: runner.run(with_code(balance_of(address)), pay(to=CONTRACT), ENVIRONMENT).gas_used
        for address in (COINBASE, SENDER, CONTRACT, OTHER)
    }
    assert gas[COINBASE] == gas[SENDER] == gas[CONTRACT] == gas[OTHER] - 2_500


def test_total_balance_falls_by_exactly_the_base_fees(runner: Runner) -> None:
    world = with_code(bytes([op.PUSH0, op.PUSH0, op.SSTORE]), {0: 1}) | {COINBASE: Account(9), OTHER: Account(1)}
    block = [pay(nonce=0), pay(to=CONTRACT, nonce=1), pay(to=CONTRACT, nonce=2, gas_limit=23_000), pay(nonce=9)]
    before = sum(account.balance for account in world.values())
    result = runner.run(world, block, ENVIRONMENT)
    after = sum(result.state.balance(address) for address in world)
    assert before - after == BASE_FEE * int(result.receipts.gas_used.sum())
    assert result.receipts.status.tolist() == [1, 1, 0, 2]


def test_gas_price_and_origin_are_the_transaction_s(runner: Runner) -> None:
    result = runner.run(with_code(bytes([op.GASPRICE]) + RETURN_TOP), pay(to=CONTRACT), ENVIRONMENT)
    assert int.from_bytes(result.output, "big") == PRICE
    result = runner.run(with_code(bytes([op.ORIGIN]) + RETURN_TOP), pay(to=CONTRACT), ENVIRONMENT)
    assert result.output[12:] == SENDER


def test_what_one_transaction_left_in_the_machine_does_not_reach_the_next(runner: Runner) -> None:
    # Memory, transient storage, return data and warmth.
    code = bytes([op.MSIZE, op.PUSH0, op.TLOAD, op.ADD, op.RETURNDATASIZE, op.ADD, op.PUSH0 + 1, 64, op.MLOAD, op.ADD])
    code += bytes([op.PUSH0 + 1, 7, op.PUSH0, op.TSTORE, op.PUSH0 + 1, 9, op.PUSH0 + 1, 64, op.MSTORE]) + RETURN_TOP
    result = runner.run(with_code(code), [pay(to=CONTRACT, nonce=i) for i in range(3)], ENVIRONMENT)
    assert result.receipts.gas_used.tolist() == [int(result.receipts.gas_used[0])] * 3
    assert [int.from_bytes(result.receipts.output(i), "big") for i in range(3)] == [0, 0, 0]


def test_a_dry_run_ignores_nonce_and_funds(runner: Runner) -> None:
    hint = Runner(mode=layout.MODE_HINT)
    result = hint.run({SENDER: Account(0, nonce=4)}, pay(nonce=9), ENVIRONMENT)
    assert (result.status, result.gas_used) == (errors.STATUS_SUCCESS, 21_000)


def test_unknown_code_hash_is_impossible_through_the_state_s_face() -> None:
    state = State(4)
    state.set_code(OTHER, b"\x01")
    state.set_code(OTHER, b"")
    assert state.code(OTHER) == b""
    assert not len(state.contents())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", 1 << 256),  # was cut to zero
        ("value", -1),
        ("gas_limit", 1 << 63),
        ("gas_limit", (1 << 64) - 1),  # was negative gas: out of gas at once
        ("nonce", 1 << 64),
        ("max_fee", -1),
        ("max_priority_fee", 1 << 256),
        ("sender", b"\1" * 21),
        ("to", b""),  # was the zero address
        ("to", b"\1" * 19),
    ],
)
def test_a_field_out_of_its_range_is_refused_by_name(runner: Runner, field: str, value: object) -> None:
    wrong = replace(pay(nonce=1), **{field: value})  # type: ignore[arg-type]  # mypy cannot tell which field it is
    with pytest.raises(ValueError, match=f"^transaction 1: {field} "):
        runner.run({SENDER: Account(RICH)}, [pay(), wrong], ENVIRONMENT)


def test_the_greatest_gas_limit_is_accepted(runner: Runner) -> None:
    free = replace(pay(to=CONTRACT, gas_limit=(1 << 63) - 1, max_fee=0, max_priority_fee=0))
    result = runner.run(with_code(bytes([op.GAS]) + RETURN_TOP), free, Environment(base_fee=0))
    assert int.from_bytes(result.output, "big") == (1 << 63) - 1 - 21_000 - 2
