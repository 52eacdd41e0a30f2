"""Crews hammered: every worker of every team is stepped to its end, by one thread at a time, whoever that is."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import native
from contend.evm.runtime.structs import LINE_U64, U64, Struct
from contend.node.pipeline.wall_floor import WallFloor
from contend.strategies.clocks import Workers

pytestmark = pytest.mark.bounds

SHARED = Struct("CrewTestShared", steps=LINE_U64, clashes=LINE_U64)
WORKER = Struct("CrewTestWorker", inside=LINE_U64, left=U64, idle=U64)


@native("int64(int64, int64)")
def count_step(shared_address: Any, worker_address: Any) -> Any:
    """Count down, idle now and then, and tell when two threads are inside at once."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    if atomics.exchange(worker, "inside", U1) != U0:
        atomics.add(shared, "clashes", U1)
    result = I(-1)
    if worker.idle > 0:
        worker.idle -= U(1)
        result = I(0)
    elif worker.left > 0:
        worker.left -= U(1)
        worker.idle = worker.left % U(3)
        atomics.add(shared, "steps", U1)
        result = I(7)
    atomics.store(worker, "inside", U0)
    return result


@pytest.mark.parametrize(("threads", "shared"), [(1, True), (3, True), (8, True), (2, False)])
def test_all_workers_of_all_teams_end(threads: int, shared: bool) -> None:
    random = np.random.default_rng(threads)
    floor = WallFloor([threads] * 3, threads if shared else None)
    made: list[tuple[Any, Any, int]] = []

    def station(number: int) -> None:
        for _ in range(150):
            count = int(random.integers(1, threads + 1)) if number else threads
            header, workers = SHARED.zeros(), WORKER.zeros(count)
            workers["left"] = np.arange(count) * 5 % 11
            total = int(workers["left"].sum())
            stride, first = workers.strides[0], int(workers.ctypes.data)
            addresses = [first + place * stride for place in range(count)]
            ended = floor.clock_of(number).run(Workers(count_step, int(header.ctypes.data), addresses))
            assert ended == [-1] * count
            made.append((header, workers, total))
            if number == 1:
                with floor.clock_of(number).outside():
                    steps = [int(one[0]["steps"]) for one, _, _ in made[-3:]]
                    assert steps == [int(one[0]["steps"]) for one, _, _ in made[-3:]]

    before = threading.active_count()
    floor.run([lambda number=number: station(number) for number in range(3)])  # type: ignore[misc]
    assert threading.active_count() == before
    assert len(made) == 450
    for header, workers, total in made:
        assert (int(header[0]["steps"]), int(header[0]["clashes"])) == (total, 0)
        assert not workers["left"].any()


def test_a_station_whose_team_never_ends_is_woken_when_another_fails() -> None:
    # A worker that is idle for longer than anybody waits.
    floor = WallFloor([1, 1], None)
    header, worker = SHARED.zeros(), WORKER.zeros()
    worker["idle"] = 1 << 62

    def forever() -> None:
        floor.clock_of(0).run(Workers(count_step, int(header.ctypes.data), [int(worker.ctypes.data)]))

    def failing() -> None:
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        floor.run([forever, failing])


def test_a_node_that_has_failed_need_not_be_made_to_stand() -> None:
    floor = WallFloor([2, 1], 2)
    has_failed = threading.Event()

    def standing() -> None:
        has_failed.wait()
        with floor.clock_of(0).outside():
            floor.wait_for(0, lambda: False)

    def failing() -> None:
        has_failed.set()
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        floor.run([standing, failing])
