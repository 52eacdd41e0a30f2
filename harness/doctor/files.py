"""The files in which Linux tells about itself, read so that a missing one is an answer and no error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


class Files:
    """A tree of such files.

    Parameters
    ----------
    root : Path
        ``/``, or a copy of parts of it.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def text(self, path: str) -> str | None:
        """Content of a file without white space around it; None if it is missing or cannot be read."""
        try:
            return (self._root / path.lstrip("/")).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """The whole number that a file holds; None if it holds none."""
        text = self.text(path)
        try:
            return None if text is None else int(text)
        except ValueError:
            return None

    def matching(self, pattern: str) -> Iterator[str]:
        """Paths of the files that match, in order."""
        for found in sorted(self._root.glob(pattern.lstrip("/"))):
            yield f"/{found.relative_to(self._root)}"

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return (self._root / path.lstrip("/")).exists()

    def table(self, path: str) -> dict[str, int]:
        """Whole numbers by the word that their line begins with, as in ``/proc/vmstat`` and ``/proc/meminfo``."""
        found = {}
        for line in (self.text(path) or "").splitlines():
            words = line.replace(":", " ").split()
            if len(words) >= 2 and words[1].isdigit():
                found[words[0]] = int(words[1])
        return found


def cpu_list(text: str) -> list[int]:
    """Numbers of a list such as ``0-3,8``."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit():
            found += range(int(first), int(last or first) + 1)
    return found
