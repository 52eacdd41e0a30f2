"""`bal` confirms what is right, refuses what is not, and gives the serial result either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from damaged_lists import (
    DAMAGES,
    Damage,
    damaged,
    with_account,
    with_accounts_swapped,
    without_account,
    wrong_balance,
    wrong_value,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.access_list import AccessList, access_list_of, decode, encode
from contend.harness.testing import build_scenario
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.strategies import compiled, registry
from contend.strategies.bal.strategy import Bal, BalLongest
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_list.encoded_list import TOO_LARGE
from contend.strategies.block_list.layout import SLICE
from contend.strategies.clocks import WALL
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import BLOCK, FULL, LOCATIONS, TRUTH, Knowledge, MissingKnowledgeError
from contend.strategies.serial import Serial

WORLD = adversarial_state()
SERIAL = Serial()
WHOLE = (without_account, with_account, with_accounts_swapped)


class Judge:
    """Runs `bal` with any list, and holds the result against a serial run."""

    def __init__(self, block: Block, genesis: State) -> None:
        self.block = block
        self.state = genesis.copy()
        self._before = self.state.snapshot()
        self._oracle = Oracle(block, self.state, self._before, SERIAL, {})
        self.right = access_list_of(block, self.state)

    def outcome(self, strategy: Strategy, data: bytes, workers: int = 3) -> Outcome:
        """Outcome with a list, which has been found to be the serial one."""
        strategy.knowledge = Knowledge(access_list=data)
        self.state.restore(self._before)
        found = strategy.execute(self.block, self.state, workers)
        assert self._oracle.check(found, self.state.changes_since(self._before)) == []
        return found


@pytest.fixture(scope="module")
def bal() -> Iterator[Bal]:
    made = Bal()
    made.clock = VirtualClock()
    yield made
    made.close()


@cache
def judge(workload: str, size: int = 60) -> Judge:
    scenario = build_scenario(workload, {}, 3, size)
    return Judge(scenario.blocks[0], scenario.genesis)


@pytest.mark.parametrize("workload", ["swaps", "payments", "nft", "adversarial"])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_right_list_is_confirmed(bal: Bal, workload: str, workers: int) -> None:
    found = judge(workload).outcome(bal, judge(workload).right, workers)
    assert found.refused_list is None
    assert found.counters["executions"] == 60
    assert found.counters["validations"] == 0
    assert found.counters["list_bytes"] == len(judge(workload).right)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_wrong_list_is_refused_and_named(bal: Bal, damage: Damage) -> None:
    on, found = judge("swaps"), []
    for seed in range(4):
        data = damaged(on.right, damage, Random(seed))
        assert data is not None
        assert data != on.right
        found.append(on.outcome(bal, data, 1 + seed).refused_list)
    for text in found:
        assert text is not None
        assert text.startswith(DAMAGES[damage]), text


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_wrong_list_with_long_ones_in_it_is_refused(bal: Bal, damage: Damage) -> None:
    on = judge("dao", 500)
    assert on.outcome(bal, on.right, 4).refused_list is None
    assert np.count_nonzero(bal._list.pieces["what"] == SLICE) > 10
    for seed in range(3):
        data = damaged(on.right, damage, Random(seed))
        assert data is not None
        refused = on.outcome(bal, data, 1 + seed).refused_list
        assert refused is not None
        assert refused.startswith(DAMAGES[damage]), refused


@pytest.mark.parametrize("damage", WHOLE, ids=lambda damage: damage.__name__)
def test_a_list_of_wrong_accounts_is_refused(bal: Bal, damage: Callable[[bytes, Random], bytes]) -> None:
    for workload in ("swaps", "payments"):
        found = judge(workload).outcome(bal, damage(judge(workload).right, Random(1)))
        assert found.refused_list is not None
        assert "0x" in found.refused_list


def test_a_wrong_value_repairs_who_saw_it_and_nobody_else(bal: Bal) -> None:
    # Everyone counts on one slot; nobody reads another one.
    block = hot("counter", 40)
    on = Judge(block, WORLD)
    last = on.outcome(bal, damaged_at(on.right, 40))
    assert last.refused_list is not None
    assert last.counters["executions"] == 40 + last.counters["repairs"]
    # The last one's word is seen by nobody.
    assert last.counters["repairs"] == 0
    middle = on.outcome(bal, damaged_at(on.right, 20))
    assert 1 <= middle.counters["repairs"] <= 20


def test_a_missing_change_repairs_who_missed_it_and_nobody_behind(bal: Bal) -> None:
    """Whoever comes next is misled and executed again; those behind were shown what it writes then."""
    block = hot("counter", 40)
    on = Judge(block, WORLD)
    for workers in (1, 8):
        found = on.outcome(bal, without_change_at(on.right, 20), workers)
        assert found.refused_list is not None
        assert found.counters["repairs"] == 1
        assert found.counters["aborts"] == 0


def test_a_list_that_names_more_than_there_is_room_for_costs_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LARGEST_SCALE", 2)
    on = judge("payments")
    accounts = list(decode(on.right))
    accounts[0] = replace(accounts[0], storage_reads=tuple(range(1, 60_000)))
    large = encode(AccessList(tuple(accounts)))
    with Bal() as made:
        made.clock = VirtualClock()
        for _ in range(2):
            found = on.outcome(made, large)
            assert found.refused_list == TOO_LARGE
            assert (
                found.counters["executions"]
                == len(on.block) + found.counters["aborts"] + found.counters["wait_restarts"]
            )
        assert on.outcome(made, on.right).refused_list is None


def test_many_short_slots_make_room_for_themselves(bal: Bal) -> None:
    # A slot of one byte becomes a record of twelve words, and there are more of them than the index expects.
    on = judge("swaps")
    accounts = list(decode(on.right))
    place = next(i for i, account in enumerate(accounts) if not account.storage_changes and not account.storage_reads)
    for count in (1, 100, 3000):
        accounts[place] = replace(accounts[place], storage_reads=tuple(range(1, count + 1)))
        found = on.outcome(bal, encode(AccessList(tuple(accounts))))
        assert found.refused_list is not None
        assert found.refused_list.startswith("superfluous entry"), found.refused_list
        assert found.counters["repairs"] == 0


def without_change_at(data: bytes, index: int) -> bytes:
    """A list in which the first slot's change at an index is missing."""
    accounts = list(decode(data))
    place = next(i for i, account in enumerate(accounts) if account.storage_changes)
    (slot, changes), *rest = accounts[place].storage_changes
    kept = tuple(change for change in changes if change[0] != index)
    assert len(kept) == len(changes) - 1
    accounts[place] = replace(accounts[place], storage_changes=((slot, kept), *rest))
    return encode(AccessList(tuple(accounts)))


