"""The parent's side of a run: measuring processes set up together, then measure strictly in turn.

The processes build a workload, run it serially and warm every cell up at the same time. Then one round at a time,
one process at a time, each cell is run once: the cells of a round follow each other in one process (A B A B), rounds
alternate between the processes, and nothing else runs meanwhile. This module imports no compiler: the parent stays
light, and a crash in compiled code cannot take the results with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from multiprocessing.connection import wait
from typing import Any

from harness.errors import BadInputError, CrashError
from harness.measurement import WorkloadMeasurement
from harness.observer import Observer
from harness.plan import CellKey, Plan
from harness.process import MeasuringProcess
from harness.request import Request
from harness.sample import Facts, Sample

_TICK_SECONDS = 0.1
_CLOSE_SECONDS = 2.0
_MAX_STARTS = 50


class _GoneError(Exception):
    """A measuring process ended before its time."""

    def __init__(self, child: MeasuringProcess, how: str) -> None:
        super().__init__(how)
        self.child = child
        self.how = how


class Runner:
    """Measures what a request asks for. A context manager: leaving it ends every process, however it is left.

    Parameters
    ----------
    request : Request
    observer : Observer
    """

    def __init__(self, request: Request, observer: Observer) -> None:
        self._request = request
        self._observer = observer
        self._started = 0
        self._children: list[MeasuringProcess] = []
        self.plan: Plan

    def __enter__(self) -> Runner:
        # A process without a round of its own would only take part in the set-up.
        try:
            for _ in range(min(self._request.processes, self._request.repeat)):
                self._children.append(self._start())
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def _start(self) -> MeasuringProcess:
        if self._started == _MAX_STARTS:
            raise CrashError(f"measuring processes died {_MAX_STARTS} times; giving up")
        child = MeasuringProcess(self._started)
        self._started += 1
        child.send("plan", self._request)
        return child

    def resolve(self) -> Plan:
        """Have the request looked up by the measuring processes, which import the plug-ins anyway.

        Raises
        ------
        BadInputError
            If a name, a dial or a plug-in is refused.
        CrashError
            If a process dies of it.
        """
        for child in self._children:
            self.plan = self._planned(child)
        self._observer.planned(self.plan, self._request.repeat)
        return self.plan

    def _planned(self, child: MeasuringProcess) -> Plan:
        try:
            verb, content = self._message(child)
        except _GoneError as gone:
            raise CrashError(f"{gone.how} while it imported strategies and workloads\n{child.tail()}".strip()) from None
        if verb == "refused":
            raise BadInputError(content)
        plan: Plan = content
        return plan

    def measure(self, place: int, keep: Callable[[WorkloadMeasurement], None]) -> None:
        """Measure the workload at `place` of the plan.

        Parameters
        ----------
        keep : callable
            Given the measurement as soon as it exists: whatever interrupts the run, the caller has what was measured.
        """
        measurement = WorkloadMeasurement(self.plan.workloads[place], self.plan.cells)
        keep(measurement)
        self._prepare(measurement, place, list(range(len(self._children))))
        number = 0
        while number < self._request.repeat and measurement.live():
            slot = number % len(self._children)
            try:
                self._round(measurement, self._children[slot], number)
            except _GoneError as gone:
                # The cell is out; the round is run again in full, by the process that takes the dead one's place.
                self._blame(measurement, gone)
                self._replace(slot)
                self._prepare(measurement, place, [slot])
                continue
            number += 1
        self._observer.finished(measurement.plan.name)

    def _prepare(self, measurement: WorkloadMeasurement, place: int, slots: Iterable[int]) -> None:
        waiting = list(slots)
        for slot in waiting:
            self._say_prepare(measurement, place, slot)
        while waiting:
            for slot in self._ready_slots(waiting):
                try:
                    done = self._hear_preparation(measurement, self._children[slot])
                except _GoneError as gone:
                    self._blame(measurement, gone)
                    self._replace(slot)
                    if measurement.live():
                        self._say_prepare(measurement, place, slot)
                        continue
                    done = True
                if done:
                    waiting.remove(slot)

    def _say_prepare(self, measurement: WorkloadMeasurement, place: int, slot: int) -> None:
        cells = measurement.live()
        # On a cold cache the processes then compile different strategies first and load each other's work.
        cells = cells[:1] + _rotated(cells[1:], slot * max(1, len(cells) // max(1, len(self._children))))
        self._children[slot].send("prepare", self.plan, place, cells, self._request.seed, self._request.block_size)

    def _hear_preparation(self, measurement: WorkloadMeasurement, child: MeasuringProcess) -> bool:
        verb, *content = self._message(child)
        match verb:
            case "compile":
                self._hear_compilation(measurement, child, *content)
            case "stage":
                child.at = content[1] if len(content) > 1 else None
                self._observer.stage(child.number, measurement.plan.name, content[0])
            case "failed":
                self._fail(measurement, *content)
            case "broken":
                self._fail_all(measurement, content[0])
                return True
            case "ready":
                child.at = None
                facts: Facts = content[0]
                if measurement.facts is not None and measurement.facts != facts:
                    self._fail_all(measurement, "not reproducible: two processes built different blocks from one seed")
                measurement.facts = facts
                return True
        return False

    def _round(self, measurement: WorkloadMeasurement, child: MeasuringProcess, number: int) -> None:
        cells = measurement.live()
        child.send("round", _rotated(cells, number // len(self._children)))
        samples: dict[CellKey, Sample] = {}
        while True:
            verb, *content = self._message(child)
            match verb:
                case "compile":
                    self._hear_compilation(measurement, child, *content)
                case "running":
                    child.at = content[0]
                case "sample":
                    key, sample = content
                    samples[key] = sample
                    self._observer.measured(measurement.plan.name, key, number + 1)
                case "failed":
                    self._fail(measurement, *content)
                case "done":
                    child.at = None
                    break
        measurement.add(child.number, number, samples)

    def _message(self, child: MeasuringProcess) -> tuple[Any, ...]:
        """Wait for the next message of `child`; raise `_GoneError` if it is dead or silent for too long."""
        while not wait([child.connection], _TICK_SECONDS):
            self._observer.tick()
            if child.is_gone():
                raise _GoneError(child, child.obituary())
            if child.silence() > self._request.timeout:
                raise _GoneError(child, f"no sign of life for {self._request.timeout:g} s")
        self._observer.tick()
        message = child.receive()
        if message is None:
            raise _GoneError(child, child.obituary())
        return message

    def _ready_slots(self, slots: list[int]) -> list[int]:
        """Those of the processes at `slots` that have something to say, are gone, or have all been silent too long."""
        children = {slot: self._children[slot] for slot in slots}
        while True:
            ready = wait([child.connection for child in children.values()], _TICK_SECONDS)
            self._observer.tick()
            found = [slot for slot, child in children.items() if child.connection in ready or child.is_gone()]
            if found:
                return found
            # One that waits for another to compile is silent for as long as that takes.
            if min(child.silence() for child in self._children) > self._request.timeout:
                return slots[:1]

    def _hear_compilation(
        self, measurement: WorkloadMeasurement, child: MeasuringProcess, kernel: str, begins: bool, seconds: float
    ) -> None:
        if begins:
            self._observer.compiling(child.number, kernel)
        else:
            self._observer.compiled(child.number, kernel, seconds)
            measurement.compile_seconds[child.number] = measurement.compile_seconds.get(child.number, 0.0) + seconds

    def _fail(
        self, measurement: WorkloadMeasurement, key: CellKey, error: str, differences: Iterable[str] = ()
    ) -> None:
        before = measurement.live()
        measurement.fail(key, error, differences)
        for one in before:
            failure = measurement.failures.get(one)
            if failure is not None:
                self._observer.failed(measurement.plan.name, one, failure.error, list(failure.differences))

    def _fail_all(self, measurement: WorkloadMeasurement, error: str) -> None:
        for key in measurement.live():
            self._fail(measurement, key, error)

    def _blame(self, measurement: WorkloadMeasurement, gone: _GoneError) -> None:
        if gone.child.at is not None:
            self._fail(measurement, gone.child.at, gone.how)
        else:
            self._fail_all(measurement, f"{gone.how} while it set the workload up")
        tail = gone.child.tail()
        if tail:
            self._observer.note(f"last words of the measuring process:\n{tail}")

    def _replace(self, slot: int) -> None:
        self._children[slot].end()
        self._children[slot] = self._start()
        self._planned(self._children[slot])

    def end(self) -> None:
        """End every measuring process at once, and whatever its strategies keep."""
        for child in self._children:
            child.end()
        self._children.clear()

    def close(self) -> None:
        """End the processes after they have closed their strategies."""
        for child in self._children:
            child.ask_to_close()
        for child in self._children:
            child.end(_CLOSE_SECONDS)
        self._children.clear()


def _rotated(cells: list[CellKey], by: int) -> list[CellKey]:
    by %= max(1, len(cells))
    return cells[by:] + cells[:by]
