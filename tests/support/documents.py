"""Documents followed to the letter: their commands are run, their files written, their outputs compared.

What a page's code blocks mean, in the order in which they stand:

- ``sh``: commands, run one after the other in one shell, so that a `cd` holds for those that follow;
- ``python`` or ``toml`` whose first line is a comment with a path: a file, written there;
- ``diff``: a patch, applied where the shell is;
- ``text`` after a block of commands: lines that those print. Only what is the same in every run can be shown so.

``python tests/support/documents.py PAGE...`` runs pages and writes what their commands print now into their ``text``
blocks: as many lines as a block has, from the first that begins with the same word.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "=== block "
_SHIMS = {"contend": "contend", "pip": "pip", "pytest": "pytest"}
_SECONDS = 900


@dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes
    ----------
    language : str
    text : str
        With the line break at its end.
    start, end : int
        Of its text, within the page.
    """

    language: str
    text: str
    start: int
    end: int

    @property
    def path(self) -> str | None:
        """The file that it is, if it says so."""
        found = re.match(r"# (\S+\.\w+)\n", self.text)
        return found[1] if self.language in {"python", "toml"} and found else None


def blocks(page: str) -> list[Block]:
    """Code blocks of a page, in order."""
    return [Block(found[1], found[2], found.start(2), found.end(2)) for found in _FENCE.finditer(page)]


def make_environment(folder: Path) -> Path:
    """Make a virtual environment with Contend as it is in this checkout, and with what the tests are run with.

    Returns
    -------
    Path
        Its ``bin``.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    others = [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    (packages / "contend-under-test.pth").write_text("\n".join([str(ROOT), *others]) + "\n")
    for name, module in _SHIMS.items():
        shim = folder / "bin" / name
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(str(folder / "bin" / "python"))} -m {module} "$@"\n')
        shim.chmod(0o755)
    return folder / "bin"


def follow(page: str, folder: Path, variables: Mapping[str, str] | None = None) -> dict[int, str]:
    """Do what a page says.

    Parameters
    ----------
    page : str
        Its text.
    folder : Path
        Where the shell begins.
    variables : mapping, optional
        Environment variables beside those of this process.

    Returns
    -------
    dict
        What each block of commands printed, by its number among all blocks.

    Raises
    ------
    AssertionError
        If a command fails, with what it printed.
    """
    script = ["set -e", "exec 2>&1"]
    for place, block in enumerate(blocks(page)):
        script.append(f"echo {shlex.quote(_MARK + str(place))}")
        if block.language == "sh":
            script.append(block.text)
        elif block.path is not None:
            script.append(f"printf %s {shlex.quote(block.text)} > {shlex.quote(block.path)}")
        elif block.language == "diff":
            script.append(f"printf %s {shlex.quote(block.text)} | git apply --unidiff-zero -")
    environment = {**os.environ, "COLUMNS": "80", "PIP_NO_INDEX": "1", **(variables or {})}
    # Contend comes from the virtual environment, as for a reader.
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    printed: dict[int, str] = {}
    for part in done.stdout.split(_MARK)[1:]:
        number, _, output = part.partition("\n")
        printed[int(number)] = output
    last = max(printed, default=0)
    assert done.returncode == 0, f"{blocks(page)[last].text}\n{printed.get(last)}"
    return printed


def expectations(page: str, printed: Mapping[int, str]) -> list[tuple[Block, str]]:
    """Each ``text`` block, and what the commands before it printed."""
    found = []
    output = ""
    for number, block in enumerate(blocks(page)):
        if block.language == "sh":
            output = printed[number]
        elif block.language == "text":
            found.append((block, output))
    return found


def lines(text: str) -> list[str]:
    """Lines without white space at their ends; none that are empty."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def is_in(block: Block, output: str) -> bool:
    """Whether the lines of a block stand in an output, together and in order."""
    wanted, found = lines(block.text), lines(output)
    return any(found[at : at + len(wanted)] == wanted for at in range(len(found)))


def refreshed(page: str, printed: Mapping[int, str]) -> str:
    """The page with its ``text`` blocks as they are printed now."""
    for block, output in reversed(expectations(page, printed)):
        shown, found = lines(block.text), lines(output)
        first = next(at for at, line in enumerate(found) if line.split()[:1] == shown[0].split()[:1])
        page = page[: block.start] + "\n".join(found[first : first + len(shown)]) + "\n" + page[block.end :]
    return page


def main(paths: list[str]) -> None:
    """Refresh pages."""
    import tempfile

    for name in paths:
        path = Path(name)
        with tempfile.TemporaryDirectory() as room:
            folder = Path(room) / "contend"
            folder.mkdir()
            make_environment(folder / ".venv")
            path.write_text(refreshed(path.read_text(), follow(path.read_text(), folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
