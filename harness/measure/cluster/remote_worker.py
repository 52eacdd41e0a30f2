"""Remote worker: a measuring process on a node of a cluster, as its client sees it.

Its messages come out of a pipe of this machine, into which a thread puts what the host on the node has heard: a pool
waits for it as for any other worker, and neither runner knows where it is.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any, Protocol

from contend.harness.measure.worker_link import WorkerLink

_LOG = logging.getLogger(__name__)
_END_SECONDS = 5.0


class NodeLostError(Exception):
    """A node does not answer any more: it died, or was taken from the cluster."""


class HostCalls(Protocol):
    """Host on a node (`harness.measure.cluster.host.Host`), from afar.

    Attributes
    ----------
    node : str
        Name of its node.
    """

    node: str

    def cast(self, method: str, *arguments: Any) -> Any:
        """Call a method and wait for nothing; what is called so is done in the order in which it was called.

        Returns
        -------
        object
            For `result`.
        """

    def call(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call a method and wait for its result.

        Raises
        ------
        NodeLostError
            If there will be none, or there was none in so many seconds.
        """

    def result(self, called: Any) -> Any:
        """Wait for the result of a `cast`.

        Raises
        ------
        NodeLostError
            If there will be none.
        """


class RemoteWorker(WorkerLink):
    """Starts a measuring process at a host, and relays what it says.

    Parameters
    ----------
    number : int
    host : HostCalls
    """

    def __init__(self, number: int, host: HostCalls) -> None:
        ours, self._theirs = Pipe(duplex=False)
        super().__init__(number, ours)
        self._host = host
        self._heard_of = False
        self._how, self._tail = "the measuring process has closed its pipe", ""
        self._over = threading.Event()
        started = host.cast("start", number)
        self._thread = threading.Thread(
            target=self._relay, args=(started,), name=f"contend-relay-{number}", daemon=True
        )
        self._thread.start()
        _LOG.info("worker %d started on %s", number, host.node)

    def _relay(self, started: Any) -> None:
        try:
            self._host.result(started)
            while messages := self._host.call("hear", self.number):
                self._heard_of = True
                for message in messages:
                    self._theirs.send_bytes(message)
            self._how, self._tail = self._host.call("farewell", self.number)
        except NodeLostError as error:
            self.lost, self._how = True, f"{self._host.node} is lost ({error})"
        except OSError:
            # The client has closed its end.
            pass
        finally:
            self._over.set()
            self._theirs.close()

    def _tell(self, content: bytes) -> None:
        with suppress(NodeLostError):
            self._host.cast("tell", self.number, content)

    def silence(self) -> float:
        """As of any worker; none before the node has answered, which may be busy with what others run there."""
        return super().silence() if self._heard_of else 0.0

    def is_gone(self) -> bool:
        """Whether it has ended and all that it said has been heard."""
        return self._over.is_set() and not self.connection.poll()

    def exit_reason(self) -> str:
        """Reason of its end, as text."""
        self._over.wait(_END_SECONDS)
        return self._how

    def tail(self) -> str:
        """The last lines that it printed."""
        return self._tail

    def end(self, grace: float = 0.0) -> None:
        """End the process and all that it keeps, first giving it `grace` seconds to end by itself."""
        if not self.lost:
            with suppress(NodeLostError):
                self._host.call("end", self.number, grace, seconds=grace + _END_SECONDS)
        self.connection.close()
        self._thread.join(_END_SECONDS)
