"""Accounts that are destroyed and created again begin with empty storage, under every strategy, before Cancun."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from adversarial import SENDERS
from equivalence import Equivalence
from shard_group import ShardGroup

from contend.evm import Block, Environment, Genesis, State, Transaction, errors, view_call
from contend.evm.accounts import accounts_of
from contend.evm.state import location_of
from contend.harness.verify.schedule_fuzzer.adversarial_contracts import Act, block_of, word
from contend.harness.verify.schedule_fuzzer.assembler import assemble
from contend.harness.verify.schedule_fuzzer.destroying_blocks import (
    ENVIRONMENT,
    PHOENIX,
    create,
    destroy,
    destroying_state,
    draw_destroying_block,
    use,
)
from contend.strategies.base import Strategy
from contend.strategies.serial import Serial

ONE, TWO = SENDERS[:2]


def block(acts: Iterable[Act], after: State | None = None, fork: str = "Shanghai") -> Block:
    """A block of acts; nonces follow those of a state."""
    made = block_of(list(acts), replace(ENVIRONMENT, fork=fork))
    if after is None:
        return made
    raised = (replace(one, nonce=one.nonce + after.nonce(one.sender)) for one in made)
    return replace(made, transactions=tuple(raised))


@pytest.mark.bounds
def test_a_new_account_has_none_of_the_old_ones_slots(equivalence: Equivalence, strategy: Strategy) -> None:
    acts = [use(ONE, 12), destroy(TWO), create(ONE), use(TWO, 12), use(ONE, 11), use(TWO, 12)]
    made, state = block(acts), destroying_state()
    equivalence.check(strategy, made, state, 3, repeat=2)
    receipts = Serial().execute(made, state, 1).receipts
    assert receipts.status.tolist() == [1] * len(acts)
    # From 7 to 8, and from nothing to 1: the word before the transaction is that of the new account.
    assert int(receipts.gas_used[3]) - int(receipts.gas_used[0]) == 20_000 - 2_900
    assert accounts_of(state)[PHOENIX].storage == {11: 2, 12: 2}
    assert [state.storage(PHOENIX, slot) for slot in (0, 11, 12)] == [0, 2, 2]


@pytest.mark.bounds
@pytest.mark.parametrize("seed", range(6))
def test_blocks_that_destroy_equal_serial_execution(equivalence: Equivalence, strategy: Strategy, seed: int) -> None:
    equivalence.check(strategy, draw_destroying_block(Random(seed), 24), destroying_state(), 1 + seed % 4)


def test_shards_agree_about_generations(equivalence: Equivalence) -> None:
    for seed in range(6):
        group = ShardGroup(slots=3, seed=seed)
        equivalence.check(group, draw_destroying_block(Random(seed), 24), destroying_state(), 1 + seed % 3)
        group.assert_nothing_is_left()


def test_what_a_block_destroyed_stays_destroyed(strategy: Strategy, equivalence: Equivalence) -> None:
    """Also under rules by which it could not have been: a fork changes inside a chain."""
    state, serial = destroying_state(), Serial()
    chain: list[tuple[list[Act], str]] = [
        ([use(ONE, 0), destroy(TWO)], "Shanghai"),
        ([create(ONE), use(TWO, 11), use(ONE, 0), use(TWO, 12)], "Shanghai"),
        ([use(ONE, 12), destroy(TWO), create(ONE)], "Shanghai"),
        ([use(ONE, 12), use(TWO, 11), destroy(TWO), use(ONE, 0)], "Cancun"),
        ([use(ONE, 12), destroy(TWO), use(TWO, 12)], "Shanghai"),
    ]
    wanted = [{}, {0: 1, 11: 2, 12: 1}, {11: 1}, {0: 1, 11: 2, 12: 1}, {}]
    for (acts, fork), right in zip(chain, wanted, strict=True):
        made = block(acts, state, fork)
        equivalence.check(strategy, made, state.copy(), 2)
        serial.execute(made, state, 1)
        world = accounts_of(state)
        assert dict(world[PHOENIX].storage if PHOENIX in world else {}) == right


def test_settling_leaves_no_trace_of_old_storage() -> None:
    state = destroying_state()
    Serial().execute(block([destroy(ONE), create(TWO)]), state, 1)
    assert state.generation(PHOENIX) == 1
    before = accounts_of(state)
    state.settle_generations(destroys_all=False)
    assert accounts_of(state) == before
    assert state.generation(PHOENIX) == 0
    found = [location_of(key) for key in state.contents().keys]
    assert {(one.slot, one.generation) for one in found if one.kind == "storage" and one.address == PHOENIX} == {
        (11, 0)
    }
    # And a snapshot from before brings the generations back.
    twin = destroying_state()
    Serial().execute(block([destroy(ONE), create(TWO)]), twin, 1)
    earlier = twin.snapshot()
    twin.settle_generations(destroys_all=False)
    twin.restore(earlier)
    twin.settle_generations(destroys_all=False)
    assert accounts_of(twin) == before


@pytest.mark.parametrize("fork", ["Shanghai", "Cancun"])
def test_who_asks_a_state_sees_the_storage_of_now(fork: str) -> None:
    state = destroying_state()
    Serial().execute(block([destroy(ONE), create(TWO)]), state, 1)
    assert state.generation(PHOENIX) == 1
    made = Genesis(Environment(fork=fork))
    made.state = state.copy()
    for slot in (0, 11):
        made.call(PHOENIX, word(slot))
    assert accounts_of(made.state)[PHOENIX].storage == {0: 1, 11: 2}
    for one in (state, made.state):
        one.set_code(PHOENIX, assemble("0 CALLDATALOAD SLOAD 0 MSTORE 32 0 RETURN"))
        storage = accounts_of(one)[PHOENIX].storage
        for slot in (0, 11, 12):
            assert view_call(one, Environment(fork=fork), PHOENIX, word(slot)) == word(storage.get(slot, 0))


def test_a_listed_slot_of_a_new_account_is_warm() -> None:
    plain = block([destroy(ONE), create(TWO), use(ONE, 12)])
    listed = replace(plain.transactions[2], access_list=((PHOENIX, (12,)),))
    with_list = replace(plain, transactions=(*plain.transactions[:2], listed))
    without, found = (Serial().execute(made, destroying_state(), 1).receipts.gas_used[2] for made in (plain, with_list))
    # 2,400 and 1,900 for the entry; the slot is loaded for 100 instead of 2,100, the account is warm anyway.
    assert int(found) - int(without) == 2_400 + 1_900 - 2_000


def test_an_account_that_is_made_and_destroyed_at_once_keeps_its_generation() -> None:
    state = destroying_state()
    # Its init code stores a word and destroys the account, which was never there for anybody else.
    code = bytes.fromhex("6001600b55" + "33ff")
    made = Block(ENVIRONMENT, (Transaction(ONE, None, 0, 200_000, 0, code),))
    outcome = Serial().execute(made, state, 1)
    assert outcome.receipts.status.tolist() == [errors.STATUS_SUCCESS]
    assert not any(location_of(key).kind == "generation" for key in state.contents().keys)
