"""Kernel cache: where compiled kernels are kept, so that stale code cannot run and unchanged code is compiled once.

numba's own cache looks only at the file of the function it caches; a change in an inlined callee from another file
would silently run stale code. So the folder itself is keyed by a digest of every source that its kernels may be made
from, in folders of any depth (`evm.runtime.source_digest`), numba's version, and whether bounds are checked. Kernels of
a plug-in lie in a folder of that folder which is keyed by the plug-in's sources.

numba also keys its files by where the sources lie. Under such a digest that tells nothing apart: two checkouts of one
version, a work tree and what a comparison lays out of it, asv's environments, all hold the same text. `ByModule` finds
their kernels by the name of the module, so that what one has compiled, all load.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

import numba
from numba.core import config
from numba.core.caching import UserProvidedCacheLocator

from contend.evm.runtime.source_digest import digest_of, folders_behind, note_kernels, packages, registered

_KEPT = 12
_redirecting = RLock()


def bounds_checked() -> bool:
    """Whether kernels are compiled with bounds checks (``NUMBA_BOUNDSCHECK=1``)."""
    return bool(config.BOUNDSCHECK)


def kernels_digest() -> str:
    """Digest of all kernel sources, of numba's version, and of the bounds-check setting.

    Returns
    -------
    str
        16 hexadecimal digits over all packages that have registered kernels (`evm.runtime.source_digest.register`);
        part of every record.
    """
    return _digest(folders_behind(None))


def _digest(folders: tuple[Path, ...]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{numba.__version__}|{bounds_checked()}".encode())
    for folder in folders:
        for source in sorted(folder.rglob("*.py")):
            digest.update(f"{folder.name}/{source.relative_to(folder).as_posix()}\0".encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()


def cache_root() -> Path:
    """Folder that holds compiled kernels: ``$CONTEND_CACHE_DIR``, or ``contend`` in the user's cache folder."""
    chosen = os.environ.get("CONTEND_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contend"


def _open_folder(folder: Path, prefix: str = "") -> bool:
    """Make a folder of the cache and delete those of its siblings that have not been used for longest.

    Its siblings are named by a digest behind the same prefix. Whatever else lies there is somebody else's.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        digits = len(folder.name) - len(prefix)
        others = [p for p in folder.parent.glob(prefix + "[0-9a-f]" * digits) if p.is_dir()]
    except OSError:
        return False
    for old in sorted(others, key=_last_used, reverse=True)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _last_used(folder: Path) -> float:
    """Seconds since the epoch; 0 where another process has just deleted it."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=16)
def _open_cache(folders: tuple[Path, ...]) -> Path | None:
    """Folder for kernels made from the sources in these folders. Where there is none, each process compiles its own."""
    folder = cache_root() / _digest(folders)
    # Where it cannot be made, numba would fall back to folders beside the sources, and look at a function's file only.
    return folder if _open_folder(folder) else None


def kernel_folders() -> list[Path]:
    """Folders in which this process keeps the kernels of registered packages."""
    opened = {_open_cache(folders_behind(package)) for package in packages()}
    return sorted(folder for folder in opened if folder is not None)


def folder_of(function: Callable[..., Any]) -> Path | None:
    """Folder in which what a function compiles to is kept; made where it belongs to a plug-in. None for none.

    To be asked when the function is defined: its sources may change while the process lives, and it does not.
    """
    module, file = function.__module__, function.__code__.co_filename
    package = registered(module)
    cache = _open_cache(folders_behind(package))
    if cache is None or package is not None:
        return cache
    note_kernels(module, file)
    name = module.partition(".")[0]
    folder = cache / f"{name}-{digest_of(module, file)}"
    return folder if _open_folder(folder, f"{name}-") else None


@contextmanager
def kept_in(folder: Path | None) -> Iterator[bool]:
    """While this lasts, functions that numba decorates are cached in a folder; False if they cannot be cached.

    What others decorate before and after is cached where numba would.
    """
    if folder is None:
        yield False
        return
    with _redirecting:
        before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
        config.CACHE_DIR = str(folder)
        config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ByModule.__name__}"
        try:
            yield True
        finally:
            config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


class ByModule(UserProvidedCacheLocator):  # type: ignore[misc]  # numba ships no types
    """Finds a cached function by the name of its module, where the folder is keyed by all that it is made from."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        super().__init__(function, file)
        module = function.__module__
        package = registered(module)
        if package is not None and not package.whole:
            # Tests, and the harness: their own file is looked at, but what it imports of them is not.
            self._is_generated = False
            return
        self._cache_path = os.path.join(config.CACHE_DIR, module)
        self._is_generated = not os.path.exists(file)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> ByModule | None:
        """A locator, also for a function that was generated of sources that the folder is keyed by."""
        found = cls(function, file)
        try:
            found.ensure_cache_path()
        except OSError:
            return None
        return found

    def get_source_stamp(self) -> Any:
        """Stamp of the function's file; of generated text there is none to look at."""
        return () if self._is_generated else super().get_source_stamp()
