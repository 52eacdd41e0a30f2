"""Replacement: one function of a module exchanged for another of the same parameters, by name.

A known bug is planted so: what the function should do is written down once, in the module; what it does wrongly is an
ordinary Python function beside the test. The copy keeps the decorators, so that a kernel stays a kernel.

A bug is mostly the function as it is, and one thing more or less. So a replacement may call the function that it
replaces, by the name `original`, and says no more than what is different: it outlives most changes of the function.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from contend.harness.verify.schedule_fuzzer import switch
from contend.harness.verify.schedule_fuzzer.module_source import SourceError
from contend.harness.verify.schedule_fuzzer.switch import OFF


def original(*arguments: Any) -> Any:
    """Within a replacement: the function that it replaces. It can be called nowhere else."""
    raise TypeError("original() stands for the replaced function, within a function that replaces one")


@dataclass(frozen=True)
class Replacement:
    """A function of a module, and what to put in its place.

    Attributes
    ----------
    module : module
        It defines the function at its top level.
    function : callable
        A plain Python function with the same parameters. It may use any name that `module` has, besides those that its
        own file imports, and `original`. Its annotations and decorators are dropped.
    name : str, optional
        Name of the function to replace; by default that of `function`.
    number : int, optional
        Of the switch by which the replacement, in a kernel, is turned on (`harness.verify.schedule_fuzzer.switch`); by
        default it always is. Several replacements of one function need a number each.
    """

    module: ModuleType
    function: Callable[..., Any]
    name: str = ""
    number: int = OFF

    @property
    def target(self) -> str:
        """Name of the function to replace."""
        return self.name or self.function.__name__

    def apply(self, tree: ast.Module) -> None:
        """Put the replacement into the tree of the module's source.

        Raises
        ------
        SourceError
            If the module has no such function, its parameters are others, or a name is known neither to the module nor
            to the file of the replacement, or means another thing there.
        """
        where = f"{self.module.__name__}.{self.target}"
        place = next((i for i, one in enumerate(tree.body) if _defines(one, self.target)), None)
        if place is None:
            names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
            near = get_close_matches(self.target, names, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SourceError(f"{where}: {self.module.__name__} defines no such function{hint}")
        old = tree.body[place]
        new = _definition(self.function)
        assert isinstance(old, ast.FunctionDef)
        if _parameters(old) != _parameters(new):
            raise SourceError(f"{where}: takes ({_parameters(old)}), and its replacement ({_parameters(new)})")
        kept = _unused_name(tree, old.name)
        for node in ast.walk(new):
            if isinstance(node, ast.Name) and node.id == original.__name__:
                node.id = kept
        body = new.body if self.number == OFF else self._switched(new, kept)
        planted = ast.FunctionDef(
            name=old.name, args=old.args, body=body, decorator_list=old.decorator_list, returns=old.returns
        )
        old.name = kept
        tree.body[place : place + 1] = [old, *self._imports(where), planted]
        ast.fix_missing_locations(tree)

    def _switched(self, new: ast.FunctionDef, kept: str) -> list[ast.stmt]:
        """The replacement's body if its switch is on, and a call of the replaced function if not."""
        of = new.args
        if of.posonlyargs or of.vararg or of.kwonlyargs or of.kwarg:
            raise SourceError(f"{self.module.__name__}.{self.target}: a kernel with a switch has plain parameters")
        (choice,) = ast.parse(f"if _is_on({self.number}):\n    return\n").body
        assert isinstance(choice, ast.If)
        choice.body = new.body + choice.body
        call = f"return {kept}({_parameters(new)})"
        return [choice, *ast.parse(call).body]

    def _imports(self, where: str) -> Iterator[ast.stmt]:
        """Imports that the module lacks and the replacement needs, from the replacement's file."""
        if self.number != OFF:
            yield ast.ImportFrom(switch.__name__, [ast.alias(switch.is_on.__name__, "_is_on")], 0)
        ours, theirs = self.function.__globals__, vars(self.module)
        for name in sorted(_globals_of(self.function.__code__) - {original.__name__}):
            if name in theirs:
                if name in ours and not _same(ours[name], theirs[name]):
                    raise SourceError(f"{where}: {name!r} is another thing there than in the file of the replacement")
            elif not hasattr(builtins, name):
                found = _import_of(name, Path(self.function.__code__.co_filename))
                if found is None:
                    file = Path(self.function.__code__.co_filename).name
                    raise SourceError(f"{where}: {self.module.__name__} has no name {name!r}, and {file} imports none")
                yield found


def _unused_name(tree: ast.Module, name: str) -> str:
    """Name under which a replaced function stays in the module."""
    used = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    number = 0
    while (found := f"_original{number or ''}_{name.lstrip('_')}") in used:
        number += 1
    return found


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(node, ast.FunctionDef):
        raise SourceError(f"{function.__qualname__}: a replacement is a function written with def")
    return node


def _parameters(node: ast.FunctionDef) -> str:
    """The parameters as they are written, without annotations and defaults."""
    of = node.args
    stars = [("*", of.vararg), ("**", of.kwarg)]
    names = [one.arg for one in (*of.posonlyargs, *of.args)]
    names += [f"{one.arg}=" for one in of.kwonlyargs] + [f"{star}{one.arg}" for star, one in stars if one]
    return ", ".join(names)


def _same(ours: Any, theirs: Any) -> bool:
    plain = isinstance(ours, int | np.generic) and type(ours) is type(theirs)
    return ours is theirs or (plain and bool(ours == theirs))


def _globals_of(code: CodeType) -> set[str]:
    found = {str(one.argval) for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _globals_of(constant)
    return found


def _import_of(name: str, file: Path) -> ast.stmt | None:
    """The import by which a file binds a name, or None."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    if isinstance(node, ast.Import):
                        return ast.Import([alias])
                    return ast.ImportFrom(node.module, [alias], node.level) if node.level == 0 else None
    return None
