"""Folder of block files, each of which is a workload."""

from __future__ import annotations

import re
from pathlib import Path

from contend.outside_files import reason
from contend.workloads.files.fields import FieldError

ENDINGS = (".json", ".json.gz")


def block_files(path: str) -> list[str]:
    """The file, or all block files of a folder by number; what begins with a dot is being written, and left out.

    Raises
    ------
    FieldError
        If it is a folder that cannot be read, or has no block file.
    """
    if not Path(path).is_dir():
        return [path]
    try:
        names = [one.name for one in Path(path).iterdir()]
    except OSError as error:
        raise FieldError(f"{path}: cannot be read: {reason(error)}") from None
    found = sorted((name for name in names if name.endswith(ENDINGS) and name[0] != "."), key=_by_number)
    if not found:
        raise FieldError(f"{path}: the folder has no block files, which end in {' or '.join(ENDINGS)}")
    return [str(Path(path) / name) for name in found]


def _by_number(name: str) -> list[tuple[int, str]]:
    """Key by which 9.json comes before 10.json."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split("([0-9]+)", name)]
