"""Versions against versions: measured in turns, A B B A, cell by cell, in one job on one machine.

Each side has workers of its own, which run its sources in its environment; an executor has pairs of them take turns
(`harness.measure.interleaved_runner`), or, where time is simulated, run side by side (`parallel_runner`). A cell that
may be slower, or is faster, is measured again before that counts (`verdict`), by fresh workers, one pair after the
other.

For a null run two pairs take turns with each other, the second with its places exchanged: A B | B A. All runs are part
of the comparison and half of the null run at the same time, so that it costs no run (`significance.null_run`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from math import ceil

from contend.harness.compare.cell_runs import EXCHANGED_PAIRS, PAIR, A, B, pilot_floor
from contend.harness.compare.checkout import laid_out
from contend.harness.compare.compatibility import refusal
from contend.harness.compare.from_records import exact
from contend.harness.compare.matching import PairLog, WorkloadRuns, cell_name, match
from contend.harness.compare.measured import CellName, MeasuredCell, picoseconds
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.sample_size import SampleSize
from contend.harness.compare.targets import Checkout, Revision, describe
from contend.harness.compare.verdict import MOST_MEASUREMENTS, Rule, Verdict
from contend.harness.doctor.run_mark import told
from contend.harness.measure.batch import Batch, Rounds
from contend.harness.measure.executor import Executor, LocalExecutor
from contend.harness.measure.task import VersionPlan, tasks_of
from contend.harness.measure.version import Version
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey
from contend.harness.record import environment
from contend.harness.record.warnings import SHARED_MACHINE


class VersionComparison:
    """Measures two versions against each other.

    Parameters
    ----------
    a, b : Checkout or Revision
    request : Request
        What to measure; `repeat` pairs of runs of each cell, or more (`sample_size`), by `processes` pairs of workers.
    rule : Rule
    fail_on : frozenset of str
    null : bool, optional
        Whether to hold each version against itself, too; simulated time, which is exact, does not need it.
    executor : callable, optional
        Makes what measures, of the arguments of `LocalExecutor`.

    Attributes
    ----------
    comparison : Comparison
        Filled workload by workload.
    """

    def __init__(
        self,
        a: Checkout | Revision,
        b: Checkout | Revision,
        request: Request,
        rule: Rule,
        fail_on: frozenset[str],
        null: bool = False,
        executor: Callable[..., Executor] = LocalExecutor,
    ) -> None:
        self._targets = (a, b)
        self._request = request
        self._rule = rule
        self._size = SampleSize(request.processes, request.rounds, rule.threshold, rule.false_discovery_rate)
        self._places = EXCHANGED_PAIRS if null and not request.simulated else PAIR
        self._make_executor = executor
        self._judged: dict[CellName, CellResult] = {}
        self._tested = 0
        self._observer = Observer()
        self._started = 0
        self._versions: tuple[Version, ...] = ()
        self._plans: list[VersionPlan] = []
        self.comparison = Comparison(
            describe(a), describe(b), rule, fail_on, True, environment.describe(request.affinity)
        )

    def run(self, observer: Observer) -> Comparison:
        """Measure everything; nothing is left running, however it ends.

        Raises
        ------
        BadInputError
            If a version refuses the request.
        CrashError
            If a version cannot be laid out, or its workers die before a cell.
        """
        self._observer = observer
        with ExitStack() as held:
            self._versions = tuple(held.enter_context(laid_out(target, observer.note)) for target in self._targets)
            with self._executor(self._request) as executor:
                self._plans = executor.resolve()[: len(self._versions)]
                workloads, alone = self._match()
                self._conclude(alone)
                self._pilot(executor, workloads)
                executor.close()
                self._note_others(executor)
            self._confirm(workloads)
        return self.comparison

    def _executor(self, request: Request) -> Executor:
        """What measures so many pairs of workers, for a null run in groups of two pairs."""
        groups = ceil(request.processes / self._pairs)
        first, self._started = self._started, self._started + groups * len(self._places)
        versions = [self._versions[side] for side in self._places]
        return self._make_executor(replace(request, processes=groups), self._observer, versions, first)

    @property
    def _pairs(self) -> int:
        """Pairs of workers in a group, which have their rounds together."""
        return len(self._places) // 2

    def _match(self) -> tuple[list[WorkloadRuns], list[CellResult]]:
        """Workloads and cells that both versions have; the others are refused at once."""
        for described, one in zip((self.comparison.a, self.comparison.b), self._plans, strict=True):
            described.update(kernels=one.plan.kernels_digest, python=one.python, plugins=list(one.plugins))
        workloads, alone = match([one.plan for one in self._plans], self._request)
        cells = tuple(dict.fromkeys(key for workload in workloads for key in workload.cells))
        everything = replace(
            self._plans[B].plan,
            workloads=tuple(workload.plan for workload in workloads),
            cells=cells,
            reported=frozenset(cells),
            cold=self._cold,
        )
        self._tested = sum(len(workload.cells) for workload in workloads)
        self._observer.planned(everything, self._of_groups(self._request.rounds))
        return workloads, alone

    @property
    def _cold(self) -> bool:
        return any(one.plan.cold for one in self._plans)

    # Measuring

    def _pilot(self, executor: Executor, workloads: Sequence[WorkloadRuns]) -> None:
        """The pilot: a first measurement of all cells, those with more noise in more rounds."""
        batches = []
        for workload in workloads:
            batch = self._batch(workload, dict.fromkeys(workload.cells, self._of_groups(self._request.rounds)))
            if not self._request.simulated:
                batch.more = self._further(workload)
            batches.append(batch)
        by_batch = {id(batch): workload for batch, workload in zip(batches, workloads, strict=True)}

        def finished(batch: Batch) -> None:
            workload = by_batch[id(batch)]
            workload.refused = batch.log.refused
            self._keep(workload, workload.cells)
            self._observer.finished(workload.plan.title)

        executor.measure(batches, finished=finished)

    def _note_others(self, executor: Executor) -> None:
        """Note with the outcome that somebody else was measuring at the same time."""
        runs = executor.other_runs()
        if runs:
            self.comparison.notes += [f"{SHARED_MACHINE} on this machine: {'; '.join(map(told, runs))}"]

    def _batch(self, workload: WorkloadRuns, rounds: Rounds, first_pair: int = 0) -> Batch:
        """Some cells of a workload; with its first pair of workers begins what is independent of all before."""
        if not first_pair:
            for key in rounds:
                workload.cells[key].rounds.append({})
        tasks = [
            tasks_of(self._request, workload.measurements[side].plan, list(rounds), self._versions[side].label)
            for side in self._places
        ]
        return Batch(PairLog(workload, self._observer, first_pair, self._places), tasks, rounds, cold=self._cold)

    def _of_groups(self, rounds: int) -> int:
        """Rounds of groups that make so many rounds of pairs."""
        return ceil(rounds / self._pairs)

    def _further(self, workload: WorkloadRuns) -> Callable[[], Rounds]:
        """Rounds that each cell is to have in all, when those that were asked for have shown its noise."""
        return lambda: {
            key: self._of_groups(self._size.pilot(cell.pairs)) if cell.pairs else 0
            for key, cell in workload.cells.items()
            if not workload.failed(key)
        }

    # Judging

    def _keep(self, workload: WorkloadRuns, keys: Iterable[CellKey]) -> None:
        floor = pilot_floor(workload.cells.values())
        self._conclude(self._judge(workload, key, floor) for key in keys)

    def _conclude(self, results: Iterable[CellResult]) -> None:
        """Take what is known of cells now, and say what that makes of all of them together."""
        self._judged.update({result.name: result for result in results})
        self.comparison.conclude(self._judged.values())

    def _judge(self, workload: WorkloadRuns, key: CellKey, floor: float) -> CellResult:
        name, cell = cell_name(workload.plan, key, self._request), workload.cells[key]
        a, b = (self._measured(workload, key, side) for side in (A, B))
        why = refusal(name, a, b)
        if why is not None:
            return CellResult(name, Verdict.REFUSED, a=a, b=b, note=why)
        if b.error is not None:
            return CellResult(name, Verdict.BROKEN, a=a, b=b, note=b.error)
        if self._request.simulated:
            return exact(name, a, b, self._rule)
        return cell.judged(name, (a, b), self._rule, floor)

    def _measured(self, workload: WorkloadRuns, key: CellKey, side: int) -> MeasuredCell:
        cell, facts = workload.cells[key], workload.measurements[side].facts
        sample = cell.samples[side]
        simulated = self._request.simulated
        return MeasuredCell(
            source=self._versions[side].label,
            genesis_digest=facts.genesis_digest if facts else None,
            block_digest=facts.block_digest if facts else None,
            costs=self._plans[side].plan.costs_digest,
            error=workload.error(key, side),
            seconds=cell.by_process(side),
            picoseconds=picoseconds(sample.phases) if simulated and sample else None,
            counters=sample.counters if sample else {},
        )

    # Again

    def _confirm(self, workloads: Sequence[WorkloadRuns]) -> None:
        """Measure again, with fresh workers, what may be slower but has not been seen twice."""
        if self._request.simulated:
            return
        for _ in range(MOST_MEASUREMENTS - 1):
            doubtful = {place: keys for place, one in enumerate(workloads) if (keys := self._unsettled(one))}
            cells = sum(map(len, doubtful.values()))
            if not cells:
                return
            self._observer.note(
                f"{cells} cell{'' if cells == 1 else 's'} may be slower or faster: measured again by fresh processes"
            )
            self._again(
                [(workloads[place], self._rounds(workloads[place], keys, cells)) for place, keys in doubtful.items()]
            )

    def _again(self, doubtful: Sequence[tuple[WorkloadRuns, Mapping[CellKey, int]]]) -> None:
        """One further measurement of these cells, so many rounds of each in each pair of workers.

        One group lives at a time: that takes the memory of one, and what the machine does for a while meets few of
        them.
        """
        pairs = self._size.again_pairs(self._tested)
        groups = range(0, pairs, self._pairs)
        self._observer.extended(len(groups) * sum(sum(rounds.values()) for _, rounds in doubtful))
        for pair in groups:
            with self._executor(replace(self._request, processes=self._pairs)) as executor:
                self._plans = executor.resolve()[: len(self._versions)]
                executor.measure([self._batch(workload, rounds, pair) for workload, rounds in doubtful])
                executor.close()
                self._note_others(executor)
        for workload, rounds in doubtful:
            self._keep(workload, rounds)

    def _unsettled(self, workload: WorkloadRuns) -> list[CellKey]:
        """Cells that call for another measurement."""
        if workload.refused is not None:
            return []
        floor = pilot_floor(workload.cells.values())
        return [
            key
            for key, cell in workload.cells.items()
            if not workload.failed(key) and cell.pairs and cell.unsettled(self._rule, floor)
        ]

    def _rounds(self, workload: WorkloadRuns, keys: Iterable[CellKey], cells: int) -> dict[CellKey, int]:
        """Rounds that each pair of workers has in a further measurement of so many cells in all."""
        measured = {key: workload.cells[key] for key in keys}
        return {
            key: self._size.again(cell.pairs, cell.round_seconds, cells, self._tested) for key, cell in measured.items()
        }
