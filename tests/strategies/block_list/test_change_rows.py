"""A transaction's row leads to records of what it changes, to nearly all of them, and of codes it touches."""

from __future__ import annotations

from contend.evm.access_list import access_list_content, encode
from contend.evm.state import location_of
from contend.harness.testing import build_scenario
from contend.strategies.bal.strategy import Bal
from contend.strategies.block_list.change_rows import ROW_WORDS
from contend.strategies.block_list.layout import EPOCH_SHIFT, OFFSET_MASK
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import Knowledge


def test_rows_lead_to_what_is_changed() -> None:
    scenario = build_scenario("swaps", {}, 3, 60)
    block = scenario.blocks[0]
    content = access_list_content(block, scenario.genesis.copy())
    changed: list[set[tuple[bytes, str, int]]] = [set() for _ in block]
    touched: list[set[tuple[bytes, str, int]]] = [set() for _ in block]
    for account in content:
        for slot, changes in account.storage_changes:
            for index, _ in changes:
                changed[index - 1].add((account.address, "storage", slot))
        for name in ("balance", "nonce", "code"):
            for index, _ in getattr(account, f"{name}_changes"):
                changed[index - 1].add((account.address, name, 0))
                if name == "balance":
                    touched[index - 1].add((account.address, "code", 0))
    bal = Bal()
    bal.clock = VirtualClock()
    bal.knowledge = Knowledge(access_list=encode(content))
    bal.execute(block, scenario.genesis.copy(), 3)
    assert bal._workspace is not None
    arena, epoch = bal._workspace.arena, bal._list._epoch
    rows = bal._list._rows[: len(block) * ROW_WORDS].reshape(-1, ROW_WORDS)
    hits = 0
    codes = 0
    for row, wanted, met in zip(rows, changed, touched, strict=True):
        entries = row[row >> EPOCH_SHIFT == epoch]
        found = {tuple(location_of(arena[at : at + 7]))[:3] for at in (entries & OFFSET_MASK).tolist()}
        assert found <= wanted | met
        hits += len(found & wanted)
        codes += len(found & met)
    bal.close()
    assert hits > 0.7 * sum(map(len, changed))
    assert codes > 0.5 * sum(map(len, touched))
