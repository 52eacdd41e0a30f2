"""Virtual floor: stations of a pipeline in simulated time.

A station's process is Python that opens teams of workers, lets time pass, or waits for another station. One process
goes on at a time, and only when none can does time pass: until a team has ended or a moment comes that one waits for.
So a run is the same each time, and takes no simulated time for what Python does (a discrete-event simulation with
processes, as SimPy has them). Processes are threads, which hand a token on; nothing happens at the same time.

Where stations share workers, these are simulated together (`node.pipeline.shared_events`). Where each has its own, a
team's time is what it would be alone, and is simulated by a clock of its own when it begins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.node.base import StageError
from contend.node.pipeline.conveyor import Floor, Process
from contend.node.pipeline.shared_events import (
    FULL_SPEED,
    NEVER,
    NOT_SEEN,
    SHARED_LOOP,
    SHARED_TEAM,
    STUCK,
    TEAM_ENDED,
    TIME_IS_UP,
    run_shared_events,
    spend_step,
    wake_all,
)
from contend.strategies.clocks import ACT_SCHEDULE, Clock, Workers, cost_table
from contend.strategies.clocks.base import PS_PER_SECOND
from contend.strategies.clocks.cost_table import CostTable
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.clocks.wake_counters import sum_at

Integers = npt.NDArray[np.int64]


class _AbandonedError(Exception):
    """A process is to end because another has failed."""


class _SharedWorkers:
    """Simulated workers that step the teams of all stations.

    Parameters
    ----------
    workers : int
    stations : int
    costs : CostTable
    instant : ndarray of int64, shape (1,)
        Where the time of the step in hand is told.
    """

    def __init__(self, workers: int, stations: int, costs: CostTable, instant: Integers) -> None:
        leaves = 1 << max(workers - 1, 1).bit_length()
        self._due, self._tree = np.full(leaves, NEVER, np.int64), np.zeros(2 * leaves, np.int64)
        self._tree[leaves:] = np.arange(leaves)
        for node in range(leaves - 1, 0, -1):
            self._tree[node] = self._tree[2 * node]
        # All are put aside until a team is opened.
        self._queue = np.arange(workers, dtype=np.int64)
        self._memory, self._teams = SHARED_LOOP.zeros(), SHARED_TEAM.zeros(stations)
        self._kept: list[dict[str, Any]] = [{} for _ in range(stations)]
        self.row: Any = self._memory[0]
        fields = {
            "teams": self._teams.ctypes.data,
            "team_count": stations,
            "worker_count": workers,
            "tree": self._tree.ctypes.data,
            "leaves": leaves,
            "due_ps": self._due.ctypes.data,
            "queue": self._queue.ctypes.data,
            "queue_size": workers,
            "idle_ps": max(int(costs.table[cost_table.IDLE]), 1),
            "instant": instant.ctypes.data,
            "slowdown": costs.slowdown.get(workers, FULL_SPEED),
        }
        for name, value in fields.items():
            self.row[name] = value
        self._workers = workers

    @property
    def address(self) -> int:
        """Where kernels find them."""
        return int(self._memory.ctypes.data)

    def open(self, place: int, workers: Workers, now: int) -> None:
        """Give the team of a station work."""
        count = len(workers.addresses)
        if count > self._workers:
            raise ValueError(f"{count} workers of a stage, where {self._workers} are shared")
        team, kept = self._teams[place], {name: np.zeros(self._workers, np.int64) for name in ("ended", "results")}
        kept["addresses"], kept["free_ps"] = np.zeros(self._workers, np.int64), np.zeros(self._workers, np.int64)
        kept["addresses"][:count] = workers.addresses
        kept["ended"][count:] = 1
        kept["seen"] = np.full(self._workers, NOT_SEEN, np.int64)
        kept["wake_counters"] = np.array(workers.wake_counters, np.int64)
        self._kept[place] = kept
        for name, array in kept.items():
            team[name] = array.ctypes.data
        counters, many = int(kept["wake_counters"].ctypes.data), len(workers.wake_counters)
        fields = {
            "step": workers.step.address,
            "shared": workers.shared,
            "slots": count,
            "interchangeable": workers.interchangeable,
            "wake_counter_count": many,
            "wake_sum": sum_at(counters, many),
            "version": 0,
            "alive": count,
        }
        for name, value in fields.items():
            team[name] = value
        self.row["probe"] = 0
        wake_all(self.address, now)

    def has_ended(self, place: int) -> bool:
        """Whether all workers of a station's team have ended."""
        return not self._teams[place]["alive"]

    def is_at_work(self) -> bool:
        """Whether any team has not ended."""
        return bool(self._teams["alive"].any())

    def results(self, place: int) -> list[int]:
        """What the last step of each returned."""
        return [int(one) for one in self._kept[place]["results"][: int(self._teams[place]["slots"])]]


class _Process:
    """A station's process as the floor sees it."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.may_go_on: Callable[[], bool] = lambda: True
        self.due_ps = NEVER
        self.has_ended = False


class _StationClock(Clock):
    """Simulated time that is the floor's."""

    name: ClassVar[str] = "virtual"

    def __init__(self, floor: VirtualFloor, station: int, like: VirtualClock) -> None:
        self._floor, self._station = floor, station
        self.costs, self.network = like.costs, like.network

    @property
    def busy(self) -> float:
        """Simulated seconds that all workers of all stations were at work."""
        return self._floor.busy

    @property
    def instant(self) -> int:
        """Address of a word with the time of the step in hand; see `Clock.instant`."""
        return int(self._floor.instant.ctypes.data)

    def now(self) -> float:
        """Seconds of the floor's time."""
        return self._floor.now()

    def run(self, workers: Workers) -> list[int]:
        """Have workers stepped; see `Clock.run`."""
        return self._floor.drive(self._station, workers)

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:
        """Let a worker be at work for so long; see `Clock.spend`."""
        self._floor.spend(self._station, int(picoseconds))

    def wait(self, picoseconds: int, busy_picoseconds: int = 0) -> None:
        """Let time pass for the station; see `Clock.wait`."""
        self._floor.pause(self._station, int(picoseconds), int(busy_picoseconds))


