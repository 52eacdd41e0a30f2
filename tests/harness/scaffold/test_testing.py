"""What plug-ins' tests call lets right ones pass, and names what is wrong with the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from contend.plugin import (
    Block,
    Dial,
    DialError,
    DialValue,
    Genesis,
    Outcome,
    Receipts,
    Scenario,
    Serial,
    State,
    Transaction,
    Workload,
)
from contend.testing import assert_equals_serial, assert_workload_holds, build_scenario

FEW = 24  # transactions of the largest block that schedules are drawn for


class Tips(Workload):
    """Fans pay one artist; built right, and wrong in each way that is asked for."""

    name = "tips"
    summary = "fans pay one artist"
    dials = (Dial("fault", "none", "what is wrong"),)
    builds: ClassVar[int] = 0

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        fault = dials["fault"]
        Tips.builds += 1
        genesis = Genesis()
        genesis.fund(bytes([1]) * 20, 10**20)
        amount = 1 if fault == "seed" else seed + (Tips.builds if fault == "chance" else 0)
        made, nonce = [], 0
        for number in range(blocks):
            size = block_size - (fault == "size" and number == 1)
            transactions = []
            for _ in range(size):
                transactions.append(Transaction(bytes([1]) * 20, bytes([2]) * 20, nonce, 21_000, amount))
                nonce += 2 if fault == "nonce" and nonce == 7 else 1
            made.append(Block(genesis.environment, tuple(transactions)))
        return Scenario(genesis.state, made, dict(dials), notes={"paid": amount * nonce})

    def check(self, scenario: Scenario, state: State) -> list[str]:
        match scenario.dials["fault"]:
            case "blind":
                return []
            case "broken":
                return ["the artist is poor"]
        found = state.balance(bytes([2]) * 20)
        return [] if found == scenario.notes["paid"] else [f"{found} wei arrived"]

    def check_receipts(self, scenario: Scenario, receipts: Receipts) -> list[str]:
        return ["no receipts"] if scenario.dials["fault"] == "receipts" else []


class Right(Serial):
    """Serial execution that says it is parallel, so that schedules are tried."""

    name = "right"
    parallel = True


class Forgetful(Right):
    """Forgets the last transaction."""

    name = "forgetful"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        return super().execute(Block(block.environment, block.transactions[:-1]), state, workers)


class SlipsInTime(Right):
    """Leaves another state behind than it reports, if time is simulated."""

    name = "slips_in_time"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        if self.clock.simulated and len(block) > FEW:
            state.set_balance(bytes(20), 1)
        return outcome


class SlipsOnFew(Right):
    """Wrong on small blocks only, which only schedules are drawn for."""

    name = "slips_on_few"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        if 3 <= len(block) <= FEW:
            state.set_balance(bytes(20), 1)
        return outcome


def check(strategy: type[Serial]) -> None:
    assert_equals_serial(strategy, [Tips, "payments"], seeds=(3,), workers=(1, 2), block_size=40, schedules=60)


def test_a_right_strategy_passes() -> None:
    check(Right)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Forgetful, r"tips, seed 3, wall clock: forgetful with 1 workers: 39 receipts for 40 transactions"),
        (SlipsInTime, r"tips, seed 3, virtual clock: slips_in_time with 1 workers: .*balance"),
        (SlipsOnFew, r"(?s)ScheduleCase\(strategy='slips_on_few', workers=2.*balance.*0: Transaction.*2: Transaction"),
    ],
)
def test_a_wrong_strategy_is_named(strategy: type[Serial], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(strategy)


def test_a_right_workload_passes() -> None:
    assert_workload_holds(Tips, block_size=20)
    assert_workload_holds(Tips, block_size=20, blocks=1)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("chance", "seed 1 gives other bytes"),
        ("seed", "give the same bytes"),
        ("size", r"blocks of \[20, 19, 20\] transactions"),
        ("nonce", "block 0, transaction 8: nonce 9 of sender 0101010101.* where 8 is next"),
        ("blind", "does not notice that the last transaction is missing"),
        ("broken", "the artist is poor"),
        ("receipts", "no receipts"),
    ],
)
def test_a_wrong_workload_is_named(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_workload_holds(Tips, {"fault": fault}, block_size=20)


def test_a_scenario_is_built_by_name_or_class() -> None:
    swaps = build_scenario("swaps", {"pools": 1}, seed=3, block_size=20, blocks=2)
    assert [len(block) for block in swaps.blocks] == [20, 20]
    assert swaps.dials["pools"] == 1
    again = build_scenario("swaps", {"pools": 1}, seed=3, block_size=20, blocks=2)
    assert [block.digest for block in again.blocks] == [block.digest for block in swaps.blocks]
    assert len(build_scenario(Tips, block_size=7).blocks[0]) == 7
    with pytest.raises(DialError, match="unknown dial 'ponds'"):
        build_scenario("swaps", {"ponds": 1})
    with pytest.raises(LookupError, match="unknown workload 'swap'"):
        build_scenario("swap")
