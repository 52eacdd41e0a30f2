"""Which locations aborts were due to, as strategies tell it."""

from __future__ import annotations

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, hot
from equivalence import Equivalence

from contend.evm import Block
from contend.evm.layout import KIND_NAMES
from contend.evm.state import location_of
from contend.strategies.base import Outcome
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get

WORLD = adversarial_state()


def by_location(outcome: Outcome) -> dict[str, int]:
    assert outcome.abort_locations is not None
    keys, counts = outcome.abort_locations
    return {str(location_of(key)): int(count) for key, count in zip(keys, counts, strict=True)}


def run(equivalence: Equivalence, name: str, block: Block, workers: int = 8) -> Outcome:
    with get(name)() as strategy:
        strategy.clock = VirtualClock()
        return equivalence.check(strategy, block, WORLD, workers)


# Which slot it writes depends on those before.
CHASERS = block_of([Act(SENDERS[i % 4], CONTRACTS["chaser"]) for i in range(80)])
# No hint says that the last one reads the fees of all others.
WATCHER = block_of(
    [*(Act(SENDERS[i % 3], SENDERS[i % 3]) for i in range(60)), Act(SENDERS[3], CONTRACTS["miner_watcher"])]
)


@pytest.mark.parametrize(("name", "block"), [("block_stm", CHASERS), ("static_partition", WATCHER)])
def test_locations_add_up_to_the_aborts_by_kind(equivalence: Equivalence, name: str, block: Block) -> None:
    outcome = run(equivalence, name, block)
    found = by_location(outcome)
    # What a plan had executed is repaired, and has a cause like an abort.
    assert sum(found.values()) == outcome.counters["aborts"] + outcome.counters.get("repairs", 0) > 0
    assert (outcome.counters.get("repairs", 0) > 0) == (name == "static_partition")
    for kind in KIND_NAMES:
        named = sum(count for location, count in found.items() if f" {kind}" in location)
        assert named == outcome.counters[f"aborts_{kind}"]


def test_the_hot_slot_is_named(equivalence: Equivalence) -> None:
    # Four senders, so nonces and balances conflict as well; but every transaction meets every other at the counter.
    found = by_location(run(equivalence, "block_stm", hot("counter", 200)))
    slot = f"0x{CONTRACTS['counter'].hex()} storage[0x0]"
    assert found.get(slot, 0) > 0
    senders = {f"0x{sender.hex()} {kind}" for sender in SENDERS for kind in ("nonce", "balance")}
    assert set(found) <= {slot, *senders}


def test_without_conflicts_there_is_none(equivalence: Equivalence) -> None:
    block = block_of([Act(sender, sender) for sender in SENDERS])
    assert by_location(run(equivalence, "block_stm", block)) == {}


def test_a_strategy_that_never_aborts_tells_nothing(equivalence: Equivalence) -> None:
    assert run(equivalence, "serial", hot("counter", 4)).abort_locations is None
