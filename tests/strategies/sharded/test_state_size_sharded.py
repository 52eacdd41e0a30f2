"""The sharded strategies' timed phases grow with the block, never with the state around it."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field

import numpy as np
import pytest
from adversarial import CONTRACTS, ENVIRONMENT, Act, adversarial_state, block_of, word

from contend.evm import Block, Changes, State
from contend.evm.layout import KEY_WORDS, KIND_BALANCE, KIND_SHIFT
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.sharded import Sharded, ShardedOrdered

FEW, MANY = 10**4, 10**6
SENDERS = [bytes([0xB0, i]) + bytes(18) for i in range(60)]
# Less than one word for each of the accounts by which the states differ.
NOTICEABLE_BYTES = 1 << 20


def add_unused_accounts(state: State, count: int) -> None:
    """Give a balance to so many accounts that nothing touches."""
    draw = np.random.default_rng(1)
    keys = np.zeros((count, KEY_WORDS), np.uint64)
    keys[:, :2] = draw.integers(1, 1 << 63, (count, 2), np.uint64)
    keys[:, 2] = np.uint64(KIND_BALANCE << KIND_SHIFT)
    words = np.zeros((count, 4), np.uint64)
    words[:, 0] = 1
    state.apply(Changes(keys, words))


def genesis(unused: int) -> State:
    state = adversarial_state()
    for sender in SENDERS:
        state.set_balance(sender, 10**18)
    before = state.count
    add_unused_accounts(state, unused)
    assert state.count == before + unused
    return state


@pytest.fixture(scope="module")
def states() -> dict[int, State]:
    return {unused: genesis(unused) for unused in (FEW, MANY)}


def block() -> Block:
    """Payments across shards, a contract that all of them write to, and who asks for the beneficiary's balance."""
    acts = [Act(sender, SENDERS[(i * 7 + 1) % 60], value=1, gas=21_000) for i, sender in enumerate(SENDERS)]
    acts += [Act(sender, CONTRACTS["counter"]) for sender in SENDERS[:30]]
    acts += [Act(sender, CONTRACTS["keyed"], word(i + 100)) for i, sender in enumerate(SENDERS[30:])]
    acts += [Act(SENDERS[0], CONTRACTS["miner_watcher"]), Act(SENDERS[1], ENVIRONMENT.coinbase, value=1)]
    return block_of(acts)


@dataclass
class Figures:
    phases: dict[str, int]
    counters: dict[str, int]
    timeline: list[list[int]]
    untimed: dict[str, float] = field(compare=False)


def simulate(kind: type[Sharded], state: State, shards: int) -> Figures:
    clock = VirtualClock(traced=True)
    with kind() as strategy:
        strategy.clock = clock
        outcome = strategy.execute(block(), state, shards)
    phases = {name: round(seconds * 1e12) for name, seconds in outcome.phases.items()}
    return Figures(phases, outcome.counters, clock.timeline.rows.tolist(), outcome.untimed)


@pytest.mark.parametrize("kind", [Sharded, ShardedOrdered])
@pytest.mark.parametrize("shards", [1, 7])
def test_unused_accounts_take_no_simulated_time(kind: type[Sharded], shards: int, states: dict[int, State]) -> None:
    few, many = (simulate(kind, state.copy(), shards) for state in states.values())
    assert few == many
    assert sum(few.phases.values()) > 0
    # What does grow with the state is told apart from the time.
    assert set(many.untimed) >= {"partition", "receipts", "changes"}


class MeteredClock(VirtualClock):
    """Meters the memory that Python and numpy have allocated at most between the first and the last look at it."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.most_bytes = 0

    def now(self) -> float:
        allocated, peak = tracemalloc.get_traced_memory()
        if self.looks == 0:
            self._before = allocated
        else:
            self.most_bytes = max(self.most_bytes, peak - self._before)
        tracemalloc.reset_peak()
        self.looks += 1
        return super().now()


@pytest.mark.parametrize("kind", [Sharded, ShardedOrdered])
def test_timed_phases_make_no_array_of_the_size_of_the_state(kind: type[Sharded], states: dict[int, State]) -> None:
    most = []
    for state in states.values():
        clock = MeteredClock()
        with kind() as strategy:
            strategy.clock = clock
            before = state.copy()
            tracemalloc.start()
            try:
                strategy.execute(block(), before, 3)
            finally:
                tracemalloc.stop()
        assert clock.looks == 3
        most.append(clock.most_bytes)
    assert abs(most[1] - most[0]) < NOTICEABLE_BYTES
