"""Conveyor: blocks on their way through stations, one block at each.

A station takes the next block when the station before has finished it and the station behind has taken the one before.
So there is a block at each station and none between two: execution of block k while the senders of k + 1 are recovered
and the root of k - 1 is computed. In scheduling this is a flow shop with blocking (Hall and Sriskandarajah, Operations
Research 44(3), 1996). Blocks are always there to be taken: what is measured is what the node can do, and how long a
block is in it.

Whose time passes meanwhile, and who works at a station, is the floor's business: threads and real time
(`node.pipeline.wall_floor`), or simulated time (`node.pipeline.virtual_floor`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from contend.strategies.clocks import Clock

Process = Callable[[], None]


class Floor(ABC):
    """Where stations stand: what drives their workers, and the time of all of them.

    A process is what happens at one station, in Python. It goes on beside those of other stations, in real or in
    simulated time, and waits in `wait_for` or while its clock drives workers.
    """

    @abstractmethod
    def clock_of(self, station: int) -> Clock:
        """The clock by which a station's work is driven; all clocks of a floor tell one time."""

    @abstractmethod
    def now(self) -> float:
        """Seconds of that time."""

    @abstractmethod
    def run(self, processes: Sequence[Process]) -> None:
        """Run processes, one a station, until all have ended. Raises what the first of them raises."""

    @abstractmethod
    def wait_for(self, station: int, condition: Callable[[], bool]) -> None:
        """Let a station's process wait until something is so that other processes bring about."""

    @abstractmethod
    def tell(self) -> None:
        """Say that what others wait for may be so now."""


@dataclass(frozen=True)
class Passage:
    """When each block was at each station, in seconds since the first was begun.

    Attributes
    ----------
    began, ended : list of list of float
        By station and block.
    """

    began: list[list[float]]
    ended: list[list[float]]


def convey(floor: Floor, works: Sequence[Callable[[int], None]], blocks: int) -> Passage:
    """Have all blocks pass all stations.

    Parameters
    ----------
    floor : Floor
    works : sequence of callable
        What each station does with the block of a place.
    blocks : int
    """
    last = len(works) - 1
    began: list[list[float]] = [[] for _ in works]
    ended: list[list[float]] = [[] for _ in works]

    def may_begin(station: int, place: int) -> bool:
        is_here = station == 0 or len(ended[station - 1]) > place
        return is_here and (station == last or len(began[station + 1]) >= place)

    def process(station: int) -> None:
        for place in range(blocks):
            floor.wait_for(station, partial(may_begin, station, place))
            began[station].append(floor.now())
            floor.tell()
            works[station](place)
            ended[station].append(floor.now())
            floor.tell()

    floor.run([partial(process, station) for station in range(len(works))])
    start = began[0][0]
    return Passage(
        *([[moment - start for moment in moments] for moments in every] for every in (began, ended)),
    )
