"""Calls at their limits, beside revm: depth, the 63/64 rule, stipends, windows, static calls, reverts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")

from contend.evm import Transaction
from contend.evm import opcodes as op
from contend.harness.verify.evm_fuzzer.compare import RevmChecker
from contend.harness.verify.evm_fuzzer.random_programs import ProgramCase
from contend.harness.verify.evm_fuzzer.shrink import describe
from tests.evm.assembly import RETURN_TOP, assemble, call, push
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Result, Runner

CALLEE, POOR, NOBODY = bytes.fromhex("ca" * 20), bytes.fromhex("b0" * 20), bytes.fromhex("f0" * 20)
KINDS = ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL")

CHECKER = RevmChecker()


def check(
    runner: Runner,
    code: bytes,
    callee: bytes = b"",
    gas_limit: int = 1_000_000,
    storage: Mapping[int, int] | None = None,
    value: int = 0,
    others: Mapping[bytes, Account] | None = None,
) -> Result:
    """Run on both; the result once they agree."""
    world = {
        SENDER: Account(balance=10**24),
        CONTRACT: Account(balance=10**6, nonce=1, code=code, storage=storage or {}),
        CALLEE: Account(balance=50, nonce=1, code=callee, storage={0: 9}),
        **(others or {}),
    }
    case = ProgramCase(world, Transaction(SENDER, CONTRACT, 0, gas_limit, value, b"\x01\x02\x03", 0, 0), FREE)
    result = runner.run(world, case.transaction, case.environment)
    wrong = CHECKER.differences(case)
    assert not wrong, "\n".join((*wrong, *describe(case)))
    return result


def number(result: Result) -> int:
    return int.from_bytes(result.output, "big")


@pytest.mark.bounds
@pytest.mark.parametrize("kind", KINDS)
def test_calls_end_softly_below_depth_1024(runner: Runner, kind: str) -> None:
    # Each frame stores how deep it is; the call that would be the 1,025th gives zero and its caller goes on.
    if kind == "STATICCALL":
        # A static call cannot count in storage: each frame returns one more than the frame below it.
        code = call(kind, CONTRACT, into=(0, 32)) + assemble("PUSH0 MLOAD ADD") + RETURN_TOP
    else:
        code = assemble("PUSH0 SLOAD", 1, "ADD PUSH0 SSTORE") + call(kind, CONTRACT) + assemble(7, "SSTORE PUSH0 SLOAD")
        code += RETURN_TOP
    result = check(runner, code, gas_limit=1 << 42)
    assert number(result) == (1025 if kind != "STATICCALL" else 1024)


@pytest.mark.bounds
def test_mutual_recursion_until_the_gas_is_gone(runner: Runner) -> None:
    there = assemble("PUSH0 SLOAD", 1, "ADD PUSH0 SSTORE") + call("CALL", CALLEE)
    back = assemble("PUSH0 SLOAD", 1, "ADD PUSH0 SSTORE") + call("CALL", CONTRACT)
    for gas_limit in (100_000, 1_000_000, 10_000_000):
        check(runner, there, back, gas_limit=gas_limit)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", [0, 1, 63, 64, 65, 2_299, 2_300, 10_000, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 255])
def test_a_callee_gets_what_is_asked_but_at_most_all_but_a_64th(runner: Runner, kind: str, asked: int) -> None:
    callee = assemble("GAS") + RETURN_TOP
    for value in (0, 1) if kind in ("CALL", "CALLCODE") else (0,):
        code = call(kind, CALLEE, gas=asked, value=value, into=(0, 32)) + assemble("GAS", 32, "MSTORE", 64, "MSTORE")
        check(runner, code + assemble(96, "PUSH0 RETURN"), callee, gas_limit=60_000)


@pytest.mark.parametrize("kind", ["CALL", "CALLCODE"])
@pytest.mark.parametrize("to", [CALLEE, POOR, NOBODY, CONTRACT, SENDER])
@pytest.mark.parametrize("value", [0, 1, 10**6, 10**6 + 1, (1 << 256) - 1])
def test_value_moves_if_there_is_enough(runner: Runner, kind: str, to: bytes, value: int) -> None:
    code = call(kind, to, gas=20_000, value=value) + assemble(
        "SELFBALANCE", 32, "MSTORE GAS", 64, "MSTORE PUSH0 MSTORE"
    )
    if to == CONTRACT:
        code = assemble("CALLER", push(int.from_bytes(CONTRACT, "big"), 20), "EQ", 200, "JUMPI") + code
        code = code.ljust(200, b"\x5b") + assemble("JUMPDEST STOP")
    others = {POOR: Account(balance=0, nonce=0, code=b""), NOBODY: Account()}
    check(runner, code + assemble(96, "PUSH0 RETURN"), assemble("CALLVALUE") + RETURN_TOP, others=others)


def test_a_call_with_value_to_nobody_costs_more_only_the_first_time(runner: Runner) -> None:
    once = call("CALL", NOBODY, gas=0, value=1) + assemble("POP GAS")
    result = check(runner, once + once + assemble("SWAP1 SUB") + RETURN_TOP)
    pushes, pop_and_gas = 5 * 2 + 2 * 3, 2 + 2
    assert number(result) == pushes + 100 + 9_000 - 2_300 + pop_and_gas


WINDOWS = [(0, 0), (0, 1), (0, 31), (0, 32), (0, 33), (5, 64), (100, 0), (64, 32), (1 << 200, 0)]


@pytest.mark.bounds
@pytest.mark.parametrize("ending", ["RETURN", "REVERT"])
@pytest.mark.parametrize("size", [0, 1, 32, 40])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_output_fills_the_window_as_far_as_both_go(
    runner: Runner, ending: str, size: int, window: tuple[int, int]
) -> None:
    callee = assemble(push((1 << 256) - 1), "PUSH0 MSTORE", push((1 << 255) + 3), 32, "MSTORE", size, "PUSH0", ending)
    code = assemble(0x1111, "PUSH0 MSTORE", 0x2222, 32, "MSTORE") + call("CALL", CALLEE, into=window)
    code += assemble(96, "MSTORE RETURNDATASIZE", 128, "MSTORE MSIZE", 160, "MSTORE")
    code += assemble("RETURNDATASIZE PUSH0", 192, "RETURNDATACOPY", 256, "PUSH0 RETURN")
    check(runner, code, callee)


@pytest.mark.parametrize(
    ("after", "size"),
    [
        (call("CALL", NOBODY), 0),
        (call("CALL", CALLEE, value=10**9), 0),
        (call("STATICCALL", CALLEE, gas=0), 0),
        (assemble("PUSH0 POP"), 40),
    ],
    ids=["nobody", "unaffordable", "out of gas", "nothing"],
)
def test_return_data_is_that_of_the_last_call(runner: Runner, after: bytes, size: int) -> None:
    code = call("CALL", CALLEE) + after + assemble("RETURNDATASIZE") + RETURN_TOP
    assert number(check(runner, code, assemble(40, "PUSH0 RETURN"))) == size


@pytest.mark.parametrize(
    "writing",
    [
        assemble(1, "PUSH0 SSTORE"),
        assemble(1, "PUSH0 TSTORE"),
        assemble("PUSH0 PUSH0 LOG0"),
        assemble(1, 2, 3, 4, "PUSH0 PUSH0 LOG4"),
        call("CALL", NOBODY, value=1),
        call("CALL", NOBODY, value=0),
        call("CALLCODE", NOBODY, value=1),
        call("DELEGATECALL", NOBODY),
        call("CALL", CONTRACT, gas=5_000),
        assemble("PUSH0 SLOAD PUSH0 TLOAD"),
    ],
    ids=str,
)
@pytest.mark.parametrize("between", [None, "CALL", "DELEGATECALL", "CALLCODE"])
def test_a_static_call_writes_nothing_however_deep(runner: Runner, writing: bytes, between: str | None) -> None:
    inner = bytes.fromhex("1a" * 20)
    others = {inner: Account(balance=5, code=writing + assemble("STOP"))}
    middle = call(between, inner) + assemble("RETURNDATASIZE ADD") + RETURN_TOP if between else b""
    to = CALLEE if between else inner
    guard = assemble("CALLER", push(int.from_bytes(SENDER, "big"), 20), "EQ", 60, "JUMPI STOP").ljust(60, b"\0")
    code = (
        guard + assemble("JUMPDEST") + call("STATICCALL", to, into=(0, 32)) + assemble(32, "MSTORE GAS", 64, "MSTORE")
    )
    check(runner, code + assemble(96, "PUSH0 RETURN"), middle, others=others)


def test_a_reverted_call_takes_back_everything_but_gas(runner: Runner) -> None:
    # Storage, transient storage, logs, refunds, value and warmth; and then the same again without the revert.
    for ending in ("REVERT", "RETURN", "INVALID"):
        callee = assemble("PUSH0 PUSH0 SSTORE", 5, 1, "SSTORE", 6, 1, "TSTORE PUSH0 PUSH0 LOG0", 0, "BALANCE POP")
        callee += call("CALL", NOBODY, gas=0, value=1) + assemble("POP PUSH0 PUSH0", ending)
        code = call("CALL", CALLEE, gas=100_000, value=3)
        code += assemble("GAS", 0, "BALANCE POP GAS SWAP1 SUB", 32, "MSTORE", 1, "TLOAD", 64, "MSTORE PUSH0 MSTORE")
        code += call("DELEGATECALL", CALLEE, gas=100_000) + assemble(96, "MSTORE", 128, "PUSH0 RETURN")
        result = check(runner, code, callee, storage={0: 1, 1: 2})
        assert len(result.logs) == (2 if ending == "RETURN" else 0)


def test_transient_storage_lasts_from_call_to_call(runner: Runner) -> None:
    callee = assemble("PUSH0 TLOAD", 1, "ADD DUP1 PUSH0 TSTORE") + RETURN_TOP
    code = (
        call("CALL", CALLEE) + call("CALL", CALLEE) + call("DELEGATECALL", CALLEE) + call("CALL", CALLEE, into=(0, 32))
    )
    assert number(check(runner, code + assemble("PUSH0 MLOAD") + RETURN_TOP, callee)) == 3


def test_a_delegated_call_keeps_caller_and_value(runner: Runner) -> None:
    who = b"".join(
        assemble(name, 32 * i, "MSTORE") for i, name in enumerate(("CALLER", "CALLVALUE", "ADDRESS", "ORIGIN"))
    )
    who += assemble("SELFBALANCE", 128, "MSTORE", 160, "PUSH0 RETURN")
    for kind in KINDS:
        code = call(kind, CALLEE, value=2, into=(0, 160)) + assemble(160, "PUSH0 RETURN")
        check(runner, code, who, value=77)


def test_call_data_beyond_its_end_is_zero(runner: Runner) -> None:
    callee = assemble(30, "CALLDATALOAD", 32, "MSTORE CALLDATASIZE", 64, "MSTORE", 50, 3, 100, "CALLDATACOPY")
    callee += assemble(push(1 << 255), "CALLDATALOAD", 160, "MSTORE", 9, push(1 << 64), 120, "CALLDATACOPY")
    code = assemble(push((1 << 256) - 1), "PUSH0 MSTORE") + call("CALL", CALLEE, data=(1, 31), into=(0, 192))
    check(runner, code + assemble(192, "PUSH0 RETURN"), callee + assemble(192, "PUSH0 RETURN"))


@pytest.mark.parametrize("height", [1022, 1023, 1024, 1025])
def test_the_stack_holds_1024_words_in_every_frame(runner: Runner, height: int) -> None:
    full = bytes([op.PUSH0]) * height + bytes([op.POP]) * height
    result = check(runner, full + call("CALL", CALLEE) + RETURN_TOP, full + assemble("STOP"))
    assert (result.error is None) is (height <= 1024)
    nested = bytes([op.PUSH0]) * 1017 + call("CALL", CALLEE) + RETURN_TOP
    assert number(check(runner, nested, full + assemble("STOP"))) == (height <= 1024)


@pytest.mark.parametrize("gas", range(2_400, 2_410))
def test_sstore_wants_more_than_the_stipend_left(runner: Runner, gas: int) -> None:
    # EIP-2200: with 2,300 or less left, SSTORE fails although 100 would pay for it.
    callee = assemble("PUSH0 SLOAD PUSH0 SSTORE")
    code = call("CALL", CALLEE) + call("CALL", CALLEE, gas=gas, into=(0, 32)) + RETURN_TOP
    warm_load_and_pushes = 100 + 2 + 2
    assert number(check(runner, code, callee)) == (gas - warm_load_and_pushes > 2_300)


def test_every_gas_limit_from_too_little_to_enough(runner: Runner) -> None:
    callee = assemble("PUSH0 PUSH0 SSTORE", 64, "PUSH0 LOG0", 40, "PUSH0 RETURN")
    code = assemble("PUSH0 SLOAD", 8, "SSTORE") + call("CALL", CALLEE, gas=9_000, into=(0, 40)) + RETURN_TOP
    enough = check(runner, code, callee, storage={0: 4}).gas_used
    refund = 4_800
    for gas_limit in range(21_000 + 48, enough + refund + 3, 23):
        check(runner, code, callee, gas_limit=gas_limit, storage={0: 4})
