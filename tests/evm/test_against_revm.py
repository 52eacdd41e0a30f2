"""Random programs on Contend's EVM and on revm: same status, gas, output, logs, storage and balances."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")

from evm import errors
from tests.evm.programs import Case, scrambled, structured, with_gas
from tests.evm.reference import execute
from tests.evm.runner import Result, Runner

PER_SEED_RANGE = 250


def differences(case: Case, result: Result) -> list[str]:
    """Where the two disagree."""
    slots = {
        (location.address, location.slot) for location, _ in result.state.contents() if location.kind == "storage"
    } | {(address, slot) for address, account in case.world.items() for slot in account.storage}
    expected = execute(case.world, case.transaction, case.environment, slots)
    if expected is None:
        return [] if result.status == errors.STATUS_INVALID else [f"status {result.status} here, refused by revm"]
    found = {
        "success": (result.status == errors.STATUS_SUCCESS, expected.success),
        "reverted": (result.error == "reverted", expected.reverted),
        "gas": (result.gas_used, expected.gas_used),
        "output": (result.output.hex(), expected.output.hex()),
        "logs": (result.logs, expected.logs),
    }
    found |= {
        f"{address.hex()}[{slot:#x}]": (result.state.storage(address, slot), word)
        for (address, slot), word in expected.storage.items()
    }
    found |= {
        f"{address.hex()} balance": (result.state.balance(address), wei) for address, wei in expected.balances.items()
    }
    return [
        f"{name}: {ours} here, {theirs} on revm ({result.error}, {expected.reason})"
        for name, (ours, theirs) in found.items()
        if ours != theirs
    ]


def compare(runner: Runner, case: Case, where: str) -> int | None:
    """Fail where the two disagree; the gas used, or None for what Contend does not execute yet."""
    result = runner.run(case.world, case.transaction, case.environment)
    if result.status == errors.STATUS_UNSUPPORTED:
        assert not result.changes
        return None
    wrong = differences(case, result)
    assert not wrong, f"{where}\n" + "\n".join(wrong) + f"\n{case}"
    return result.gas_used


def compare_many(runner: Runner, make: Callable[[int], Case], seeds: range) -> int:
    """Compare every seed's case, and the same with less gas than it took; how many were compared."""
    compared = 0
    for seed in seeds:
        case = make(seed)
        used = compare(runner, case, f"{make.__name__}({seed})")
        if used is None:
            continue
        compared += 1
        random = Random(seed)
        for _ in range(3):
            gas = random.randint(21_000, max(used, 21_001))
            if compare(runner, with_gas(case, gas), f"with_gas({make.__name__}({seed}), {gas})") is not None:
                compared += 1
    return compared


@pytest.mark.parametrize("start", range(0, 2500, PER_SEED_RANGE))
def test_contracts_that_call_each_other(runner: Runner, start: int) -> None:
    seeds = range(start, start + PER_SEED_RANGE)
    assert compare_many(runner, structured, seeds) > 3 * PER_SEED_RANGE


@pytest.mark.bounds
@pytest.mark.parametrize("start", range(0, 1000, PER_SEED_RANGE))
def test_random_bytes(runner: Runner, start: int) -> None:
    seeds = range(start, start + PER_SEED_RANGE)
    assert compare_many(runner, scrambled, seeds) > 2 * PER_SEED_RANGE
