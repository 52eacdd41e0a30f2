"""Stage model: how long blocks take in the pipeline, foretold from how long each stage takes alone.

Where stages have workers of their own, they have nothing in common but blocks, and the times of a conveyor
(`node.pipeline.conveyor`) follow from those of its stations: a block leaves a station when its work is done and the
station behind is free. Where they share workers, no node is faster than this with everybody at every station, and none
does more than its workers can: the longer of the two times is foretold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile


def conveyor_seconds(alone: Sequence[Sequence[float]]) -> float:
    """Time until the last block has left the last station.

    Parameters
    ----------
    alone : sequence of sequence of float
        Seconds by station, in their order, and block.
    """
    # When a station could take its next block: when the one before has left it.
    free = [0.0] * (len(alone) + 1)
    done = 0.0
    for place in range(len(alone[0])):
        at = free[0]
        for station, seconds in enumerate(alone):
            done = at + seconds[place]
            # What is behind the last station is always free.
            at = max(done, free[station + 1]) if station + 1 < len(alone) else done
            free[station] = at
    return done


def foretold_seconds(
    alone: Mapping[str, Sequence[float]], work: float | None, workers: int, apart: Collection[str] = ()
) -> float:
    """Time that all blocks take in the pipeline.

    Parameters
    ----------
    alone : mapping
        By station, in their order: seconds that each block takes there when nobody else is at work.
    work : float or None
        Seconds of one worker in all of it, where stations share workers; None where each has its own.
    workers : int
    apart : collection of str, optional
        Stations at which machines of their own work. Where they come first, shared workers begin behind them.
    """
    path = conveyor_seconds(list(alone.values()))
    lead = sum(seconds[0] for _, seconds in takewhile(lambda one: one[0] in apart, alone.items()))
    return path if work is None else max(path, lead + work / workers)


def bottleneck(alone: Mapping[str, Sequence[float]]) -> str:
    """The station at which blocks take longest."""
    return max(alone, key=lambda name: sum(alone[name]))
