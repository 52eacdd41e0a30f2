"""Versions against versions: measured in turns, A B B A, cell by cell, in one job on one machine.

Each side has processes of its own, which run its sources in its environment. Pairs of processes take turns round by
round, and within a round every cell is run by one side and at once by the other, the order changing from round to
round: whatever the machine does to one it does to the other. A cell that looks slower is measured again by fresh
processes before that counts (`verdict`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from harness import environment
from harness.comparison.checkout import Tree, laid_out
from harness.comparison.comparable import refusal
from harness.comparison.contestant import CellError, Contestant, GoneError
from harness.comparison.measured import CellName, Measured, frozen, picoseconds
from harness.comparison.ratio import Pair, paired
from harness.comparison.recorded import exact
from harness.comparison.result import CellResult, Comparison
from harness.comparison.sides import Checkout, Revision, describe
from harness.comparison.verdict import AGAIN_TIMES, MOST_MEASUREMENTS, Rule, Verdict
from harness.errors import CrashError
from harness.observer import Observer
from harness.plan import CellKey, Plan, WorkloadPlan
from harness.request import Request
from harness.statistics import Interval, Samples

A, B = range(2)
LETTERS = "AB"


@dataclass
class _Cell:
    """What is known of a cell of the workload at hand."""

    errors: list[str | None] = field(default_factory=lambda: [None, None])
    # By measurement, by pair of processes: seconds of A and of B in the same rounds.
    rounds: list[list[tuple[list[float], list[float]]]] = field(default_factory=list)
    samples: list[dict[str, Any] | None] = field(default_factory=lambda: [None, None])

    @property
    def failed(self) -> bool:
        return any(error is not None for error in self.errors)

    def pairs(self, measurement: int) -> list[Pair]:
        return [Pair(np.array(a), np.array(b)) for a, b in self.rounds[measurement] if a]

    def ratios(self) -> list[Interval]:
        return [paired(pairs) for pairs in map(self.pairs, range(len(self.rounds))) if pairs]

    def seconds(self, side: int) -> list[Samples]:
        return [np.array(pair[side]) for rounds in self.rounds for pair in rounds if pair[side]]


@dataclass
class _Workload:
    """One workload on both sides."""

    title: str
    name: str
    dials: dict[str, Any]
    places: tuple[int, int]
    facts: list[dict[str, Any]] = field(default_factory=lambda: [{}, {}])
    refused: str | None = None
    cells: dict[CellKey, _Cell] = field(default_factory=dict)


class Duel:
    """Measures two versions against each other.

    Parameters
    ----------
    a, b : Checkout or Revision
    request : Request
        What to measure; `repeat` pairs of runs of each cell by `processes` pairs of processes.
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
            with self._processes():
                workloads, only = self._match()
                self.comparison.cells += only
                for workload in workloads:
                    self._prepare(workload)
                    self._measure(workload, self._request.rounds)
                    self._keep(workload)
            self._confirm(workloads)
        return self.comparison

    # Processes

    @contextmanager
    def _processes(self) -> Iterator[None]:
        """Fresh pairs of processes, each with the request looked up."""
        try:
            # One more than there are rounds would only take part in the set-up.
            for _ in range(min(self._request.processes, self._request.rounds)):
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

    def _match(self) -> tuple[list[_Workload], list[CellResult]]:
        """Workloads and cells that both versions have; the others are refused at once."""
        for side, plan in enumerate(self._plans):
            self._described(side).update(kernels=plan["kernels"], python=plan["python"])
        keys = [[CellKey(*cell) for cell in plan["reported"]] for plan in self._plans]
        both = [key for key in keys[A] if key in keys[B]]
        ordered = sorted(both, key=lambda key: [CellKey(*cell) for cell in self._plans[A]["cells"]].index(key))
        workloads, only = [], []
        left = list(enumerate(self._plans[B]["workloads"]))
        for place, (name, title, dials) in enumerate(self._plans[A]["workloads"]):
            partner = next((one for one in left if one[1][1] == title and _agree(dials, one[1][2])), None)
            if partner is None:
                only += self._strangers(A, title, dials, keys[A])
                continue
            left.remove(partner)
            found = _Workload(title, name, dials, (place, partner[0]))
            found.cells = {key: _Cell() for key in ordered}
            workloads.append(found)
            for side in (A, B):
                only += [self._alone(found, key, f"only in {LETTERS[side]}") for key in keys[side] if key not in both]
        for _, (_, title, dials) in left:
            only += self._strangers(B, title, dials, keys[B])
        self._announce(workloads, self._request.rounds)
        return workloads, only

    def _described(self, side: int) -> dict[str, Any]:
        return self.comparison.b if side == B else self.comparison.a

    def _announce(self, workloads: Sequence[_Workload], rounds: int) -> None:
        plan = self._plans[B]
        cells = tuple(dict.fromkeys(key for workload in workloads for key in workload.cells))
        plans = tuple(WorkloadPlan(workload.name, workload.dials, workload.title) for workload in workloads)
        cold = any(one["cold"] for one in self._plans)
        self._observer.planned(Plan(plans, cells, frozenset(cells), plan["kernels"], cold, plan["costs"]), rounds)

    def _strangers(self, side: int, title: str, dials: dict[str, Any], keys: Iterable[CellKey]) -> list[CellResult]:
        """Cells of a workload that the other version does not have, or has with other values of its dials."""
        others = [theirs for _, theirs_title, theirs in self._plans[1 - side]["workloads"] if theirs_title == title]
        why = f"the workload is only in {LETTERS[side]}"
        if others:
            pairs = ((name, dials[name], others[0][name]) for name in dials if name in others[0])
            differ = [f"{name} {ours} here, {theirs} there" for name, ours, theirs in pairs if ours != theirs]
            why = f"other dials than in {LETTERS[1 - side]}: {', '.join(differ)}"
        workload = _Workload(title, title, dials, (0, 0))
        return [self._alone(workload, key, why) for key in keys]

    def _alone(self, workload: _Workload, key: CellKey, why: str) -> CellResult:
        return CellResult(self._name(workload, key), Verdict.REFUSED, note=why)

    def _name(self, workload: _Workload, key: CellKey) -> CellName:
        asked = self._request
        return CellName(
            workload.title,
            frozen(workload.dials),
            asked.seed,
            asked.block_size,
            key.strategy,
            key.workers,
            asked.clock,
            asked.network or "",
        )

    # Measuring

    def _prepare(self, workload: _Workload) -> None:
        """Build the workload everywhere at once and run every cell once; what fails is out on its side."""
        for _, side, contestant in self._each():
            self._observer.stage(contestant.number, workload.title, "building")
            contestant.begin_build(workload.places[side])
        for place, side, contestant in self._each():
            try:
                workload.facts[side] = contestant.end_build()
            except CellError as error:
                for cell in workload.cells.values():
                    cell.errors[side] = str(error)
                self._replace_if_gone(error, workload, place, side, warm=False)
        for what in ("genesis", "block"):
            digests = [facts.get(f"{what}_digest") for facts in workload.facts]
            if None not in digests and digests[A] != digests[B]:
                # Nothing is gained by running blocks that are not the same.
                workload.refused = what
                return
        for key, cell in workload.cells.items():
            if cell.failed:
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

    def _fail(self, workload: _Workload, key: CellKey, side: int, error: CellError) -> None:
        cell = workload.cells[key]
        if cell.errors[side] is None:
            cell.errors[side] = str(error)
            self._observer.failed(workload.title, key, f"in {LETTERS[side]}: {error}", [])

    def _replace_if_gone(self, error: CellError, workload: _Workload, place: int, side: int, warm: bool = True) -> None:
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

    def _measure(self, workload: _Workload, rounds: int) -> None:
        if workload.refused is not None:
            return
        for cell in workload.cells.values():
            cell.rounds.append([([], []) for _ in self._pairs])
        for number in range(rounds):
            place = number % len(self._pairs)
            turn = number // len(self._pairs)
            live = [key for key, cell in workload.cells.items() if not cell.failed]
            by = turn % max(len(live), 1)
            for key in [*live[by:], *live[:by]]:
                self._round(workload, key, place, (A, B) if turn % 2 == 0 else (B, A))
                self._observer.measured(workload.title, key, number + 1)

    def _round(self, workload: _Workload, key: CellKey, place: int, order: tuple[int, int]) -> None:
        """Run a cell on both sides, one right after the other; only both together count."""
        cell = workload.cells[key]
        found: list[dict[str, Any]] = [{}, {}]
        for side in order:
            try:
                found[side] = self._pairs[place][side].run(key)
            except CellError as error:
                self._fail(workload, key, side, error)
                self._replace_if_gone(error, workload, place, side)
                return
        for side in (A, B):
            cell.rounds[-1][place][side].append(found[side]["seconds"])
            cell.samples[side] = found[side]

    # Judging

    def _keep(self, workload: _Workload) -> None:
        results = [self._judge(workload, key) for key in workload.cells]
        mine = {result.name for result in results}
        self.comparison.cells = [cell for cell in self.comparison.cells if cell.name not in mine] + results
        self._observer.finished(workload.title)

    def _judge(self, workload: _Workload, key: CellKey) -> CellResult:
        name, cell = self._name(workload, key), workload.cells[key]
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

    def _measured(self, workload: _Workload, key: CellKey, side: int) -> Measured:
        cell, facts = workload.cells[key], workload.facts[side]
        sample = cell.samples[side]
        simulated = self._request.simulated
        return Measured(
            source=self._trees[side].label,
            genesis_digest=facts.get("genesis_digest"),
            block_digest=facts.get("block_digest"),
            costs=self._plans[side]["costs"],
            error=cell.errors[side],
            seconds=cell.seconds(side),
            picoseconds=picoseconds(sample["phases"]) if simulated and sample else None,
            counters=sample["counters"] if sample else {},
        )

    # Again

    def _confirm(self, workloads: Iterable[_Workload]) -> None:
        """Measure again, with fresh processes, what looks slower but has not been seen twice."""
        if self._request.simulated:
            return
        everything = list(workloads)
        rounds = AGAIN_TIMES * self._request.rounds
        for _ in range(MOST_MEASUREMENTS - 1):
            doubtful = [(workload, self._unsettled(workload)) for workload in everything]
            doubtful = [(workload, keys) for workload, keys in doubtful if keys]
            if not doubtful:
                return
            cells = sum(len(keys) for _, keys in doubtful)
            self._observer.note(
                f"{cells} cell{'' if cells == 1 else 's'} may be slower: measured again by fresh processes"
            )
            with self._processes():
                for workload, keys in doubtful:
                    everything_else = {key: cell for key, cell in workload.cells.items() if key not in keys}
                    workload.cells = {key: workload.cells[key] for key in keys}
                    self._announce([workload], rounds)
                    try:
                        self._prepare(workload)
                        self._measure(workload, rounds)
                        self._keep(workload)
                    finally:
                        workload.cells |= everything_else

    def _unsettled(self, workload: _Workload) -> list[CellKey]:
        if workload.refused is not None:
            return []
        return [
            key
            for key, cell in workload.cells.items()
            if not cell.failed and cell.ratios() and self._rule.unsettled(cell.ratios())
        ]


def _agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether two versions turn the dials that both know alike. What a new dial does by default, the digests say."""
    return all(theirs[name] == value for name, value in ours.items() if name in theirs)
