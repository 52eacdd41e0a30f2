"""Safety of agreement: schedules made to hurt, quorums that are too small for them, and locks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.node.agreement import hotstuff
from contend.node.agreement.hotstuff import NOTHING, Certificate, HotStuff, TwoPhase
from contend.node.agreement.quorums import Quorums
from contend.node.agreement.simulation import PROTOCOLS
from contend.node.agreement.tendermint import NIL, NO_ROUND, PRECOMMIT, PREVOTE, PROPOSAL, Message, Tendermint
from contend.node.agreement.validator import Post, Validator
from contend.node.agreement.validator_network import Prices, ValidatorNetwork

LATENCY = 1_000
HARMFUL_ROUNDS = 3


class Hostile(ValidatorNetwork):
    """Messages of some kinds come rounds late to some receivers, and some validators crash.

    So a decision or a certificate is known to few when others go on.
    """

    def __init__(self, drawn: random.Random, quorums: Quorums) -> None:
        validators = quorums.validators
        failing = drawn.sample(range(validators), drawn.randint(0, Quorums(validators).faults))
        self.crashes = {number: drawn.choice([0, drawn.randint(0, 40 * LATENCY)]) for number in failing}
        overhead = drawn.choice([0, LATENCY // 10])
        super().__init__(Prices(LATENCY, overhead), lambda: self._next, self.crashes)
        self._drawn, self._next = drawn, LATENCY
        self._shares: dict[Any, float] = {}
        self._late: dict[Any, bool] = {}

    def send(self, sender: int, receiver: int, message: Any) -> None:
        number = message.round if isinstance(message, Message) else message.view
        key = (message.kind, getattr(message, "phase", 0), number)
        share = self._shares.setdefault(key, self._drawn.choice([0, 0, 0.5, 0.9]))
        is_late = self._late.setdefault((*key, receiver), self._drawn.random() < share)
        self._next = 200 * LATENCY if is_late and number < HARMFUL_ROUNDS else LATENCY // 2
        super().send(sender, receiver, message)


def decided(kind: type[Validator], seed: int, quorums: Quorums) -> tuple[set[int], set[int]]:
    """What was decided on a hostile network, and who of those that stay has not."""
    network = Hostile(random.Random(seed), quorums)
    machines = [kind(number, quorums, network) for number in range(quorums.validators)]
    network.run(machines)
    open_ = {one.number for one in machines if one.decision is None} - network.crashes.keys()
    return {one.decision for one in machines if one.decision is not None}, open_


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(seed=st.integers(0, 2**32), validators=st.integers(4, 10))
def test_on_a_hostile_network_all_decide_and_nobody_differently(protocol: str, seed: int, validators: int) -> None:
    values, undecided = decided(PROTOCOLS[protocol], seed, Quorums(validators))
    assert len(values) == 1
    assert not undecided


class Small(Quorums):
    """Quorums of which two may have nobody in common."""

    @property
    def quorum(self) -> int:
        return self.validators // 2


class Forgetful(TwoPhase):
    """Sends no certificate to the next leader, and is locked on nothing."""

    def _accepts(self, message: hotstuff.Message) -> bool:
        super()._accepts(message)
        self._newest = self._lock = NOTHING
        return True


@pytest.mark.parametrize(("kind", "quorums"), [(Tendermint, Small), (TwoPhase, Small), (Forgetful, Quorums)])
def test_such_networks_find_what_is_not_safe(kind: type[Validator], quorums: type[Quorums]) -> None:
    assert any(len(decided(kind, seed, quorums(4 + seed % 4))[0]) > 1 for seed in range(1_500))


class Said(Post):
    """Notes what a validator says to validator 1."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, sender: int, receiver: int, message: Any) -> None:
        if receiver == 1:
            self.messages.append(message)

    def set_timer(self, number: int, delays: int, timer: Any) -> None:
        self.timer = timer

    def last(self) -> Any:
        return self.messages[-1]


def locked_tendermint() -> tuple[Tendermint, Said]:
    """Validator 3 of 4, locked on value 0 in round 0, in round 1."""
    said = Said()
    one = Tendermint(3, Quorums(4), said)
    one.start()
    for message in (Message(PROPOSAL, 0, 0, 0), Message(PREVOTE, 0, 0, 0), Message(PREVOTE, 0, 0, 1)):
        one.receive(message)
    assert said.last() == Message(PRECOMMIT, 0, 0, 3)
    for sender in (0, 1):
        one.receive(Message(PRECOMMIT, 0, NIL, sender))
    one.expire((PRECOMMIT, 0))
    assert one.round == 1
    return one, said


@pytest.mark.parametrize(("value", "vote"), [(1, NIL), (0, 0)])
def test_who_is_locked_prevotes_for_nothing_else(value: int, vote: int) -> None:
    one, said = locked_tendermint()
    one.receive(Message(PROPOSAL, 1, value, 1))
    assert said.last() == Message(PREVOTE, 1, vote, 3)


def test_a_later_quorum_of_prevotes_opens_the_lock() -> None:
    one, said = locked_tendermint()
    for sender in (0, 1):
        one.receive(Message(PREVOTE, 2, 1, sender))
    assert one.round == 2
    one.receive(Message(PROPOSAL, 2, 1, 2, valid_round=1))
    # With it there are three, which is a quorum.
    assert said.messages[-2:] == [Message(PREVOTE, 2, 1, 3), Message(PRECOMMIT, 2, 1, 3)]


def test_who_was_not_locked_proposes_what_has_had_a_quorum() -> None:
    said = Said()
    one = Tendermint(2, Quorums(4), said)
    one.start()
    one.expire((PROPOSAL, 0))
    for message in (Message(PREVOTE, 0, 0, 0), Message(PREVOTE, 0, 0, 1), Message(PREVOTE, 0, 0, 3)):
        one.receive(message)
    one.receive(Message(PROPOSAL, 0, 0, 0))
    for sender in (0, 1):
        one.receive(Message(PREVOTE, 2, NIL, sender))
    proposal = next(message for message in said.messages if message.kind == PROPOSAL)
    assert proposal == Message(PROPOSAL, 2, 0, 2, valid_round=0)
    assert proposal.valid_round > NO_ROUND


@pytest.mark.parametrize("kind", [HotStuff, TwoPhase])
@pytest.mark.parametrize(
    ("value", "certificate", "votes"),
    [(5, NOTHING, False), (5, Certificate(0, 5), False), (0, NOTHING, True), (5, Certificate(2, 5), True)],
)
def test_who_is_locked_votes_for_a_newer_certificate_or_the_same_value(
    kind: type[HotStuff], value: int, certificate: Certificate, votes: bool
) -> None:
    said = Said()
    one = kind(3, Quorums(7), said)
    one.start()
    one.expire(0)
    for phase in range(kind.phases):
        before = Certificate(1, 0) if phase else NOTHING
        one.receive(hotstuff.Message(hotstuff.PROPOSAL, 1, phase, 0, 1, before))
    one.expire(1)
    one.expire(2)
    one.expire(3)
    assert one.round == 4
    heard = len(said.messages)
    # Validator 1 has no view to lead here, so that what it hears is the vote.
    one.receive(hotstuff.Message(hotstuff.PROPOSAL, 4, 0, value, 1, certificate))
    assert (len(said.messages) > heard) == votes
