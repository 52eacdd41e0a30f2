"""What strategies are given: contenders by name, sources of hints, and hints that are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, hot, word
from equivalence import Equivalence

from contend.evm import Block
from contend.evm.drivers.recorder import record
from contend.strategies.base import Strategy
from contend.strategies.clocks import WALL
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import (
    NOTHING,
    SOURCES,
    TRUTH,
    HintSource,
    MissingKnowledgeError,
    RecordedSets,
    contender,
    role_of,
)
from contend.strategies.registry import UnknownName, get, is_built_in

WORLD = adversarial_state()
KEYED = [Act(SENDERS[i % 4], CONTRACTS["keyed"], word(11 + i % 3)) for i in range(120)]


def recorded(block: Block) -> RecordedSets:
    return RecordedSets.of(record(block, WORLD.copy(), default_costs().table))


def test_a_contender_is_a_strategy_with_a_source() -> None:
    kind = get("block_stm+truth")
    assert (kind.name, kind.given, get("block_stm").given) == ("block_stm+truth", "truth", "none")
    assert get("block_stm+truth") is kind
    # What is usual needs no saying.
    assert get("static_partition+dry_run") is get("static_partition")
    assert get("static_partition").given == "dry_run"
    assert get("serial").given == NOTHING
    assert contender("block_stm", "none", "none") == "block_stm"
    assert is_built_in("block_stm+truth")
    assert not is_built_in("blok_stm+truth")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("serial+truth", "uses nothing beside the transactions"),
        ("block_stm+gossip", "can be given none, dry_run"),
        ("blok_stm+truth", "did you mean 'block_stm'"),
    ],
)
def test_a_source_that_a_strategy_does_not_take_is_refused(name: str, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        get(name)


def test_roles() -> None:
    roles = [role_of(source) for source in SOURCES]
    assert roles == ["builder", "builder", "builder", "builder", "validator", "ceiling"]
    assert role_of(NOTHING) == "builder"


def test_a_strategy_of_ones_own_says_what_it_takes() -> None:
    class Knowing(get("block_stm")):  # type: ignore[misc]  # a class that is looked up
        name: ClassVar[str] = "knowing"
        takes: ClassVar[tuple[str, ...]] = (TRUTH,)

    assert Knowing.given == TRUTH


def test_truth_must_be_there() -> None:
    with get("block_stm+truth")() as strategy, pytest.raises(MissingKnowledgeError, match="no access sets"):
        strategy.execute(hot("counter", 3), WORLD.copy(), 2)


def test_estimates_spare_aborts(equivalence: Equivalence) -> None:
    aborts = {}
    for name in ("block_stm", "block_stm+truth"):
        with get(name)() as strategy:
            strategy.clock = VirtualClock()
            aborts[name] = equivalence.check(strategy, hot("counter", 200), WORLD, 8).counters["aborts"]
    assert aborts["block_stm"] > aborts["block_stm+truth"] == 0


def test_hints_are_reported_as_they_were_used(equivalence: Equivalence) -> None:
    block = block_of(KEYED)
    with get("block_stm+truth")() as strategy:
        strategy.reports_hints = True
        hinted = equivalence.check(strategy, block, WORLD, 3).hinted
    truth = recorded(block)
    assert hinted is not None
    assert np.array_equal(hinted.offsets, truth.offsets)
    assert np.array_equal(hinted.keys, truth.keys[truth.entries])
    assert np.array_equal(hinted.writes, truth.writes)


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("name", ["block_stm+truth", "static_partition+truth"])
def test_wrong_hints_cost_time_only(name: str, clock: object) -> None:
    block = block_of([*KEYED, *(Act(SENDERS[i % 4], CONTRACTS["chaser"]) for i in range(80))])
    truth = recorded(block)
    size = len(truth.keys)
    wrong = replace(truth, entries=(truth.entries + 3) % size, writes=~truth.writes)
    nothing = replace(truth, offsets=np.zeros_like(truth.offsets), entries=truth.entries[:0], writes=truth.writes[:0])
    for sets in (wrong, nothing):
        with get(name)() as strategy:
            check_given(strategy, block, sets, clock)


def check_given(strategy: Strategy, block: Block, sets: RecordedSets, clock: object) -> None:
    from contend.strategies.given import Knowledge

    state, serial_state = WORLD.copy(), WORLD.copy()
    before = state.snapshot()
    strategy.clock = clock  # type: ignore[assignment]  # parametrised
    strategy.knowledge = Knowledge(recorded=sets)
    outcome = strategy.execute(block, state, 3)
    with get("serial")() as serial:
        expected = serial.execute(block, serial_state, 1)
    assert outcome.receipts.digest == expected.receipts.digest
    assert state.changes_since(before).digest == serial_state.changes_since(before).digest


def test_every_source_that_is_named_is_implemented() -> None:
    from contend.strategies.given import source_of

    assert source_of(NOTHING) is None
    assert source_of("none") is None
    assert isinstance(source_of("dry_run"), HintSource)
    assert isinstance(source_of("truth"), HintSource)
