"""The path over versions: as by hand, never longer than the critical path here, and beaten by no contender."""

from __future__ import annotations

import numpy as np
import pytest
from adversarial import adversarial_state, blocks, hot
from hypothesis import given, settings

from contend.evm import Block
from contend.evm.drivers.recorder import Recording, record
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import longest_chain
from contend.harness.analysis.version_path import version_path
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies import registry
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

WORLD = adversarial_state()
TABLE = default_costs().table
COST = {name: round(ns * 1000) for name, ns in default_costs().nanoseconds.items()}


def by_hand(recording: Recording) -> int:
    """When the code of the last transaction has ended, looking at one access after the other."""
    seen: dict[int, int] = {}
    latest = 0
    cheapest = min(COST["read"], COST["state_read_ahead"])
    for i in range(len(recording)):
        entries = range(int(recording.offsets[i]), int(recording.offsets[i + 1]))
        ahead = int(recording.ahead[i])
        saved = [COST["state_read_ahead" if rank < ahead else "state_read"] - cheapest for rank in range(len(entries))]
        ends = int(recording.work[i]) - sum(saved)
        total = ends
        for earlier, j in enumerate(sorted(entries, key=lambda one: (recording.before[one], one))):
            location = int(recording.locations[j])
            done = int(recording.before[j]) - sum(saved[:earlier])
            done += cheapest - min(cheapest, COST["switch"])
            if location in seen:
                ends = max(ends, seen[location] + total - done)
        writes = [j for j in entries if recording.writes[j]]
        for j in writes:
            seen[int(recording.locations[j])] = ends - len(writes) * COST["state_write"] - COST["receipt"]
        latest = max(latest, ends)
    return latest


@settings(max_examples=30)
@given(block=blocks)
def test_the_path_is_that_by_hand_and_no_longer_than_the_critical_path(block: Block) -> None:
    recording = record(block, WORLD.copy(), TABLE)
    graph = build_graph(recording)
    path = version_path(recording, TABLE)
    if min(COST["read"], COST["state_read_ahead"]) <= COST["state_read"]:
        assert path.picoseconds <= longest_chain(graph, recording.work, graph.lags).length
    if not np.isin(recording.coinbase, recording.locations):
        assert path.picoseconds == by_hand(recording)


@pytest.mark.parametrize("name", ["placeholder+truth", "groups+truth", "block_stm+truth"])
def test_no_contender_is_below_the_floor(name: str) -> None:
    for contract in ("counter", "chaser"):
        block, state = hot(contract, 100), WORLD.copy()
        path = version_path(record(block, state, TABLE), TABLE)
        with registry.get(name)() as strategy:
            for workers in (1, 4, 16):
                clock = VirtualClock()
                strategy.clock = clock
                before = state.snapshot()
                strategy.knowledge = BlockKnowledge([block], state, Serial()).of(0, strategy.given)
                strategy.execute(block, state, workers)
                state.restore(before)
                assert path.hops
                assert clock.picoseconds >= path.floor(workers)
