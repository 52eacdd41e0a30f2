"""Transactions that do not fit into what their block has left, under every strategy: refused as serial refuses them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from adversarial import hot
from equivalence import Equivalence

from contend.evm import errors
from contend.harness.verify.schedule_fuzzer.adversarial_contracts import adversarial_state, block_of, draw_acts
from contend.strategies.base import Strategy
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get


@pytest.mark.bounds
@pytest.mark.parametrize("seed", range(4))
def test_what_does_not_fit_is_refused_alike(equivalence: Equivalence, strategy: Strategy, seed: int) -> None:
    """What stands behind a refused transaction fits, or not, by what that did not use: it takes several rounds."""
    random = Random(seed)
    block = block_of(draw_acts(random, 24))
    tight = replace(block, environment=replace(block.environment, gas_limit=random.randrange(200_000, 320_000)))
    outcome = equivalence.check(strategy, tight, adversarial_state(), 3, repeat=2)
    refused = outcome.receipts.error_codes == errors.GAS_ALLOWANCE
    assert refused.any()
    assert (outcome.receipts.status[refused] == errors.STATUS_INVALID).all()


def test_shards_keep_the_order_that_limits_depend_on(equivalence: Equivalence) -> None:
    block = block_of(draw_acts(Random(3), 24))
    tight = replace(block, environment=replace(block.environment, gas_limit=250_000))
    with get("sharded")() as strategy:
        strategy.clock = VirtualClock()
        outcome = equivalence.check(strategy, tight, adversarial_state(), 3)
    assert outcome.order is None
    assert (outcome.receipts.error_codes == errors.GAS_ALLOWANCE).any()


@pytest.mark.parametrize("name", ["block_stm+template", "hint_trial"])
def test_a_block_of_several_rounds_is_learned_from_once(name: str) -> None:
    """What is refused is found out by executing the block again; that is no other block, and no new beginning."""
    state, numbers, rounds = adversarial_state(), (1, 2, 3), []
    with get(name)() as strategy:
        original = strategy.attempt  # type: ignore[attr-defined]

        def counted(*given: Any) -> Any:
            rounds.append(number)
            return original(*given)

        strategy.attempt = counted  # type: ignore[attr-defined]
        for place, number in enumerate(numbers):
            block = hot("counter", 24)
            following = tuple(replace(one, nonce=one.nonce + state.nonce(one.sender)) for one in block)
            # All promise more than there is, but the last ones do not fit.
            tight = replace(block.environment, number=number, gas_limit=block.transactions[0].gas_limit + 300_000)
            strategy.clock = VirtualClock()
            outcome = strategy.execute(replace(block, transactions=following, environment=tight), state, 3)
            assert (outcome.receipts.error_codes == errors.GAS_ALLOWANCE).any()
            source = strategy._source  # type: ignore[attr-defined]
            assert int(source._learner[0]["block"]) == place + 1
            if name == "hint_trial":
                assert outcome.counters["hinted_blocks"] == int(place > 0)
    assert len(rounds) > len(numbers)
