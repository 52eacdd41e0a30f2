"""Cluster executor: runs tasks on the nodes of a cluster.

Simulated cells are the same to the bit on every machine, so they are shared out over the cores of all nodes as over
those of one (`harness.measure.parallel_runner`). Where time is real, a node gets one workload at a time, with all its
cells, and nothing else runs there: what is compared is of one node, and each node is described in the record. A node
that is lost costs what it had not finished, which others measure; of a workload in real time that is the whole of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from contend.harness.doctor.run_mark import OtherRun
from contend.harness.errors import BadInputError, CrashError
from contend.harness.measure.batch import Batch
from contend.harness.measure.cluster.host import describe_machine
from contend.harness.measure.cluster.ray_cluster import EXCLUSIVE, LOCAL, Node, RayCluster, RayHost
from contend.harness.measure.cluster.remote_worker import RemoteWorker
from contend.harness.measure.cluster.same_everywhere import check_nodes, check_plan
from contend.harness.measure.cluster.turns import Turns
from contend.harness.measure.executor import CELLS_A_PROCESS
from contend.harness.measure.interleaved_runner import InterleavedRunner
from contend.harness.measure.parallel_runner import ParallelRunner
from contend.harness.measure.task import VersionPlan
from contend.harness.measure.version import Version
from contend.harness.measure.worker_link import WorkerLink
from contend.harness.measure.worker_pool import PlaceLostError, WorkerPool
from contend.harness.observer import Observer
from contend.harness.plan.request import Request

_IDLE_SECONDS = 0.1


class ClusterExecutor:
    """Runs tasks on the nodes of the cluster that a request names.

    Parameters
    ----------
    request : Request
    observer : Observer
    first_process : int, optional
        Number of the first worker.
    rounds : int, optional
        Most that any workload still needs; those of the request by default.

    Raises
    ------
    BadInputError
        If Ray is not installed.
    """

    def __init__(self, request: Request, observer: Observer, first_process: int = 0, rounds: int | None = None) -> None:
        self._request = request
        self._observer = observer
        self._numbers = itertools.count(first_process)
        self._rounds = request.rounds if rounds is None else rounds
        self._cluster: RayCluster | None = None
        self._version = ""
        self._first: VersionPlan | None = None
        self._lost: dict[str, str] = {}
        self._nodes: list[Node] = []
        self._pools: list[_NodePool] = []
        self._turns = Turns()

    def __enter__(self) -> Self:
        try:
            self._enter()
        except BaseException:
            self.end()
            raise
        return self

    def _enter(self) -> None:
        request, address = self._request, str(self._request.cluster)
        self._cluster = RayCluster(address)
        self._version = self._cluster.version
        nodes = self._cluster.nodes()
        if not request.simulated:
            nodes = [node for node in nodes if node.exclusive]
        if not nodes:
            raise BadInputError(
                f"cluster: {address}: no node offers a core"
                if request.simulated
                else f"cluster: {address}: no node is there for wall-clock cells; start those that are with "
                f"`ray start --resources '{{\"{EXCLUSIVE}\": 1}}'`"
            )
        self._cluster.describe(nodes, max(request.workers), request.block_size)
        check_nodes(nodes, describe_machine(max(request.workers), request.block_size))
        self._nodes = nodes
        if address != LOCAL:
            self._observer.note(f"cluster: {len(nodes)} node{'s' * (len(nodes) > 1)}, {self._cores_text()}")
        first = _NodePool(self, nodes if request.simulated else nodes[:1])
        self._pools.append(first)
        first.start(1 if request.simulated else self._group)

    @property
    def _group(self) -> int:
        """Workers of a node that take turns: one without a round of its own would only take part in the set-up."""
        return min(self._request.processes, max(1, self._rounds))

    def _cores_text(self) -> str:
        cores = sum(node.cpus for node in self._nodes)
        return f"{cores} core{'s' * (cores > 1)}"

    def __exit__(self, *exception: object) -> None:
        self.end()

    def describe(self) -> dict[str, Any]:
        """Describe the first node; see `contend.harness.measure.executor.Executor.describe`."""
        return dict(self._nodes[0].description.environment)

    def cores(self) -> int:
        """Number of cores of the smallest node."""
        return min(int(node.description.environment["cores"]) for node in self._nodes)

    def nodes(self) -> list[Mapping[str, Any]]:
        """List the nodes that were given something to do, as a record keeps them: no address is in it."""
        return [
            {
                "name": f"node {place}",
                "processes": list(node.processes),
                "ray": self._version,
                "environment": node.description.environment,
            }
            for place, node in enumerate(self._nodes, 1)
            if node.processes
        ]

    def resolve(self) -> list[VersionPlan]:
        """Have the request looked up by the workers of the first node; see `Executor.resolve`."""
        with self._turns:
            try:
                return [self._pools[0].plan(slot) for slot in range(len(self._pools[0]))][:1]
            except PlaceLostError as lost:
                raise CrashError(lost.how) from None

    def measure(
        self,
        batches: Sequence[Batch],
        after_round: Callable[[Batch], object] = lambda batch: None,
        finished: Callable[[Batch], object] = lambda batch: None,
    ) -> None:
        """Measure what is missing of workloads; see `Executor.measure`.

        Of several nodes that measure in real time, none waits while a record is written: there is no call after each
        round then.
        """
        if self._request.simulated:
            pool = self._pools[0]
            ready = len(pool)
            cells = sum(len(batch.cells()) for batch in batches)
            pool.start(max(0, min(pool.capacity, -(-cells // CELLS_A_PROCESS)) - ready))
            ParallelRunner(pool, finished, ready).measure(batches)
            return
        nodes = self._nodes[: max(1, len(batches))]
        self._pools += [_NodePool(self, [node]) for node in nodes[1:]]
        left = _Left(list(batches), len(batches))
        told = after_round if len(nodes) == 1 else lambda batch: None
        self._turns.run([partial(self._work, pool, left, told, finished) for pool in self._pools])
        if left.unfinished:
            raise CrashError(f"{'; '.join(self._lost.values())}; nothing is left to measure on")

    def _work(
        self,
        pool: _NodePool,
        left: _Left,
        after_round: Callable[[Batch], object],
        finished: Callable[[Batch], object],
    ) -> None:
        """Measure on one node, a workload after the other, until all are finished or the node is lost."""
        batch = None
        try:
            if not len(pool):
                pool.start(self._group)
                for slot in range(len(pool)):
                    pool.plan(slot)
            while left.unfinished:
                if not left.waiting:
                    # Another node is at the last ones, and may be lost.
                    self._turns.wait([], _IDLE_SECONDS)
                    continue
                batch = left.waiting.pop(0)
                InterleavedRunner(pool, after_round).measure(batch)
                left.unfinished -= 1
                finished(batch)
                batch = None
        except PlaceLostError:
            if batch is not None:
                for measurement in batch.log.measurements:
                    measurement.forget()
                batch.first = 0
                left.waiting.insert(0, batch)

    def other_runs(self) -> list[OtherRun]:
        """List the wall-clock runs of others on the nodes; see `Executor.other_runs`."""
        return [] if self._request.simulated or self._cluster is None else self._cluster.other_runs()

    def end(self) -> None:
        """End every worker at once, and the cluster if it was started for this run."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.end()
        for pool in self._pools:
            pool.end()
        if cluster is not None:
            cluster.close()

    def close(self) -> None:
        """End the workers after they have closed their strategies."""
        for pool in self._pools:
            pool.close()

    # For the pools

    def host(self, node: Node, processes: int) -> RayHost:
        """Start the host of a node."""
        assert self._cluster is not None
        return self._cluster.host(node, processes, alone=not self._request.simulated)

    def agree(self, node: Node, plan: VersionPlan) -> None:
        """Make sure that a worker makes of the request what the first of all did."""
        self._first = self._first or plan
        check_plan(node, plan, self._first)

    def lost(self, node: Node, how: str) -> None:
        """Say that a node is lost, once."""
        if node.id not in self._lost:
            self._lost[node.id] = how
            self._observer.note(f"{how}: what it had not finished is measured elsewhere")

    @property
    def parts(self) -> tuple[Request, Observer, Iterator[int], Turns | None]:
        """What a pool is made of."""
        return self._request, self._observer, self._numbers, None if self._request.simulated else self._turns


