"""In turn: workers on one thread give the serial result, and make the same steps while they are timed and counted."""

from __future__ import annotations

import pytest
from adversarial import CONTRACTS, adversarial_state, blocks, hot
from equivalence import Equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import Block
from contend.strategies import registry
from contend.strategies.base import Outcome
from contend.strategies.clocks.cost_table import CLASSES, CostTable, default_costs
from contend.strategies.clocks.round_robin import RoundRobin
from contend.strategies.clocks.virtual import VirtualClock

WORLD = adversarial_state()


class Simulated(RoundRobin):
    """Shards are processes unless time is simulated."""

    simulated = True


def in_turn(name: str, block: Block, workers: int, clock: RoundRobin) -> Outcome:
    with registry.get(name)() as strategy:
        strategy.clock = clock
        return Equivalence(CONTRACTS).check(strategy, block, WORLD, workers)


@settings(max_examples=20)
@given(block=blocks, workers=st.sampled_from([1, 2, 5]), name=st.sampled_from(["block_stm", "placeholder", "locks"]))
def test_any_small_block(block: Block, workers: int, name: str) -> None:
    in_turn(name, block, workers, RoundRobin())


def test_timed_and_counted_they_make_the_same_steps() -> None:
    block = hot("counter", 12)
    timed = in_turn("block_stm", block, 4, RoundRobin())
    free = CostTable(dict.fromkeys(CLASSES, 0.0) | {"begin": 1_000.0})
    clock = RoundRobin(free)
    counted = in_turn("block_stm", block, 4, clock)
    assert timed.counters == counted.counters
    assert timed.counters["executions"] > len(block.transactions)
    # A microsecond an execution; of all else, a picosecond a step at most.
    assert clock.picoseconds // 1_000_000 == counted.counters["executions"]


def test_one_worker_costs_what_it_costs_under_the_virtual_clock() -> None:
    block = hot("counter", 12)
    outcome = in_turn("placeholder", block, 1, RoundRobin(default_costs()))
    with registry.get("placeholder")() as strategy:
        strategy.clock = VirtualClock()
        assert outcome.seconds == pytest.approx(Equivalence(CONTRACTS).check(strategy, block, WORLD, 1).seconds)


def test_who_exchanges_messages_cannot_take_turns() -> None:
    with registry.get("sharded")() as strategy:
        strategy.clock = Simulated(default_costs())
        with pytest.raises(ValueError, match="exchange messages"):
            strategy.execute(hot("counter", 2), WORLD.copy(), 2)
