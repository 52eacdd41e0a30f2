"""The conveyor on both floors: who waits for whom, and what becomes of errors."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.node.pipeline.conveyor import Floor, Passage, convey
from contend.node.pipeline.stage_model import conveyor_seconds, foretold_seconds
from contend.node.pipeline.virtual_floor import VirtualFloor
from contend.node.pipeline.wall_floor import WallFloor
from contend.strategies.clocks.virtual import VirtualClock

pytestmark = pytest.mark.bounds

TIMES = st.integers(2, 4).flatmap(
    lambda stations: st.integers(1, 6).flatmap(
        lambda blocks: st.lists(
            st.lists(st.integers(0, 1_000), min_size=blocks, max_size=blocks), min_size=stations, max_size=stations
        )
    )
)


def floors(stations: int) -> list[Callable[[], Floor]]:
    return [
        lambda: VirtualFloor(stations, None, VirtualClock()),
        lambda: VirtualFloor(stations, 3, VirtualClock()),
        lambda: WallFloor([1] * stations, None),
        lambda: WallFloor([2] * stations, 2),
    ]


def check_order(passage: Passage) -> None:
    """A station takes a block that is done and whose predecessor has left; so each holds one."""
    for began, ended in zip(passage.began, passage.ended, strict=True):
        assert all(a <= b for a, b in zip(began, ended, strict=True))
        assert all(a <= b for a, b in zip(ended, began[1:], strict=False))
    for station in range(1, len(passage.began)):
        own, earlier = passage.began[station], station - 1
        assert all(a <= b for a, b in zip(passage.ended[earlier], own, strict=True))
        assert all(a <= b for a, b in zip(own, passage.began[earlier][1:], strict=False))


@settings(deadline=None)
@given(TIMES)
def test_simulated_times_are_those_of_the_stage_model(times: list[list[int]]) -> None:
    floor = VirtualFloor(len(times), None, VirtualClock())

    def work(station: int) -> Callable[[int], None]:
        return lambda place: floor.clock_of(station).spend(times[station][place])

    passage = convey(floor, [work(station) for station in range(len(times))], len(times[0]))
    check_order(passage)
    expected = conveyor_seconds([[one / 1e12 for one in each] for each in times])
    assert passage.ended[-1][-1] == pytest.approx(expected)
    assert round(floor.busy * 1e12) == sum(map(sum, times))


@settings(deadline=None)
@given(TIMES, st.integers(1, 5))
def test_shared_workers_take_no_less_than_the_model_foretells(times: list[list[int]], workers: int) -> None:
    floor = VirtualFloor(len(times), workers, VirtualClock())

    def work(station: int) -> Callable[[int], None]:
        return lambda place: floor.clock_of(station).spend(times[station][place])

    passage = convey(floor, [work(station) for station in range(len(times))], len(times[0]))
    check_order(passage)
    alone = {str(station): [one / 1e12 for one in each] for station, each in enumerate(times)}
    total = sum(map(sum, times)) / 1e12
    assert foretold_seconds(alone, total, workers) <= passage.ended[-1][-1] * (1 + 1e-9) + 1e-15
    assert passage.ended[-1][-1] <= total * (1 + 1e-9)


@settings(deadline=None)
@given(TIMES, st.integers(1, 5), st.integers(0, 3))
def test_time_never_goes_back_where_stations_wait_and_workers_are_shared(
    times: list[list[int]], workers: int, waiting: int
) -> None:
    floor = VirtualFloor(len(times), workers, VirtualClock())

    def work(station: int) -> Callable[[int], None]:
        def at(place: int) -> None:
            clock, time = floor.clock_of(station), times[station][place]
            if station == waiting:
                clock.wait(time)
            else:
                clock.spend(time)

        return at

    passage = convey(floor, [work(station) for station in range(len(times))], len(times[0]))
    check_order(passage)
    alone = {str(station): [one / 1e12 for one in each] for station, each in enumerate(times)}
    total = sum(sum(each) for station, each in enumerate(times) if station != waiting) / 1e12
    least = foretold_seconds(alone, total, workers, [str(waiting)])
    assert least <= passage.ended[-1][-1] * (1 + 1e-9) + 1e-15


@pytest.mark.parametrize("which", range(4))
def test_each_block_passes_every_station_once_in_order(which: int) -> None:
    log: list[tuple[int, int]] = []
    floor = floors(3)[which]()
    passage = convey(floor, [lambda place, s=s: log.append((s, place)) for s in range(3)], 4)  # type: ignore[misc]
    assert sorted(log) == [(station, place) for station in range(3) for place in range(4)]
    check_order(passage)


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("station", range(3))
def test_an_error_at_a_station_ends_all_and_is_raised(which: int, station: int) -> None:
    def work(own: int) -> Callable[[int], None]:
        def at(place: int) -> None:
            if (own, place) == (station, 1):
                raise ValueError("planted")

        return at

    with pytest.raises(ValueError, match="planted"):
        convey(floors(3)[which](), [work(own) for own in range(3)], 4)


def test_time_stands_while_the_node_does() -> None:
    floor = WallFloor([2, 2], 2)

    def outside(place: int) -> None:
        with floor.clock_of(1).outside():
            before = floor.now()
            time.sleep(0.01)
            assert floor.now() == before

    convey(floor, [lambda place: None, outside], 3)


def test_waits_of_stations_overlap() -> None:
    floor = VirtualFloor(2, 1, VirtualClock())
    works = [lambda place, s=s: floor.clock_of(s).wait(100, 7) for s in range(2)]
    passage = convey(floor, works, 3)
    assert round(passage.ended[-1][-1] * 1e12) == 400
    assert round(floor.busy * 1e12) == 42