class VirtualFloor(Floor):
    """Stations in simulated time.

    Parameters
    ----------
    stations : int
    shared : int or None
        Workers that are everybody's; None where each station has its own.
    clock : VirtualClock
        For its costs and its network.
    """

    def __init__(self, stations: int, shared: int | None, clock: VirtualClock) -> None:
        self._like, self._stations = clock, stations
        self.instant: Integers = np.zeros(1, np.int64)
        self._shared = None if shared is None else _SharedWorkers(shared, stations, clock.costs, self.instant)
        self._clocks = [_StationClock(self, station, clock) for station in range(stations)]
        self._processes = [_Process() for _ in range(stations)]
        self._yielded = threading.Semaphore(0)
        self._now_ps = self._busy_ps = 0
        self._failure: BaseException | None = None

    def clock_of(self, station: int) -> Clock:
        """The clock of a station; see `Floor.clock_of`."""
        return self._clocks[station]

    def now(self) -> float:
        """Simulated seconds."""
        return self._now_ps / PS_PER_SECOND

    @property
    def busy(self) -> float:
        """Simulated seconds that all workers were at work."""
        shared = 0 if self._shared is None else int(self._shared.row["busy_ps"])
        return (self._busy_ps + shared) / PS_PER_SECOND

    def tell(self) -> None:
        """Nothing: before time passes, all conditions are looked at."""

    def wait_for(self, station: int, condition: Callable[[], bool]) -> None:
        """Wait for other processes; see `Floor.wait_for`."""
        self._hand_on(station, condition, NEVER)

    def pause(self, station: int, picoseconds: int, busy_picoseconds: int) -> None:
        """Let a station wait for so long."""
        self._busy_ps += busy_picoseconds
        until = self._now_ps + picoseconds
        self._hand_on(station, lambda: self._now_ps >= until, until)

    def spend(self, station: int, picoseconds: int) -> None:
        """Let one worker be at work for so long: one of the station's, or any where all are everybody's."""
        if self._shared is None:
            self.pause(station, picoseconds, picoseconds)
        elif picoseconds > 0:
            left = np.array([picoseconds], np.int64)
            self._step_shared(station, Workers(spend_step, int(left.ctypes.data), [0]))

    def drive(self, station: int, workers: Workers) -> list[int]:
        """Have a station's workers stepped until all have ended.

        Raises
        ------
        StageError
            If they exchange messages, and are everybody's.
        """
        if self._shared is not None:
            if workers.network is not None:
                raise StageError("shards have their workers to themselves: divide them, or leave sharded out")
            return self._step_shared(station, workers)
        own = VirtualClock(self._like.costs, network=self._like.network)
        own.go_on_from(self._now_ps, self.instant)
        results = own.run(workers)
        self.pause(station, own.picoseconds - self._now_ps, round(own.busy * PS_PER_SECOND))
        return results

    def _step_shared(self, station: int, workers: Workers) -> list[int]:
        shared = self._shared
        assert shared is not None
        # The oldest block is at the last station.
        place = self._stations - 1 - station
        shared.open(place, workers, self._now_ps)
        self._hand_on(station, lambda: shared.has_ended(place), NEVER)
        return shared.results(place)

    def _hand_on(self, station: int, may_go_on: Callable[[], bool], due_ps: int) -> None:
        """Let others go on until a condition holds; due is when it will by time alone."""
        process = self._processes[station]
        process.may_go_on, process.due_ps = may_go_on, due_ps
        self._yielded.release()
        process.go.acquire()
        process.due_ps = NEVER
        if self._failure is not None:
            raise _AbandonedError

    def run(self, processes: Sequence[Process]) -> None:
        """Run processes in turns; see `Floor.run`. A floor runs once.

        Raises
        ------
        RuntimeError
            If all wait for each other.
        """

        def work(process: _Process, of_station: Process) -> None:
            process.go.acquire()
            try:
                if self._failure is None:
                    of_station()
            except _AbandonedError:
                pass
            except BaseException as error:
                self._failure = error
            process.has_ended = True
            self._yielded.release()

        threads = [
            threading.Thread(target=work, args=pair, name="station")
            for pair in zip(self._processes, processes, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            while self._failure is None and not all(one.has_ended for one in self._processes):
                self._go_on()
        except BaseException as error:
            self._failure = error
        # Who still waits is told to end.
        for process in self._processes:
            if not process.has_ended:
                process.go.release()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _go_on(self) -> None:
        """Let a process go on that can, the last station's first; where none can, let time pass."""
        for process in reversed(self._processes):
            if not process.has_ended and process.may_go_on():
                process.go.release()
                self._yielded.acquire()
                return
        until = min(process.due_ps for process in self._processes)
        shared = self._shared
        if shared is not None and (shared.is_at_work() or until < NEVER):
            # Where no team has work, too: workers are put aside, and none is left behind in time.
            why = int(run_shared_events(shared.address, until))
            if why in (TEAM_ENDED, TIME_IS_UP):
                assert self._now_ps <= int(shared.row["now_ps"])
                self._now_ps = int(shared.row["now_ps"])
            elif why == STUCK:
                raise RuntimeError("workers of a pipeline wait for each other for ever")
        elif until < NEVER:
            self._now_ps = until
        else:
            raise RuntimeError("stations of a pipeline wait for each other for ever")
