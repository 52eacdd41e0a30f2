"""Worker process, as its client sees it: start it, talk to it, end it and all that it keeps."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any

from contend.harness.measure.task import Task
from contend.harness.measure.version import THIS, Version

_LOG = logging.getLogger(__name__)
_GRACE_SECONDS = 2.0
_TAIL_LINES = 12


class WorkerProcess:
    """A process that leads its own process group, so that a terminal's Ctrl-C reaches the client only.

    What it prints goes to a file that nobody sees unless it dies: tables and JSON on standard output stay clean.

    Parameters
    ----------
    number : int
    version : Version, optional
        What it measures; the version that runs now by default.
    cores : sequence of int, optional
        To which it is pinned; none for no pinning.

    Attributes
    ----------
    number : int
        Distinct within a run; a worker that replaces a dead one gets a number of its own.
    task : Task or None
        That it is executing; None while it sets up.
    """

    def __init__(self, number: int, version: Version = THIS, cores: Sequence[int] = ()) -> None:
        self.number = number
        self.task: Task | None = None
        self._compiling = False
        # Open for as long as the process lives; `end` closes it.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self.connection, theirs = Pipe()
        with theirs:
            self._popen = subprocess.Popen(
                version.command(theirs.fileno(), cores),
                env=version.environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        self._heard = time.monotonic()
        whose = f" for {version.label}" if version.label else ""
        _LOG.info("worker %d started%s, process %d", number, whose, self._popen.pid)

    def send(self, *message: Any) -> None:
        """Say something. A worker that is gone is noticed where its answer is awaited, with the cause of its end."""
        with suppress(OSError):
            self.connection.send_bytes(json.dumps(message).encode())
        self._heard = time.monotonic()

    def receive(self) -> list[Any] | None:
        """The next message, or None if the worker is gone."""
        try:
            message: list[Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return None
        self._heard = time.monotonic()
        if message[0] == "compile":
            self._compiling = bool(message[2])
        return message

    def is_gone(self) -> bool:
        """Whether it has ended and said its last, while a process that it left behind keeps the pipe open."""
        return self._popen.poll() is not None and not self.connection.poll()

    def silence(self) -> float:
        """Seconds since it was last heard of or spoken to; none while it compiles, which takes what it takes."""
        return 0.0 if self._compiling else time.monotonic() - self._heard

    def exit_reason(self) -> str:
        """Reason of the process's end, as text."""
        try:
            code = self._popen.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "the measuring process has closed its pipe and does not end"
        if code < 0:
            return f"the measuring process was ended by {signal.Signals(-code).name}"
        return f"the measuring process ended with exit code {code}"

    def tail(self) -> str:
        """The last lines that it printed."""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def ask_to_close(self) -> None:
        """Let it close its strategies and end; `end` waits for that."""
        self.send("close")

    def end(self, grace: float = 0.0) -> None:
        """End the process and its group, first giving it `grace` seconds to end by itself."""
        try:
            self._popen.wait(grace)
        except subprocess.TimeoutExpired:
            self._signal_group(signal.SIGTERM)
        self._reap()

    def _reap(self) -> None:
        self._signal_group(signal.SIGTERM)
        limit = time.monotonic() + _GRACE_SECONDS
        while self._group_lives() and time.monotonic() < limit:
            time.sleep(0.005)
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        self.connection.close()
        self._output.close()
        _LOG.debug("worker %d ended with exit code %d", self.number, self._popen.returncode)

    def _group_lives(self) -> bool:
        self._popen.poll()
        try:
            os.killpg(self._popen.pid, 0)
        except OSError:
            return False
        return True

    def _signal_group(self, number: signal.Signals) -> None:
        # The group may be empty already.
        with suppress(OSError):
            os.killpg(self._popen.pid, number)