def damaged_at(data: bytes, index: int) -> bytes:
    """A list in which the first slot's word after an index is another one."""
    accounts = list(decode(data))
    place = next(i for i, account in enumerate(accounts) if account.storage_changes)
    (slot, changes), *rest = accounts[place].storage_changes
    altered = tuple((at, value + 1000 if at == index else value) for at, value in changes)
    assert altered != changes
    accounts[place] = replace(accounts[place], storage_changes=((slot, altered), *rest))
    return encode(AccessList(tuple(accounts)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 4), seed=st.integers(0, 1 << 20), damage=st.sampled_from([*DAMAGES]))
def test_any_damage_of_any_block(bal: Bal, block: Block, workers: int, seed: int, damage: Damage) -> None:
    on = Judge(block, WORLD)
    assert on.outcome(bal, on.right, workers).refused_list is None
    data = damaged(on.right, damage, Random(seed))
    if data is not None and data != on.right:
        found = on.outcome(bal, data, workers).refused_list
        assert found not in (None, "None")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_that_are_no_list_are_refused(bal: Bal, data: st.DataObject) -> None:
    on = judge("payments")
    raw = bytearray(on.right)
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = on.outcome(bal, bytes(raw)).refused_list
    assert (found is None) == (bytes(raw) == on.right)
    assert found != "None"


