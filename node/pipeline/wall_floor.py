"""Wall floor: stations of a pipeline in real time, each a Python thread, with crews of threads that do the work.

What a stage does in one piece, without workers, its own thread does: serial execution, for one. The process is
therefore kept to as many cores as there are workers, so that whatever is at work shares those.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from contend.node.pipeline.conveyor import Floor, Process
from contend.node.pipeline.crew import (
    CREW,
    ENDED,
    SLOT,
    TEAM,
    go_on,
    halt,
    open_team,
    serve,
    stop,
)
from contend.strategies.clocks import Clock, Workers
from contend.strategies.clocks.wall import WallClock


class AbandonedError(RuntimeError):
    """A station's process ends because that of another has failed."""


class _Crew:
    """Threads, and a team for each station that they work for.

    Parameters
    ----------
    size : int
        Threads.
    stations : sequence of int
        In the order in which their teams are looked at.
    slots : int
        Most workers of a team.
    """

    def __init__(self, size: int, stations: Sequence[int], slots: int) -> None:
        self.size = size
        self.places = {station: place for place, station in enumerate(stations)}
        self._slots = [SLOT.zeros(slots) for _ in stations]
        self._teams, self._memory = TEAM.zeros(len(stations)), CREW.zeros()
        self._pipes = [os.pipe() for _ in stations]
        for team, own, (_, end) in zip(self._teams, self._slots, self._pipes, strict=True):
            own["state"] = ENDED
            team["slots"], team["slot_count"], team["pipe"] = own.ctypes.data, slots, end
        self._memory[0]["teams"], self._memory[0]["team_count"] = self._teams.ctypes.data, len(stations)

    @property
    def address(self) -> int:
        """Where kernels find it."""
        return int(self._memory.ctypes.data)

    def drive(self, station: int, workers: Workers) -> list[int]:
        """Have all threads step a station's workers until all have ended."""
        count, place = len(workers.addresses), self.places[station]
        if count > len(self._slots[place]):
            raise ValueError(f"{count} workers at a station that has room for {len(self._slots[place])}")
        headers = np.array(workers.addresses, np.int64)
        team = int(self._teams[place : place + 1].ctypes.data)
        open_team(team, workers.step.address, workers.shared, int(headers.ctypes.data), count)
        if not os.read(self._pipes[place][0], 1):
            raise AbandonedError
        return [int(one) for one in self._slots[place]["result"][:count]]

    def hang_up(self) -> None:
        """Wake stations whose teams will never end, since no thread steps them any more."""
        for _, end in self._pipes:
            os.close(end)

    def close(self) -> None:
        """Close what is left of the pipes."""
        for end, _ in self._pipes:
            os.close(end)


class _StationClock(WallClock):
    """Real time without that in which the node stood, and a crew that drives workers."""

    name: ClassVar[str] = "wall"

    def __init__(self, floor: WallFloor, station: int, crew: _Crew) -> None:
        self._floor, self._station, self._crew = floor, station, crew

    def now(self) -> float:
        """Seconds of the floor's time."""
        return self._floor.now()

    def run(self, workers: Workers) -> list[int]:
        """Drive workers by the crew; see `Clock.run`."""
        return self._crew.drive(self._station, workers)

    def outside(self) -> Any:
        """Have the node stand; see `Clock.outside`."""
        return self._floor.standing()


class WallFloor(Floor):
    """Stations in real time.

    Parameters
    ----------
    workers : sequence of int
        Of each station, in the order in which blocks pass them.
    shared : int or None
        Threads that work for all stations; None where each station has its own.
    """

    def __init__(self, workers: Sequence[int], shared: int | None) -> None:
        # The oldest block is at the last station.
        stations = list(reversed(range(len(workers))))
        if shared is None:
            self._crews = [_Crew(workers[station], [station], workers[station]) for station in stations]
        else:
            self._crews = [_Crew(shared, stations, max(workers))]
        self._clocks = {station: _StationClock(self, station, crew) for crew in self._crews for station in crew.places}
        self._cores = sum(crew.size for crew in self._crews)
        self._changed = threading.Condition()
        self._stands = threading.Lock()
        self._stood_at: float | None = None
        self._lost = 0.0
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._ending, self._has_ended = threading.Lock(), False

    def clock_of(self, station: int) -> Clock:
        """The clock of a station; see `Floor.clock_of`."""
        return self._clocks[station]

    def now(self) -> float:
        """Seconds, those left out in which the node stood."""
        stood_at = self._stood_at
        return perf_counter() - self._lost if stood_at is None else stood_at

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Have all crews stand, and the time with them."""
        with self._stands:
            for crew in self._crews:
                halt(crew.address, crew.size)
            self._stood_at = perf_counter() - self._lost
            try:
                yield
            finally:
                self._lost = perf_counter() - self._stood_at
                self._stood_at = None
                for crew in self._crews:
                    go_on(crew.address)

    def wait_for(self, station: int, condition: Callable[[], bool]) -> None:
        """Wait for other processes; see `Floor.wait_for`."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or condition())
        if self._failure is not None:
            raise AbandonedError

    def tell(self) -> None:
        """Wake who waits; see `Floor.tell`."""
        with self._changed:
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        """Have all stations end, at their next wait or in the one that they are in."""
        if self._failure is None:
            self._failure = error
        self.tell()
        self._end_crews()

    def _end_crews(self) -> None:
        with self._ending:
            if not self._has_ended:
                self._has_ended = True
                for crew in self._crews:
                    stop(crew.address)
                for thread in self._threads:
                    thread.join()
                for crew in self._crews:
                    crew.hang_up()

    def run(self, processes: Sequence[Process]) -> None:
        """Run processes by threads; see `Floor.run`. A floor runs once."""

        def work(process: Process) -> None:
            try:
                process()
            except AbandonedError:
                pass
            except BaseException as error:
                self._fail(error)

        with _kept_to(self._cores):
            self._threads = [
                threading.Thread(target=serve, args=(crew.address, number), name=f"worker-{number}", daemon=True)
                for crew in self._crews
                for number in range(crew.size)
            ]
            stations = [threading.Thread(target=work, args=(one,), name="station", daemon=True) for one in processes]
            try:
                for thread in (*self._threads, *stations):
                    thread.start()
                for thread in stations:
                    thread.join()
            except BaseException as error:
                # The user has interrupted it.
                self._fail(error)
                for thread in stations:
                    thread.join()
            finally:
                self._end_crews()
                for crew in self._crews:
                    crew.close()
        if self._failure is not None:
            raise self._failure


@contextmanager
def _kept_to(cores: int) -> Iterator[None]:
    """Keep this thread, and those that it starts, to so many cores, where the system knows how."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(usable)[:cores]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)
