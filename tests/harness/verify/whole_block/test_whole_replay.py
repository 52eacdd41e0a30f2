"""A whole block as a block file: operations done around its transactions, roots held against, lists with all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from shared_data import SAMPLE, sample, shared

from contend.evm.access_list import AccessList, decode, encode
from contend.evm.accounts import accounts_of
from contend.evm.drivers.system_calls import CONTRACTS
from contend.harness.analysis.block_lists import flaw_of, listed_block, made_by
from contend.harness.commands.export import export
from contend.harness.plan.request import Request
from contend.harness.verify.around_check import around_differences
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.whole_block.block_test import BlockTest
from contend.harness.verify.whole_block.block_test_files import read_block_tests
from contend.harness.verify.whole_block.chain import Chain
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get
from contend.strategies.serial import Serial
from contend.workloads.around_block import AroundBlock, HeaderRoots
from contend.workloads.files.block_export import document_of
from contend.workloads.files.fields import FieldError
from contend.workloads.files.replay import Replay

ARCHIVE = "whole_blocks.tar.gz"


def chain_of(network: str) -> BlockTest:
    """The first chain of a network whose first block is valid and has transactions."""
    sample(ARCHIVE)
    for test in read_block_tests(SAMPLE / ARCHIVE):
        if isinstance(test, FieldError) or test.network != network or test.blocks[0].exception is not None:
            continue
        assert test.schedule is not None
        if Chain(test.world, test.genesis, test.schedule).accept(test.blocks[0].data).block:
            return test
    raise AssertionError(f"the sample has no chain of {network} with transactions")


def whole_file(network: str, path: Path) -> Path:
    """The first block of an official chain as a block file that says all of it."""
    test = chain_of(network)
    assert test.schedule is not None
    chain = Chain(test.world, test.genesis, test.schedule)
    accepted = chain.accept(test.blocks[0].data)
    assert accepted.block is not None
    assert accepted.receipts is not None
    header, first = accepted.header, chain.blocks[chain.genesis.hash].after
    chain.state.restore(first)
    before = chain.state.copy()
    chain.state.restore(accepted.between)
    roots = HeaderRoots(header.receipts_root, header.bloom, header.requests_hash, header.state_root)
    around = AroundBlock(accepted.operations, True, before, True, roots)
    world, after = accounts_of(before), accounts_of(chain.state)
    path.write_text(json.dumps(document_of(accepted.block, world, after, accepted.receipts, "a chain", None, around)))
    return path


def differences(path: Path) -> list[str]:
    workload = Replay()
    scenario = workload.build({"file": str(path)}, 1, 1)
    block, state, around = scenario.blocks[0], scenario.genesis, scenario.around
    assert around is not None
    receipts = Serial().execute(block, state, 1).receipts
    said = [*workload.check_receipts(scenario, receipts), *workload.check(scenario, state)]
    before = state.digest()
    said += around_differences(around, block, receipts, state)
    assert state.digest() == before
    return said


@pytest.mark.parametrize("network", ["Shanghai", "Cancun", "PragueToOsakaAtTime15k", "Osaka"])
def test_a_whole_block_gives_all_that_its_header_says(tmp_path: Path, network: str) -> None:
    assert differences(whole_file(network, tmp_path / "block.json")) == []


def set_header(name: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["header"].update({name: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_header("receiptsRoot", "0x" + "01" * 32), "receiptsRoot 0x"),
        (set_header("logsBloom", "0x" + "01" * 256), "another bloom filter"),
        (set_header("requestsHash", "0x" + "01" * 32), "requestsHash 0x"),
        (set_header("stateRoot", "0x" + "01" * 32), "stateRoot 0x"),
        # What is told to contracts is part of the state.
        (set_header("parentBeaconBlockRoot", "0x" + "01" * 32), "stateRoot 0x"),
        (
            lambda content: content["withdrawals"].append(
                {"index": 1, "validatorIndex": 1, "address": "0x" + "01" * 20, "amount": 1}
            ),
            "stateRoot 0x",
        ),
        (
            lambda content: content["pre"].pop("0x" + CONTRACTS["withdrawal_requests"].hex()),
            "after its transactions: withdrawal_requests: no contract",
        ),
    ],
)
def test_what_is_otherwise_is_told(tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str) -> None:
    path = whole_file("Osaka", tmp_path / "block.json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    assert any(said in line for line in differences(path))


def test_lists_of_all_makers_have_what_is_around_the_transactions(tmp_path: Path) -> None:
    path = whole_file("Osaka", tmp_path / "block.json")
    subject = listed_block(Request(workloads=("replay",), blocks=(str(path),)))
    data = made_by("serial", subject, 1, "full")
    assert made_by("block_stm", subject, 2, "full") == data
    content = decode(data, transactions=len(subject.block))
    assert set(CONTRACTS.values()) <= {one.address for one in content}
    assert flaw_of(data, subject, "full") is None
    indexed = made_by("serial", subject, 1, "indexed")
    assert flaw_of(indexed, subject, "indexed") is None
    history = next(one for one in content if one.address == CONTRACTS["history"])
    assert [index for _, changes in history.storage_changes for index, _ in changes] == [0]
    without = AccessList(tuple(one for one in content if one is not history))
    assert "missing entry: account 0x0000f90827" in str(flaw_of(encode(without), subject, "full"))


def test_a_whole_block_goes_out_and_comes_back(tmp_path: Path) -> None:
    path, other = whole_file("Osaka", tmp_path / "block.json"), tmp_path / "again.json"
    export(Request(workloads=("replay",), blocks=(str(path),)), other)
    assert differences(other) == []
    content, first = json.loads(other.read_text()), json.loads(path.read_text())
    for name in ("pre", "pre_is", "pre_is_whole", "withdrawals", "header", "transactions", "codes"):
        assert content[name] == first[name]
    scenario = Replay().build({"file": str(other)}, 1, 1)
    assert scenario.around is not None
    # The list in the file is of the whole block; strategies are given that of its transactions.
    assert scenario.around.access_list is not None
    assert scenario.access_lists != [scenario.around.access_list]
    assert max(index for one in decode(scenario.around.access_list) for index, _ in one.balance_changes) >= 1
    content["block_access_list"] = "0xc0"
    other.write_text(json.dumps(content))
    assert Replay().build({"file": str(other)}, 1, 1).access_lists == [b"\xc0"]


def test_the_right_list_of_a_whole_block_is_confirmed(tmp_path: Path) -> None:
    path, other = whole_file("Osaka", tmp_path / "block.json"), tmp_path / "again.json"
    export(Request(workloads=("replay",), blocks=(str(path),)), other)
    scenario = Replay().build({"file": str(other)}, 1, 1)
    block, state = scenario.blocks[0], scenario.genesis
    with get("bal")() as strategy:
        strategy.clock = VirtualClock()
        knowledge = BlockKnowledge([block], state, Serial(), own_lists=scenario.access_lists)
        strategy.knowledge = knowledge.of(0, strategy.given)
        assert strategy.knowledge.access_list == scenario.access_lists[0]
        assert strategy.execute(block, state, 2).refused_list is None


@pytest.mark.parametrize("name", ["19933122", "23587691", "24628607"])
def test_a_chain_s_own_header_holds_for_its_block(name: str) -> None:
    path = shared("mainnet") / f"{name}.json.gz"
    assert differences(path) == []
    scenario = Replay().build({"file": str(path)}, 1, 1)
    around = scenario.around
    assert around is not None
    assert around.roots.receipts is not None
    assert len(around.operations.withdrawals) == 16
    receipts = Serial().execute(scenario.blocks[0], scenario.genesis, 1).receipts
    other = replace(around, roots=HeaderRoots(bytes(32), bytes(256)))
    assert len(list(islice(around_differences(other, scenario.blocks[0], receipts, scenario.genesis), 5))) == 2