def test_beneficiary_that_is_read_and_paid_is_right(bal: Bal) -> None:
    coinbase = block_of([]).environment.coinbase
    acts = []
    for i in range(20):
        acts.append(Act(SENDERS[i % 4], coinbase, value=3))
        acts.append(Act(SENDERS[(i + 1) % 4], CONTRACTS["miner_watcher"]))
        acts.append(Act(coinbase, SENDERS[i % 4], value=1))
        acts.append(Act(SENDERS[i % 4], CONTRACTS["forwarder"], word(coinbase), value=10))
    on = Judge(block_of(acts), WORLD)
    assert on.outcome(bal, on.right).refused_list is None
    for seed in range(8):
        data = damaged(on.right, wrong_balance, Random(seed))
        assert data is not None
        assert on.outcome(bal, data).refused_list is not None


def test_threads_give_the_same_as_simulated_workers() -> None:
    with Bal() as made:
        made.clock = WALL
        for workload in ("swaps", "payments"):
            on = judge(workload)
            for workers in (1, 2, 4):
                assert on.outcome(made, on.right, workers).refused_list is None
                data = damaged(on.right, wrong_value, Random(workers)) or with_account(on.right, Random(workers))
                assert on.outcome(made, data, workers).refused_list is not None


def test_the_longest_first_is_another_order_with_the_same_result() -> None:
    made = BalLongest()
    made.clock = VirtualClock()
    for workload in ("swaps", "payments"):
        on = judge(workload)
        found = on.outcome(made, on.right)
        assert found.refused_list is None
        gas = [transaction.gas_limit for transaction in on.block]
        order = made._order.tolist()
        assert sorted(order) == list(range(60))
        # Within an eighth of an octave the block's order stands.
        assert all(gas[one] * 1.125 > gas[other] for one, other in pairwise(order))
    made.close()


def test_given_the_truth_those_that_take_longest_come_first() -> None:
    scenario = build_scenario("mixed", {}, 3, 60)
    on = Judge(scenario.blocks[0], scenario.genesis)
    knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, SERIAL).of(0, TRUTH)
    with registry.get("bal_longest+truth")() as made:
        assert isinstance(made, BalLongest)
        assert made.given == TRUTH
        made.clock = VirtualClock()
        made.knowledge = knowledge
        found = made.execute(on.block, on.state, 3)
        assert found.refused_list is None
        assert knowledge.recorded is not None
        work = knowledge.recorded.work
        order = made._order.tolist()
        assert sorted(order) == list(range(60))
        assert order != list(range(60))
        assert all(work[one] * 1.125 > work[other] for one, other in pairwise(order))
    with Serial() as serial:
        alone = serial.execute(on.block, scenario.genesis.copy(), 1)
        assert alone.changes is not None
        assert found.changes is not None
        assert found.changes.digest == alone.changes.digest


def test_it_needs_a_list_with_values(bal: Bal) -> None:
    on = judge("payments")
    bal.knowledge = Knowledge()
    with pytest.raises(MissingKnowledgeError, match="without an access list"):
        bal.execute(on.block, on.state, 1)
    bal.knowledge = Knowledge(access_list=on.right, list_kind=LOCATIONS)
    with pytest.raises(MissingKnowledgeError, match="needs an access list of the kind 'full'"):
        bal.execute(on.block, on.state, 1)


def test_its_own_list_is_the_block_s(bal: Bal) -> None:
    on = judge("swaps")
    bal.makes_access_list = True
    try:
        assert on.outcome(bal, on.right).access_list == on.right
        data = damaged(on.right, wrong_value, Random(1))
        assert data is not None
        assert on.outcome(bal, data).access_list == on.right
    finally:
        bal.makes_access_list = False


def test_it_is_registered() -> None:
    assert registry.get("bal") is Bal
    assert Bal.given == BLOCK
    assert Knowledge().list_kind == FULL
