"""What a log is redone to is what an execution with the same words gives."""

from __future__ import annotations

from random import Random

import pytest

from contend.evm import Block
from contend.evm.accounts import new_state
from contend.evm.block_image import BlockImage
from contend.harness.testing import build_scenario
from contend.harness.verify.evm_fuzzer.random_programs import structured
from contend.workloads.registry import BUILT_IN
from tests.evm.redo_log.redone import Redone


@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_workloads_are_redone_as_executed(workload: str) -> None:
    random = Random(workload)
    scenario = build_scenario(workload, block_size=60)
    state, block = scenario.genesis, scenario.blocks[0]
    redone = Redone(BlockImage(block), state)
    held = 0
    for index in range(len(block)):
        expected = redone.execute(index)
        for chance in (0.0, 0.15, 0.5):
            found = redone.redo(index, random, chance)
            assert found is None or found == expected, (index, chance)
            held += found is not None and chance > 0
    assert held > 0


def test_random_programs_are_redone_as_executed() -> None:
    held, redone = 0, None
    for seed in range(300):
        case = structured(seed)
        state = new_state(case.world)
        image = BlockImage(Block(case.environment, (case.transaction,)))
        if redone is None:
            redone = Redone(image, state)
        redone.attach(image, state)
        expected = redone.execute(0)
        random = Random(seed)
        for chance in (0.0, 0.3, 0.3, 0.8):
            found = redone.redo(0, random, chance)
            assert found is None or found == expected, (seed, chance)
            held += found is not None and chance > 0
    assert held > 50
