"""Expected writes: which strategies say that they mark them, what a write costs, and who doubts when one comes."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from adversarial import SENDERS, Act, adversarial_state, block_of

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies import registry
from contend.strategies.block_stm.strategy import BlockSTM, OptimisticStrategy
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks.cost_table import CLASSES, CostTable
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import TRUTH, Knowledge
from contend.strategies.serial import Serial

WORLD = adversarial_state()


class Silent(BlockSTM):
    """Prepares in its own way."""

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Mark nothing."""


class Derived(BlockSTM):
    """Prepares as its base does."""


class Telling(Silent):
    """Says it again."""

    expects_writes = True

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Mark nothing, and say otherwise."""


@pytest.mark.parametrize(("kind", "expects"), [(BlockSTM, True), (Derived, True), (Silent, False), (Telling, True)])
def test_a_strategy_that_prepares_itself_says_itself_what_it_expects(
    kind: type[OptimisticStrategy], expects: bool
) -> None:
    assert kind.expects_writes == expects
    # A variant that is given something else prepares in the same way.
    variant = cast("type[OptimisticStrategy]", type("Variant", (kind,), {"given": TRUTH}))
    assert variant.expects_writes == expects


def test_a_write_that_was_not_expected_is_not_filled_in() -> None:
    """Hints that name as many locations, and other ones, save nothing."""
    # Each counts at a slot of its own.
    block = block_of([Act(SENDERS[i % 4], bytes([0xEF, i]) * 10, value=1) for i in range(40)])
    known = BlockKnowledge([block], WORLD.copy(), Serial()).of(0, TRUTH).recorded
    assert known is not None
    free = dict.fromkeys(CLASSES, 0.0)
    seconds = []
    for shift in (0, 1):
        # Each location in the place of another one: as many entries, of the wrong transactions.
        entries = np.where(known.writes, (known.entries + shift) % len(known.keys), known.entries)
        with registry.get("block_stm+truth")() as strategy:
            strategy.clock = VirtualClock(CostTable(free | {"publish_write": 1_000.0}))
            strategy.knowledge = Knowledge(recorded=replace(known, entries=entries))
            seconds.append(strategy.execute(block, WORLD.copy(), 1).phases["execute"])
    right, wrong = seconds
    assert right == pytest.approx(0.0, abs=1e-9)
    assert wrong > 40 * 1e-6
