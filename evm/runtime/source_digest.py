"""Source digests: which sources a kernel is made from, so that its compiled code can be kept without going stale.

numba's cache looks at the file of the function that it caches and at no other. A package of this project says itself
that it has kernels (`register`, in its ``__init__``): its kernels are keyed by all sources below its folder, and below
those of the packages registered before it, which are the only ones that they can be made from
(`evm.runtime.kernel_cache`).

A plug-in's kernels link in functions, and freeze constants, of its other modules and perhaps of another plug-in, so
its folder is named by those. They are found by their imports: the whole package that a function is defined in; a module
beside it, where it is in no package; whatever other package has kernels and is imported by one of them; and so on.
Imports are read off the text of each source.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

_lock = Lock()
_with_kernels: dict[str, Path] = {}


class Registered(NamedTuple):
    """A package that says of itself how its kernels are kept.

    Attributes
    ----------
    name : str
        Its full name, ``evm`` or ``contend.evm``.
    folder : Path
        Where its sources lie, links resolved.
    whole : bool
        Whether all sources below `folder` key its kernels; else numba looks at the file of each.
    is_open : bool
        Whether kernels of plug-ins may be made from it.
    """

    name: str
    folder: Path
    whole: bool
    is_open: bool = True


_registered: list[Registered] = []


def register(package: str, folder: str, *, whole: bool = True, is_open: bool = True) -> None:
    """Say that a package defines kernels, before it defines the first: the lowest floor knows no upper one's name.

    Parameters
    ----------
    package : str
        Its full name.
    folder : str
        Its folder; may be a link.
    whole : bool
        Whether kernels are keyed by all sources of the package, as they must be where one is made from another file's.
    is_open : bool
        Whether kernels of plug-ins may be made from it. What they are kept under must not depend on whether a package
        has been imported that they cannot use.
    """
    with _lock:
        if all(other.name != package for other in _registered):
            _registered.append(Registered(package, Path(folder).resolve(), whole, is_open))


def registered(module: str) -> Registered | None:
    """The registered package that a module is in; None for a plug-in's."""
    for package in _registered:
        if module == package.name or module.startswith(f"{package.name}."):
            return package
    return None


def packages() -> tuple[Registered, ...]:
    """All registered packages, lower floors first."""
    return tuple(_registered)


def folders_behind(package: Registered | None) -> tuple[Path, ...]:
    """Folders of all sources that kernels of a registered package may be made from; for None, those of a plug-in."""
    is_own = package is not None and package.whole
    end = _registered.index(package) + 1 if package is not None and is_own else len(_registered)
    return tuple(other.folder for other in _registered[:end] if other.whole and (other.is_open or other is package))


def home_of(module: str, file: str) -> Path:
    """Folder of the outermost package that a module is in, or its file where it is in none.

    Parameters
    ----------
    module : str
        Its full name.
    file : str
        Its source.
    """
    path = Path(file).absolute()
    names = module.split(".")
    depth = len(names) if path.stem == "__init__" else len(names) - 1
    if depth == 0 or depth > len(path.parents) - 1:
        return path
    home = path.parents[depth] / names[0]
    # A module that was loaded under a name of its own, as pytest does, is what its file says and no more.
    return home if home.is_dir() else path


def note_kernels(module: str, file: str) -> None:
    """Remember that a module defines a kernel: any module that imports its package may link it in."""
    name = module.partition(".")[0]
    if registered(module) is None:
        with _lock:
            _with_kernels[name] = home_of(module, file)


def digest_of(module: str, file: str) -> str:
    """Digest of all sources that a kernel defined in this module may be made from.

    Parameters
    ----------
    module : str
    file : str

    Returns
    -------
    str
        12 hexadecimal digits; empty for a module of this project, whose sources are digested elsewhere.
    """
    if registered(module) is not None:
        return ""
    digest = hashlib.blake2b(digest_size=6)
    waiting, seen = [home_of(module, file)], set()
    while waiting:
        home = waiting.pop()
        if home in seen:
            continue
        seen.add(home)
        imported: set[str] = set()
        for source in _sources(home):
            text, names = _read(source)
            digest.update(f"{source.relative_to(home.parent)}\0{text}\0".encode())
            imported |= names
        waiting += _homes(home, imported)
    return digest.hexdigest()


def _sources(home: Path) -> list[Path]:
    return sorted(home.rglob("*.py")) if home.is_dir() else [home]


def _homes(home: Path, names: set[str]) -> list[Path]:
    """Folders of the imported packages that matter, in an order that only their names decide."""
    found = []
    for name in sorted(names):
        beside = home.parent / f"{name}.py"
        if name in _with_kernels:
            found.append(_with_kernels[name])
        elif home.is_file() and beside.is_file():
            found.append(beside)
    return found


def _read(source: Path) -> tuple[str, frozenset[str]]:
    try:
        at = source.stat()
    except OSError:
        # Not a file: what a notebook defines, say. Its text cannot have been kept either.
        return "", frozenset()
    return _read_once(source, at.st_mtime_ns, at.st_size)


@lru_cache(maxsize=4096)
def _read_once(source: Path, time: int, size: int) -> tuple[str, frozenset[str]]:
    """Digest of a source's text, and the first parts of the names that it imports."""
    text = source.read_bytes()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        tree = ast.Module([], [])
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return hashlib.blake2b(text, digest_size=8).hexdigest(), frozenset(names)
