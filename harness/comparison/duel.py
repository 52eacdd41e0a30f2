"""Versions against versions: measured in turns, A B B A, cell by cell, in one job on one machine.

Each side has processes of its own, which run its sources in its environment. Pairs of processes take turns round by
round, and within a round every cell is run by one side and at once by the other, the order changing from round to
round: whatever the machine does to one it does to the other. A cell that may be slower is measured again before that
counts (`verdict`), by fresh processes, one pair after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

from harness import environment
from harness.comparison.checkout import Tree, laid_out
from harness.comparison.comparable import refusal
from harness.comparison.contestant import CellError, Contestant, GoneError
from harness.comparison.effort import Effort
from harness.comparison.lineup import LETTERS, A, B, WorkloadRuns, line_up
from harness.comparison.measured import Measured, picoseconds
from harness.comparison.recorded import exact
from harness.comparison.result import CellResult, Comparison
from harness.comparison.sides import Checkout, Revision, describe
from harness.comparison.verdict import MOST_MEASUREMENTS, Rule, Verdict
from harness.errors import CrashError
from harness.observer import Observer
from harness.plan.request import Request
from harness.plan.resolve import CellKey, Plan, WorkloadPlan


class Duel:
    """Measures two versions against each other.

    Parameters
    ----------
    a, b : Checkout or Revision
    request : Request
        What to measure; `repeat` pairs of runs of each cell, or more (`effort`), by `processes` pairs of processes.
    rule : Rule
    fail_on : frozenset of str

    Attributes
    ----------
    comparison : Comparison
        Filled workload by workload.
    """

    def __init__(
        self, a: Checkout | Revision, b: Checkout | Revision, request: Request, rule: Rule, fail_on: frozenset[str]
    ) -> None:
        self._sides = (a, b)
        self._request = request
        self._rule = rule
        self._effort = Effort(request.processes, request.rounds, rule.threshold)
        self._observer = Observer()
        self._numbers = count()
        self._trees: tuple[Tree, Tree]
        self._pairs: list[list[Contestant]] = []
        self._plans: list[dict[str, Any]] = []
        self.comparison = Comparison(describe(a), describe(b), rule, fail_on, True, environment.describe())

    def run(self, observer: Observer) -> Comparison:
        """Measure everything; nothing is left running, however it ends.

        Raises
        ------
        BadInputError
            If a version refuses the request.
        CrashError
            If a version cannot be laid out, or its processes die before a cell.
        """
        self._observer = observer
        with ExitStack() as held:
            a, b = (held.enter_context(laid_out(side, observer.note)) for side in self._sides)
            self._trees = (a, b)
            with self._processes(self._request.processes):
                workloads, alone = self._match()
                self.comparison.cells += alone
                for workload in workloads:
                    self._look(workload)
            self._confirm(workloads)
        return self.comparison

    # Processes

    @contextmanager
    def _processes(self, pairs: int) -> Iterator[None]:
        """Fresh pairs of processes, each with the request looked up."""
        try:
            # One more than there are rounds would only take part in the set-up.
            for _ in range(min(pairs, self._request.rounds)):
                self._pairs.append([self._start(side) for side in (A, B)])
            plans = [[contestant.plan() for contestant in pair] for pair in self._pairs]
            self._plans = plans[0]
            yield
            for contestant in self._all():
                contestant.close()
        finally:
            for contestant in self._all():
                contestant.end()
            self._pairs.clear()

    def _start(self, side: int) -> Contestant:
        return Contestant(next(self._numbers), self._trees[side], self._request, self._observer, self._all)

    def _all(self) -> list[Contestant]:
        return [contestant for pair in self._pairs for contestant in pair]

    def _each(self) -> list[tuple[int, int, Contestant]]:
        return [(place, side, pair[side]) for place, pair in enumerate(self._pairs) for side in (A, B)]

    # What to measure

    def _match(self) -> tuple[list[WorkloadRuns], list[CellResult]]:
        """Workloads and cells that both versions have; the others are refused at once."""
        for side, plan in enumerate(self._plans):
            described = self.comparison.b if side == B else self.comparison.a
            described.update(kernels=plan["kernels"], python=plan["python"])
        workloads, alone = line_up(self._plans, self._request)
        plan = self._plans[B]
        cells = tuple(dict.fromkeys(key for workload in workloads for key in workload.cells))
        plans = tuple(WorkloadPlan(workload.name, workload.dials, workload.title) for workload in workloads)
        cold = any(one["cold"] for one in self._plans)
        everything = Plan(plans, cells, frozenset(cells), plan["kernels"], cold, plan["costs"])
        self._observer.planned(everything, self._request.rounds)
        return workloads, alone

    # Measuring

    def _look(self, workload: WorkloadRuns) -> None:
        """The first measurement of all cells, those with more noise in more rounds."""
        keys = list(workload.cells)
        if self._prepare(workload, keys):
            self._begin(workload, keys)
            asked = self._request.rounds
            self._measure(workload, dict.fromkeys(keys, asked))
            if not self._request.simulated:
                more = {
                    key: self._effort.look(cell.pairs) - asked
                    for key, cell in workload.cells.items()
                    if cell.pairs and not cell.failed
                }
                self._observer.extended(sum(more.values()))
                self._measure(workload, more, asked)
        self._keep(workload, keys)
        self._observer.finished(workload.title)

    def _prepare(self, workload: WorkloadRuns, keys: Sequence[CellKey]) -> bool:
        """Build the workload everywhere at once and run every cell once; what fails is out on its side.

        Returns
        -------
        bool
            Whether there is something to measure.
        """
        for _, side, contestant in self._each():
            self._observer.stage(contestant.number, workload.title, "building")
            contestant.begin_build(workload.places[side])
        for place, side, contestant in self._each():
            try:
                workload.facts[side] = contestant.end_build()
            except CellError as error:
                for key in keys:
                    workload.cells[key].errors[side] = str(error)
                self._replace_if_gone(error, workload, place, side, warm=False)
        for what in ("genesis", "block"):
            digests = [facts.get(f"{what}_digest") for facts in workload.facts]
            if None not in digests and digests[A] != digests[B]:
                # Nothing is gained by running blocks that are not the same.
                workload.refused = what
                return False
        for key in keys:
            if workload.cells[key].failed:
                continue
            for _, _, contestant in self._each():
                self._observer.stage(contestant.number, workload.title, f"warming up {key}")
                contestant.begin_warm(key)
            for place, side, contestant in self._each():
                try:
                    contestant.end_warm()
                except CellError as error:
                    self._fail(workload, key, side, error)
                    self._replace_if_gone(error, workload, place, side)
        return True

    def _fail(self, workload: WorkloadRuns, key: CellKey, side: int, error: CellError) -> None:
        cell = workload.cells[key]
        if cell.errors[side] is None:
            cell.errors[side] = str(error)
            self._observer.failed(workload.title, key, f"in {LETTERS[side]}: {error}", [])

    def _replace_if_gone(
        self, error: CellError, workload: WorkloadRuns, place: int, side: int, warm: bool = True
    ) -> None:
        """Start another process where one has died, and bring it to where the dead one was."""
        if not isinstance(error, GoneError):
            return
        self._pairs[place][side].end()
        contestant = self._pairs[place][side] = self._start(side)
        contestant.plan()
        if not warm:
            return
        try:
            contestant.begin_build(workload.places[side])
            contestant.end_build()
            for key, cell in workload.cells.items():
                if not cell.failed:
                    contestant.begin_warm(key)
                    contestant.end_warm()
        except CellError as again:
            raise CrashError(f"{self._trees[side].label}: {again}, twice in a row") from None

    @staticmethod
    def _begin(workload: WorkloadRuns, keys: Iterable[CellKey]) -> None:
        """Open a measurement: what is measured from now on is independent of what was before."""
        for key in keys:
            workload.cells[key].rounds.append([])

    def _measure(self, workload: WorkloadRuns, rounds: Mapping[CellKey, int], done: int = 0) -> None:
        """Measure so many rounds of each cell with the processes at hand, which have done some already."""
        for key in rounds:
            groups = workload.cells[key].rounds[-1]
            if not done:
                groups += [([], []) for _ in self._pairs]
        for number in range(done, done + max(rounds.values(), default=0)):
            place = number % len(self._pairs)
            turn = number // len(self._pairs)
            live = [key for key, many in rounds.items() if number < done + many and not workload.cells[key].failed]
            by = turn % max(len(live), 1)
            for key in [*live[by:], *live[:by]]:
                self._round(workload, key, place, (A, B) if turn % 2 == 0 else (B, A))
                self._observer.measured(workload.title, key, number + 1)

    def _round(self, workload: WorkloadRuns, key: CellKey, place: int, order: tuple[int, int]) -> None:
        """Run a cell on both sides, one right after the other; only both together count."""
        cell, began = workload.cells[key], time.perf_counter()
        found: list[dict[str, Any]] = [{}, {}]
        for side in order:
            try:
                found[side] = self._pairs[place][side].run(key)
            except CellError as error:
                self._fail(workload, key, side, error)
                self._replace_if_gone(error, workload, place, side)
                return
        for side in (A, B):
            # The pairs of processes at hand are the last ones of a measurement that had others before.
            cell.rounds[-1][place - len(self._pairs)][side].append(found[side]["seconds"])
            cell.samples[side] = found[side]
        cell.seconds += time.perf_counter() - began

    # Judging

    def _keep(self, workload: WorkloadRuns, keys: Iterable[CellKey]) -> None:
        results = [self._judge(workload, key) for key in keys]
        mine = {result.name for result in results}
        self.comparison.cells = [cell for cell in self.comparison.cells if cell.name not in mine] + results

    def _judge(self, workload: WorkloadRuns, key: CellKey) -> CellResult:
        name, cell = workload.cell_name(key, self._request), workload.cells[key]
        a, b = (self._measured(workload, key, side) for side in (A, B))
        why = refusal(name, a, b)
        if why is not None:
            return CellResult(name, Verdict.REFUSED, a=a, b=b, note=why)
        if b.error is not None:
            return CellResult(name, Verdict.BROKEN, a=a, b=b, note=b.error)
        if self._request.simulated:
            return exact(name, a, b, self._rule)
        ratios = cell.ratios()
        verdict, ratio, note = self._rule.settle(ratios)
        return CellResult(name, verdict, ratio, tuple(ratios), a, b, note=note)

    def _measured(self, workload: WorkloadRuns, key: CellKey, side: int) -> Measured:
        cell, facts = workload.cells[key], workload.facts[side]
        sample = cell.samples[side]
        simulated = self._request.simulated
        return Measured(
            source=self._trees[side].label,
            genesis_digest=facts.get("genesis_digest"),
            block_digest=facts.get("block_digest"),
            costs=self._plans[side]["costs"],
            error=cell.errors[side],
            seconds=cell.by_process(side),
            picoseconds=picoseconds(sample["phases"]) if simulated and sample else None,
            counters=sample["counters"] if sample else {},
        )

    # Again

    def _confirm(self, workloads: Sequence[WorkloadRuns]) -> None:
        """Measure again, with fresh processes, what may be slower but has not been seen twice."""
        if self._request.simulated:
            return
        for _ in range(MOST_MEASUREMENTS - 1):
            doubtful = {place: keys for place, one in enumerate(workloads) if (keys := self._unsettled(one))}
            cells = sum(map(len, doubtful.values()))
            if not cells:
                return
            self._observer.note(
                f"{cells} cell{'' if cells == 1 else 's'} may be slower: measured again by fresh processes"
            )
            self._again(
                [(workloads[place], self._rounds(workloads[place], keys, cells)) for place, keys in doubtful.items()]
            )

    def _again(self, doubtful: Sequence[tuple[WorkloadRuns, Mapping[CellKey, int]]]) -> None:
        """One further measurement of these cells, so many rounds of each in each pair of processes.

        One pair lives at a time: that takes the memory of one, and what the machine does for a while meets few of them.
        """
        pairs = self._effort.again_processes
        self._observer.extended(pairs * sum(sum(rounds.values()) for _, rounds in doubtful))
        for workload, rounds in doubtful:
            self._begin(workload, rounds)
        for _ in range(pairs):
            with self._processes(1):
                for workload, rounds in doubtful:
                    if self._prepare(workload, list(rounds)):
                        self._measure(workload, rounds)
        for workload, rounds in doubtful:
            self._keep(workload, rounds)

    def _unsettled(self, workload: WorkloadRuns) -> list[CellKey]:
        """Cells that call for another measurement."""
        if workload.refused is not None:
            return []
        return [
            key
            for key, cell in workload.cells.items()
            if not cell.failed and cell.pairs and self._rule.unsettled(cell.ratios())
        ]

    def _rounds(self, workload: WorkloadRuns, keys: Iterable[CellKey], cells: int) -> dict[CellKey, int]:
        """Rounds that each pair of processes has in a further measurement of so many cells in all."""
        measured = {key: workload.cells[key] for key in keys}
        return {key: self._effort.again(cell.pairs, cell.round_seconds, cells) for key, cell in measured.items()}
