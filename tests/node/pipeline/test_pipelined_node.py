"""The pipeline under every strategy: its blocks' results, senders and roots are those of blocks one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.evm import Block
from contend.harness.verify.knowledge import BlockKnowledge
from contend.node.base import StageError
from contend.node.pipeline.pipelined_node import run_pipelined
from contend.node.registry import node_of
from contend.node.state_root.stage import StateRoot
from contend.strategies import registry as strategies
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.serial import Serial
from contend.strategies.sharded.strategy import Sharded

COUNT = 3


def block(place: int) -> Block:
    """A block whose senders go on where the one before has left them."""
    names = ("counter", "keyed", "chaser", "reader")
    acts = [
        Act(SENDERS[(i + place) % 4], CONTRACTS[names[i // 4 % 4]], (i * place % 5).to_bytes(32, "big"))
        for i in range(24)
    ]
    made = block_of(acts)
    rows = [replace(one, nonce=one.nonce + 6 * place) for one in made]
    return Block(made.environment, tuple(rows))


BLOCKS = [block(place) for place in range(COUNT)]
ASKED = {"signatures": "secp256k1", "root": "mpt"}


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("seats", ["shared", "split:1,2,1"])
@pytest.mark.parametrize("name", strategies.names(variants=True))
def test_results_are_those_of_serial_blocks_in_a_row(name: str, seats: str, clock: Clock) -> None:
    kind = strategies.get(name)
    if clock.name not in kind.clocks or not issubclass(kind, CompiledStrategy):
        pytest.skip(f"{name} cannot be driven so")
    if issubclass(kind, Sharded) and (seats == "shared" or not clock.simulated):
        pytest.skip("shards have their workers to themselves")
    state = adversarial_state()
    genesis = state.snapshot()
    node = node_of(ASKED | {"pipeline": seats}, BLOCKS, state, 1)
    knowledge = BlockKnowledge(BLOCKS, state, Serial())
    known = [knowledge.of(place, kind.given) for place in range(COUNT)]
    with kind() as strategy:
        strategy.clock = clock
        for _ in range(2):
            state.restore(genesis)
            run = run_pipelined(node, strategy, BLOCKS, state, 4, clock, known.__getitem__)
            left = state.changes_since(genesis).digest
            assert run.stations == ("recover", "execute", "root")
            state.restore(genesis)
            serial = Serial()
            for place, (one, outcome) in enumerate(zip(BLOCKS, run.outcomes, strict=True)):
                if outcome.order is None:
                    before = state.snapshot()
                    expected = serial.execute(one, state, 1)
                    assert outcome.receipts.digest == expected.receipts.digest
                    assert outcome.changes is not None
                    assert outcome.changes.digest == state.changes_since(before).digest
                else:
                    assert outcome.changes is not None
                    state.apply(outcome.changes)
                assert run.differences(place, state) == []
            assert state.changes_since(genesis).digest == left


def test_simulated_pipelines_take_the_same_time_again() -> None:
    passages = []
    for _ in range(2):
        state = adversarial_state()
        node = node_of(ASKED | {"pipeline": "shared"}, BLOCKS, state, 1)
        known = BlockKnowledge(BLOCKS, state, Serial())
        with strategies.get("block_stm")() as strategy:
            run = run_pipelined(
                node,
                strategy,
                BLOCKS,
                state,
                3,
                VirtualClock(),
                lambda place, known=known: known.of(place, "none"),  # type: ignore[misc]
            )
        passages.append(run.passage)
    assert passages[0] == passages[1]


def test_a_wrong_root_is_told_by_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    node = node_of(ASKED | {"pipeline": "shared"}, BLOCKS, state, 1)
    work = StateRoot.work

    def wrong(self: StateRoot, run: object) -> None:
        work(self, run)  # type: ignore[arg-type]
        if run.place == 1:  # type: ignore[attr-defined]
            run.root = bytes(32)  # type: ignore[attr-defined]

    monkeypatch.setattr(StateRoot, "work", wrong)
    with strategies.get("block_stm")() as strategy:
        known = BlockKnowledge(BLOCKS, state, Serial())
        run = run_pipelined(node, strategy, BLOCKS, state, 2, WALL, lambda place: known.of(place, "none"))
    state.restore(genesis)
    told = []
    for place, outcome in enumerate(run.outcomes):
        assert outcome.changes is not None
        state.apply(outcome.changes)
        told += run.differences(place, state)
    assert len(told) == 1
    assert told[0].startswith("block 1: state root 0x" + 64 * "0")


def test_shards_refuse_to_share_their_workers() -> None:
    state = adversarial_state()
    node = node_of(ASKED | {"pipeline": "shared"}, BLOCKS, state, 1)
    known = BlockKnowledge(BLOCKS, state, Serial())
    with strategies.get("sharded")() as strategy, pytest.raises(StageError, match="shards have their workers"):
        run_pipelined(node, strategy, BLOCKS, state, 2, VirtualClock(), lambda place: known.of(place, "none"))
