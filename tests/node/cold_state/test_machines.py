"""Several machines a worker under simulated time: results stay, one core stays one, and waits overlap."""

from __future__ import annotations

from pathlib import Path

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.node.cold_state.stage import make
from contend.node.whole_node import Node
from contend.strategies import registry as strategies
from contend.strategies.base import Outcome
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

BLOCK = block_of(
    [Act(SENDERS[i % 4], CONTRACTS[("counter", "keyed")[i // 4 % 2]], (i % 7).to_bytes(32, "big")) for i in range(24)]
)


def executed(name: str, machines: int, workers: int, folder: Path, disk: str = "1ms:64", **more: str) -> Outcome:
    state = adversarial_state()
    before = state.snapshot()
    asked = {"state": "file", "disk": disk, "state_path": str(folder / "a.pages"), "machines": str(machines)} | more
    node = Node({"state": make(asked, [BLOCK], state, 1)})
    oracle = Oracle(BLOCK, state, before, Serial(), {})
    _ = oracle.reference  # made on the state as it is
    state.restore(before)
    with strategies.get(name)() as strategy:
        strategy.clock = VirtualClock()
        strategy.knowledge = BlockKnowledge([BLOCK], state, Serial()).of(0, strategy.given)
        outcome = node.execute(strategy, BLOCK, state, workers)
        assert oracle.check(outcome, state.changes_since(before)) == []
        assert strategy.clock.cores == 0
        return outcome


@pytest.mark.parametrize("machines", [2, 8])
@pytest.mark.parametrize("name", strategies.names())
def test_results_are_right_with_several_machines(name: str, machines: int, tmp_path: Path) -> None:
    for workers in (1, 3):
        executed(name, machines, workers, tmp_path)


def test_waits_of_one_worker_s_machines_overlap(tmp_path: Path) -> None:
    alone, several = (executed("bal", machines, 1, tmp_path).phases["execute"] for machines in (1, 4))
    assert several < alone / 1.5
    # Serial has one machine, whatever is asked for.
    assert executed("serial", 8, 1, tmp_path).phases == executed("serial", 1, 1, tmp_path).phases


def test_one_core_does_the_work_of_one(tmp_path: Path) -> None:
    """Where nothing has to be waited for, more machines do not help."""
    phases = [executed("bal", machines, 1, tmp_path, cache="1").phases["execute"] for machines in (1, 16)]
    assert phases[1] >= 0.95 * phases[0]


def test_reading_ahead_goes_with_it(tmp_path: Path) -> None:
    found = executed("block_stm", 4, 2, tmp_path, read_ahead="sure")
    assert found.phases["read"] > 0
