"""The stage of the state root under every strategy and clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.evm import Block
from contend.evm.accounts import accounts_of
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.state_root import state_root
from contend.node.base import BlockRun, Stage, StageError
from contend.node.registry import node_of
from contend.node.state_root.stage import StateRoot
from contend.node.whole_node import Node
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


def test_a_run_that_fails_behind_the_root_does_not_spoil_the_next() -> None:
    class FailsOnce(Stage):
        phase = "store"
        facts: dict[str, object] = {}  # noqa: RUF012  # a property of stages
        has_failed = False

        def again(self) -> Stage:
            raise NotImplementedError

        def work(self, run: BlockRun) -> None:
            if run.place == 1 and not self.has_failed:
                self.has_failed = True
                raise StageError("it fails")

    state = adversarial_state()
    genesis = state.snapshot()
    names = ["counter"] * 12 + ["keyed"] * 12
    whole = block_of([Act(SENDERS[i % 4], CONTRACTS[names[i]], (i % 5).to_bytes(32, "big")) for i in range(24)])
    in_a_row = [replace(whole, transactions=whole.transactions[at : at + 12]) for at in (0, 12)]
    node = Node({"root": StateRoot(state, {}), "fails": FailsOnce()})
    node.execute(Serial(), in_a_row[0], state, 1, 0)
    with pytest.raises(StageError, match="it fails"):
        node.execute(Serial(), in_a_row[1], state, 1, 1)
    for _ in range(2):
        state.restore(genesis)
        for place, one in enumerate(in_a_row):
            node.execute(Serial(), one, state, 1, place)
