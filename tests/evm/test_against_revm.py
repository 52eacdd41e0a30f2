"""Random programs on Contend's EVM and on revm: same status, gas, output, logs, storage and balances."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")

from contend.evm import opcodes as op
from contend.evm.forks import DEFAULT
from contend.harness.verify.evm_fuzzer.compare import RevmChecker
from contend.harness.verify.evm_fuzzer.random_programs import (
    CONTRACTS,
    SENDER,
    ProgramCase,
    scrambled,
    structured,
    with_gas,
)
from contend.harness.verify.evm_fuzzer.shrink import assembly, describe, instructions, shrink

PER_SEED_RANGE = 250


@pytest.fixture(scope="module")
def checker() -> RevmChecker:
    return RevmChecker()


def compare(checker: RevmChecker, case: ProgramCase, where: str) -> int:
    """Fail where the two disagree; the gas used."""
    wrong = checker.differences(case)
    used = checker.gas_used
    assert not wrong, "\n".join((where, *wrong, *describe(shrink(case, lambda c: bool(checker.differences(c)), 2000))))
    return used


def compare_many(checker: RevmChecker, make: Callable[[int], ProgramCase], seeds: range) -> None:
    """Compare every seed's case, and the same with less gas than it took."""
    for seed in seeds:
        case = make(seed)
        used = compare(checker, case, f"{make.__name__}({seed})")
        random = Random(seed)
        for _ in range(3):
            gas = random.randint(21_000, max(used, 21_001))
            compare(checker, with_gas(case, gas), f"with_gas({make.__name__}({seed}), {gas})")


@pytest.mark.parametrize("start", range(0, 2500, PER_SEED_RANGE))
def test_contracts_that_call_each_other(checker: RevmChecker, start: int) -> None:
    compare_many(checker, structured, range(start, start + PER_SEED_RANGE))


@pytest.mark.bounds
@pytest.mark.parametrize("start", range(0, 1000, PER_SEED_RANGE))
def test_random_bytes(checker: RevmChecker, start: int) -> None:
    compare_many(checker, scrambled, range(start, start + PER_SEED_RANGE))


def test_the_generator_reaches_every_instruction() -> None:
    seen: set[int] = set()
    for seed in range(300):
        for account in (*structured(seed).world.values(), *scrambled(seed).world.values()):
            seen.update(part[0] for part in instructions(account.code))
    defined = set(DEFAULT.opcodes)
    assert defined <= seen


def test_a_difference_is_shrunk_to_what_makes_it() -> None:
    def fails(case: ProgramCase) -> bool:
        parts = [part for account in case.world.values() for part in instructions(account.code)]
        return bytes([op.MULMOD]) in parts and bytes([op.SLOAD]) in parts

    seed = next(seed for seed in range(1000) if fails(structured(seed)))
    small = shrink(structured(seed), fails)
    left = [part for account in small.world.values() for part in instructions(account.code)]
    assert sorted(left) == sorted([bytes([op.MULMOD]), bytes([op.SLOAD])])
    assert not small.transaction.data
    assert set(small.world) <= {SENDER, *CONTRACTS}
    assert any("MULMOD" in line for line in describe(small))


def test_assembly_can_be_read() -> None:
    code = bytes([op.PUSH0 + 2, 1, 2, op.ADD, 0xEF, op.PUSH32, 7])
    assert list(assembly(code)) == ["    0 PUSH2 0x0102", "    3 ADD", "    4 0xef", "    5 PUSH32 0x07"]
