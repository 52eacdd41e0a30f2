"""Host: runs on a node of a cluster, starts measuring processes there, and carries what they and the client say.

It knows nothing of the cluster: whoever has one makes an actor of it (`harness.measure.cluster.ray_cluster`). What it
carries are the bytes that go over the pipe of a measuring process on one machine, too (`harness.measure.worker`); it
reads none of them. A process whose client is gone ends, and so does one whose host is gone: its pipe closes.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from contend.harness.doctor.run_mark import OtherRun, RunMark
from contend.harness.measure.capacity import most_processes
from contend.harness.measure.worker_process import WorkerProcess
from contend.harness.record.environment import describe

_TICK_SECONDS = 0.1
_ROOMS = ("evm", "strategies", "node", "workloads", "harness")
_SOURCES = (".py", ".json", ".toml")


class Description(NamedTuple):
    """A machine as it describes itself.

    Attributes
    ----------
    environment : dict
        Of `harness.record.environment.describe`.
    sources : str
        Digest of all sources of Contend there.
    processes : int
        How many processes may simulate cells there at once.
    """

    environment: dict[str, Any]
    sources: str
    processes: int


def describe_machine(workers: int, transactions: int) -> Description:
    """Describe the machine that this runs on.

    Parameters
    ----------
    workers : int
        Most simulated workers of a cell.
    transactions : int
        Of a block.
    """
    return Description(describe(), sources_digest(), most_processes(workers, transactions))


def sources_digest() -> str:
    """Digest of the sources in all rooms of this installation, 16 hexadecimal digits."""
    top = Path(__file__).resolve().parents[3]
    found = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted(path for path in (top / room).rglob("*") if path.suffix in _SOURCES):
            found.update(path.relative_to(top).as_posix().encode() + b"\0")
            found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


class Host:
    """Measuring processes of one node.

    Parameters
    ----------
    folder : str
        Of the client, for paths that a request names; where the node has no such folder, they have to be whole.
    alone : bool
        Whether nothing else should run on the machine, so that this run marks itself and looks for others.
    """

    def __init__(self, folder: str, alone: bool) -> None:
        with suppress(OSError):
            os.chdir(folder)
        self._mark = RunMark() if alone else None
        self._workers: dict[int, WorkerProcess] = {}

    def start(self, number: int) -> None:
        """Start a measuring process."""
        self._workers[number] = WorkerProcess(number)

    def tell(self, number: int, content: bytes) -> None:
        """Pass a message on to a process; nothing is said where it is gone."""
        with suppress(OSError, KeyError):
            self._workers[number].connection.send_bytes(content)

    def hear(self, number: int) -> list[bytes]:
        """Wait for what a process says, and give all that it has said; nothing once it is gone."""
        worker, heard = self._workers.get(number), list[bytes]()
        if worker is None:
            return []
        # A connection that `end` has closed meanwhile is one whose process is gone.
        with suppress(EOFError, OSError, ValueError):
            while not wait([worker.connection], _TICK_SECONDS):
                if worker.is_gone():
                    return []
            while worker.connection.poll():
                heard.append(worker.connection.recv_bytes())
        return heard

    def farewell(self, number: int) -> tuple[str, str]:
        """Say why a process is gone, and what it printed last."""
        worker = self._workers.get(number)
        return ("the measuring process was ended", "") if worker is None else (worker.exit_reason(), worker.tail())

    def end(self, number: int, grace: float) -> None:
        """End a process and all that it keeps, first giving it time to end by itself."""
        if number in self._workers:
            self._workers.pop(number).end(grace)

    def end_all(self) -> None:
        """End all processes at once."""
        for number in list(self._workers):
            self.end(number, 0.0)
        if self._mark is not None:
            self._mark.release()

    def other_runs(self) -> list[OtherRun]:
        """List the wall-clock runs of others on this machine; see `harness.doctor.run_mark`."""
        return [] if self._mark is None else self._mark.others()
