"""Compilation: decorators for kernels, which are linked in, and for functions reached by address.

Kernels are compiled without numba's runtime (``_nrt=False``): no array in them carries a reference count, so two
workers never fight over the cache line of a counter that neither needs. They release the GIL and allocate nothing.

What they compile to is kept (`evm.runtime.kernel_cache`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from numba import njit
from numba.core import event, sigutils
from numba.core.ccallback import CFunc

from contend.evm.runtime.kernel_cache import KernelFolders, folder_of, keep, keep_linked
from contend.evm.runtime.linked_kernels import Kernel

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = {"nopython": True, "_nrt": False, "error_model": "numpy"}


def kernel(inline: bool = False, folder: KernelFolders | None = None) -> Callable[[F], Any]:
    """Compile a function to native code that holds no GIL and no reference count.

    Parameters
    ----------
    inline : bool
        Force the function into its callers. For small functions on the hot path.
    folder : KernelFolders, optional
        Where what it compiles to is kept; by default as the function's sources say now.
    """

    def decorate(function: F) -> Any:
        made = Kernel(function, {**_OPTIONS, "nogil": True, "forceinline": inline})
        kept = folder or folder_of(function)
        keep(made, function, kept)
        keep_linked(made.linked, function, kept)
        return made

    return decorate


def macro(function: F) -> Any:
    """Paste a function into its callers before they are typed: the one way to return a view without numba's runtime."""
    made = njit(nogil=True, _nrt=False, error_model="numpy", inline="always")(function)
    keep(made, function, folder_of(function))
    return made


class Native:
    """A compiled function that others call by address, so that it is compiled once however many call it.

    Compiled on the first use of `address`, never at import: ``contend list`` must not wait for a compiler.
    """

    def __init__(self, function: Callable[..., Any], signature: str) -> None:
        self.function = function
        self.signature = signature
        self._folder = folder_of(function)
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:
        """Numba's compiled object (for inspection in tests)."""
        if self._compiled is None:
            with event.trigger_event("contend:native", data={"name": _title(self.function)}):
                # numba's decorator would compile before it can be told where to look for what is compiled already.
                made = CFunc(self.function, sigutils.normalize_signature(self.signature), locals={}, options=_OPTIONS)
                keep(made, self.function, self._folder)
                made.compile()
                self._compiled = made
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
    return _title(getattr(data.get("dispatcher"), "py_func", None))


def _title(function: Any) -> str:
    """Name of a kernel that tells it from others: that of its module below its room, and its own."""
    module = str(getattr(function, "__module__", ""))
    top, _, below = module.partition(".")
    if top == __name__.partition(".")[0]:
        module = below.partition(".")[2] or below
    name = str(getattr(function, "__name__", "kernel"))
    return f"{module}.{name}" if module else name


@contextmanager
def on_compile(notify: Callable[[str, bool, float], None]) -> Iterator[None]:
    """Call ``notify(kernel name, is start, seconds)`` whenever an outermost compilation starts and ends.

    Loading a kernel from the cache is not a compilation, except that `Native` functions announce both: loading one
    takes milliseconds, so a display should show it only once it has lasted.
    """
    listener = _CompileListener(notify)
    with event.install_listener("numba:compile", listener), event.install_listener("contend:native", listener):
        yield
