"""The parent's side of a run: measuring processes set up together, then measure strictly in turn.

The processes build a workload, run it serially and warm every cell up at the same time. Then one round at a time,
one process at a time, each cell is run once: the cells of a round follow each other in one process (A B A B), rounds
alternate between the processes, and nothing else runs meanwhile. This module imports no compiler: the parent stays
light, and a crash in compiled code cannot take the results with it.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.environment import utc_precisely
from harness.measuring.crew import Crew, GoneError
from harness.measuring.ledger import Ledger
from harness.measuring.measurement import Mark, WorkloadMeasurement
from harness.measuring.preparation import Preparation
from harness.measuring.process import MeasuringProcess
from harness.measuring.sample import Sample
from harness.observer import Observer
from harness.plan.request import Request
from harness.plan.resolve import CellKey, Plan


class Runner:
    """Measures what a request asks for. A context manager: leaving it ends every process, however it is left.

    Parameters
    ----------
    request : Request
    observer : Observer
    first_process : int, optional
        Number of the first process.
    rounds : int, optional
        Most that any workload still needs; those of the request by default.
    """

    def __init__(self, request: Request, observer: Observer, first_process: int = 0, rounds: int | None = None) -> None:
        self._request = request
        self._observer = observer
        self._crew = Crew(request, observer, first_process)
        self._rounds = request.rounds if rounds is None else rounds
        self.plan: Plan

    def __enter__(self) -> Runner:
        try:
            # A process without a round of its own would only take part in the set-up.
            self._crew.start(min(self._request.processes, max(1, self._rounds)))
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def resolve(self) -> Plan:
        """Have the request looked up by the measuring processes, which import the plug-ins anyway.

        Raises
        ------
        BadInputError
            If a name, a dial or a plug-in is refused.
        CrashError
            If a process dies of it.
        """
        for slot in range(len(self._crew)):
            self.plan = self._crew.plan(slot)
        self._observer.planned(self.plan, self._request.rounds)
        return self.plan

    def measure(self, place: int, measurement: WorkloadMeasurement, after_round: Callable[[], object]) -> None:
        """Measure what is missing of the workload at `place` of the plan.

        Parameters
        ----------
        measurement : WorkloadMeasurement
            Filled round by round: whatever interrupts the run, the caller has what was measured.
        after_round : callable
            Called after each round, while nothing is measured.

        Raises
        ------
        BadInputError
            If earlier samples are of another block than the workload builds now.
        CrashError
            If measuring processes keep dying.
        """
        ledger = Ledger(measurement, self._observer)
        preparation = Preparation(self._crew, ledger, self.plan, place, self._request)
        preparation.run(range(len(self._crew)))
        number = measurement.next_round
        while number < self._request.rounds and ledger.live():
            slot = number % len(self._crew)
            try:
                self._round(ledger, self._crew[slot], number)
            except GoneError as gone:
                # The cell is out; the round is run again in full, by the process that takes the dead one's place.
                ledger.blame(gone)
                self._crew.replace(slot)
                if ledger.live():
                    preparation.run([slot])
                continue
            number += 1
            after_round()

    def _round(self, ledger: Ledger, child: MeasuringProcess, number: int) -> None:
        # No cell always runs after the same other one.
        cells = ledger.live()
        by = number // len(self._crew) % len(cells)
        child.send("round", [*cells[by:], *cells[:by]])
        samples: dict[CellKey, Sample] = {}
        marks: dict[CellKey, Mark] = {}
        while True:
            verb, *content = self._crew.message(child)
            match verb:
                case "compile":
                    ledger.compiled(child.number, *content)
                case "running":
                    child.at = content[0]
                    marks[content[0]] = Mark(len(marks), utc_precisely())
                case "sample":
                    key, sample = content
                    samples[key] = sample
                    ledger.measured(key, number + 1)
                case "failed":
                    ledger.fail(*content)
                case "done":
                    child.at = None
                    ledger.keep(child.number, number, samples, marks)
                    return

    def end(self) -> None:
        """End every measuring process at once, and whatever its strategies keep."""
        self._crew.end()

    def close(self) -> None:
        """End the measuring processes after they have closed their strategies."""
        self._crew.close()
