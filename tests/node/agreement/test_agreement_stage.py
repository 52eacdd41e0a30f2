"""The stage of agreement: simulated time before execution, the same for every strategy."""

from __future__ import annotations

from typing import Any

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.harness.verify.knowledge import BlockKnowledge
from contend.node.agreement.stage import LEAST_VALIDATORS, AgreementStage
from contend.node.base import StageError
from contend.node.registry import check, node_of
from contend.strategies import registry as strategies
from contend.strategies.base import Outcome
from contend.strategies.clocks.cost_table import SIGNATURE, CostTable, default_costs
from contend.strategies.clocks.network_model import NETWORKS, NetworkModel
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

BLOCK = block_of([Act(sender, CONTRACTS["counter"]) for sender in SENDERS])
ASKED = {"consensus": "tendermint", "validators": "7"}
FREE = CostTable({**default_costs().nanoseconds, "signature": 0})


def executed(
    clock: VirtualClock, asked: dict[str, str], name: str = "serial", place: int = 0, workers: int = 1
) -> Outcome:
    state = adversarial_state()
    genesis = state.snapshot()
    node = node_of(asked, [BLOCK] * (place + 1), state, 1)
    with strategies.get(name)() as strategy:
        strategy.clock = clock
        strategy.knowledge = BlockKnowledge([BLOCK], state, Serial()).of(0, strategy.given)
        state.restore(genesis)
        return node.execute(strategy, BLOCK, state, workers, place)


@pytest.mark.parametrize(("protocol", "delays"), [("tendermint", 3), ("two_phase", 5), ("hotstuff", 7)])
def test_time_passes_before_execution_and_workers_wait(protocol: str, delays: int) -> None:
    clock = VirtualClock(FREE, network=NetworkModel(1_000, 0))
    outcome = executed(clock, {"consensus": protocol})
    assert list(outcome.phases) == ["agree", "prepare", "execute", "commit"]
    assert outcome.phases["agree"] == pytest.approx(delays * 1e-6)
    assert outcome.counters["agreement_delays"] == delays
    assert outcome.counters["agreement_rounds"] == 1
    assert clock.busy == pytest.approx(clock.now() - delays * 1e-6)


@pytest.mark.parametrize("name", [name for name in strategies.names() if "virtual" in strategies.get(name).clocks])
def test_it_is_the_same_for_every_strategy(name: str) -> None:
    asked, workers = {**ASKED, "jitter": "0.3"}, 1 if name == "serial" else 3
    outcomes = [executed(VirtualClock(FREE), asked, one, workers=workers) for one in ("serial", name)]
    assert outcomes[0].phases["agree"] == pytest.approx(outcomes[1].phases["agree"])


def test_without_a_network_validators_are_in_a_data_centre() -> None:
    named = VirtualClock(network=NETWORKS["datacenter"])
    assert executed(VirtualClock(), ASKED).phases["agree"] == executed(named, ASKED).phases["agree"]


def test_signatures_cost_what_the_table_says() -> None:
    dear = CostTable({**default_costs().nanoseconds, "signature": 1e6})
    free, usual, most = (executed(VirtualClock(costs), ASKED) for costs in (FREE, default_costs(), dear))
    assert free.phases["agree"] < usual.phases["agree"] < most.phases["agree"]
    # Everyone checks others' votes one after the other: more than a quorum of them in a row.
    assert most.phases["agree"] > 5 * dear.table[SIGNATURE] / 1e12


def test_each_block_has_draws_of_its_own() -> None:
    asked = {**ASKED, "jitter": "0.5"}
    first, again, second = (executed(VirtualClock(), asked, place=place).phases["agree"] for place in (0, 0, 1))
    assert first == again != second


def test_facts_say_who_agrees() -> None:
    asked = {"consensus": "hotstuff", "validators": "10", "silent": "2", "jitter": "0.3"}
    node = node_of(asked, [BLOCK], adversarial_state(), 1)
    expected: dict[str, Any] = {"protocol": "hotstuff", "validators": 10, "faults": 3, "silent": 2, "jitter": 0.3}
    assert node.facts == {"consensus": expected}
    assert node.again().facts == node.facts


def test_validators_that_decide_differently_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    state = adversarial_state()
    node = node_of(ASKED, [BLOCK], state, 1)
    (stage,) = node.stages
    assert isinstance(stage, AgreementStage)
    serial = Serial()
    serial.clock = VirtualClock()
    genesis = state.snapshot()
    node.execute(serial, BLOCK, state, 1)
    state.restore(genesis)
    for found in stage._found.values():
        found.decisions[3] = 5
    with pytest.raises(StageError, match="block 0: validators have decided differently"):
        node.execute(serial, BLOCK, state, 1)


def test_real_time_is_refused() -> None:
    node = node_of(ASKED, [BLOCK], adversarial_state(), 1)
    with pytest.raises(StageError, match="validators are simulated; add --clock virtual"):
        node.execute(Serial(), BLOCK, adversarial_state(), 1)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"consensus": "nonsense"}, "'nonsense' is not known; protocols are tendermint, hotstuff"),
        ({**ASKED, "validators": "3"}, f"3 are too few; give {LEAST_VALIDATORS} or more"),
        ({**ASKED, "silent": "3"}, "of 7 validators 2 may be silent, not 3"),
    ],
)
def test_what_cannot_be_had_is_refused(asked: dict[str, str], words: str) -> None:
    with pytest.raises(StageError, match=words):
        check(asked)
