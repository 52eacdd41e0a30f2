"""Setting a workload up in several processes at once: built, run serially, every cell warmed up."""

from __future__ import annotations

from collections.abc import Iterable

from harness.archive.resume import check_block
from harness.measuring.crew import Crew, GoneError
from harness.measuring.ledger import Ledger
from harness.measuring.process import MeasuringProcess
from harness.measuring.sample import Facts
from harness.plan.request import Request
from harness.plan.resolve import BASELINE_CELL, CellKey, Plan


class Preparation:
    """Sets one workload up.

    The parent hands out one cell at a time, so that a cell that fails in one process is not tried in another.

    Parameters
    ----------
    crew : Crew
    ledger : Ledger
        Told what fails.
    plan : Plan
    place : int
        Of the workload in the plan.
    request : Request
    """

    def __init__(self, crew: Crew, ledger: Ledger, plan: Plan, place: int, request: Request) -> None:
        self._crew = crew
        self._ledger = ledger
        self._plan = plan
        self._place = place
        self._request = request
        self._cells: dict[int, list[CellKey]] = {}

    def run(self, slots: Iterable[int]) -> None:
        """Set the workload up in the processes at `slots`, which are then ready for rounds."""
        waiting = list(slots)
        for slot in waiting:
            self._begin(slot)
        while waiting:
            for slot in self._crew.ready(waiting):
                # It may have been replaced since, on account of another one's failure, and has nothing to say yet.
                if self._hear(slot):
                    waiting.remove(slot)

    def _begin(self, slot: int) -> None:
        cells = [key for key in self._ledger.live() if key != BASELINE_CELL]
        # On a cold cache the processes then compile different strategies first, and load each other's work.
        by = slot * len(cells) // len(self._crew)
        self._cells[slot] = [BASELINE_CELL, *cells[by:], *cells[:by]]
        self._crew[slot].at = None
        # The first process builds, and so compiles what everyone needs first; the others would only wait for it.
        ahead = self._plan.cold and slot > 0
        self._crew[slot].send("build", self._plan, self._place, self._request.seed, self._request.block_size, ahead)

    def _hear(self, slot: int) -> bool:
        """Take one message of the process at `slot`; True if it is ready, or there is nothing left to prepare."""
        child = self._crew[slot]
        try:
            verb, *content = self._crew.message(child)
        except GoneError as gone:
            return self._mourn(slot, gone)
        match verb:
            case "compile":
                self._ledger.compiled(child.number, *content)
                return False
            case "stage":
                self._ledger.stage(child.number, content[0])
                return False
            case "broken":
                self._ledger.fail_all(content[0])
                return True
            case "built":
                self._compare(content[0])
            case "failed":
                self._ledger.fail(*content)
        return self._next(slot, child)

    def _next(self, slot: int, child: MeasuringProcess) -> bool:
        live = set(self._ledger.live())
        while self._cells[slot]:
            key = self._cells[slot].pop(0)
            if key in live:
                child.at = key
                self._ledger.stage(child.number, f"warming up {key}")
                child.send("warm", key)
                return False
        child.at = None
        return True

    def _compare(self, facts: Facts) -> None:
        measurement = self._ledger.measurement
        known = measurement.facts
        if known is not None and measurement.earlier and not measurement.rounds:
            check_block(measurement.plan.title, known, facts)
        elif known is not None and known != facts:
            self._ledger.fail_all("not reproducible: two processes built different blocks from one seed")
        measurement.facts = facts

    def _mourn(self, slot: int, gone: GoneError) -> bool:
        blamed = gone.child.at
        self._ledger.blame(gone)
        self._renew(slot)
        for other, child in enumerate(self._crew):
            # What ended one process is about to end this one as well.
            if blamed is not None and child.at == blamed and other in self._cells:
                self._renew(other)
        return not self._ledger.live()

    def _renew(self, slot: int) -> None:
        self._crew.replace(slot)
        if self._ledger.live():
            self._begin(slot)
