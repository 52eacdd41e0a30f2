"""Variants: copies of a few modules with a known change, imported beside the originals.

A test plants a known bug so (`replacement`), and the fuzzer cuts steps in two so (`preemption_points`). A change is
that of one function, by name, or that of what an import gives. Copied are the modules that are changed, and those that
import them, however far up, to the module that is asked for; each keeps its dotted name, below a package of the
variant's own. What copies import of each other they import from the copies, everything else from the originals. So only
the kernels that lie in them are compiled again. The copies lie in the cache folder of the kernels' sources, in a folder
named by a digest of their text: compiled once, they load as quickly as the originals.

A module that reads a file beside its own cannot be copied, and a class of a copy is another class than the original.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from contend.evm.runtime.kernel_cache import cache_root, kernels_digest
from contend.harness.verify.schedule_fuzzer import switch
from contend.harness.verify.schedule_fuzzer.module_source import ModuleSource, SourceError, read_module
from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.switch import OFF, attach

_PACKAGE = "contend_variant_"
_UNNAMED = f"{_PACKAGE}0"  # stands for the package in the text that its name is a digest of


class Variant:
    """Changed copies of modules.

    Parameters
    ----------
    entries : sequence of module
        The modules that are wanted. They and what they import are looked through, as far as it lies in the packages (by
        the first part of their names) of `entries`, `replacements` and `stand_ins`.
    replacements : sequence of Replacement, optional
        Functions to exchange.
    stand_ins : mapping, optional
        From a module to another that the copies import in its place.
    among : collection of str, optional
        Full names of the modules that may be copied; by default any.

    Raises
    ------
    SourceError
        If a replacement does not fit, or no entry imports what it changes.
    """

    def __init__(
        self,
        entries: Sequence[ModuleType],
        replacements: Sequence[Replacement] = (),
        stand_ins: Mapping[ModuleType, ModuleType] | None = None,
        among: Collection[str] | None = None,
    ) -> None:
        switched = any(one.number != OFF for one in replacements)
        if switched:
            attach()
        instead = {old.__name__: new.__name__ for old, new in (stand_ins or {}).items()}
        changed = {one.module.__name__ for one in replacements} | set(instead)
        first = [entry.__name__ for entry in entries]
        roots = frozenset(name.partition(".")[0] for name in (*first, *changed))
        sources = {entry.__name__: read_module(entry) for entry in entries}
        imported: dict[str, set[str]] = {}
        waiting = list(sources)
        while waiting:
            name = waiting.pop()
            if name not in sources:
                sources[name] = read_module(name)
            for one in replacements:
                if one.module.__name__ == name:
                    one.apply(sources[name].tree)
            imported[name] = sources[name].imported(roots)
            waiting += [
                other
                for other in imported[name]
                if other not in imported and other not in waiting and (among is None or other in among)
            ]
        for one in replacements:
            if one.module.__name__ not in sources:
                reached = " or ".join(first)
                raise SourceError(f"{one.module.__name__}.{one.target}: {reached} would not see the change")
        copied = (_importers(imported, changed) & (set(sources) - set(instead))) | set(first)
        texts = {name: _text(sources[name], copied, instead) for name in sorted(copied)}
        digest = hashlib.blake2b(digest_size=8)
        for name, text in texts.items():
            digest.update(f"{name}\0{text}\0".encode())
        if switched:
            digest.update(Path(switch.__file__).read_bytes())
        self._package = f"{_PACKAGE}{digest.hexdigest()}"
        self.copied = frozenset(copied)
        """Full names of the modules that were copied."""
        paths = {_path(sources[name]): text.replace(_UNNAMED, self._package) for name, text in texts.items()}
        self._folder = _folder()
        self._modules: dict[str, ModuleType] = {}
        _write(self._folder, self._package, paths)

    def module(self, copied: ModuleType | str) -> ModuleType:
        """The copy of a module.

        Raises
        ------
        SourceError
            If it was not copied.
        """
        name = copied if isinstance(copied, str) else copied.__name__
        if name not in self.copied:
            raise SourceError(f"{name}: not copied, since nothing that it imports is changed")
        if name not in self._modules:
            folder = str(self._folder)
            if folder not in sys.path:
                sys.path.append(folder)
            importlib.invalidate_caches()
            self._modules[name] = importlib.import_module(f"{self._package}.{name}")
        return self._modules[name]


def _importers(imported: Mapping[str, set[str]], changed: set[str]) -> set[str]:
    """The changed modules, and those that import them, however far up."""
    found = set(changed)
    while more := {name for name, others in imported.items() if others & found} - found:
        found |= more
    return found


def _text(source: ModuleSource, copied: set[str], instead: Mapping[str, str]) -> str:
    def target(name: str) -> str | None:
        return f"{_UNNAMED}.{name}" if name in copied else instead.get(name)

    return ast.unparse(source.redirected(target)) + "\n"


def _path(source: ModuleSource) -> Path:
    """Path of a copy in the variant's package."""
    path = Path(*source.name.split("."))
    return path / "__init__.py" if source.is_package else path.with_suffix(".py")


def _folder() -> Path:
    """Folder of the copies made now. All kernel sources are read for its name."""
    folder = cache_root() / kernels_digest() / "variants"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        # Where nothing can be kept, the copies live as long as this process.
        return _temporary_folder()
    return folder


_TEMPORARY: list[tempfile.TemporaryDirectory[str]] = []


def _temporary_folder() -> Path:
    if not _TEMPORARY:
        _TEMPORARY.append(tempfile.TemporaryDirectory(prefix="contend-variants-"))
    return Path(_TEMPORARY[0].name)


def _write(folder: Path, package: str, texts: Mapping[Path, str]) -> None:
    """Write a package, whole or not at all: another process may be doing the same."""
    place = folder / package
    if place.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=folder) as room:
        new = Path(room) / package
        for path, text in texts.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for inner in {new, *(parent for path in texts for parent in (new / path).parents if new in parent.parents)}:
            (inner / "__init__.py").touch()
        try:
            os.rename(new, place)
        except OSError:
            if not place.is_dir():
                raise
