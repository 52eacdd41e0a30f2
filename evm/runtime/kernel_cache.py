"""Kernel cache: where compiled kernels are kept, so that stale code cannot run and unchanged code is compiled once.

numba's own cache looks only at the file of the function it caches; a change in an inlined callee from another file
would silently run stale code. So the folder itself is keyed by a digest of every source that its kernels may be made
from, in folders of any depth (`evm.runtime.source_digest`), numba's version, and whether bounds are checked. Kernels of
a plug-in lie in a folder of that folder which is keyed by the plug-in's sources.

numba also keys its files by where the sources lie. Under such a digest that tells nothing apart: two checkouts of one
version, a work tree and what a comparison lays out of it, asv's environments, all hold the same text. `ByModule` finds
their kernels by the name of the module, so that what one has compiled, all load.

Such folders may lie in several places (`contend.cache_places`): kernels are loaded from whichever has them, and what
has to be compiled goes to the nearest that can be written. Keeping a kernel is never worth a measurement: where it
fails, on a full disk say, the process goes on with what it has compiled, and says so once, by this module's logger.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache, partial
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import numba
from numba.core import config
from numba.core.caching import CacheImpl, FunctionCache, IndexDataCacheFile, NullCache, UserProvidedCacheLocator

from contend.cache_places import VARIABLE, places
from contend.evm.runtime.linked_kernels import rebuilt, reduced
from contend.evm.runtime.source_digest import digest_of, folders_behind, note_kernels, packages, registered

_KEPT = 12
_redirecting = RLock()
_log = logging.getLogger(__name__)
_told: set[str] = set()


class KernelFolders(NamedTuple):
    """Where kernels that are made from certain sources are kept.

    Attributes
    ----------
    written : Path or None
        Folder for what is compiled; None where no place can be written.
    read : tuple of Path
        Further folders that may hold some, as an image or another user's installation does.
    """

    written: Path | None
    read: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        """All of them."""
        return self.read if self.written is None else (self.written, *self.read)


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


def package_digest(package: str) -> str:
    """Digest, as `kernels_digest` gives it, of all sources that a registered package's kernels are made from."""
    return _digest(folders_behind(registered(package)))


