"""Stage of agreement: validators agree on the block before it is executed, on a simulated network.

Blocks are agreed on first and executed then, as in Tendermint: what is agreed on is their content and order. This node
is one of the validators, any of them; its time is the simulation's until half of all have decided. Each block is an
agreement of its own, that begins when the last block is finished, with the same validators leading first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from contend.evm import Block, State
from contend.node.agreement.quorums import Quorums
from contend.node.agreement.simulation import PROTOCOLS, Agreement, agree
from contend.node.agreement.validator_network import Prices
from contend.node.base import BlockRun, Stage, StageError
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.network_model import NETWORKS

OPTION, VALIDATORS, SILENT, JITTER = "consensus", "validators", "silent", "jitter"
LEAST_VALIDATORS = 4  # of which one may fail
_USUAL_VALIDATORS = "16"
_USUAL_NETWORK = "datacenter"
_DIGITS = 4  # of a number of message delays


def check(asked: Mapping[str, str]) -> None:
    """Refuse a protocol that is not known, and more silent validators than it can bear.

    Raises
    ------
    StageError
        With what there is.
    """
    protocol = asked[OPTION]
    if protocol not in PROTOCOLS:
        raise StageError(f"consensus: {protocol!r} is not known; protocols are {', '.join(PROTOCOLS)}")
    validators, silent = _validators(asked), _silent(asked)
    if validators < LEAST_VALIDATORS:
        raise StageError(f"validators: {validators} are too few; give {LEAST_VALIDATORS} or more")
    faults = Quorums(validators).faults
    if silent > faults:
        raise StageError(f"silent: of {validators} validators {faults} may be silent, not {silent}")


def _validators(asked: Mapping[str, str]) -> int:
    return int(asked.get(VALIDATORS, _USUAL_VALIDATORS))


def _silent(asked: Mapping[str, str]) -> int:
    return int(asked.get(SILENT, "0"))


def compile_kernels() -> None:
    """Nothing: validators are simulated in Python."""


def make(asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, seed: int) -> Stage:
    """Have validators for blocks.

    Raises
    ------
    StageError
        As `check` does.
    """
    check(asked)
    return AgreementStage(
        asked[OPTION], _validators(asked), silent=_silent(asked), jitter=float(asked.get(JITTER, "0")), seed=seed
    )


class AgreementStage(Stage):
    """Has validators agree on each block.

    Parameters
    ----------
    protocol : str
        One of `node.agreement.simulation.PROTOCOLS`.
    validators : int
    silent : int
        How many of them, those that lead first, never say anything.
    jitter : float
        Of latencies; see `node.agreement.jitter.latencies`.
    seed : int
        Of the draws; each block has its own.
    """

    phase: ClassVar[str] = "agree"
    comes_first: ClassVar[bool] = True
    is_apart: ClassVar[bool] = True

    def __init__(self, protocol: str, validators: int, *, silent: int = 0, jitter: float = 0.0, seed: int = 0) -> None:
        self._protocol, self._validators = protocol, validators
        self._silent, self._jitter, self._seed = silent, jitter, seed
        # By place and prices: nothing of an agreement depends on the strategy.
        self._found: dict[tuple[int, Prices], Agreement] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """Protocol and validators; see `Stage.facts`."""
        return {
            "protocol": self._protocol,
            "validators": self._validators,
            "faults": Quorums(self._validators).faults,
            "silent": self._silent,
            "jitter": self._jitter,
        }

    def again(self) -> AgreementStage:
        """Another of the same; see `Stage.again`."""
        return AgreementStage(
            self._protocol, self._validators, silent=self._silent, jitter=self._jitter, seed=self._seed
        )

    def make_ready(self, run: BlockRun) -> None:
        """Simulate the agreement, which takes time here but none there; see `Stage.make_ready`.

        Raises
        ------
        StageError
            If time is real.
        """
        if not run.clock.simulated:
            raise StageError("consensus: validators are simulated; add --clock virtual")
        self._of(run)

    def work(self, run: BlockRun) -> None:
        """Let the time of the agreement pass; see `Stage.work`."""
        found = self._of(run)
        run.clock.wait(found.time_ps, found.busy_ps)

    def counters(self, run: BlockRun) -> dict[str, Any]:
        """Messages, checks, rounds and delays; see `Stage.counters`."""
        found, latency_ps = self._of(run), _prices(run).latency_ps
        counted: dict[str, Any] = {
            "agreement_messages": found.messages,
            "agreement_checks": found.checks,
            "agreement_rounds": found.rounds,
        }
        if latency_ps:
            counted["agreement_delays"] = round(found.time_ps / latency_ps, _DIGITS)
        return counted

    def check(self, run: BlockRun) -> list[str]:
        """Hold decisions against each other; see `Stage.check`."""
        decisions = set(self._of(run).decisions.values())
        return [f"block {run.place}: validators have decided differently"] if len(decisions) > 1 else []

    def _of(self, run: BlockRun) -> Agreement:
        key = (run.place, _prices(run))
        if key not in self._found:
            self._found[key] = agree(
                self._protocol,
                self._validators,
                key[1],
                jitter=self._jitter,
                seed=f"{self._seed} {run.place}",
                crashes=dict.fromkeys(range(self._silent), 0),
            )
        return self._found[key]


def _prices(run: BlockRun) -> Prices:
    """What the clock says of messages and signatures."""
    network, costs = run.clock.network or NETWORKS[_USUAL_NETWORK], run.clock.costs
    check_ps = 0 if costs is None else int(costs.table[cost_table.SIGNATURE])
    return Prices(network.latency_ps, network.overhead_ps, check_ps, run.workers)