@dataclass
class _Left:
    """Workloads that no node is at, and how many are not finished."""

    waiting: list[Batch]
    unfinished: int


class _NodePool(WorkerPool):
    """Workers on nodes, dealt out one node after the other, which all have to make the same of the request."""

    def __init__(self, executor: ClusterExecutor, nodes: Sequence[Node]) -> None:
        request, observer, numbers, turns = executor.parts
        more: dict[str, Any] = {} if turns is None else {"wait": turns.wait}
        super().__init__(request, observer, numbers=numbers, start_worker=self._start_there, **more)
        self._executor = executor
        self._hosts: dict[str, RayHost] = {}
        self._seats = _dealt(nodes) if request.simulated else [nodes[0]] * request.processes

    @property
    def capacity(self) -> int:
        """Most workers that the nodes have room for."""
        return len(self._seats)

    def _start_there(self, slot: int, number: int, version: Version) -> WorkerLink:
        node = self._seats[slot]
        if node.id not in self._hosts:
            self._hosts[node.id] = self._executor.host(node, self._seats.count(node))
        node.processes.append(number)
        return RemoteWorker(number, self._hosts[node.id])

    def plan(self, slot: int) -> VersionPlan:
        """Wait for what the worker at `slot` makes of the request; see `WorkerPool.plan`.

        Raises
        ------
        BadInputError
            If it makes something else of it than the first worker of all nodes did.
        """
        found = super().plan(slot)
        self._executor.agree(self._seats[slot], found)
        return found

    def message(self, slot: int) -> list[Any]:
        """Wait for the next message of the worker at `slot`; see `WorkerPool.message`."""
        try:
            return super().message(slot)
        except PlaceLostError as lost:
            self._executor.lost(self._seats[slot], lost.how)
            raise


def _dealt(nodes: Sequence[Node]) -> list[Node]:
    """A place for every core, one node after the other, as far as a node's memory goes."""
    room = [[node] * max(1, min(node.cpus, node.description.processes)) for node in nodes]
    return [node for row in itertools.zip_longest(*room) for node in row if node is not None]
