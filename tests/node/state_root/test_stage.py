"""The stage of the state root under every strategy and clock."""

from __future__ import annotations

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.evm import Block
from contend.evm.accounts import accounts_of
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.state_root import state_root
from contend.node.base import StageError
from contend.node.registry import node_of
from contend.node.state_root.stage import StateRoot
from contend.strategies import registry as strategies
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial


def block(seed: int) -> Block:
    names = ("counter", "keyed", "chaser", "reader")
    acts = [
        Act(SENDERS[(i + seed) % 4], CONTRACTS[names[i // 4 % 4]], (i * seed % 5).to_bytes(32, "big"))
        for i in range(24)
    ]
    return block_of(acts)


BLOCKS = [block(1), block(2)]


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("name", strategies.names())
def test_the_root_is_the_state_s_after_every_block_and_every_repetition(name: str, clock: Clock) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    node = node_of({"root": "mpt"}, BLOCKS, state, 1)
    (stage,) = node.stages
    assert isinstance(stage, StateRoot)
    with strategies.get(name)() as strategy:
        if clock.name not in strategy.clocks:
            pytest.skip(f"{name} does not run under the {clock.name} clock")
        strategy.clock = clock
        for _ in range(2):
            state.restore(genesis)
            for place, one in enumerate(BLOCKS):
                before = state.snapshot()
                strategy.knowledge = BlockKnowledge([one], state, Serial()).of(0, strategy.given)
                state.restore(before)
                outcome = node.execute(strategy, one, state, 3, place)
                assert outcome.phases["root"] > 0
                assert stage.root == state_root(accounts_of(state))


def test_another_has_tries_of_its_own() -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    first = node_of({"root": "mpt"}, BLOCKS, state, 1)
    second = first.again()
    first.execute(Serial(), BLOCKS[0], state, 1)
    state.restore(genesis)
    second.execute(Serial(), BLOCKS[0], state, 1)
    assert first.stages[0].root == second.stages[0].root == state_root(accounts_of(state))  # type: ignore[attr-defined]
    assert first.facts == second.facts
    assert first.facts["root"]["kind"] == "mpt"


def test_a_wrong_root_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    state = adversarial_state()
    node = node_of({"root": "mpt"}, BLOCKS, state, 1)
    work = StateRoot.work

    def wrong(self: StateRoot, run: object) -> None:
        work(self, run)  # type: ignore[arg-type]
        run.root = bytes(32)  # type: ignore[attr-defined]

    monkeypatch.setattr(StateRoot, "work", wrong)
    with pytest.raises(StageError, match=r"block 0: state root 0x0{64} instead of 0x"):
        node.execute(Serial(), BLOCKS[0], state, 1)
