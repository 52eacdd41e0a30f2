"""Module source: the parsed text of a module, which modules it imports, and the same text importing others instead.

All is read off the syntax tree and resolved to full dotted names, so that it makes no difference how deep in packages
a module lies, how its file is found (a symbolic link, an editable install), or how an import is written:
``import a.b as x``, ``from a import b``, ``from a.b import c`` and relative ones.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


class SourceError(ValueError):
    """A module whose source cannot be had, or cannot be changed as asked for."""


@dataclass(frozen=True)
class ModuleSource:
    """A module and what its file says.

    Attributes
    ----------
    name : str
        Full dotted name, as in ``sys.modules``.
    is_package : bool
        Whether the file is a package's ``__init__.py``.
    tree : ast.Module
    """

    name: str
    is_package: bool
    tree: ast.Module

    def base_of(self, node: ast.ImportFrom) -> str:
        """Full name of the module that stands between ``from`` and ``import``."""
        if node.level == 0:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*parts, node.module] if node.module else parts)

    def imported(self, roots: frozenset[str]) -> set[str]:
        """Full names of the modules below `roots` that are imported when the module runs.

        Of ``from package import name`` that is ``package.name`` where it is a module, and ``package`` otherwise.
        Imports for annotations only (``if TYPE_CHECKING``) do not count.
        """
        found = set()
        for node in _executed(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if _root(alias.name) in roots}
            elif isinstance(node, ast.ImportFrom) and _root(base := self.base_of(node)) in roots:
                for alias in node.names:
                    within = f"{base}.{alias.name}"
                    found.add(within if is_module(within) else base)
        return found

    def redirected(self, target: Callable[[str], str | None]) -> ast.Module:
        """Copy of the tree that imports other modules.

        Parameters
        ----------
        target : callable
            From a module's full name to that of the module to import instead; None for the same one.

        Raises
        ------
        SourceError
            If an import binds only the first part of a dotted name that would change.
        """
        copy = ast.parse(ast.unparse(self.tree))
        _Redirect(self, target).visit(copy)
        return ast.fix_missing_locations(copy)


def read_module(module: ModuleType | str) -> ModuleSource:
    """Read a module's source.

    Parameters
    ----------
    module : module or str
        A module that is loaded, or the full name of one that can be imported.

    Raises
    ------
    SourceError
        If it has no file of Python source.
    """
    name = module if isinstance(module, str) else module.__name__
    spec = _find(name) if isinstance(module, str) else None
    file = spec.origin if spec else getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        raise SourceError(f"{name}: no Python source is found for this module")
    return ModuleSource(name, Path(file).name == "__init__.py", ast.parse(Path(file).read_text(), file))


def is_module(name: str) -> bool:
    """Whether a full dotted name is that of a module that can be imported."""
    return _find(name) is not None


def _find(name: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # its parent is no package; it is loaded and has no specification
        return None


def _root(name: str) -> str:
    return name.partition(".")[0]


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of which only type checkers take notice."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


class _Redirect(ast.NodeTransformer):
    """Rewrites import statements, one name at a time: of one statement some names may move and others stay."""

    def __init__(self, source: ModuleSource, target: Callable[[str], str | None]) -> None:
        self._source = source
        self._target = target

    def visit_Import(self, node: ast.Import) -> ast.Import:
        names = []
        for alias in node.names:
            found = self._target(alias.name)
            if found and alias.asname is None and "." in alias.name:
                hint = f"import {alias.name} as {alias.name.rpartition('.')[2]}"
                raise SourceError(f"{self._source.name}: 'import {alias.name}' cannot be redirected; write '{hint}'")
            names.append(ast.alias(found, alias.asname or alias.name) if found else alias)
        return ast.Import(names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        base = self._source.base_of(node)
        moved = self._target(base)
        by_base: dict[str, list[ast.alias]] = {}
        for alias in node.names:
            within = f"{base}.{alias.name}"
            if found := self._target(within):
                parent, _, leaf = found.rpartition(".")
                bound = alias.asname or alias.name
                by_base.setdefault(parent, []).append(ast.alias(leaf, None if bound == leaf else bound))
            else:
                kept = moved is None or is_module(within)
                by_base.setdefault(base if kept else str(moved), []).append(alias)
        # Absolute even where it was relative: the copy lies elsewhere.
        return [ast.ImportFrom(module, names, 0) for module, names in by_base.items()]
