"""A decoded list says what the encoded one says: read as hints of each transaction, of every kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
from adversarial import adversarial_state, blocks, hot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.access_list import AccessList, access_list_content, encode
from contend.evm.state import location_of
from contend.harness.testing import build_scenario
from contend.strategies import compiled
from contend.strategies.block_list.encoded_list import TOO_LARGE
from contend.strategies.block_list.long_records import LONG_RECORD, PART_CHANGES
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import BLOCK, FULL, INDEXED, LIST_KINDS, LOCATIONS, READS, Knowledge
from contend.strategies.registry import get
from contend.strategies.serial import Serial

WORLD = adversarial_state()
Entry = tuple[bytes, str, int, bool]


@pytest.fixture(scope="module")
def strategy() -> Iterator[BlockSTM]:
    with get("block_stm+block")() as made:
        assert isinstance(made, BlockSTM)
        assert made.given == BLOCK
        made.clock = VirtualClock()
        made.reports_hints = True
        yield made


def expected(content: AccessList, kind: str) -> dict[int, set[Entry]]:
    """Entries by transaction that a list of a kind gives."""
    found: dict[int, set[Entry]] = defaultdict(set)
    if kind == READS:
        return found
    for account in content:
        for slot, changes in account.storage_changes:
            for index, _ in changes:
                found[index - 1].add((account.address, "storage", slot, True))
        for name in ("balance", "nonce", "code"):
            for index, _ in getattr(account, f"{name}_changes"):
                found[index - 1].add((account.address, name, 0, True))
            if kind == INDEXED:
                for index in getattr(account.readers, name):
                    found[index - 1].add((account.address, name, 0, False))
        if kind == INDEXED:
            for slot, readers in account.readers.slots:
                for index in readers:
                    found[index - 1].add((account.address, "storage", slot, False))
    return found


def credited(block: Block) -> set[Entry]:
    """The beneficiary's balance, which every transaction credits lazily and nobody waits for."""
    address = block.environment.coinbase
    return {(address, "balance", 0, is_write) for is_write in (False, True)}


def given_by(
    strategy: BlockSTM, block: Block, genesis: State, data: bytes, kind: str, workers: int
) -> dict[int, list[Entry]]:
    """Entries by transaction that a strategy was given."""
    state = genesis.copy()
    strategy.knowledge = Knowledge(access_list=data, list_kind=kind)
    hinted = strategy.execute(block, state, workers).hinted
    assert hinted is not None
    found: dict[int, list[Entry]] = {}
    for i in range(len(block)):
        rows = slice(int(hinted.offsets[i]), int(hinted.offsets[i + 1]))
        entries = zip(hinted.keys[rows], hinted.writes[rows].tolist(), strict=True)
        found[i] = [(*location_of(key)[:3], is_write) for key, is_write in entries]
    return found


@pytest.mark.bounds
@pytest.mark.parametrize("kind", LIST_KINDS)
@pytest.mark.parametrize("workload", ["swaps", "payments"])
def test_hints_are_what_the_list_says(strategy: BlockSTM, workload: str, kind: str) -> None:
    scenario = build_scenario(workload, {}, 4, 120)
    block = scenario.blocks[0]
    content = access_list_content(block, scenario.genesis.copy())
    data, wanted = encode(content, kind), expected(content, kind)
    for workers in (1, 4):
        found = given_by(strategy, block, scenario.genesis, data, kind, workers)
        for i in range(len(block)):
            assert len(found[i]) == len(set(found[i]))
            assert set(found[i]) == wanted[i] - credited(block)
    assert strategy._source is not None
    assert strategy._source.counters() == {"list_bytes": len(data), "malformed_lists": 0}


@pytest.mark.parametrize("kind", [FULL, INDEXED])
def test_what_very_many_transactions_change_is_shared_by_parts(strategy: BlockSTM, kind: str) -> None:
    scenario = build_scenario("dao", {}, 4, 2 * LONG_RECORD)
    block = scenario.blocks[0]
    content = access_list_content(block, scenario.genesis.copy())
    wanted = expected(content, kind)
    found = given_by(strategy, block, scenario.genesis, encode(content, kind), kind, 3)
    assert strategy._source is not None
    assert strategy._source._list.header["part_count"] > LONG_RECORD // PART_CHANGES  # type: ignore[attr-defined]
    assert {i: set(entries) for i, entries in found.items()} == {
        i: wanted[i] - credited(block) for i in range(len(block))
    }


@pytest.mark.bounds
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 4), kind=st.sampled_from([FULL, LOCATIONS, INDEXED]))
def test_hints_of_any_small_block(strategy: BlockSTM, block: Block, workers: int, kind: str) -> None:
    content = access_list_content(block, WORLD.copy())
    wanted = expected(content, kind)
    found = given_by(strategy, block, WORLD, encode(content, kind), kind, workers)
    assert {i: set(entries) for i, entries in found.items()} == {
        i: wanted[i] - credited(block) for i in range(len(block))
    }


def test_a_malformed_list_gives_nothing(strategy: BlockSTM) -> None:
    scenario = build_scenario("payments", {}, 4, 30)
    block = scenario.blocks[0]
    data = encode(access_list_content(block, scenario.genesis.copy()))
    for raw in (b"", data[:-1], data + b"\0", bytes([data[0] ^ 0x80]) + data[1:]):
        assert not any(given_by(strategy, block, scenario.genesis, raw, FULL, 2).values())
        assert strategy._source is not None
        assert strategy._source.counters()["malformed_lists"] == 1


def test_a_list_that_names_more_than_there_is_room_for_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LARGEST_SCALE", 2)
    block, genesis = hot("counter", 12), WORLD.copy()
    content = access_list_content(block, genesis.copy())
    accounts = [replace(content.accounts[0], storage_reads=tuple(range(1, 60_000))), *content.accounts[1:]]
    before = genesis.snapshot()
    with get("block_stm+block")() as made:
        for data, refused in ((encode(AccessList(tuple(accounts))), TOO_LARGE), (encode(content), None)):
            genesis.restore(before)
            made.clock, made.knowledge = VirtualClock(), Knowledge(access_list=data)
            found = made.execute(block, genesis, 3)
            assert found.refused_list == refused
            assert found.counters["malformed_lists"] == int(refused is not None)
            genesis.restore(before)
            serial = Serial().execute(block, genesis, 1)
            assert found.changes is not None
            assert serial.changes is not None
            assert found.changes.digest == serial.changes.digest
