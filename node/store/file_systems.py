"""File systems: what kind a path lies on, and whether a store may.

What lies in memory (tmpfs) is not read from a device and is gone with the power; on a network file system neither locks
nor what is synchronised are what they are on a disk. A store on either would give figures of something else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from contend.node.store.base import StoreError

_IN_MEMORY = frozenset({"tmpfs", "ramfs", "hugetlbfs", "devtmpfs"})
_BY_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "afpfs",
        "ceph",
        "glusterfs",
        "lustre",
        "9p",
        "ncpfs",
        "virtiofs",
        "webdav",
    }
)
_BY_NETWORK_BEGIN = ("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone")
_MOUNTS = Path("/proc/self/mountinfo")


def _linux_mounts(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Folder and kind of each mounted file system, as proc(5) describes them."""
    for line in lines:
        before, _, after = line.partition(" - ")
        folder = before.split(" ")[4]
        for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
            folder = folder.replace(octal, character)
        yield folder, after.split(" ")[0]


def _listed_mounts(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The same, of lines such as ``/dev/disk1 on /folder (apfs, local)``."""
    for line in lines:
        named, _, kinds = line.rpartition(" (")
        yield named.partition(" on ")[2], kinds.partition(",")[0].rstrip(")")


def _mounts() -> Iterator[tuple[str, str]]:
    if sys.platform == "darwin":
        found = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False)
        yield from _listed_mounts(found.stdout.splitlines())
    elif _MOUNTS.exists():
        yield from _linux_mounts(_MOUNTS.read_text(errors="surrogateescape").splitlines())


def file_system(path: Path) -> str:
    """Kind of the file system that a path lies on, or would lie on; empty where nobody tells.

    Parameters
    ----------
    path : Path
        Need not exist.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    there = there.resolve()
    kind, longest = "", -1
    for folder, own in _mounts():
        # Of two on the same folder the later one covers the earlier.
        if len(folder) >= longest and there.is_relative_to(folder):
            kind, longest = own, len(folder)
    return kind


def check_place(path: Path) -> None:
    """Refuse a place that no store should lie in.

    Raises
    ------
    StoreError
        If it is in memory or comes by a network.
    """
    kind = file_system(path)
    if kind in _IN_MEMORY:
        raise StoreError(f"{path}: lies in memory ({kind}), where nothing is durable or cold; name a folder on a disk")
    if kind in _BY_NETWORK or kind.startswith(_BY_NETWORK_BEGIN):
        raise StoreError(f"{path}: lies on a network file system ({kind}); name a folder on a disk")
