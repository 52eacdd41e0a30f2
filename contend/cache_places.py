"""Cache places: the folders in which what is made once may be kept, the nearest first that can be written.

Below all rooms: whoever keeps compiled kernels asks here, and so does whoever lays out revisions, without importing a
compiler for it.

An account without a home, an installation that belongs to another user, a container with a read-only root: each of them
leaves fewer places, and none is a reason to compile for every process anew. What lies in a place that cannot be written
is still read, so an image may bring its kernels with it.

What is kept is loaded as code. The folder for temporary files can be written by everybody, so the place in it is used
only if it belongs to this user and nobody else can write it.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

VARIABLE = "CONTEND_CACHE_DIR"
# Bytes that a place must take: a full device makes empty files, too.
_PROOF = b"\0" * 4096


class Places(NamedTuple):
    """Where things are kept.

    Attributes
    ----------
    written : Path or None
        The nearest place that can be written; None where there is none.
    read : tuple of Path
        All that may hold something, nearest first, `written` among them.
    refused : str
        Why the nearest of all could not be written, with its path; empty where it could.
    """

    written: Path | None
    read: tuple[Path, ...]
    refused: str

    def notice(self) -> str:
        """What a user should know of it in one line; empty where everything is in the usual place."""
        if not self.refused:
            return ""
        if self.written is None:
            return f"compiled kernels cannot be kept: {self.refused}; {VARIABLE} names another folder"
        return f"compiled kernels are kept in {self.written}: {self.refused}; {VARIABLE} names another folder"


def places(suffix: str = "") -> Places:
    """Places for this process, by its environment variables.

    Parameters
    ----------
    suffix : str
        Added to the name of each folder, for what must not lie among the kernels.
    """
    return _places(*(os.environ.get(name, "") for name in (VARIABLE, "XDG_CACHE_HOME", "HOME")), suffix)


class _Place(NamedTuple):
    path: Path
    # Whether it lies where everybody can write, so that anybody may have made it.
    exposed: bool


@lru_cache(maxsize=32)
def _places(chosen: str, cache_home: str, home: str, suffix: str) -> Places:
    candidates = _candidates(chosen, cache_home, home, suffix)
    refused: list[str] = []
    read: list[Path] = []
    for number, place in enumerate(candidates):
        why = _refusal(place)
        if not why:
            # What was chosen stands alone where it can be written: an empty folder is how to begin from nothing.
            further = [] if chosen and number == 0 else [one.path for one in candidates[number + 1 :] if _is_there(one)]
            return Places(place.path, (*read, place.path, *further), "".join(refused[:1]))
        refused.append(f"{place.path} cannot be written ({why})")
        if _is_there(place):
            read.append(place.path)
    return Places(None, tuple(read), "".join(refused[:1]))


def _candidates(chosen: str, cache_home: str, home: str, suffix: str) -> list[_Place]:
    found = [Path(chosen).absolute()] if chosen else []
    if cache_home:
        found.append(Path(cache_home) / "contend")
    else:
        # Fails where the user has no name, as in a container that is run under any number.
        with suppress(RuntimeError):
            found.append((Path(home) if home else Path.home()) / ".cache" / "contend")
    # Beside the installation, for all that use it.
    found.append(Path(sys.prefix) / "var" / "cache" / "contend")
    named = [place.with_name(place.name + suffix) for place in dict.fromkeys(found) if place.is_absolute()]
    with suppress(FileNotFoundError):
        shared = Path(tempfile.gettempdir()) / f"contend-{os.geteuid()}{suffix}"
        return [*(_Place(one, False) for one in named if one != shared), _Place(shared, True)]
    return [_Place(one, False) for one in named]


def _refusal(place: _Place) -> str:
    """Why nothing can be kept in a place; empty if something can."""
    try:
        place.path.mkdir(mode=0o700 if place.exposed else 0o777, parents=True, exist_ok=True)
        if place.exposed and not _is_own(place.path):
            return "it belongs to another user, or others can write it"
        with tempfile.TemporaryFile(dir=place.path) as file:
            file.write(_PROOF)
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _is_there(place: _Place) -> bool:
    return place.path.is_dir() and not (place.exposed and not _is_own(place.path))


def _is_own(folder: Path) -> bool:
    """Whether it is a folder of this user that no other can write."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    by_others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & by_others
