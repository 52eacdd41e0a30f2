"""Protocols of agreement: message delays, safety and termination under any delays and crashes, silent leaders."""

from __future__ import annotations

import itertools
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.node.agreement.jitter import latencies
from contend.node.agreement.quorums import Quorums
from contend.node.agreement.simulation import PROTOCOLS, agree
from contend.node.agreement.validator_network import Prices

DELAYS = {"tendermint": 3, "two_phase": 5, "hotstuff": 7}
LATENCY = 250_000_000
BARE = Prices(LATENCY)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(validators=st.integers(4, 60), latency=st.integers(1, 10**12))
def test_where_only_latency_takes_time_agreement_takes_its_delays(protocol: str, validators: int, latency: int) -> None:
    found = agree(protocol, validators, Prices(latency))
    assert found.time_ps == DELAYS[protocol] * latency
    assert found.rounds == 1
    assert found.busy_ps == 0
    assert set(found.decisions.values()) == {0}
    # Two votes by everyone to everyone; or a message and a vote each phase, and the decision.
    others = validators - 1
    messages = others + 2 * validators * others if protocol == "tendermint" else DELAYS[protocol] * others
    assert found.messages == messages


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(data=st.data())
def test_nobody_decides_differently_and_all_that_stay_decide(protocol: str, data: st.DataObject) -> None:
    validators = data.draw(st.integers(4, 13))
    numbers = st.integers(0, validators - 1)
    failing = data.draw(st.sets(numbers, max_size=Quorums(validators).faults))
    # Until the second round or so is over, which begins after some ten delays.
    moments = st.one_of(st.just(0), st.integers(0, 40 * LATENCY))
    crashes = {number: data.draw(moments) for number in sorted(failing)}
    prices = Prices(
        LATENCY,
        data.draw(st.sampled_from([0, LATENCY // 100, LATENCY])),
        data.draw(st.sampled_from([0, LATENCY // 10])),
        data.draw(st.integers(1, 3)),
    )
    jitter = data.draw(st.sampled_from([0.0, 0.3, 1.0, 2.0]))
    found = agree(
        protocol, validators, prices, jitter=jitter, seed=str(data.draw(st.integers(0, 10**6))), crashes=crashes
    )
    assert len(set(found.decisions.values())) == 1
    assert found.decisions.keys() >= set(range(validators)) - failing


# Of the median of simulated quorums, in units of the latency's mean.
@pytest.mark.parametrize(
    ("protocol", "jitter", "delays"),
    [
        ("tendermint", 0.3, 3.23),
        ("tendermint", 0.6, 3.24),
        ("hotstuff", 0.3, 7.36),
        ("hotstuff", 0.6, 7.39),
        ("two_phase", 0.3, 5.21),
        ("two_phase", 0.6, 5.23),
    ],
)
def test_jitter_delays_a_hundred_validators_as_quorums_of_draws_do(protocol: str, jitter: float, delays: float) -> None:
    blocks = 8 if protocol == "tendermint" else 40
    times = [agree(protocol, 100, BARE, jitter=jitter, seed=f"1 {place}").time_ps / LATENCY for place in range(blocks)]
    assert fmean(times) == pytest.approx(delays, rel=0.035)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_silent_leader_costs_a_time_out(protocol: str) -> None:
    found = [agree(protocol, 16, BARE, crashes=dict.fromkeys(range(silent), 0)) for silent in range(6)]
    for silent, one in enumerate(found):
        assert one.rounds == silent + 1
        assert set(one.decisions.values()) == {silent}
    waits = [(after.time_ps - before.time_ps) / LATENCY for before, after in itertools.pairwise(found)]
    assert all(PROTOCOLS[protocol].patience <= wait for wait in waits)
    # Each waits longer than the one before.
    assert waits == sorted(waits)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_seed_decides(protocol: str) -> None:
    prices = Prices(LATENCY, 1_500_000, 46_000_000, 2)
    first, again, other = (agree(protocol, 10, prices, jitter=0.5, seed=seed) for seed in ("1", "1", "2"))
    assert first == again
    assert first.time_ps != other.time_ps


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_checks_and_messages_take_time_and_workers_share_checks(protocol: str) -> None:
    bare = agree(protocol, 31, BARE)
    checked, shared = (agree(protocol, 31, Prices(LATENCY, 0, 46_000_000, workers)) for workers in (1, 8))
    sent = agree(protocol, 31, Prices(LATENCY, 1_500_000))
    assert bare.time_ps < shared.time_ps < checked.time_ps
    assert bare.time_ps < sent.time_ps
    assert bare.busy_ps < shared.busy_ps
    # As much work, but for messages that come to somebody who has decided already.
    assert shared.busy_ps == pytest.approx(checked.busy_ps, rel=0.4)
    # Everything is received by some worker, so none is busier than there was time.
    assert checked.busy_ps <= checked.time_ps * 2


def test_latencies_have_their_mean_and_no_bound_below_zero() -> None:
    draw = latencies(10**9, 0.6, "seed")
    drawn = [draw() for _ in range(20_000)]
    assert min(drawn) > 0
    assert fmean(drawn) == pytest.approx(10**9, rel=0.02)
    assert len(set(drawn)) > 1_000
    assert {latencies(7, 0.0, "seed")() for _ in range(9)} == {7}


@given(st.integers(4, 1_000))
def test_two_quorums_have_somebody_in_common_who_has_not_failed(validators: int) -> None:
    quorums = Quorums(validators)
    assert 2 * quorums.quorum - validators > quorums.faults
    assert quorums.quorum == validators - quorums.faults
    assert 3 * quorums.faults < validators <= 3 * quorums.faults + 3
