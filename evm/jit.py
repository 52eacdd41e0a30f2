"""How Contend compiles: decorators for kernels and for functions reached by address, and a cache that cannot go stale.

Kernels are compiled without numba's runtime (``_nrt=False``): no array in them carries a reference count, so two
workers never fight over the cache line of a counter that neither needs. They release the GIL and allocate nothing.

numba's own cache looks only at the file of the function it caches; a change in an inlined callee from another file
would silently run stale code. So the cache directory itself is keyed by a digest of every source in ``evm/`` and
``strategies/``, numba's version, and whether bounds are checked. Kernels of a plug-in lie in a folder of that directory
which is keyed by the plug-in's sources (`evm.sources`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numba
from numba import cfunc, njit
from numba.core import config, event

from evm.sources import OWN, digest_of, note_kernels

F = TypeVar("F", bound=Callable[..., Any])

_ROOM = Path(__file__).resolve().parent
_KEPT_CACHES = 6
_redirecting = RLock()


def bounds_checked() -> bool:
    """Whether kernels are compiled with bounds checks (``NUMBA_BOUNDSCHECK=1``)."""
    return bool(config.BOUNDSCHECK)


def kernels_digest() -> str:
    """Digest of all kernel sources, of numba's version, and of the bounds-check setting.

    Returns
    -------
    str
        16 hexadecimal digits; part of every record, and the name of the compilation cache.
    """
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{numba.__version__}|{bounds_checked()}".encode())
    for room in ("evm", "strategies"):
        for source in sorted((_ROOM.parent / room).glob("*.py")):
            digest.update(source.name.encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()


def cache_root() -> Path:
    """Folder that holds compiled kernels: ``$CONTEND_CACHE_DIR``, or ``contend`` in the user's cache folder."""
    chosen = os.environ.get("CONTEND_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contend"


def _open_folder(folder: Path, siblings: str) -> bool:
    """Make a folder of the cache and delete those of its siblings that have not been used for longest."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        others = sorted(
            (p for p in folder.parent.glob(siblings) if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True
        )
    except OSError:
        return False
    for old in others[_KEPT_CACHES:]:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _open_cache() -> Path | None:
    folder = cache_root() / kernels_digest()
    if not _open_folder(folder, "*"):
        # numba would fall back to folders beside the sources, and look at a function's own file only.
        return None
    config.CACHE_DIR = str(folder)
    return folder


# Where compiled kernels are kept. Where they cannot be, every process compiles them: slower, never wrong.
_CACHE = _open_cache()


def _cache_of(function: Callable[..., Any]) -> Path | None:
    """Folder in which what a function compiles to is kept; made where it belongs to a plug-in.

    To be asked when the function is defined: its sources may change while the process lives, and it does not.
    """
    module, file = function.__module__, function.__code__.co_filename
    name = module.partition(".")[0]
    if _CACHE is None or name in OWN:
        return _CACHE
    note_kernels(module, file)
    folder = _CACHE / f"{name}-{digest_of(module, file)}"
    return folder if _open_folder(folder, f"{name}-*") else None


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[bool]:
    """While this lasts, functions that numba decorates are cached in a folder; False if they cannot be cached."""
    if folder is None or folder == _CACHE:
        yield folder is not None
        return
    with _redirecting:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder)
        try:
            yield True
        finally:
            config.CACHE_DIR = before


def kernel(inline: bool = False) -> Callable[[F], Any]:
    """Compile a function to native code that holds no GIL and no reference count.

    Parameters
    ----------
    inline : bool
        Force the function into its callers. For small functions on the hot path.
    """

    def decorate(function: F) -> Any:
        with _kept_in(_cache_of(function)) as kept:
            return njit(nogil=True, _nrt=False, cache=kept, error_model="numpy", forceinline=inline)(function)

    return decorate


def macro(function: F) -> Any:
    """Paste a function into its callers before they are typed: the one way to return a view without numba's runtime."""
    with _kept_in(_cache_of(function)) as kept:
        return njit(nogil=True, _nrt=False, cache=kept, error_model="numpy", inline="always")(function)


class Native:
    """A compiled function that others call by address, so that it is compiled once however many call it.

    Compiled on the first use of `address`, never at import: ``contend list`` must not wait for a compiler.
    """

    def __init__(self, function: Callable[..., Any], signature: str) -> None:
        self.function = function
        self.signature = signature
        self._folder = _cache_of(function)
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:
        """Numba's compiled object (for inspection in tests)."""
        if self._compiled is None:
            with (
                event.trigger_event("contend:native", data={"name": self.function.__name__}),
                _kept_in(self._folder) as kept,
            ):
                self._compiled = cfunc(self.signature, nopython=True, _nrt=False, cache=kept, error_model="numpy")(
                    self.function
                )
        return self._compiled

    @property
    def address(self) -> int:
        """Address of the machine code, valid for the life of the process."""
        return int(self.compiled.address)


def native(signature: str) -> Callable[[Callable[..., Any]], Native]:
    """Compile a function so that kernels can call it through its address.

    Parameters
    ----------
    signature : str
        numba signature, for instance ``"int64(int64, int64)"``.
    """

    def wrap(function: Callable[..., Any]) -> Native:
        return Native(function, signature)

    return wrap


class _CompileListener(event.Listener):  # type: ignore[misc]  # numba ships no types
    def __init__(self, notify: Callable[[str, bool, float], None]) -> None:
        self._notify = notify
        self._depth = 0
        self._began = 0.0

    def on_start(self, event: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self._began = time.perf_counter()
            self._notify(_name_of(event.data), True, 0.0)

    def on_end(self, event: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._notify(_name_of(event.data), False, time.perf_counter() - self._began)


def _name_of(data: dict[str, Any]) -> str:
    if "name" in data:
        return str(data["name"])
    dispatcher = data.get("dispatcher")
    return str(getattr(getattr(dispatcher, "py_func", None), "__name__", "kernel"))


@contextmanager
def on_compile(notify: Callable[[str, bool, float], None]) -> Iterator[None]:
    """Call ``notify(kernel name, is start, seconds)`` whenever an outermost compilation starts and ends.

    Loading a kernel from the cache is not a compilation, except that `Native` functions announce both: loading one
    takes milliseconds, so a display should show it only once it has lasted.
    """
    listener = _CompileListener(notify)
    with event.install_listener("numba:compile", listener), event.install_listener("contend:native", listener):
        yield
