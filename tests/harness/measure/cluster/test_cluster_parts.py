"""Parts of a cluster's executor without a cluster: turns, workers from afar, what must be the same everywhere."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Pipe
from typing import Any

import pytest
from click.testing import CliRunner

from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.measure.cluster import cluster_executor
from contend.harness.measure.cluster.choice import executor_for
from contend.harness.measure.cluster.host import Host, describe_machine
from contend.harness.measure.cluster.ray_cluster import Node, _look_for
from contend.harness.measure.cluster.remote_worker import NodeLostError, RemoteWorker
from contend.harness.measure.cluster.same_everywhere import check_nodes
from contend.harness.measure.cluster.turns import Turns
from contend.harness.measure.run_request import Engine
from contend.harness.measure.task import VersionPlan
from contend.harness.measure.worker_pool import PlaceLostError, WorkerPool
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey


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
        self.host = Host(os.getcwd(), alone=False)
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


class NearCluster:
    """A cluster of two nodes, both of which are this process."""

    version = "2.60.0"

    def __init__(self, address: str) -> None:
        self.hosts = dict[str, NearHost]()

    def nodes(self) -> list[Node]:
        return [Node(name, name, 1, True) for name in ("a", "b")]

    def describe(self, nodes: Sequence[Node], workers: int, transactions: int) -> None:
        for node in nodes:
            node.description = describe_machine(workers, transactions)

    def host(self, node: Node, cpus: int, alone: bool) -> NearHost:
        return self.hosts.setdefault(node.id, NearHost())

    def other_runs(self) -> list[Any]:
        return []

    def end(self) -> None:
        for host in self.hosts.values():
            host.host.end_all()

    def close(self) -> None:
        self.end()


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[NearCluster]]:
    """Clusters that runs have connected to, and that are near."""
    made = list[NearCluster]()

    def connect(address: str) -> NearCluster:
        made.append(NearCluster(address))
        return made[-1]

    monkeypatch.setattr(cluster_executor, "RayCluster", connect)
    yield made
    for one in made:
        one.end()


def test_in_real_time_a_workload_whose_node_is_lost_is_measured_anew_on_another(
    near: list[NearCluster], plugins: None
) -> None:
    notes, lost = list[str](), list[str]()

    class Losing(Observer):
        def running(self, process: int, workload: str, key: CellKey) -> None:
            host = near[0].hosts["a"]
            if process in host.host._workers and not host.is_lost:
                lost.append(workload)
                host.is_lost = True
                host.host.end_all()

        def note(self, text: str) -> None:
            notes.append(text)

    request = Request(["ledger", "payments"], "honest", 1, block_size=20, repeat=3, processes=1, cluster="local")
    record = Engine(request, Losing(), executor=executor_for).run()
    assert record["complete"]
    assert [(cell["workload"], cell["node"], len(cell["samples"])) for cell in record["cells"]] == [
        ("ledger", "node 2", 3),
        ("payments", "node 2", 3),
    ]
    assert all(cell["verified"] for cell in record["cells"])
    # It had one of them, and nothing of it is left.
    (which,) = lost
    nodes = {node["name"]: node["processes"] for node in record["sessions"][0]["nodes"]}
    (cell,) = (cell for cell in record["cells"] if cell["workload"] == which)
    assert {sample["process"] for sample in cell["samples"]} <= set(nodes["node 2"])
    assert [note for note in notes if "is measured elsewhere" in note] == [
        "node 10.0.0.7 is lost (it died): what it had not finished is measured elsewhere"
    ]


def test_a_node_whose_kernels_differ_is_refused_by_name(
    near: list[NearCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = WorkerPool.plan

    def another(pool: WorkerPool, slot: int) -> VersionPlan:
        found = plan(pool, slot)
        return found._replace(plan=replace(found.plan, kernels_digest="0" * 16)) if pool[slot].number else found

    monkeypatch.setattr(WorkerPool, "plan", another)
    request = Request(["payments", "swaps"], "serial", 1, block_size=20, repeat=2, processes=1, cluster="local")
    with pytest.raises(BadInputError, match=r"node b has another kernel digest \(0{16}, not [0-9a-f]{16}\)"):
        Engine(request, executor=executor_for).run()


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


def test_an_address_at_which_nobody_listens_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = "{}:{}".format(*server.getsockname())
        _look_for(place)
    with pytest.raises(BadInputError, match=f"cluster: {place}: nobody listens there .*`ray start --head`"):
        _look_for(place)
