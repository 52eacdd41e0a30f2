"""Dispatch: which function executes which instruction, and the interpreter's loop with a branch for each.

An instruction is a forced-inline kernel: LLVM puts its body into the branch that calls it, and turns the chain of
comparisons into a jump table. The registers of the running frame are a struct on the native stack
(`evm.layout.REGISTERS`) that goes to forced-inline kernels only, so LLVM keeps its fields in machine registers. Nothing
is left of the calls but some seconds of compilation.

The chain is written here, from the table, when the loop is first compiled; what it was made into is what tracebacks and
`inspect.getsource` show. It is a function of sources that the digest of kernels covers (`evm.runtime.kernel_cache`), so
what it compiles to is kept like any kernel.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

from numba.extending import typeof_impl

from contend.evm.runtime.jit import kernel
from contend.evm.runtime.kernel_cache import folder_of

PARAMETERS = ("machine", "frame", "registers")
_instructions: dict[str, tuple[tuple[int, ...], Any]] = {}


def instruction(*numbers: int) -> Callable[[Any], Any]:
    """Enter a function in the table of instructions, under its numbers in the decoded stream; a kernel.

    Raises
    ------
    TypeError
        If its parameters are not those of an instruction, or its name or a number is taken.
    """

    def enter(function: FunctionType) -> Any:
        code = function.__code__
        if code.co_varnames[: code.co_argcount] != PARAMETERS:
            raise TypeError(f"{function.__qualname__}: an instruction takes {', '.join(PARAMETERS)}")
        name = f"execute_{function.__name__}"
        if name in _instructions or not table().keys().isdisjoint(numbers):
            raise TypeError(f"{function.__qualname__}: another function has its name, or one of its numbers {numbers}")
        compiled = kernel(inline=True)(function)
        _instructions[name] = numbers, compiled
        return compiled

    return enter


def table() -> dict[int, Any]:
    """The kernel that executes each instruction of the decoded stream, by its number."""
    return {number: compiled for numbers, compiled in _instructions.values() for number in numbers}


@dataclass(frozen=True)
class Branches:
    """What a loop does around its instructions, where it does more than to execute them.

    Attributes
    ----------
    around : callable
        Source of the branch of an instruction, by the name of its kernel and the expression that executes it; it
        assigns ``outcome``.
    names : dict
        What these sources call, beside what the template's own file knows.
    """

    around: Callable[[str, str], str]
    names: dict[str, Any]


class InstructionLoop:
    """A kernel whose loop dispatches to all instructions; generated when it is first compiled.

    A process that finds it compiled does not pay for that. Its own source is read at import, as the digest that keys
    compiled kernels is.
    """

    def __init__(self, template: Any, branches: Branches | None = None) -> None:
        self._template = template
        self._branches = branches
        self._source = inspect.getsource(template)
        self._folder = folder_of(template)

    @cached_property
    def py_func(self) -> Any:
        """The generated function."""
        template, definition = self._template, ast.parse(self._source).body[0]
        assert isinstance(definition, ast.FunctionDef)
        loop = next(node for node in definition.body if isinstance(node, ast.While))
        at = next(i for i, node in enumerate(loop.body) if isinstance(node, ast.Assign) and _is_outcome(node))
        chain = [loop.body[at]]
        # A test of several numbers ends a jump table: what comes before it is one. Those that have several are seldom
        # executed, and do much.
        for name, (numbers, _) in sorted(_instructions.items(), key=lambda entry: -len(entry[1][0])):
            test = " or ".join(f"operation == {number}" for number in numbers)
            execute = f"{name}({', '.join(PARAMETERS)})"
            body = f"outcome = {execute}" if self._branches is None else self._branches.around(name, execute)
            branch = ast.parse(f"if {test}:\n" + textwrap.indent(body, "    ")).body[0]
            assert isinstance(branch, ast.If)
            branch.orelse, chain = chain, [branch]
        loop.body[at : at + 1] = chain
        definition.decorator_list = []
        source = ast.unparse(definition)
        file = f"<{template.__module__}.{template.__name__}, generated>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        namespace = {**template.__globals__, **{name: compiled for name, (_, compiled) in _instructions.items()}}
        if self._branches is not None:
            namespace |= self._branches.names
        exec(compile(source, file, "exec"), namespace)  # made of our own sources
        return namespace[template.__name__]

    @cached_property
    def kernel(self) -> Any:
        """The kernel."""
        return kernel(folder=self._folder)(self.py_func)


def _is_outcome(node: ast.Assign) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "outcome"


@typeof_impl.register(InstructionLoop)  # type: ignore[untyped-decorator]  # numba ships no types
def _type_of_loop(loop: InstructionLoop, context: Any) -> Any:
    return typeof_impl(loop.kernel, context)


def instruction_loop(template: Any) -> InstructionLoop:
    """Make a kernel that executes instructions; all that there are, as of when it is first compiled.

    Parameters
    ----------
    template : function
        Has one loop. In it stands ``outcome = ...``, which is what happens where no instruction has the number
        ``operation``; where one has, its outcome is assigned instead.
    """
    return InstructionLoop(template)


def instruction_loop_with(branches: Branches) -> Callable[[Any], InstructionLoop]:
    """As `instruction_loop`, for a loop that does more in its branches than to execute their instructions."""
    return lambda template: InstructionLoop(template, branches)
