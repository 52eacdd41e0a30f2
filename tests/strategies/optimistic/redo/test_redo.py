"""`redo`: serial results, and what is stale is redone where its log holds, and only there executed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from adversarial import ETHER, Act, adversarial_state, block_of, hot
from assembler import assemble
from equivalence import Equivalence

from contend.evm import Block, State
from contend.harness.testing import build_scenario
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.optimistic.redo.strategy import Redo
from contend.workloads.files.replay import Replay
from contend.workloads.registry import BUILT_IN

CONTRACT = bytes([0xC9]) * 20


@pytest.fixture(scope="module")
def redo() -> Iterator[Redo]:
    made = Redo()
    yield made
    made.close()


def calls_of(code: str, count: int = 40) -> tuple[Block, State]:
    """Calls of a contract that have nothing else in common."""
    state = adversarial_state()
    state.set_code(CONTRACT, assemble(code))
    block = block_of([Act(bytes([0xA0, i]) + bytes(18), CONTRACT) for i in range(count)])
    for act in block:
        state.set_balance(act.sender, ETHER)
    return block, state


def counters_of(equivalence: Equivalence, redo: Redo, block: Block, state: State) -> dict[str, int]:
    redo.clock = VirtualClock()
    counters = equivalence.check(redo, block, state, 8).counters
    assert counters["executions"] <= 2 * len(block)
    return counters


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_workloads_are_executed_twice_at_most(
    equivalence: Equivalence, redo: Redo, workload: str, clock: Clock
) -> None:
    scenario = build_scenario(workload, block_size=120)
    redo.clock = clock
    outcome = equivalence.check(redo, scenario.blocks[0], scenario.genesis, 8)
    assert outcome.counters["executions"] <= 240


@pytest.mark.parametrize("name", ["15537394.cancun", "19923400"])
def test_real_blocks(equivalence: Equivalence, redo: Redo, mainnet_blocks: Path, name: str) -> None:
    scenario = Replay().build({"file": str(mainnet_blocks / f"{name}.json.gz")}, 1, 1)
    for clock, workers in ((WALL, 2), (VirtualClock(), 16)):
        redo.clock = clock
        equivalence.check(redo, scenario.blocks[0], scenario.genesis, workers)


def test_a_chain_of_sums_is_executed_once(equivalence: Equivalence, redo: Redo) -> None:
    # The sum goes to a slot, a topic, the data of a log and the output.
    block, state = calls_of("0 SLOAD CALLER ADD DUP1 0 SSTORE DUP1 0 MSTORE 32 0 LOG1 32 0 RETURN")
    state.set_storage(CONTRACT, 0, 5)
    found = counters_of(equivalence, redo, block, state)
    assert found["redone"] > 25
    assert found["aborts"] == 0


def test_a_branch_that_goes_another_way_is_executed_again(equivalence: Equivalence, redo: Redo) -> None:
    block, state = calls_of("0 SLOAD ISZERO DUP1 0 SSTORE :odd JUMPI 1 1 SSTORE STOP odd: 2 1 SSTORE")
    assert counters_of(equivalence, redo, block, state)["aborts"] > 0


def test_transactions_of_one_sender_are_executed_once(equivalence: Equivalence, redo: Redo) -> None:
    state = adversarial_state()
    sender = bytes([0xA0]) + bytes(19)
    state.set_balance(sender, ETHER)
    block = block_of([Act(sender, bytes([0xD0, i]) + bytes(18), value=i) for i in range(40)])
    found = counters_of(equivalence, redo, block, state)
    assert found["executions"] == 40
    assert found["redone"] > 25


def test_no_log_is_kept_where_nothing_is_stale(equivalence: Equivalence, redo: Redo) -> None:
    # Behind forty calls that have nothing in common come some that do: the first of these are executed again.
    code = "CALLDATASIZE SLOAD CALLER ADD CALLDATASIZE SSTORE"
    apart, state = calls_of(code, 80)
    state.set_storage(CONTRACT, 4, 5)
    acts = [Act(one.sender, CONTRACT, bytes(40 + number)) for number, one in enumerate(apart)]
    hot_ones = [Act(bytes([0xB0, i]) + bytes(18), CONTRACT, bytes(4)) for i in range(30)]
    for act in hot_ones:
        state.set_balance(act.sender, ETHER)
    found = counters_of(equivalence, redo, block_of([*acts, *hot_ones]), state)
    assert found["aborts"] > 0
    assert found["redone"] > 5


def test_one_worker_keeps_no_log(equivalence: Equivalence, redo: Redo) -> None:
    block = hot("counter", 60)
    redo.clock = VirtualClock()
    counters = equivalence.check(redo, block, adversarial_state(), 1).counters
    assert (counters["executions"], counters["validations"], counters["redone"]) == (60, 0, 0)
