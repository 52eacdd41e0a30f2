"""One workload on the bench of one process: built, executed serially once, then timed run by run, each judged.

A run is of one block, or of several in a row (`harness.measuring.chain`), of which each is timed by itself.
"""

from __future__ import annotations

import gc
import math
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evm import Block, State
from evm.recording import record
from harness.analysis.bound import Bounds
from harness.analysis.causes import Causes
from harness.analysis.profile import bounds_of
from harness.latency import counted
from harness.measuring.chain import Chain, chain_digest
from harness.measuring.cpu import cpu_seconds
from harness.measuring.oracle import Oracle
from harness.measuring.sample import OWN_ORDER_FAILED, OWN_ORDER_GAS, PHASES, Facts, Sample
from harness.plan.resolve import BASELINE, CellKey, WorkloadPlan, one_line
from strategies.base import Outcome, Strategy
from strategies.clocks import WALL, Clock
from strategies.costs import default_costs
from strategies.virtual_clock import VirtualClock
from workloads.arrivals import BLOCK_SECONDS
from workloads.base import Scenario, Workload

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
        From a strategy's name to a context in which it may compile (`harness.measuring.kernels.turn`).
    clock : callable, optional
        Makes the clock of one run.
    """

    strategy: Callable[[str], Callable[[], Strategy]]
    workload: Callable[[str], Callable[[], Workload]]
    turn: Turn = field(default=lambda name: nullcontext())
    clock: Callable[[], Clock] = field(default=lambda: WALL)
    _kept: ExitStack = field(default_factory=ExitStack, init=False)
    _strategies: dict[CellKey, Strategy] = field(default_factory=dict, init=False)
    _chain: tuple[Chain, State] | None = field(default=None, init=False)
    _causes: Causes | None = field(default=None, init=False)
    _simulated: dict[CellKey, Sample] = field(default_factory=dict, init=False)

    def prepare(self, plan: WorkloadPlan, seed: int, block_size: int) -> Facts:
        """Build the workload, run its blocks serially, check the workload's own invariant, compute the blocks' bound.

        Raises
        ------
        WorkloadError
            If any of that fails.
        """
        self._chain = self._causes = None
        self._simulated.clear()
        gc.unfreeze()
        workload = self.workload(plan.name)()
        with self.turn(BASELINE):
            try:
                scenario = workload.build(plan.dials, seed, block_size, plan.block_count)
                _check_blocks(plan, scenario)
                genesis, blocks = scenario.genesis.digest(), chain_digest(scenario.blocks)
                _compare(plan, genesis, blocks)
                serial = self._instance(CellKey(BASELINE, 0))
                chain = Chain(scenario.blocks, scenario.genesis, serial, scenario.contracts)
                survey = _Survey(workload, scenario, (self.clock().costs or default_costs()).table)
                chain.lay_out(survey)
                violated = survey.violated + workload.check(scenario, scenario.genesis)
            except WorkloadError:
                raise
            except Exception as error:
                what = _described(error, type(workload).__module__)
                raise WorkloadError(f"building it and running it serially: {what}") from error
        if violated:
            raise WorkloadError(f"its invariant fails after the serial run: {'; '.join(violated)}")
        chain.rewind()
        self._chain, self._causes = (chain, scenario.genesis), survey.causes
        _settle()
        return survey.facts(genesis, blocks)

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
        """Time one run of a cell from the state before the first block, and judge what each block gives.

        Raises
        ------
        RunError
            If the strategy raises or its outcome is malformed or differs from the serial one.
        """
        if self._chain is None:
            raise RuntimeError("prepare a workload first")
        if key in self._simulated:
            return self._simulated[key]
        chain, state = self._chain
        samples: list[Sample] = []
        outcomes: list[Outcome] = []

        def execute(block: Block) -> Outcome:
            strategy.clock = self.clock()
            outcome, wall, cpu = self._timed(strategy, block, state, key.workers)
            simulated = isinstance(strategy.clock, VirtualClock)
            busy = strategy.clock.busy if isinstance(strategy.clock, VirtualClock) else cpu
            samples.append(_sample(outcome, wall, busy, simulated))
            outcomes.append(outcome)
            return outcome

        module = ""
        try:
            strategy = self._instance(key)
            module = type(strategy).__module__
            differences = chain.run(execute)
            if not differences and self._causes is not None:
                chain.rewind()
                samples[0].counters.update(self._causes.counters(outcomes[0]))
        except RunError:
            raise
        except Exception as error:
            raise RunError(_described(error, module)) from error
        if differences:
            raise RunError(f"differs from the serial result: {differences[0]}", differences)
        return Sample.of_chain(samples)

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


class _Survey:
    """Looks at each block of a chain as it is run serially, and sums up what it saw."""

    def __init__(self, workload: Workload, scenario: Scenario, costs: npt.NDArray[np.uint64]) -> None:
        self._workload = workload
        self._scenario = scenario
        self._costs = costs
        self.violated: list[str] = []
        self.causes: Causes | None = None
        self._bounds: list[Bounds] = []
        self._gas = self._failed = self._changed = 0

    def __call__(self, place: int, oracle: Oracle) -> None:
        """Look at a block; the state is left as the block leaves it."""
        reference, state, block = oracle.reference, self._scenario.genesis, self._scenario.blocks[place]
        if not place:
            self.violated += self._workload.check_receipts(self._scenario, reference.receipts)
        self._gas += int(reference.receipts.gas_used.sum())
        self._failed += int((reference.receipts.status != 1).sum())
        self._changed += len(reference.changes)
        after = state.snapshot()
        state.restore(oracle.snapshot)
        recording = record(block, state, self._costs)
        self._bounds.append(bounds_of(recording))
        if len(self._scenario.blocks) == 1:
            # Of blocks in a row, all recordings would have to be kept.
            self.causes = Causes(self._workload, self._scenario, recording, reference.changes)
        state.restore(after)

    def facts(self, genesis: str, blocks: str) -> Facts:
        """What was seen of all blocks together."""
        sizes = [len(block) for block in self._scenario.blocks]
        arrivals: list[list[int]] = []
        if len(sizes) > 1:
            arrivals = counted(self._scenario.arrivals, sizes, BLOCK_SECONDS * 1_000)
        return Facts(
            genesis_digest=genesis,
            block_digest=blocks,
            transactions=sum(sizes),
            gas=self._gas,
            failed_transactions=self._failed,
            changed_locations=self._changed,
            bounds=Bounds.of_chain(self._bounds),
            arrivals=tuple(tuple(parts) for parts in arrivals),
        )


def _check_blocks(plan: WorkloadPlan, scenario: Scenario) -> None:
    found = len(scenario.blocks)
    if found != plan.block_count:
        raise WorkloadError(f"it was asked for {plan.block_count} blocks and built {found}; it cannot make a chain")
    if not all(len(block) for block in scenario.blocks):
        raise WorkloadError("it built a block without transactions")


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
    if not isinstance(outcome, Outcome):
        raise RunError(f"execute returned {type(outcome).__name__}, not an Outcome")
    phases = {name: float(outcome.phases.get(name, 0.0)) for name in PHASES}
    strange = set(outcome.phases) - set(PHASES)
    if strange:
        raise RunError(f"unknown phase {sorted(strange)[0]!r}: phases are {', '.join(PHASES)}")
    if min(phases.values()) < 0 or not sum(phases.values()) > 0:
        raise RunError(f"the phases took no time: {phases}")
    if not simulated and sum(phases.values()) > wall * 1.01 + 1e-3:
        raise RunError(f"the phases claim {sum(phases.values()):.4f} s of a call that took {wall:.4f} s")
    counters = {name: value.item() if hasattr(value, "item") else value for name, value in outcome.counters.items()}
    for name, value in counters.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise RunError(f"counter {name!r} is {value!r}: counters are finite numbers from 0")
    if outcome.order is not None:
        # What the serial run showed holds for the block's order only.
        counters[OWN_ORDER_GAS] = int(outcome.receipts.gas_used.sum())
        counters[OWN_ORDER_FAILED] = int((outcome.receipts.status != 1).sum())
    return Sample(sum(phases.values()), wall, cpu, phases, counters)


_OWN = frozenset({"evm", "strategies", "workloads", "harness", "tests"})


def _described(error: BaseException, module: str = "") -> str:
    """The error in a line; if it passed through the package of a plug-in's module, with the last place there."""
    text, package = f"{type(error).__name__}: {one_line(error)}", module.partition(".")[0]
    if package in _OWN:
        return text
    places = [
        f"{Path(frame.f_code.co_filename).name}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return f"{text} ({places[-1]})" if places else text
