"""Ray cluster: connecting to one or starting one, its nodes, and hosts on them. The only module that imports Ray.

Ray's dashboard and its statistics of usage are off for a cluster that is started here; of one that is there, its owner
decides. Nothing of Contend is sent along: the nodes run their own installations, which are checked to be the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from contend.harness.doctor.run_mark import OtherRun
from contend.harness.errors import BadInputError
from contend.harness.measure.cluster.host import Description, Host, describe_machine
from contend.harness.measure.cluster.remote_worker import NodeLostError
from contend.harness.plan.request import MAX_PROCESSES
from contend.harness.record.environment import usable_cores

LOCAL = "local"
EXCLUSIVE = "bench"
"""Resource that a node has one of if wall-clock cells may be measured there."""
_HINT = "pip install 'ray>=2.60,<2.61', on every node"
_STORE_BYTES = 128 << 20
_DESCRIBE_SECONDS = 120.0
_END_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
# Threads of an actor: one for what has to be done in order, and one for each call that waits.
_IN_ORDER, _WAITS = "order", "waits"
# Before Ray is imported; a cluster that is there has its own.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_memory_monitor_refresh_ms": "0",
}


@dataclass
class Node:
    """Node of a cluster.

    Attributes
    ----------
    id : str
        Of Ray.
    name : str
        By which the user knows it: its address.
    cpus : int
        That it offers.
    exclusive : bool
        Whether wall-clock cells may be measured there.
    description : Description
        What it says of itself, once it has been asked.
    processes : list of int
        Numbers of the measuring processes that it was given.
    """

    id: str
    name: str
    cpus: int
    exclusive: bool
    description: Description = field(default_factory=lambda: Description({}, "", 1))
    processes: list[int] = field(default_factory=list)


class RayHost:
    """A host on a node; see `harness.measure.cluster.remote_worker.HostCalls`."""

    def __init__(self, ray: Any, node: str, actor: Any) -> None:
        self._ray = ray
        self.node = node
        self.actor = actor

    def cast(self, method: str, *arguments: Any) -> Any:
        """Call a method and wait for nothing. One thread of the actor does what is called so."""
        try:
            return getattr(self.actor, method).options(concurrency_group=_IN_ORDER).remote(*arguments)
        except self._ray.exceptions.RayError as error:
            raise self._lost(error) from None

    def call(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call a method and wait for its result."""
        try:
            return self._ray.get(
                getattr(self.actor, method).options(concurrency_group=_WAITS).remote(*arguments), timeout=seconds
            )
        except self._ray.exceptions.RayError as error:
            raise self._lost(error) from None

    def result(self, called: Any) -> Any:
        """Wait for the result of a `cast`."""
        try:
            return self._ray.get(called)
        except self._ray.exceptions.RayError as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> NodeLostError:
        raised = isinstance(error, self._ray.exceptions.RayTaskError)
        return NodeLostError(_last_line(error) if raised else _first_line(error))


