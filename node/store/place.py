"""Places of files: where a snapshot of a state is kept, and whether reads from there are reads of a device."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from contend.cache_places import places
from contend.node.store.base import StoreError
from contend.node.store.page_file import VERSION

FILES_KEPT = 8
_IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
_OVER_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "fuse.sshfs", "virtiofs")
_MOUNTS = Path("/proc/self/mounts")


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


def file_system(path: Path, mounts: Path = _MOUNTS) -> str:
    """Kind of the file system that a path lies in; empty where the system does not tell."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    own, best, kind = path.absolute().resolve(), -1, ""
    for fields in (line.split() for line in lines):
        if len(fields) < 3:
            continue
        root = Path(fields[1].replace("\\040", " "))
        if (own == root or root in own.parents) and len(root.parts) >= best:
            best, kind = len(root.parts), fields[2]
    return kind


def check_device(path: Path) -> None:
    """Refuse a place from which nothing is read of a device of this machine.

    Raises
    ------
    StoreError
        Naming the file system.
    """
    kind = file_system(path)
    if kind in _IN_MEMORY:
        raise StoreError(
            f"state: {path} lies in memory ({kind}): nothing is read of a device; --state-path names another"
        )
    if kind in _OVER_NETWORK:
        raise StoreError(f"state: {path} lies on another machine ({kind}); --state-path names a file of a local disk")
