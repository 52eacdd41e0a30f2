"""Every workload's blocks on Contend's EVM and on revm: same status, gas, logs and output, same state after."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")

from strategies.serial import Serial
from tests.workloads.conftest import Build
from tests.workloads.revm import Revm, differences
from workloads import DialValue

# Defaults, and dials that bring reverts: sold-out collections, exceeded slippage, finite allowances.
CASES: list[tuple[str, Mapping[str, DialValue]]] = [
    ("payments", {}),
    ("payments", {"accounts": 50, "erc20": 1.0, "tokens": 2}),
    ("swaps", {}),
    ("swaps", {"pools": 3, "two_hops": 0.9, "slippage_bps": 1, "unlimited": 0.0, "accounts": 100}),
    ("nft", {}),
    ("nft", {"collections": 3, "supply": 100, "mint": 0.5, "accounts": 40}),
    ("dao", {}),
    ("dao", {"voters": 150, "proposals": 2}),
]


@pytest.mark.parametrize(("name", "dials"), CASES)
def test_the_same_on_revm(build: Build, name: str, dials: Mapping[str, DialValue]) -> None:
    scenario = build(name, 600, dials, seed=5, blocks=2)
    state = scenario.genesis
    revm = Revm(state, scenario.blocks[0].environment)
    failures = 0
    with Serial() as serial:
        for block in scenario.blocks:
            outcome = serial.execute(block, state, 1)
            assert not differences(revm, revm.execute(block), outcome.receipts, state)
            failures += int((outcome.receipts.status != 1).sum())
    if name in ("swaps", "nft") and dials:
        assert 10 < failures < 1_000


def test_revm_refuses_what_is_invalid(build: Build) -> None:
    scenario = build("payments", 50)
    (block,) = scenario.blocks
    # A block from which one transaction of a chain is missing, and in which one sender is bankrupt.
    repeated = {transaction.sender for transaction in block if transaction.nonce == 1}
    chained = next(i for i, transaction in enumerate(block) if transaction.sender in repeated)
    broken = block.reordered(np.array([i for i in range(len(block)) if i != chained]))
    state = scenario.genesis
    state.set_balance(broken.transactions[0].sender, 21_000)
    revm = Revm(state, broken.environment)
    with Serial() as serial:
        outcome = serial.execute(broken, state, 1)
    assert not differences(revm, revm.execute(broken), outcome.receipts, state)
    assert (outcome.receipts.status == 2).sum() >= 2
