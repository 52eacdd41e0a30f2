"""Worker process, as its client sees it: start it, talk to it, end it and all that it keeps."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe

from contend.harness.measure.version import THIS, Version
from contend.harness.measure.worker_link import WorkerLink

_LOG = logging.getLogger(__name__)
_GRACE_SECONDS = 2.0
_TAIL_LINES = 12


class WorkerProcess(WorkerLink):
    """A process that leads its own process group, so that a terminal's Ctrl-C reaches the client only.

    What it prints goes to a file that nobody sees unless it dies: tables and JSON on standard output stay clean.

    Parameters
    ----------
    number : int
    version : Version, optional
        What it measures; the version that runs now by default.
    cores : sequence of int, optional
        To which it is pinned; none for no pinning.
    """

    def __init__(self, number: int, version: Version = THIS, cores: Sequence[int] = ()) -> None:
        ours, theirs = Pipe()
        super().__init__(number, ours)
        # Open for as long as the process lives; `end` closes it.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
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
        whose = f" for {version.label}" if version.label else ""
        _LOG.info("worker %d started%s, process %d", number, whose, self._popen.pid)

    def _tell(self, content: bytes) -> None:
        with suppress(OSError):
            self.connection.send_bytes(content)

    def is_gone(self) -> bool:
        """Whether it has ended and said its last, while a process that it left behind keeps the pipe open."""
        return self._popen.poll() is not None and not self.connection.poll()

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
