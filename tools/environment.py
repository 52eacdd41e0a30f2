"""The environment of the Makefile: what a run needs, or everything, from the one lock file; shows how far it is.

usage: environment.py run|develop FOLDER

Run as a script by whatever Python the environment is to be made of, before anything is installed: it uses the standard
library alone.

The lock file says of each package what asked for it ("via"), and `pyproject.toml` which packages are asked for at run
time. What those lead to is what a run needs; all else is for tests, types, history. Both are installed with the hashes
of the lock file, and nothing that is not in it.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
WAYS = ("run", "develop")
_LINE_EVERY_SECONDS, _SHARE_OF_TIME = 5.0, 0.1
_TICK_SECONDS = 0.2


def packages(lock: str) -> dict[str, str]:
    """The pins of a lock file with their hashes and comments, by name; those of one name together."""
    found: dict[str, str] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]:
        name = re.split(r"[=\[ ;]", block, maxsplit=1)[0]
        found[name] = found.get(name, "") + block
    return found


def asked_for_by(block: str) -> set[str]:
    """Names behind "via" in the comments of a pin."""
    comments = re.findall(r"^ +#(?: +via)? +(\S+)", block, re.MULTILINE)
    return {name for name in comments if name != "via"}


def normalised(requirement: str) -> str:
    """Name of the package that a requirement asks for, as lock files write it."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def needed_to_run(lock: str, project: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """The pins of what a run needs, and of what installs Contend itself."""
    every = packages(lock)
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    found, fresh = set[str](), {normalised(one) for one in wanted} & set(every)
    while fresh:
        found |= fresh
        fresh = {name for name, block in every.items() if asked_for_by(block) & found} - found
    return {name: every[name] for name in every if name in found}


class Progress:
    """One line on a terminal, which is written over; elsewhere a line now and then."""

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._live = stream.isatty()
        self._began = self._last = time.monotonic()
        self._width = 0

    def show(self, text: str) -> None:
        """Say how far it is."""
        now = time.monotonic()
        # The longer it takes, the fewer lines.
        pause = max(_LINE_EVERY_SECONDS, _SHARE_OF_TIME * (now - self._began))
        if not self._live and now - self._last < pause:
            return
        self._last = now
        self._write(f"{self._what}: {text}, {now - self._began:.0f} s")

    def close(self, text: str) -> None:
        """Say what came of it."""
        self._write(f"{self._what}: {text}, {time.monotonic() - self._began:.0f} s")
        if self._live:
            self._stream.write("\n")

    def clear(self) -> None:
        """Leave the line to somebody else."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, line: str) -> None:
        if self._live:
            line = line[: max(20, os.get_terminal_size(self._stream.fileno()).columns - 1)]
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()


class Installation:
    """What pip says while it installs, as figures.

    Parameters
    ----------
    folder : Path
        Of installed packages, in which those that are unpacked are counted.
    pins : int
        Of the lock file.
    """

    def __init__(self, folder: Path, pins: int) -> None:
        self._folder = folder
        self._total = pins
        self._found = 0
        self._megabytes = 0.0
        self._unpacking: int | None = None
        self.changed = 0

    def hear(self, line: str) -> None:
        """Take a line of pip's."""
        if line.startswith("Ignoring "):
            self._total -= 1
        elif line.startswith(("Collecting ", "Processing ", "Requirement already satisfied")):
            self._found += 1
        elif line.startswith("Installing collected packages:"):
            self.changed = line.count(",") + 1
            self._unpacking = self._there()
        elif size := re.match(r"\s+(?:Downloading|Using cached) .*\(([\d.]+) (kB|MB)\)", line):
            self._megabytes += float(size[1]) / (1000 if size[2] == "kB" else 1)

    def text(self) -> str:
        """How far it is."""
        if self._unpacking is None:
            return f"found {min(self._found, self._total)} of {self._total} packages, {self._megabytes:.0f} MB"
        done = min(self.changed, max(0, self._there() - self._unpacking))
        return f"unpacked {done} of {self.changed} packages, {self._megabytes:.0f} MB packed"

    def _there(self) -> int:
        return sum(1 for _ in self._folder.glob("*.dist-info"))


def _lines(pip: subprocess.Popen[bytes], progress: Progress, heard: Installation) -> Iterator[str]:
    """What pip says, while what it complains of is passed on, and the progress is shown."""
    assert pip.stdout is not None
    assert pip.stderr is not None
    streams = [pip.stdout, pip.stderr]
    while streams:
        ready, _, _ = select.select(streams, [], [], _TICK_SECONDS)
        for stream in ready:
            line = stream.readline().decode(errors="replace")
            if not line:
                streams.remove(stream)
            elif stream is pip.stdout:
                yield line.rstrip()
            else:
                progress.clear()
                sys.stderr.write(line)
        progress.show(heard.text())


def install(python: Path, requirements: str, pins: int, progress: Progress) -> int:
    """Install pins by pip, showing how far it is; the number of packages that had to be installed.

    Raises
    ------
    SystemExit
        If pip fails; it has said why.
    """
    command = [
        str(python),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "install",
        "--progress-bar",
        "off",
    ]
    folder = next(python.parent.parent.glob("lib/python*/site-packages"))
    heard = Installation(folder, pins)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="requirements-") as file:
        file.write(requirements)
        file.flush()
        options = ["--require-hashes", "--only-binary", ":all:", "--requirement", file.name]
        # Unbuffered, or what it says would arrive when it is done.
        surroundings = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            [*command, *options], env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as pip:
            for line in _lines(pip, progress, heard):
                heard.hear(line)
    if pip.returncode != 0:
        progress.clear()
        raise SystemExit(pip.returncode)
    return heard.changed


def main(way: str, folder: Path) -> None:
    """Make an environment, or bring it up to date."""
    progress = Progress(f"setting up {folder}", sys.stderr)
    python = folder / "bin" / "python"
    if not (folder / "bin" / "pip").exists():
        progress.show(f"Python {sys.version.split()[0]}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = needed_to_run(lock, project) if way == "run" else packages(lock)
    requirements = "".join(wanted.values())
    # Of some there are several, for different versions of Python.
    pins = len(re.findall(r"^[A-Za-z0-9]", requirements, re.MULTILINE))
    changed = install(python, requirements, pins, progress)
    # The build backend is one of the packages above: nothing that is not pinned is fetched or run.
    editable = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
    subprocess.run([str(python), "-m", "pip", "--disable-pip-version-check", *editable], check=True)
    progress.close(f"{changed} packages installed" if changed else "up to date")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in WAYS:
        sys.exit("usage: environment.py run|develop FOLDER")
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
