"""The parent's handle of a measuring process: start it, talk to it, end it and all that it keeps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any

from harness.plan.resolve import CellKey

_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from harness.measuring.child import main
main(int(sys.argv[2]))
"""
Command = Callable[[int], Sequence[str]]
_GRACE_SECONDS = 2.0
_TAIL_LINES = 12


def this_version(descriptor: int) -> list[str]:
    """Command of a measuring process of the version that runs now; it gets the socket at `descriptor`."""
    return [sys.executable, "-X", "faulthandler", "-c", _BOOT, json.dumps(sys.path), str(descriptor)]


class MeasuringProcess:
    """A child that leads its own process group, so that a terminal's Ctrl-C reaches the parent only.

    What it prints goes to a file that nobody sees unless it dies: tables and JSON on standard output stay clean.

    Parameters
    ----------
    number : int
    command : callable, optional
        From the descriptor of the socket that the child inherits to the command that starts it.
    environment : mapping, optional
        Its environment variables; those of this process by default.

    Attributes
    ----------
    number : int
        Distinct within a run; a child that replaces a dead one gets a number of its own.
    at : CellKey or None
        The cell that it is executing, as far as it has said.
    heard : float
        Monotonic time of its last message.
    """

    def __init__(
        self, number: int, command: Command = this_version, environment: Mapping[str, str] | None = None
    ) -> None:
        self.number = number
        self.at: CellKey | None = None
        self._compiling = False
        # Open for as long as the process lives; `end` closes it.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self.connection, theirs = Pipe()
        with theirs:
            self._popen = subprocess.Popen(
                command(theirs.fileno()),
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        self.heard = time.monotonic()

    def send(self, *message: Any) -> None:
        """Say something. A child that is gone is noticed where its answer is awaited, with the cause of its end."""
        with suppress(OSError):
            self.connection.send(message)
        self.heard = time.monotonic()

    def receive(self) -> tuple[Any, ...] | None:
        """The next message, or None if the child is gone."""
        try:
            message: tuple[Any, ...] = self.connection.recv()
        except (EOFError, OSError):
            return None
        self.heard = time.monotonic()
        if message[0] == "compile":
            self._compiling = bool(message[2])
        return message

    def is_gone(self) -> bool:
        """Whether it has ended and said its last, while a process that it left behind keeps the pipe open."""
        return self._popen.poll() is not None and not self.connection.poll()

    def silence(self) -> float:
        """Seconds since it was last heard of or spoken to; none while it compiles, which takes what it takes."""
        return 0.0 if self._compiling else time.monotonic() - self.heard

    def obituary(self) -> str:
        """How it ended, in words."""
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
        self._bury()

    def _bury(self) -> None:
        self._signal_group(signal.SIGTERM)
        limit = time.monotonic() + _GRACE_SECONDS
        while self._group_lives() and time.monotonic() < limit:
            time.sleep(0.005)
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        self.connection.close()
        self._output.close()

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
