"""Compile lock: one process compiles a strategy, the others wait and then load what it compiled.

A strategy's kernels are compiled when it first executes a block. The first process on a cold cache takes a file lock
for that; the others, of this run or of any other on the machine, wait for it and then load what was compiled. A marker
file beside the kernels says that a strategy has been through this, so that on a warm cache nobody waits.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import contend.node
from contend.evm.runtime.jit import Native
from contend.evm.runtime.kernel_cache import KernelFolders, kernels_digest, marked_folders, package_digest
from contend.evm.runtime.source_digest import digest_of
from contend.strategies import registry  # which registers its kernels: they are part of every digest below


@functools.cache
def _folders() -> KernelFolders:
    return marked_folders()


@functools.cache
def _machine() -> str:
    """Name what numba's cache distinguishes within one folder: the Python version and the processor."""
    from llvmlite import binding

    return f"{sys.implementation.cache_tag}-{binding.get_host_cpu_name()}"


def sources_digest(strategies: Iterable[type], with_stages: bool = False) -> str:
    """Digest of all sources that the kernels of these strategies are compiled from.

    Parameters
    ----------
    strategies : iterable of type
        Strategy classes.
    with_stages : bool, optional
        Whether kernels of a node's stages (`node`) are at work, too.

    Returns
    -------
    str
        `evm.runtime.kernel_cache.kernels_digest`, unless plug-ins or stages are among them: then 16 hexadecimal digits
        that their sources are part of.
    """
    others = sorted({digest for kind in strategies if (digest := _plugin_digest(kind))})
    if with_stages:
        others.append(package_digest(contend.node.__name__))
    if not others:
        return kernels_digest()
    whole = "|".join([kernels_digest(), *others])
    return hashlib.blake2b(whole.encode(), digest_size=8).hexdigest()


def _plugin_digest(kind: type) -> str:
    """Digest of the sources of the package that brings a strategy; empty for a built-in one."""
    try:
        return digest_of(kind.__module__, inspect.getfile(kind))
    except (OSError, TypeError):
        # It has no file: it was defined in a notebook, and nothing is kept of it.
        return ""


def _marker(strategy: str) -> str:
    """Name of the file that says that a strategy's kernels are compiled."""
    name = strategy
    # A plug-in whose sources have changed has to be compiled again.
    with suppress(registry.UnknownName, registry.PluginError):
        name += _plugin_digest(registry.get(strategy))
    return f"compiled-{name}-{_machine()}"


def is_cold(strategy: str) -> bool:
    """Whether the kernels of `strategy` have not been compiled here before, as far as the cache tells."""
    marker = _marker(strategy)
    return not any((folder / marker).exists() for folder in _folders().all)


def compile_natives(strategies: Iterable[type]) -> None:
    """Compile the functions that strategies call by address, where they have not been compiled here before.

    They do not depend on each other: a process that would wait for another one's lock does this meanwhile, and the
    compilation of all kernels takes half as long on two cores.

    Parameters
    ----------
    strategies : iterable of type
        Strategy classes; every module of their packages that is loaded is searched.
    """
    packages = {kind.__module__.partition(".")[0] for kind in strategies}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in packages:
            for value in list(vars(module).values()):
                if isinstance(value, Native):
                    _ = value.address


@contextmanager
def compile_lock(strategy: str) -> Iterator[None]:
    """Hold the right to compile the kernels of `strategy`; a no-op where they have been compiled already.

    The body must execute the strategy once. If the cache cannot be written, everyone compiles for itself: slower,
    never wrong.
    """
    if not is_cold(strategy):
        yield
        return
    with ExitStack() as held:
        # Where the cache cannot be written there is nothing to wait for, and nowhere to note that it was compiled.
        folder = _folders().written
        if folder is not None:
            with suppress(OSError):
                lock = held.enter_context(open(folder / f"{strategy}.lock", "a"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        if folder is not None:
            with suppress(OSError):
                (folder / _marker(strategy)).touch()
