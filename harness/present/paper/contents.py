"""Contents of a paper's folder: which files in it are ours, and how they are replaced without harm to others.

A list of the files with their digests lies beside them. A folder that has files and no such list is somebody else's.
Files that are not on the list stay as they are, and one on it that was edited since, a caption for instance, is not
replaced either: the command says so and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.record.atomic_write import check_folder, write_json

CONTENTS = "contents.json"
_MAKER = "contend paper"
_ELSEWHERE = "choose another folder with -o"


def check_output(folder: Path, fresh: Mapping[str, bytes] | None = None) -> dict[str, str]:
    """Make sure that a paper's files can go to `folder` without taking the place of anything but such files.

    Parameters
    ----------
    folder : Path
    fresh : mapping, optional
        What is to be written, by name; without it only what can be told before that is known.

    Returns
    -------
    dict
        Digests by name of the files that are there and ours.

    Raises
    ------
    BadInputError
        If it cannot be written, is somebody else's, or has files that are not ours or were edited.
    """
    check_folder(folder)
    listed = _listed(folder)
    if listed is None:
        if folder.is_dir() and any(folder.iterdir()):
            raise BadInputError(f"paper: {folder} has files and is not of a paper; {_ELSEWHERE}")
        return {}
    for name in dict.fromkeys([*listed, *(fresh or ())]):
        path = folder / name
        if not path.exists():
            continue
        if name not in listed and name != CONTENTS:
            raise BadInputError(f"paper: {path} is there and not of a paper; {_ELSEWHERE}")
        if name in listed and not path.is_file():
            raise BadInputError(f"paper: {path} is no file any more; {_ELSEWHERE}")
        found = path.read_bytes()
        # An interrupted command may have written some of what this one writes.
        if name in listed and _digest(found) != listed[name] and (fresh is None or fresh.get(name) != found):
            if fresh is None:
                continue
            raise BadInputError(f"paper: {path} was edited; keep a copy of it elsewhere and delete it, or {_ELSEWHERE}")
    return listed


def write_folder(folder: Path, files: Mapping[str, bytes], about: Mapping[str, Any]) -> list[str]:
    """Write the files and their list, and take those away that an earlier paper had and this one has not.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    files : mapping
        Contents by name, with slashes where they lie in folders.
    about : mapping
        What else the list says.

    Returns
    -------
    list of str
        Names of files that were taken away.

    Raises
    ------
    BadInputError
        As `check_output`, or if the device is full; nothing half-written is left.
    """
    before = check_output(folder, files)
    stale = sorted(set(before) - set(files))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".paper-") as room:
            for name, content in files.items():
                (Path(room) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(room) / name).write_bytes(content)
            # The list first: whatever happens from here on, the files are known as ours.
            both = before | {name: _digest(content) for name, content in files.items()}
            write_json(folder / CONTENTS, _contents(about, both))
            for name in files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(room) / name).replace(folder / name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        for place in {folder / PurePosixPath(name).parent for name in stale} - {folder}:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
        write_json(folder / CONTENTS, _contents(about, {name: both[name] for name in files}))
    except OSError as error:
        raise BadInputError(f"paper: {folder}: {error.strerror or error}; {_ELSEWHERE}") from error
    return stale


def _contents(about: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    return {"made_by": _MAKER, **about, "files": dict(sorted(digests.items()))}


def _listed(folder: Path) -> dict[str, str] | None:
    """Digests by name; None where the folder has no list of ours."""
    try:
        content = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = content.get("files") if isinstance(content, dict) and content.get("made_by") == _MAKER else None
    if not isinstance(files, dict) or not all(map(_is_inside, files)):
        return None
    return {str(name): str(digest) for name, digest in files.items()}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
