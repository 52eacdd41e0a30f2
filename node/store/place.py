"""Places of files: where a snapshot of a state is kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from contend.cache_places import places
from contend.node.store.base import StoreError
from contend.node.store.page_file import VERSION

FILES_KEPT = 8


def usual_place(digest: str) -> Path:
    """The file of a state with a digest, in the nearest cache folder.

    Raises
    ------
    StoreError
        If there is no folder that can be written.
    """
    folder = places("-states").written
    if folder is None:
        raise StoreError("state: no folder for a snapshot can be written; --state-path names a file")
    return folder / f"{digest}-v{VERSION}.pages"


def forget_oldest(folder: Path, keep: Path) -> None:
    """Delete all but the latest files of the usual place."""
    with suppress(OSError):
        files = sorted(folder.glob("*.pages"), key=lambda one: one.stat().st_mtime, reverse=True)
        for path in files[FILES_KEPT:]:
            if path != keep:
                path.unlink(missing_ok=True)
