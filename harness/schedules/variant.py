"""Variants: copies of a few strategy modules with changes in their text, imported beside the originals.

A test plants a known bug so, and the fuzzer cuts steps in two so (`harness.schedules.cuts`). Only the named
modules are copied; what they import of each other they import from the copies, everything else from the originals. So
only the steps that lie in them are compiled again. The copies lie in the cache folder of the kernels' sources, in a
folder named by a digest of their text: compiled once, they load as quickly as the originals.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import strategies
from evm.kernel_cache import cache_root, kernels_digest

ROOM = Path(strategies.__file__).parent
Edits = Mapping[str, Sequence[tuple[str, str]]]


class EditError(ValueError):
    """A text to be replaced does not occur exactly once: the module has changed since the edit was written."""


class Variant:
    """Changed copies of modules of the room `strategies`.

    Parameters
    ----------
    edits : mapping
        For each module to copy, by its name in the room: texts and what to put in their place. Each text must occur
        exactly once in it. Modules that import a changed one must be named, too, if they are to see the change
        (`with_importers` names them all).

    Raises
    ------
    EditError
        If an edit does not fit.
    """

    def __init__(self, edits: Edits) -> None:
        texts = {module: _edited(module, replacements) for module, replacements in edits.items()}
        digest = hashlib.blake2b(digest_size=8)
        for module, text in sorted(texts.items()):
            digest.update(f"{module}\0{text}\0".encode())
        self._package = f"contend_variant_{digest.hexdigest()}"
        names = "|".join(sorted(texts))
        ours = re.compile(rf"^from strategies\.({names}) import", re.M)
        _write(
            self._package, {name: ours.sub(rf"from {self._package}.\1 import", text) for name, text in texts.items()}
        )

    def module(self, name: str) -> ModuleType:
        """One of the copied modules."""
        folder = str(_folder())
        if folder not in sys.path:
            sys.path.append(folder)
        importlib.invalidate_caches()
        return importlib.import_module(f"{self._package}.{name}")


def with_importers(edits: Edits) -> Edits:
    """Add to edits, without a change of their own, the modules that import what is changed, however far up."""
    imported = {
        path.stem: set(re.findall(r"^from strategies\.(\w+) import", path.read_text(), re.M))
        for path in ROOM.glob("*.py")
        if path.stem != "registry"
    }
    found = set(edits)
    while more := {module for module, others in imported.items() if others & found} - found:
        found |= more
    return {**dict.fromkeys(found, ()), **edits}


def _edited(module: str, replacements: Sequence[tuple[str, str]]) -> str:
    text = (ROOM / f"{module}.py").read_text()
    for old, new in replacements:
        if text.count(old) != 1:
            raise EditError(f"strategies/{module}.py holds {text.count(old)} times what is to be replaced: {old!r}")
        text = text.replace(old, new)
    return text


def _folder() -> Path:
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


def _write(package: str, texts: Mapping[str, str]) -> None:
    """Write a package, whole or not at all: another process may be doing the same."""
    place = _folder() / package
    if place.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=_folder()) as room:
        new = Path(room) / package
        new.mkdir()
        (new / "__init__.py").write_text("")
        for name, text in texts.items():
            (new / f"{name}.py").write_text(text)
        try:
            os.rename(new, place)
        except OSError:
            if not place.is_dir():
                raise
