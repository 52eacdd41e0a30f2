"""Runs for what they show: the state is afterwards what it was, or what the run made of it."""

from __future__ import annotations

import pytest
from adversarial import ENVIRONMENT, SENDERS, Act, adversarial_state, block_of

from contend.evm import CapacityError, layout
from contend.evm.block_image import BlockImage
from contend.evm.drivers.roomy_run import with_enough_room
from contend.evm.state import State, intern_location, key_tuple, location_key

ADDRESS = bytes([0xD7]) * 20


def with_a_generation() -> State:
    """A state in which an account has been destroyed before, under rules by which that is possible."""
    state = adversarial_state()
    state.settle_generations(destroys_all=True)
    key = key_tuple(location_key(ADDRESS, layout.KIND_GENERATION))
    number = int(intern_location(state.address, key))
    state.values[number, 0] = 1
    return state


@pytest.mark.parametrize("fails", [0, 1])
def test_generations_of_former_rules_come_back(fails: int) -> None:
    state, failed = with_a_generation(), list[int]()
    before = state.contents()
    assert state.generation(ADDRESS) == 1

    def attempt(image: BlockImage, scale: int) -> int:
        assert state.generation(ADDRESS) == 0
        if len(failed) < fails:
            failed.append(scale)
            raise CapacityError("too small")
        return scale

    block = block_of([Act(SENDERS[0], SENDERS[1], value=1)], ENVIRONMENT)
    assert with_enough_room(block, state, attempt) == 1 << fails
    assert state.contents().digest == before.digest
    assert state.generation(ADDRESS) == 1
    with_enough_room(block, state, lambda image, scale: scale, keep=True)
    assert state.generation(ADDRESS) == 0
