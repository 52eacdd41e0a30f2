"""Parts of a cluster's executor without a cluster: turns, workers from afar, what must be the same everywhere."""

from __future__ import annotations

import importlib.util
import threading
from multiprocessing.connection import Pipe
from typing import Any

import pytest
from click.testing import CliRunner

from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.measure.cluster.host import Host, describe_machine
from contend.harness.measure.cluster.ray_cluster import Node
from contend.harness.measure.cluster.remote_worker import NodeLostError, RemoteWorker
from contend.harness.measure.cluster.same_everywhere import check_nodes
from contend.harness.measure.cluster.turns import Turns
from contend.harness.measure.worker_pool import PlaceLostError, WorkerPool
from contend.harness.observer import Observer
from contend.harness.plan.request import Request


def test_without_ray_a_cluster_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else find(name, *more))
    done = CliRunner().invoke(main, ["run", "--cluster", "local"], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr == (
        "contend: cluster: needs the package ray, which is not installed; pip install 'ray>=2.60,<2.61', on every "
        "node\n"
    )


def test_threads_take_turns_and_give_theirs_away_only_where_they_wait() -> None:
    turns, inside, most, left = Turns(), 0, 0, 300

    def work() -> None:
        nonlocal inside, most, left
        while left:
            inside += 1
            most = max(most, inside)
            left -= 1
            inside -= 1
            turns.wait([], 0.0001)

    turns.run([work] * 3)
    assert (most, left) == (1, 0)


def test_one_that_fails_stops_the_others() -> None:
    turns = Turns()
    never, _other_end = Pipe()

    def wait() -> None:
        while True:
            turns.wait([never], 0.01)

    def fail() -> None:
        turns.wait([], 0.05)
        raise BadInputError("planted")

    with pytest.raises(BadInputError, match="planted"):
        turns.run([wait, fail, wait])
    assert not [one for one in threading.enumerate() if "_run" in one.name]


class NearHost:
    """A host of this process, which can be lost."""

    node = "node 10.0.0.7"

    def __init__(self) -> None:
        self.host = Host("/", alone=False)
        self.is_lost = False

    def cast(self, method: str, *arguments: Any) -> Any:
        return self.call(method, *arguments)

    def result(self, called: Any) -> Any:
        return called

    def call(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        found = getattr(self.host, method)(*arguments)
        if self.is_lost:
            raise NodeLostError("it died")
        return found


def test_a_worker_from_afar_is_one_like_any_other_until_its_node_is_lost() -> None:
    near = NearHost()
    pool = WorkerPool(Request("payments"), Observer(), start_worker=lambda slot, number, _: RemoteWorker(number, near))
    try:
        pool.start(1)
        assert [one.title for one in pool.plan(0).plan.workloads] == ["payments"]
        near.is_lost = True
        near.host.end_all()
        with pytest.raises(PlaceLostError, match=r"node 10\.0\.0\.7 is lost \(it died\)"):
            pool.message(0)
    finally:
        near.host.end_all()
        pool.end()


def test_a_node_with_something_else_is_refused_by_name() -> None:
    here = describe_machine(1, 100)
    other = here._replace(environment=here.environment | {"python": "3.99.0"})
    same = Node("1", "10.0.0.1", 2, True, here)
    check_nodes([same], here)
    with pytest.raises(BadInputError, match=r"node 10\.0\.0\.2 has another Python \(3\.99\.0, not 3\."):
        check_nodes([same, Node("2", "10.0.0.2", 2, True, other)], here)
    with pytest.raises(BadInputError, match=r"node 10\.0\.0\.3 has another Contend \(sources 0, not [a-z0-9 ]{24}\)"):
        check_nodes([Node("3", "10.0.0.3", 2, True, here._replace(sources="0"))], here)


@pytest.mark.parametrize("address", ["", "ray://head:10001", "nonsense"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInputError, match="is no address; give HOST:PORT, or auto or local"):
        Request(cluster=address)