def _digest(folders: tuple[Path, ...]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{numba.__version__}|{bounds_checked()}".encode())
    for folder in folders:
        for source in sorted(folder.rglob("*.py")):
            digest.update(f"{folder.name}/{source.relative_to(folder).as_posix()}\0".encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()


def cache_root() -> Path:
    """Folder for what this process compiles; where no place can be written, one that cannot be."""
    found = places()
    return found.written or (found.read[0] if found.read else Path(os.devnull))


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


@lru_cache(maxsize=64)
def _open(name: str, tidied: tuple[str, ...]) -> KernelFolders:
    """Folders of one name in all places.

    Parameters
    ----------
    name : str
        Below a place.
    tidied : tuple of str
        For each part of the name what stands before its digest.
    """
    found = places()
    written = None
    if found.written is not None:
        # Where it cannot be made, numba would fall back to folders beside the sources, and look at a function's file
        # only.
        folder = found.written
        for part, prefix in zip(name.split("/"), tidied, strict=True):
            folder /= part
            if not _open_folder(folder, prefix):
                break
        else:
            written = folder
    read = (place / name for place in found.read if place != found.written)
    return KernelFolders(written, tuple(folder for folder in read if folder.is_dir()))


@lru_cache(maxsize=16)
def _open_cache(folders: tuple[Path, ...]) -> KernelFolders:
    """Folders for kernels made from the sources in these folders."""
    return _open(_digest(folders), ("",))


def marked_folders() -> KernelFolders:
    """Folders named by the digest of all sources, for notes about all kernels."""
    return _open_cache(folders_behind(None))


def kernel_folders() -> list[Path]:
    """Folders in which this process keeps, or finds, the kernels of registered packages."""
    return sorted({folder for package in packages() for folder in _open_cache(folders_behind(package)).all})


def folder_of(function: Callable[..., Any]) -> KernelFolders:
    """Folders in which what a function compiles to is kept; made where it belongs to a plug-in.

    To be asked when the function is defined: its sources may change while the process lives, and it does not.
    """
    module, file = function.__module__, function.__code__.co_filename
    package = registered(module)
    sources = folders_behind(package)
    if package is not None:
        return _open_cache(sources)
    note_kernels(module, file)
    name = module.partition(".")[0]
    return _open(f"{_digest_once(sources)}/{name}-{digest_of(module, file)}", ("", f"{name}-"))


@lru_cache(maxsize=16)
def _digest_once(folders: tuple[Path, ...]) -> str:
    return _digest(folders)


def keep(compiled: Any, function: Callable[..., Any], folders: KernelFolders) -> None:
    """Have numba load what a function compiles to from these folders, and keep it there.

    Parameters
    ----------
    compiled : object
        numba's dispatcher or C callback, made without a cache of its own.
    function : function
    folders : KernelFolders
        As `folder_of` has told when the function was defined.
    """
    compiled._cache = _Opened(KernelCache, function, folders) if folders.all else _Unkept()


def keep_linked(compiled: Any, function: Callable[..., Any], folders: KernelFolders) -> None:
    """Have what a function compiles to for other kernels kept likewise.

    Parameters
    ----------
    compiled : linked_kernels.Linked
    function : function
    folders : KernelFolders
    """
    compiled._cache = _Opened(LinkedCache, function, folders) if folders.all else _Unkept()


def _tell(text: str) -> None:
    """Say something about where kernels are kept, once in a process."""
    if text and text not in _told:
        _told.add(text)
        _log.warning("%s", text)


class _Unkept(NullCache):  # type: ignore[misc]  # numba ships no types
    """No cache, and a word about it when something was compiled in vain."""

    def save_overload(self, signature: Any, compiled: Any) -> None:
        _tell(places().notice())


class _Opened(NullCache):  # type: ignore[misc]
    """A cache, opened when something is first looked for: of the kernels that a process imports it uses a few."""

    def __init__(self, kind: type[KernelCache], function: Callable[..., Any], folders: KernelFolders) -> None:
        self._make: Callable[[], KernelCache] = partial(kind, function, folders)

    @cached_property
    def _cache(self) -> KernelCache:
        return self._make()

    @property
    def cache_path(self) -> str:
        return str(self._cache.cache_path)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        return self._cache.load_overload(signature, target_context)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        self._cache.save_overload(signature, compiled)


class KernelCache(FunctionCache):  # type: ignore[misc]  # numba ships no types
    """Cache of one function over several folders, of which it writes one; what it cannot keep is no error."""

    def __init__(self, function: Callable[..., Any], folders: KernelFolders) -> None:
        first = folders.all[0]
        with _redirected(first):
            super().__init__(function)
        below = os.path.relpath(self._cache_path, first)
        self._written = folders.written is not None
        self._others = [
            IndexDataCacheFile(
                cache_path=str(folder / below),
                filename_base=self._impl.filename_base,
                source_stamp=self._impl.locator.get_source_stamp(),
            )
            for folder in folders.all[1:]
        ]

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """What was compiled, of the first folder that has it and can be read."""
        target_context.refresh()
        key = self._index_key(signature, target_context.codegen())
        for file in (self._cache_file, *self._others):
            try:
                found = file.load(key)
            except OSError:
                continue
            if found is not None:
                return self._impl.rebuild(target_context, found)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled, where that can be done."""
        _tell(places().notice())
        if not self._written:
            return
        try:
            with self._alone():
                super().save_overload(signature, compiled)
        except OSError as error:
            # Whatever kernel this is: the next one will fail alike, and is not to be told of.
            why = error.strerror or str(error)
            _tell(f"compiled kernels cannot be kept in {places().written}: {why}; {VARIABLE} names another folder")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While this lasts no other process adds to an index of this folder.

        numba reads a function's index, takes the first free name for its data, and writes both: of two processes that
        do so at once with different argument types, one would lose its entry, or find the other's data under its own.
        """
        os.makedirs(self._cache_path, exist_ok=True)
        with open(os.path.join(self._cache_path, ".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _LinkedForm(CacheImpl):  # type: ignore[misc]
    """How a linked kernel lies in a file."""

    def reduce(self, compiled: Any) -> Any:
        return reduced(compiled)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        return rebuilt(target_context, payload)

    def check_cachable(self, compiled: Any) -> bool:
        return not compiled.library.has_dynamic_globals

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        return str(super().get_filename_base(f"{fullname}.linked", abiflags))


class LinkedCache(KernelCache):
    """Cache of what one function compiles to for other kernels."""

    _impl_class = _LinkedForm


@contextmanager
def _redirected(folder: Path) -> Iterator[None]:
    """While this lasts, numba looks for caches in a folder; what others decorate before and after, where it would."""
    with _redirecting:
        before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
        config.CACHE_DIR = str(folder)
        config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ByModule.__name__}"
        try:
            yield
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
    def from_function(cls, function: Callable[..., Any], file: str) -> ByModule:
        """A locator, also for a function that was generated of sources that the folder is keyed by."""
        return cls(function, file)

    def get_source_stamp(self) -> Any:
        """Stamp of the function's file; of generated text there is none to look at."""
        return () if self._is_generated else super().get_source_stamp()
