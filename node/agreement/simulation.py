"""Simulation of one agreement: validators of a protocol, their network, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contend.node.agreement.hotstuff import HotStuff, TwoPhase
from contend.node.agreement.jitter import latencies
from contend.node.agreement.quorums import Quorums
from contend.node.agreement.tendermint import Tendermint
from contend.node.agreement.validator import Validator
from contend.node.agreement.validator_network import Prices, ValidatorNetwork

PROTOCOLS: dict[str, type[Validator]] = {"tendermint": Tendermint, "hotstuff": HotStuff, "two_phase": TwoPhase}
"""Protocols by the names by which they are asked for."""


@dataclass(frozen=True)
class Agreement:
    """What came of an agreement.

    Attributes
    ----------
    time_ps : int
        From its beginning until half of those that did not crash had decided.
    busy_ps : int
        For which the workers of a validator were busy, on average of those that did not crash.
    messages : int
    checks : int
        Of signatures, by all together.
    rounds : int
        Rounds or views that it took.
    decisions : dict
        By number of the validator, of those too that crashed later.
    """

    time_ps: int
    busy_ps: int
    messages: int
    checks: int
    rounds: int
    decisions: dict[int, int]


def agree(
    protocol: str,
    validators: int,
    prices: Prices,
    *,
    jitter: float = 0.0,
    seed: str = "",
    crashes: Mapping[int, int] | None = None,
) -> Agreement:
    """Have validators agree on a block.

    Parameters
    ----------
    protocol : str
        One of `PROTOCOLS`.
    validators : int
    prices : Prices
    jitter : float
        Of latencies; see `node.agreement.jitter.latencies`.
    seed : str
        Of the draws.
    crashes : mapping, optional
        When validators crash, in picoseconds by number; 0 for one that never says anything.
    """
    failing = dict(crashes or {})
    network = ValidatorNetwork(prices, latencies(prices.latency_ps, jitter, seed), failing)
    quorums = Quorums(validators)
    machines = [PROTOCOLS[protocol](number, quorums, network) for number in range(validators)]
    network.run(machines)
    staying = [number for number in range(validators) if number not in failing]
    times = sorted(network.decided_ps[number] for number in staying)
    return Agreement(
        time_ps=times[(len(times) - 1) // 2],
        busy_ps=sum(network.busy_ps[number] for number in staying) // len(staying),
        messages=network.messages,
        checks=network.checks,
        rounds=1 + max(machines[number].round for number in staying),
        decisions={one.number: one.decision for one in machines if one.decision is not None},
    )
