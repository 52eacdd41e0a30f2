"""Every workload's blocks on Contend's EVM and on revm: same status, gas, logs and output, same state after."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")

from contend.strategies.serial import Serial
from contend.workloads import DialValue
from tests.workloads.conftest import Build
from tests.workloads.revm import Revm, differences

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
    ("dao", {"execute": 0.5}),
    ("swaps", {"pools": 4, "liquidity": 0.4, "long_routes": 0.8, "two_hops": 0.8, "accounts": 60}),
    ("nft", {"collections": 5, "mint": 0.1, "offers": 0.8}),
    ("lending", {"markets": 3, "accounts": 80, "liquidations": 0.2, "rivals": 2.0, "flash": 0.1, "posts": 0.1}),
    ("orders", {"books": 3, "accounts": 60, "cross": 0.6}),
    ("stablecoin", {"fee_bps": 7, "accounts": 90, "blocked": 0.1, "issuer": 0.2}),
    ("game", {"players": 70, "quests": 3, "raid": 0.2}),
    ("grants", {"donors": 80, "perform": 0.2, "rivals": 3.0}),
    ("supply", {"batches": 30, "recall": 0.03, "inspect": 0.2}),
    ("metering", {"devices": 90, "customers": 40, "money": 1.0, "govern": 0.3, "surge": 0.5}),
    ("mixed", {}),
    *(
        ("adversarial", {"preset": case})
        for case in ("chain", "star", "late-chain", "shifting", "giant", "late-writer")
    ),
    ("adversarial", {"case": "aborting", "cells": 3}),
]

# Those of them that must bring reverts.
CASES_WITH_REVERTS = [
    case
    for case in CASES
    if {"slippage_bps", "supply", "rivals", "blocked", "quests", "recall"} & set(case[1]) or "cells" in case[1]
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
    if any((name, dials) == one for one in CASES_WITH_REVERTS):
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
