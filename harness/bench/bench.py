"""Bench: one workload at a time, built, executed serially once, then run cell by cell, each run judged.

A run is of one block, or of several in a row (`harness.bench.block_sequence`), of which each is timed by itself.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from contend.evm import Block, State
from contend.harness.analysis.abort_causes import Causes
from contend.harness.analysis.contender_facts import (
    bytes_per_transaction,
    given_by_name,
    list_origin,
    quality_of,
    uses_values,
)
from contend.harness.analysis.profile import Schedules
from contend.harness.bench.block_sequence import BlockSequence, blocks_digest
from contend.harness.bench.failures import RunError, WorkloadError, described
from contend.harness.bench.pipelined_blocks import alone_seconds, judged, timed_pipeline, told
from contend.harness.bench.serial_runs_at_once import SerialRunsAtOnce
from contend.harness.bench.survey import Survey, check_built
from contend.harness.bench.timed_run import sample_of, timed_run
from contend.harness.plan.chosen_model import use_model
from contend.harness.plan.resolve import BASELINE, LIMIT, CellKey, WorkloadPlan, one_line
from contend.harness.record.content.cell_facts import CellFacts
from contend.harness.record.sample import BlockFacts, Sample
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import refusal
from contend.node.base import StageError
from contend.node.registry import node_of
from contend.node.whole_node import BARE, Node
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.given import BLOCK, FULL, MissingKnowledgeError
from contend.workloads.base import Workload
from contend.workloads.files.fields import FieldError

CompileLock = Callable[[str], AbstractContextManager[None]]
_RUNS_ALONE = 2  # of which the last one counts: memory is there then


@dataclass
class Bench:
    """Executes the cells of one workload after another in this process.

    Strategies are kept from one workload to the next, one instance a cell, as a node would keep them. Where time is
    simulated, one run of a cell is all of them: its sample is kept for `run`, and its strategy is closed at once, so
    that the memory of a thousand simulated workers is that of one cell at a time.

    Parameters
    ----------
    strategy : callable
        From a name to the strategy's class.
    workload : callable
        From a name to the workload's class.
    compile_lock : callable, optional
        From a strategy's name to a context in which it may compile (`harness.kernels.compile_lock`).
    clock : callable, optional
        Makes the clock of one run.
    list_kind : str, optional
        Kind of the access lists that are given (`strategies.given.LIST_KINDS`).
    stages : mapping, optional
        Stages of a node that are measured with the execution, by option (`node.registry`).
    model : str, optional
        File of the model that `adaptive` chooses by.
    """

    strategy: Callable[[str], Callable[[], Strategy]]
    workload: Callable[[str], Callable[[], Workload]]
    compile_lock: CompileLock = field(default=lambda name: nullcontext())
    clock: Callable[[], Clock] = field(default=lambda: WALL)
    list_kind: str = FULL
    stages: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    _strategies: dict[CellKey, Strategy] = field(default_factory=dict, init=False)
    _blocks: tuple[BlockSequence, State] | None = field(default=None, init=False)
    _causes: Causes | None = field(default=None, init=False)
    _schedules: Schedules | None = field(default=None, init=False)
    _at_once: SerialRunsAtOnce | None = field(default=None, init=False)
    _facts: dict[CellKey, CellFacts] = field(default_factory=dict, init=False)
    _knowledge: BlockKnowledge | None = field(default=None, init=False)
    _node: Node = field(default=BARE, init=False)
    _simulated: dict[CellKey, Sample] = field(default_factory=dict, init=False)
    _work: dict[CellKey, float] = field(default_factory=dict, init=False)
    _apart: float = field(default=0.0, init=False)

    def prepare(self, plan: WorkloadPlan, seed: int, block_size: int) -> BlockFacts:
        """Build the workload, run its blocks serially, check the workload's own invariant, compute the blocks' bound.

        Raises
        ------
        WorkloadError
            If any of that fails.
        FieldError
            If the workload refuses a file of the user's: its set-up reverts, for instance.
        StageError
            If a stage cannot be had for its blocks.
        """
        self._blocks = self._causes = self._at_once = None
        self._simulated.clear()
        self._work.clear()
        self._facts.clear()
        gc.unfreeze()
        workload = self.workload(plan.name)()
        with self.compile_lock(BASELINE):
            try:
                scenario = workload.build(plan.dials, seed, block_size, plan.block_count)
                genesis, blocks = scenario.genesis.digest(), blocks_digest(scenario.blocks)
                check_built(plan, scenario, genesis, blocks)
                self._node = node_of(self.stages, scenario.blocks, scenario.genesis, seed)
                serial = self._instance(CellKey(BASELINE, 0))
                sequence = BlockSequence(scenario.blocks, scenario.genesis, serial, scenario.contracts)
                survey = Survey(workload, scenario, (self.clock().costs or default_costs()).table)
                sequence.lay_out(survey)
                violated = survey.violated + workload.check(scenario, scenario.genesis)
            except (WorkloadError, FieldError, StageError):
                raise
            except Exception as error:
                what = described(error, type(workload).__module__)
                raise WorkloadError(f"building it and running it serially: {what}") from error
        if violated:
            raise WorkloadError(f"its invariant fails after the serial run: {'; '.join(violated)}")
        sequence.rewind()
        self._knowledge = BlockKnowledge(
            scenario.blocks, scenario.genesis, serial, self.list_kind, scenario.access_lists
        )
        self._blocks, self._causes = (sequence, scenario.genesis), survey.causes
        self._schedules = survey.schedules
        _settle()
        return replace(survey.facts(genesis, blocks), stages=self._node.facts)

    def warm_up(self, key: CellKey) -> None:
        """Run a cell once without keeping its time: kernels are loaded, threads and processes start, caches fill.

        Raises
        ------
        RunError
            As `run` does.
        """
        simulated = self.clock().simulated
        try:
            with self.compile_lock(key.strategy):
                sample = self.run(key)
        finally:
            if simulated and key in self._strategies:
                self._strategies.pop(key).close()
        if simulated:
            # Whenever it is run, it takes the same time again.
            self._simulated[key] = sample
        _settle()

    def run(self, key: CellKey) -> Sample:
        """Time one run of a cell from the state before the first block, and judge what each block gives.

        Raises
        ------
        RunError
            If the strategy raises or its outcome is malformed or differs from the serial one.
        MissingKnowledgeError
            If what it is given did not come with the block.
        """
        if self._blocks is None:
            raise RuntimeError("prepare a workload first")
        if key in self._simulated:
            return self._simulated[key]
        if key.strategy == LIMIT:
            return self._run_at_once(key.workers)
        sequence, _ = self._blocks
        module = ""
        try:
            strategy = self._instance(key)
            module = type(strategy).__module__
            # Once: nobody judges the hints of every run.
            strategy.reports_hints = is_first = key not in self._facts
            if is_first:
                self._facts[key] = CellFacts(given_by_name(key.strategy, strategy, self.list_kind))
            samples, outcomes, differences = self._in_turn(strategy, key.workers)
            if not differences and self._causes is not None:
                sequence.rewind()
                samples[0].counters.update(self._causes.counters(outcomes[0]))
            sample = replace(Sample.of_chain(samples), untimed=Sample.of_chain(samples).untimed | sequence.untimed)
            if not differences and self._node.seats is not None and (strategy.parallel or key.workers > 1):
                sample, differences = self._pipelined(key, strategy, samples)
        except RunError:
            raise
        except MissingKnowledgeError as error:
            raise MissingKnowledgeError(f"strategy {key.strategy!r}: {one_line(error)}") from None
        except Exception as error:
            raise RunError(described(error, module)) from error
        if differences:
            raise RunError(refusal(differences), differences)
        if is_first:
            self._facts[key] = self._look_at(key, strategy, outcomes)
        return sample

    def _in_turn(self, strategy: Strategy, workers: int) -> tuple[list[Sample], list[Outcome], list[str]]:
        """Execute one block after the other: a sample and an outcome each, and the first one's differences."""
        assert self._blocks is not None
        assert self._knowledge is not None
        sequence, state = self._blocks
        knowledge = self._knowledge
        samples: list[Sample] = []
        outcomes: list[Outcome] = []

        def execute(block: Block) -> Outcome:
            strategy.clock = self.clock()
            strategy.knowledge = knowledge.of(len(samples), strategy.given)
            run = timed_run(strategy, block, state, workers, self._node, len(samples))
            samples.append(sample_of(run, strategy.clock.simulated))
            outcomes.append(run.outcome)
            self._apart += self._node.busy_apart
            return run.outcome

        self._apart = 0.0
        return samples, outcomes, sequence.run(execute)

    def _pipelined(self, key: CellKey, strategy: Strategy, in_turn: list[Sample]) -> tuple[Sample, list[str]]:
        """Have all blocks pass the node with several in it at a time; a sample, and the first one's differences.

        Parameters
        ----------
        in_turn : list of Sample
            Of the same cell's blocks one after the other.
        """
        assert self._blocks is not None
        assert self._knowledge is not None
        sequence, state = self._blocks
        knowledge, clock, seats = self._knowledge, self.clock(), self._node.seats
        work = (
            self._work_of(key, strategy, in_turn) if seats is not None and (seats.shared or key.workers == 1) else None
        )
        try:
            run, sample = timed_pipeline(
                self._node,
                strategy,
                sequence,
                state,
                key.workers,
                clock,
                lambda place: knowledge.of(place, strategy.given),
            )
        except BaseException:
            # Nobody knows how far stages have come.
            self._node = self._node.again()
            raise
        differences = judged(run, sequence, state)
        pipeline = told(run, alone_seconds(in_turn, run.stations), work, key.workers)
        return replace(sample, untimed=sample.untimed | sequence.untimed, pipeline=pipeline), differences

    def _work_of(self, key: CellKey, strategy: Strategy, in_turn: list[Sample]) -> float:
        """Seconds of one worker in all blocks: simulated, what all were at work; else what one alone takes."""
        if self.clock().simulated:
            return sum(sample.cpu_seconds for sample in in_turn) - self._apart
        if key.workers == 1:
            return sum(sample.seconds for sample in in_turn)
        if key not in self._work:
            for _ in range(_RUNS_ALONE):
                samples, _, differences = self._in_turn(strategy, 1)
                if differences:
                    raise RunError(refusal(differences), differences)
                self._work[key] = sum(sample.seconds for sample in samples)
        return self._work[key]

    def _run_at_once(self, workers: int) -> Sample:
        """Time serial runs that execute at once."""
        assert self._blocks is not None
        if self._at_once is None or self._at_once.workers != workers:
            # One set of states at a time: each is as large as the workload's.
            self._at_once = None
            sequence, state = self._blocks
            sequence.rewind()
            self._at_once = SerialRunsAtOnce(sequence.blocks, state, workers, self._node)
        return self._at_once.run()

    def facts_of(self, key: CellKey) -> CellFacts | None:
        """What is known of a cell beside its samples, since it was first run on this workload."""
        return self._facts.get(key)

    def _look_at(self, key: CellKey, strategy: Strategy, outcomes: list[Outcome]) -> CellFacts:
        """Judge what a strategy was given, by a run in which it told."""
        assert self._blocks is not None
        assert self._knowledge is not None
        assert self._schedules is not None
        blocks = self._blocks[0].blocks
        given, values = strategy.given, uses_values(strategy, self.list_kind)
        known = [self._knowledge.of(place, given) for place in range(len(blocks))]
        refusals = [text for one in outcomes if (text := one.refused_list) is not None]
        return CellFacts(
            {
                **given_by_name(key.strategy, strategy, self.list_kind),
                "bytes_per_transaction": bytes_per_transaction(given, blocks, known),
                **quality_of(outcomes, blocks, self._knowledge),
            },
            list_origin(known) if given == BLOCK else None,
            refusals[0] if refusals else None,
            self._schedules.length(key.workers, values),
        )

    def _instance(self, key: CellKey) -> Strategy:
        if key not in self._strategies:
            self._strategies[key] = made = self.strategy(key.strategy)()
            use_model(made, self.model)
        return self._strategies[key]

    def close(self) -> None:
        """Close every strategy that was used, the last one first."""
        self._at_once = None
        while self._strategies:
            self._strategies.popitem()[1].close()


def _settle() -> None:
    """Collect, and spare later collections what lives on: they come before every timed run."""
    gc.collect()
    gc.freeze()
