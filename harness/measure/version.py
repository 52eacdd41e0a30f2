"""Version: the sources that a worker measures, and the command that starts a worker on them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Version:
    """A version of Contend ready to be run.

    Attributes
    ----------
    label : str
        What messages call it; empty for the version that runs now, which they need not name.
    root : Path or None
        Folder with its sources; None for what this process imports.
    interpreter : str
        Python to run it with.
    paths : tuple of str
        Its import path, where that is not the interpreter's own with the root in front.
    own_environment : bool
        Whether the interpreter is one of an environment of its own.
    """

    label: str = ""
    root: Path | None = None
    interpreter: str = sys.executable
    paths: tuple[str, ...] = ()
    own_environment: bool = False

    def command(self, descriptor: int, cores: Sequence[int] = ()) -> Sequence[str]:
        """Start a worker that gets the socket at `descriptor`, and runs on these cores if any are named."""
        where = {
            "root": None if self.root is None else str(self.root),
            "paths": sys.path if self.root is None else list(self.paths),
            "own_environment": self.own_environment,
            "cores": list(cores),
        }
        return [self.interpreter, "-P", "-X", "faulthandler", str(WORKER), str(descriptor), json.dumps(where)]

    def environment(self) -> Mapping[str, str] | None:
        """Environment variables of its workers; None for those of this process."""
        if not self.own_environment:
            return None
        # What is on this version's import path must not get into another environment.
        return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


THIS = Version()
"""The version that runs now, as this process imports it."""