class RayCluster:
    """Connection to a cluster, which is one of this machine alone where the address is ``local``.

    Parameters
    ----------
    address : str

    Raises
    ------
    BadInputError
        If Ray is not installed, or there is no such cluster, or it runs another Python or Ray.
    """

    def __init__(self, address: str) -> None:
        if importlib.util.find_spec("ray") is None:
            raise BadInputError(f"cluster: needs the package ray, which is not installed; {_HINT}")
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        with warnings.catch_warnings():
            # Of its own affairs: none is about what is measured.
            warnings.simplefilter("ignore")
            ray: Any = importlib.import_module("ray")
            self._affinity = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        self._ray = ray
        self._folder: str | None = None
        self._hosts: list[RayHost] = []
        # Of a program that has a connection already, that one is used, and left as it is.
        self._mine = not ray.is_initialized()
        if self._mine:
            self._connect(address)
        self.version = str(ray.__version__)

    def _connect(self, address: str) -> None:
        if address == LOCAL:
            # Of a name that is short: paths of sockets lie below it.
            self._folder = tempfile.mkdtemp(prefix="contend-", dir="/tmp")
            cores = len(usable_cores())
            where: dict[str, Any] = {
                "address": LOCAL,
                "num_cpus": cores,
                "resources": {EXCLUSIVE: 1},
                "object_store_memory": _STORE_BYTES,
                "include_dashboard": False,
                "_temp_dir": self._folder,
            }
        else:
            _look_for(address)
            where = {"address": address}
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            self._remove_folder()
            raise BadInputError(f"cluster: {address}: {_first_line(error)}") from error
        except BaseException:
            self.close()
            raise
        finally:
            # Ray takes SIGTERM for itself.
            if threading.current_thread() is threading.main_thread():
                for one, handler in handlers.items():
                    signal.signal(one, handler)

    def nodes(self) -> list[Node]:
        """List the nodes that live and offer a core, in the order of their addresses."""
        found = [
            Node(
                one["NodeID"],
                one["NodeManagerAddress"],
                int(one["Resources"]["CPU"]),
                one["Resources"].get(EXCLUSIVE, 0) >= 1,
            )
            for one in self._ray.nodes()
            if one["Alive"] and one["Resources"].get("CPU", 0) >= 1
        ]
        return sorted(found, key=lambda node: (node.name, node.id))

    def describe(self, nodes: Sequence[Node], workers: int, transactions: int) -> None:
        """Have every node describe itself.

        Raises
        ------
        BadInputError
            Naming the first that cannot: it has no Contend, or another one.
        """
        ask = self._ray.remote(num_cpus=0, max_retries=0)(describe_machine)
        asked = [ask.options(scheduling_strategy=self._on(node)).remote(workers, transactions) for node in nodes]
        for node, answer in zip(nodes, asked, strict=True):
            try:
                node.description = self._ray.get(answer, timeout=_DESCRIBE_SECONDS)
            except self._ray.exceptions.RayError as error:
                raise BadInputError(
                    f"cluster: node {node.name} cannot run this Contend ({_last_line(error)}); install the same on all"
                ) from None

    def host(self, node: Node, cpus: int, alone: bool) -> RayHost:
        """Start a host on a node, which begins when so many cores, or the node as a whole, are free of other users."""
        threads = {_IN_ORDER: 1, _WAITS: 2 * max(cpus, MAX_PROCESSES) + 4}
        actor = self._ray.remote(concurrency_groups=threads)(Host).options(
            num_cpus=node.cpus if alone else cpus,
            resources={EXCLUSIVE: 1} if alone else {},
            max_restarts=0,
            scheduling_strategy=self._on(node),
        )
        host = RayHost(self._ray, f"node {node.name}", actor.remote(os.getcwd(), alone))
        self._hosts.append(host)
        return host

    def _on(self, node: Node) -> Any:
        return self._affinity(node.id, soft=False)

    def other_runs(self) -> list[OtherRun]:
        """List the wall-clock runs of others on the hosts' machines."""
        found: list[OtherRun] = []
        for host in self._hosts:
            with suppress(NodeLostError):
                found += host.call("other_runs", seconds=_END_SECONDS)
        return found

    def end(self) -> None:
        """End all hosts and their processes at once."""
        hosts, self._hosts = self._hosts, []
        with suppress(self._ray.exceptions.RayError):
            ended = [host.actor.end_all.options(concurrency_group=_WAITS).remote() for host in hosts]
            if ended:
                self._ray.wait(ended, num_returns=len(ended), timeout=_END_SECONDS)
        for host in hosts:
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(host.actor)

    def close(self) -> None:
        """End all, and the cluster if it was started here."""
        self.end()
        if self._mine:
            self._ray.shutdown()
        self._remove_folder()

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _look_for(address: str) -> None:
    """Refuse an address at which nobody listens: Ray would wait there for minutes, and say so in many lines."""
    host, separator, port = address.rpartition(":")
    if "/" in address or not separator or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BadInputError(
            f"cluster: {address}: nobody listens there ({_first_line(error)}); give the address that `ray start "
            "--head` has shown, or auto on a machine of the cluster"
        ) from error


def _first_line(error: BaseException) -> str:
    """What a message of Ray's says first."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _last_line(error: BaseException) -> str:
    """What an error on a node says last: the error itself, behind its trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
