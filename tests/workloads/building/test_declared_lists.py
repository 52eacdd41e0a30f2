"""Access lists of transactions: what the dial puts in, and that nothing else changes by it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contend.evm.code import cost_model
from contend.evm.drivers.recorder import record
from contend.evm.state import location_of
from contend.strategies.serial import Serial
from contend.workloads import Scenario, get, registry
from contend.workloads.building.access_lists import LAST_PRECOMPILE, list_gas
from tests.workloads.conftest import Build

NAMES = tuple(registry.BUILT_IN)
FREE = np.zeros(cost_model.COUNT, np.uint64)


def run(scenario: Scenario) -> list[np.ndarray]:
    """Execute all blocks on the genesis; the statuses."""
    with Serial() as serial:
        return [serial.execute(block, scenario.genesis, 1).receipts.status for block in scenario.blocks]


@pytest.mark.parametrize("name", NAMES)
def test_by_default_there_are_none(build: Build, name: str) -> None:
    plain, asked = build(name, 60), build(name, 60, {"access_lists": "none"})
    assert [block.digest for block in plain.blocks] == [block.digest for block in asked.blocks]
    assert plain.genesis.digest() == asked.genesis.digest()
    assert not any(transaction.access_list for transaction in plain.blocks[0])


@pytest.mark.parametrize("kind", ["exact", "partial"])
@pytest.mark.parametrize("name", NAMES)
def test_transactions_do_the_same_with_lists(build: Build, name: str, kind: str) -> None:
    plain, listed = build(name, 80, blocks=2), build(name, 80, {"access_lists": kind}, blocks=2)
    for before, after in zip(plain.blocks, listed.blocks, strict=True):
        for one, other in zip(before, after, strict=True):
            limit = one.gas_limit + list_gas(other.access_list)
            assert other == dataclasses.replace(one, access_list=other.access_list, gas_limit=limit)
    assert [s.tolist() for s in run(listed)] == [s.tolist() for s in run(plain)]
    assert get(name)().check(listed, listed.genesis) == []
    slots = [{key: word for key, word in s.genesis.contents() if key.kind == "storage"} for s in (plain, listed)]
    assert slots[0] == slots[1]


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_list_names_all_that_is_touched(build: Build, name: str) -> None:
    scenario = build(name, 80, {"access_lists": "exact"}, blocks=2)
    for block in scenario.blocks:
        recording = record(block, scenario.genesis, FREE, keep=True)
        for transaction, first, last in zip(block, recording.offsets, recording.offsets[1:], strict=False):
            touched = [location_of(recording.keys[number]) for number in recording.locations[first:last]]
            listed = {(address, slot) for address, slots in transaction.access_list for slot in slots}
            assert listed == {(one.address, one.slot) for one in touched if one.kind == "storage"}
            warm = {transaction.sender, transaction.to, block.environment.coinbase}
            accounts = {address for address, _ in transaction.access_list} | warm
            others = {one.address for one in touched} - accounts
            assert all(int.from_bytes(address, "big") <= LAST_PRECOMPILE for address in others)


def test_partial_lists_are_the_exact_ones_of_half_of_the_transactions(build: Build) -> None:
    exact, partial = (build("swaps", 400, {"access_lists": kind}).blocks[0] for kind in ("exact", "partial"))
    carried = [one for one in zip(exact, partial, strict=True) if one[1].access_list]
    assert all(one.access_list == other.access_list for one, other in carried)
    assert 160 < len(carried) < 240
    assert build("swaps", 400, {"access_lists": "partial"}).blocks[0].digest == partial.digest
    other_seed = build("swaps", 400, {"access_lists": "partial"}, seed=2).blocks[0]
    assert [bool(t.access_list) for t in other_seed] != [bool(t.access_list) for t in partial]


def test_a_list_is_paid_for(build: Build) -> None:
    scenario = build("payments", 50, {"erc20": 1.0, "access_lists": "exact"})
    plain = build("payments", 50, {"erc20": 1.0})
    with Serial() as serial:
        listed_gas = serial.execute(scenario.blocks[0], scenario.genesis, 1).receipts.gas_used
        plain_gas = serial.execute(plain.blocks[0], plain.genesis, 1).receipts.gas_used
    # The token's address for nothing, since it is the one called; two slots, each 100 cheaper than unlisted.
    assert set((listed_gas - plain_gas).tolist()) == {2_400 - 2 * 100}
