"""Long lists of one location are decoded in slices: to the same records, and refused for the same reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.access_list import AccessList, access_list_content, decode, encode, first_difference
from contend.evm.access_list.difference import MALFORMED, WRONG_ORDER
from contend.evm.access_list.list_content import AccountChanges, Readers
from contend.harness.testing import build_scenario
from contend.strategies.block_list.layout import SLICE
from contend.strategies.block_list.long_lists import LONG_LIST, SLICE_BYTES
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import FULL, INDEXED, LIST_KINDS, READS, Knowledge
from contend.strategies.registry import get

SIZE = 600
ADDRESS = (b"\x11" * 20, b"\x22" * 20, b"\x33" * 20)
INDICES = tuple(range(1, SIZE + 1))


@pytest.fixture(scope="module")
def world() -> tuple[Block, State]:
    scenario = build_scenario("payments", {}, 4, SIZE)
    return scenario.blocks[0], scenario.genesis


@pytest.fixture(scope="module")
def strategy() -> Iterator[BlockSTM]:
    with get("block_stm+block")() as made:
        assert isinstance(made, BlockSTM)
        made.clock = VirtualClock()
        made.reports_hints = True
        yield made


def long_content() -> AccessList:
    """Long lists of each form: of a balance, a nonce, slots among short ones, readers; and short ones beside."""
    changes = tuple((index, index << 70) for index in INDICES)
    counters = tuple((index, index) for index in INDICES)
    readers = Readers(
        balance=INDICES, nonce=INDICES[::2], code=INDICES[1:], slots=((7, INDICES), (9, (3, 4)), (11, INDICES[::3]))
    )
    slots = ((1, changes), (2, ((5, 6),)), (3, counters), (1 << 200, changes[::2]))
    return AccessList(
        (
            AccountChanges(ADDRESS[0], balance_changes=((1, 2),)),
            AccountChanges(
                ADDRESS[1],
                storage_changes=slots,
                storage_reads=(7, 9, 11, *range(20, 40)),
                balance_changes=changes,
                nonce_changes=counters,
                readers=readers,
            ),
            AccountChanges(ADDRESS[2], balance_changes=changes, nonce_changes=((4, 1),)),
        )
    )


def entries(content: AccessList, kind: str) -> int:
    """How many entries hints have of a list."""
    found = 0
    for account in content:
        if kind != READS:
            found += sum(len(changes) for _, changes in account.storage_changes)
            found += len(account.balance_changes) + len(account.nonce_changes) + len(account.code_changes)
        if kind == INDEXED:
            found += sum(len(readers) for _, readers in account.readers.slots)
            found += len(account.readers.balance) + len(account.readers.nonce) + len(account.readers.code)
    return found


def verdict(strategy: BlockSTM, world: tuple[Block, State], data: bytes, kind: str, workers: int) -> tuple[bool, int]:
    """Whether the kernels refuse a list, and how many entries they found."""
    block, genesis = world
    strategy.knowledge = Knowledge(access_list=data, list_kind=kind)
    outcome = strategy.execute(block, genesis.copy(), workers)
    assert outcome.hinted is not None
    return bool(outcome.counters["malformed_lists"]), int(outcome.hinted.offsets[-1])


def slices_of(strategy: BlockSTM) -> int:
    assert strategy._source is not None
    pieces = strategy._source._list.pieces  # type: ignore[attr-defined]
    return int(np.count_nonzero(pieces["what"] == SLICE))


@pytest.mark.bounds
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", LIST_KINDS)
def test_all_that_a_long_list_names_is_found(
    strategy: BlockSTM, world: tuple[Block, State], kind: str, workers: int
) -> None:
    content = long_content()
    refused, found = verdict(strategy, world, encode(content, kind), kind, workers)
    assert not refused
    assert found == entries(content, kind)
    assert slices_of(strategy) > (0 if kind == READS else 5) or kind == READS


def test_only_long_lists_are_cut(strategy: BlockSTM, world: tuple[Block, State]) -> None:
    few = tuple((index, 1) for index in range(1, LONG_LIST // 8))
    account = AccountChanges(ADDRESS[0], storage_changes=((1, few),), balance_changes=few)
    assert verdict(strategy, world, encode(AccessList((account,))), FULL, 3) == (False, 2 * len(few))
    assert slices_of(strategy) == 0
    size = len(encode(long_content()))
    assert verdict(strategy, world, encode(long_content()), FULL, 3)[0] is False
    assert size // (2 * SLICE_BYTES) < slices_of(strategy) < size // SLICE_BYTES + 20


def exchanged(changes: tuple[tuple[int, int], ...], at: int) -> tuple[tuple[int, int], ...]:
    return (*changes[:at], changes[at + 1], changes[at], *changes[at + 2 :])


@pytest.mark.parametrize("field", ["balance", "nonce", "storage"])
def test_an_index_out_of_order_is_found_wherever_a_slice_ends(
    strategy: BlockSTM, world: tuple[Block, State], field: str
) -> None:
    content = long_content()
    account = content.accounts[1]
    for at in (*range(0, 200, 7), SIZE - 2):
        if field == "balance":
            wrong = replace(account, balance_changes=exchanged(account.balance_changes, at))
        elif field == "nonce":
            wrong = replace(account, nonce_changes=exchanged(account.nonce_changes, at))
        else:
            (first, changes), *others = account.storage_changes
            wrong = replace(account, storage_changes=((first, exchanged(changes, at)), *others))
        data = encode(AccessList((content.accounts[0], wrong, content.accounts[2])))
        assert verdict(strategy, world, data, FULL, 3)[0], at


def test_a_long_slot_out_of_order_is_found(strategy: BlockSTM, world: tuple[Block, State]) -> None:
    account = long_content().accounts[1]
    first, second, third, last = account.storage_changes
    for slots in ((second, first, third), (third, second), (first, last, third), (first, first), (third, third, last)):
        wrong = AccountChanges(ADDRESS[0], storage_changes=slots)
        assert verdict(strategy, world, encode(AccessList((wrong,))), FULL, 2)[0]


def test_a_large_account_out_of_order_is_found(strategy: BlockSTM, world: tuple[Block, State]) -> None:
    small, large, other = long_content().accounts
    for accounts in ((large, small), (other, large), (large, large), (small, small), (other, small, large)):
        assert verdict(strategy, world, encode(AccessList(accounts)), FULL, 2)[0]


@pytest.mark.bounds
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32), kind=st.sampled_from(sorted(LIST_KINDS)), workers=st.integers(1, 4))
def test_damaged_bytes_are_refused_as_the_decoder_does(
    strategy: BlockSTM, world: tuple[Block, State], seed: int, kind: str, workers: int
) -> None:
    draw = Random(seed)
    data = bytearray(encode(long_content(), kind))
    at = draw.randrange(len(data))
    way = draw.randrange(3)
    if way == 0:
        data[at] = draw.randrange(256)
    elif way == 1:
        del data[at]
    else:
        data[at] ^= 1 << draw.randrange(8)
    damaged = bytes(data)
    found = first_difference(damaged, AccessList(), SIZE, kind=kind)
    malformed = found is not None and found.kind in (MALFORMED, WRONG_ORDER)
    refused, count = verdict(strategy, world, damaged, kind, workers)
    assert refused == malformed
    if not refused:
        assert count == entries(decode(damaged, kind), kind)


def test_beneficiary_s_balance_is_cut_in_a_block(world: tuple[Block, State], strategy: BlockSTM) -> None:
    block, genesis = world
    content = access_list_content(block, genesis.copy())
    assert not verdict(strategy, world, encode(content), FULL, 4)[0]
    assert slices_of(strategy) >= SIZE * 5 // SLICE_BYTES
