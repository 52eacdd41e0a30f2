"""One workload on the bench of one process: built, executed serially once, then timed run by run, each judged."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from evm import Block, Snapshot, State
from evm.recording import record
from harness.cpu import cpu_seconds
from harness.oracle import Oracle
from harness.plan import BASELINE, CellKey, WorkloadPlan, one_line
from harness.profile import bounds_of
from harness.sample import PHASES, Facts, Sample
from strategies.base import Outcome, Strategy
from strategies.clocks import WALL, Clock
from strategies.costs import default_costs
from strategies.virtual_clock import VirtualClock
from workloads.base import Workload

Turn = Callable[[str], AbstractContextManager[None]]


class RunError(RuntimeError):
    """A run that cannot count: it raised, returned something malformed, or differs from the serial result.

    Attributes
    ----------
    differences : list of str
        From the oracle, where it is the oracle that refused the run.
    """

    def __init__(self, message: str, differences: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.differences = list(differences)


class WorkloadError(RuntimeError):
    """A workload that cannot be measured at all: it does not build, its serial run fails, or its invariant breaks."""


@dataclass
class Bench:
    """Executes the cells of one workload after another in this process.

    Strategies are kept from one workload to the next, one instance a cell, as a node would keep them.

    Parameters
    ----------
    strategy : callable
        From a name to the strategy's class.
    workload : callable
        From a name to the workload's class.
    turn : callable, optional
        From a strategy's name to a context in which it may compile (`harness.kernels.turn`).
    clock : callable, optional
        Makes the clock of one run.
    """

    strategy: Callable[[str], Callable[[], Strategy]]
    workload: Callable[[str], Callable[[], Workload]]
    turn: Turn = field(default=lambda name: nullcontext())
    clock: Callable[[], Clock] = field(default=lambda: WALL)
    _kept: ExitStack = field(default_factory=ExitStack, init=False)
    _strategies: dict[CellKey, Strategy] = field(default_factory=dict, init=False)
    _laid_out: tuple[Block, State, Snapshot, Oracle] | None = field(default=None, init=False)
    _simulated: dict[CellKey, Sample] = field(default_factory=dict, init=False)

    def prepare(self, plan: WorkloadPlan, seed: int, block_size: int) -> Facts:
        """Build the workload, run its block serially, check the workload's own invariant, compute the block's bound.

        Raises
        ------
        WorkloadError
            If any of that fails.
        """
        self._laid_out = None
        self._simulated.clear()
        gc.unfreeze()
        workload = self.workload(plan.name)()
        with self.turn(BASELINE):
            try:
                scenario = workload.build(plan.dials, seed, block_size)
                block, state = scenario.blocks[0], scenario.genesis
                digest = state.digest()
                _compare(plan, digest, block.digest)
                snapshot = state.snapshot()
                serial = self._instance(CellKey(BASELINE, 0))
                oracle = Oracle(block, state, snapshot, serial, scenario.contracts)
                violated = workload.check_receipts(scenario, oracle.reference.receipts)
                violated += workload.check(scenario, state)
                state.restore(snapshot)
                bounds = bounds_of(record(block, state, (self.clock().costs or default_costs()).table))
            except WorkloadError:
                raise
            except Exception as error:
                raise WorkloadError(f"building it and running it serially: {_described(error)}") from error
        if violated:
            raise WorkloadError(f"its invariant fails after the serial run: {'; '.join(violated)}")
        self._laid_out = (block, state, snapshot, oracle)
        _settle()
        receipts = oracle.reference.receipts
        return Facts(
            genesis_digest=digest,
            block_digest=block.digest,
            transactions=len(block),
            gas=int(receipts.gas_used.sum()),
            failed_transactions=int((receipts.status != 1).sum()),
            changed_locations=len(oracle.reference.changes),
            bounds=bounds,
        )

    def warm_up(self, key: CellKey) -> None:
        """Run a cell once without keeping its time: kernels are loaded, threads and processes start, caches fill.

        Raises
        ------
        RunError
            As `run` does.
        """
        with self.turn(key.strategy):
            sample = self.run(key)
        if self.clock().simulated:
            # Whenever it is run, it takes the same time again.
            self._simulated[key] = sample
        _settle()

    def run(self, key: CellKey) -> Sample:
        """Time one run of a cell from the state before the block, and judge its outcome.

        Raises
        ------
        RunError
            If the strategy raises or its outcome is malformed or differs from the serial one.
        """
        if self._laid_out is None:
            raise RuntimeError("prepare a workload first")
        if key in self._simulated:
            return self._simulated[key]
        block, state, snapshot, oracle = self._laid_out
        try:
            strategy = self._instance(key)
            strategy.clock = self.clock()
            state.restore(snapshot)
            outcome, wall, cpu = self._timed(strategy, block, state, key.workers)
            differences = oracle.judge(outcome, state.changes_since(snapshot))
        except Exception as error:
            raise RunError(_described(error)) from error
        if differences:
            raise RunError(f"differs from the serial result: {differences[0]}", differences)
        if isinstance(strategy.clock, VirtualClock):
            return _sample(outcome, wall, strategy.clock.busy, simulated=True)
        return _sample(outcome, wall, cpu, simulated=False)

    @staticmethod
    def _timed(strategy: Strategy, block: Block, state: State, workers: int) -> tuple[Outcome, float, float]:
        gc.collect()
        cpu = cpu_seconds()
        gc.disable()
        try:
            began = time.perf_counter()
            outcome = strategy.execute(block, state, workers)
            wall = time.perf_counter() - began
        finally:
            gc.enable()
        return outcome, wall, cpu_seconds() - cpu

    def _instance(self, key: CellKey) -> Strategy:
        if key not in self._strategies:
            self._strategies[key] = self._kept.enter_context(self.strategy(key.strategy)())
        return self._strategies[key]

    def close(self) -> None:
        """Close every strategy that was used."""
        self._strategies.clear()
        self._kept.close()


def _compare(plan: WorkloadPlan, genesis: str, block: str) -> None:
    """Refuse bytes that are not those that a suite promises."""
    for what, found, expected in zip(("genesis", "block"), (genesis, block), plan.expected, strict=True):
        if expected is not None and found != expected:
            raise WorkloadError(
                f"its {what} is not the suite's: digest {found}, not {expected}; this version of Contend makes other "
                "blocks, so its figures cannot be held against others of this suite"
            )


def _settle() -> None:
    """Collect, and spare later collections what lives on: they come before every timed run."""
    gc.collect()
    gc.freeze()


def _sample(outcome: Outcome, wall: float, cpu: float, simulated: bool) -> Sample:
    phases = {name: float(outcome.phases.get(name, 0.0)) for name in PHASES}
    strange = set(outcome.phases) - set(PHASES)
    if strange:
        raise RunError(f"unknown phase {sorted(strange)[0]!r}: phases are {', '.join(PHASES)}")
    if min(phases.values()) < 0 or not sum(phases.values()) > 0:
        raise RunError(f"the phases took no time: {phases}")
    if not simulated and sum(phases.values()) > wall * 1.01 + 1e-3:
        raise RunError(f"the phases claim {sum(phases.values()):.4f} s of a call that took {wall:.4f} s")
    counters = {name: value.item() if hasattr(value, "item") else value for name, value in outcome.counters.items()}
    return Sample(sum(phases.values()), wall, cpu, phases, counters)


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
