"""Timed run: one execution of one block, its wall and CPU time, and the sample that a well-formed outcome gives."""

from __future__ import annotations

import gc
import math
import time
from typing import Any, NamedTuple

from contend.evm import Block, State
from contend.harness.bench.cpu_time import cpu_seconds
from contend.harness.bench.failures import RunError
from contend.harness.record.sample import (
    ALL_PHASES,
    OWN_ORDER_FAILED,
    OWN_ORDER_GAS,
    PHASES,
    RESET,
    VERIFICATION,
    Sample,
)
from contend.node.whole_node import BARE, Node
from contend.strategies.base import Outcome, Strategy


class TimedRun(NamedTuple):
    """An execution as it was timed from outside.

    Attributes
    ----------
    outcome : Outcome
    wall_seconds : float
    cpu_seconds : float
        Of all threads and processes; where time is simulated, seconds that all simulated workers were at work.
    """

    outcome: Outcome
    wall_seconds: float
    cpu_seconds: float


def timed_run(
    strategy: Strategy, block: Block, state: State, workers: int, node: Node = BARE, place: int = 0
) -> TimedRun:
    """Execute a block under the strategy's clock, without garbage collection meanwhile.

    Parameters
    ----------
    strategy : Strategy
    block : Block
    state : State
    workers : int
    node : Node, optional
        With the stages before and behind the execution.
    place : int, optional
        Of the block among those in a row.
    """
    gc.collect()
    cpu = cpu_seconds()
    gc.disable()
    try:
        began = time.perf_counter()
        outcome = node.execute(strategy, block, state, workers, place)
        wall = time.perf_counter() - began
    finally:
        gc.enable()
    busy = strategy.clock.busy
    return TimedRun(outcome, wall, cpu_seconds() - cpu if busy is None else busy)


def sample_of(run: TimedRun, simulated: bool) -> Sample:
    """Make a sample of a run whose outcome is well-formed; whether it is right, the oracle says.

    Raises
    ------
    RunError
        If the outcome is none, or its phases, counters or untimed seconds cannot be.
    """
    outcome = run.outcome
    if not isinstance(outcome, Outcome):
        raise RunError(f"execute returned {type(outcome).__name__}, not an Outcome")
    phases = _phases(outcome)
    seconds = sum(phases.values())
    if not simulated and seconds > run.wall_seconds * 1.01 + 1e-3:
        raise RunError(f"the phases claim {seconds:.4f} s of a call that took {run.wall_seconds:.4f} s")
    counters, untimed = _counters(outcome), _untimed(outcome)
    return Sample(seconds, run.wall_seconds, run.cpu_seconds, phases, counters, untimed=untimed)


def _phases(outcome: Outcome) -> dict[str, float]:
    named = [name for name in ALL_PHASES if name in PHASES or name in outcome.phases]
    phases = {name: float(outcome.phases.get(name, 0.0)) for name in named}
    strange = set(outcome.phases) - set(ALL_PHASES)
    if strange:
        raise RunError(f"unknown phase {sorted(strange)[0]!r}: phases are {', '.join(PHASES)}")
    if min(phases.values()) < 0 or not sum(phases.values()) > 0:
        raise RunError(f"the phases took no time: {phases}")
    return phases


def _counters(outcome: Outcome) -> dict[str, int | float]:
    counters = {name: value.item() if hasattr(value, "item") else value for name, value in outcome.counters.items()}
    for name, value in counters.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise RunError(f"counter {name!r} is {value!r}: counters are finite numbers from 0")
    if outcome.order is not None:
        # What the serial run showed holds for the block's order only.
        counters[OWN_ORDER_GAS] = int(outcome.receipts.gas_used.sum())
        counters[OWN_ORDER_FAILED] = int((outcome.receipts.status != 1).sum())
    return counters


def _untimed(outcome: Outcome) -> dict[str, float]:
    seconds: dict[str, Any] = dict(outcome.untimed)
    for name, value in seconds.items():
        if name in (RESET, VERIFICATION):
            raise RunError(f"untimed {name!r} is the harness's own: a strategy has to name it otherwise")
        if not isinstance(value, float | int) or not 0 <= value < math.inf:
            raise RunError(f"untimed {name!r} is {value!r}: untimed seconds are finite numbers from 0")
    return {name: float(value) for name, value in seconds.items()}
