"""Epochs of a state: strategies that take turns at it find nothing of each other in its rows."""

from __future__ import annotations

from adversarial import adversarial_state, hot

from contend.strategies.block_stm import epochs
from contend.strategies.block_stm.layout import MOST_EPOCHS
from contend.strategies.registry import get
from contend.strategies.serial import Serial

STRATEGIES = ("block_stm", "occ_window", "block_stm")


def test_strategies_take_turns_at_one_state() -> None:
    state, block = adversarial_state(), hot("counter", 12)
    before = state.snapshot()
    expected = Serial().execute(block, state, 1).changes
    assert expected is not None
    # The epochs begin anew on the way: what the rows say of the first ones is forgotten.
    for last in (0, MOST_EPOCHS - 3):
        epochs._LAST[state] = last
        for name in STRATEGIES:
            for workers in (1, 3):
                state.restore(before)
                found = get(name)().execute(block, state, workers).changes
                assert found is not None
                assert found.digest == expected.digest
    assert epochs._LAST[state] < MOST_EPOCHS // 2


def test_each_execution_has_an_epoch_of_its_own() -> None:
    state = adversarial_state()
    assert epochs.next_epoch(state) < epochs.next_epoch(state)
    assert epochs.next_epoch(state.copy()) == 1
