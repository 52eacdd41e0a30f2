"""Loop generator: the interpreter's loop, made at import of the sources of the instructions.

Each instruction is a function of its own, in a file of its family, and can be called and tested alone. But a call for
each, even one that LLVM then inlines, has numba compile a hundred functions more, each with a library of its own. So
the body of each function is put into its branch of one function: the chain of comparisons that LLVM turns into a jump
table. Its locals get the function's name in front, so that no two branches share a variable; ``return CONTINUE``
becomes ``continue``, any other return sets the outcome and leaves the loop.

The registers of the running frame are a struct on the native stack (`evm.layout.REGISTERS`). It is passed to
forced-inline kernels only, so LLVM keeps its fields in machine registers.

The generated text is what tracebacks and `inspect.getsource` show. It is a function of the sources that the digest of
kernels covers (`evm.kernel_cache`), so what it compiles to is kept like any kernel.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from evm.jit import kernel

PARAMETERS = ("machine", "frame", "registers")
_CONTINUE = "CONTINUE"
_instructions: dict[FunctionType, tuple[int, ...]] = {}


def instruction(*numbers: int) -> Callable[[Any], Any]:
    """Enter a function in the table of instructions, under its numbers in the decoded stream.

    The function itself becomes a kernel, for whoever calls it alone.

    Raises
    ------
    TypeError
        If its parameters are not those of an instruction, or a number is taken.
    """

    def enter(function: Any) -> Any:
        code = function.__code__
        if code.co_varnames[: code.co_argcount] != PARAMETERS:
            raise TypeError(f"{function.__qualname__}: an instruction takes {', '.join(PARAMETERS)}")
        taken = [number for others in _instructions.values() for number in others]
        if any(number in taken for number in numbers):
            raise TypeError(f"{function.__qualname__}: another function has one of its numbers {numbers}")
        _instructions[function] = numbers
        return kernel()(function)

    return enter


class _Body(ast.NodeTransformer):
    """The body of an instruction as a branch of the loop."""

    def __init__(self, function: FunctionType) -> None:
        self._function = function
        self._locals = set(function.__code__.co_varnames) - set(PARAMETERS)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._locals:
            node.id = f"{self._function.__name__}__{node.id}"
        return node

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        if isinstance(node.value, ast.Name) and node.value.id == _CONTINUE:
            return [ast.Continue()]
        value = self.visit(node.value) if node.value is not None else None
        if value is None:
            raise TypeError(f"{self._function.__qualname__}: an instruction returns how it ends")
        return [ast.Assign([ast.Name("outcome", ast.Store())], value), ast.Break()]


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text())


def _body_of(function: FunctionType) -> list[ast.stmt]:
    definition = next(
        node
        for node in _tree(function.__code__.co_filename).body
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__
    )
    # Once more from its text, as the tree is shared and will be changed.
    body = ast.parse(ast.unparse(definition)).body[0].body  # type: ignore[attr-defined]  # it is a function
    if any(isinstance(node, ast.For | ast.While) for node in ast.walk(definition)):
        raise TypeError(f"{function.__qualname__}: a loop in an instruction goes into a kernel of its own")
    if ast.get_docstring(definition) is not None:
        body = body[1:]
    transformer = _Body(function)
    return [statement for old in body for statement in _listed(transformer.visit(old))]


def _listed(statements: Any) -> list[ast.stmt]:
    return statements if isinstance(statements, list) else [statements]


def _globals_of(functions: list[FunctionType]) -> dict[str, Any]:
    """What the bodies mean by the names that are not their locals."""
    found: dict[str, Any] = {}
    for function in functions:
        for name in function.__code__.co_names:
            if name not in function.__globals__:
                continue
            value = function.__globals__[name]
            if name in found and found[name] is not value and found[name] != value:
                raise TypeError(f"{function.__qualname__}: another instruction means something else by {name!r}")
            found[name] = value
    return found


def _is_one_of(numbers: tuple[int, ...]) -> ast.expr:
    tests = [ast.parse(f"operation == {number}", mode="eval").body for number in numbers]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)


def generate_loop(template: Any) -> FunctionType:
    """Fill a function's loop with the bodies of all instructions that have been entered.

    Parameters
    ----------
    template : function
        Has one ``while True`` loop, at the end of which the variable ``operation`` is the number of the instruction to
        execute; leaves the loop with ``outcome`` set; both are locals. What the last statement of its loop does is done
        where no instruction has the number.

    Returns
    -------
    function
        Of the same name and module.
    """
    definition = next(
        node
        for node in _tree(template.__code__.co_filename).body
        if isinstance(node, ast.FunctionDef) and node.name == template.__name__
    )
    loop = next(node for node in definition.body if isinstance(node, ast.While))
    *fetch, otherwise = loop.body
    chain: list[ast.stmt] = [otherwise, ast.Break()]
    for function, numbers in reversed(_instructions.items()):
        chain = [ast.If(_is_one_of(numbers), _body_of(function), chain)]
    loop.body = [*fetch, *chain]
    definition.decorator_list = []
    source = ast.unparse(ast.fix_missing_locations(ast.Module([definition], [])))
    name = f"<{template.__module__}.{template.__name__}, generated>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {**_globals_of(list(_instructions)), **template.__globals__}
    _no_clash(template, namespace)
    exec(compile(source, name, "exec"), namespace)  # made of our own sources
    made: FunctionType = namespace[template.__name__]
    return made


def _no_clash(template: FunctionType, namespace: dict[str, Any]) -> None:
    for name, value in _globals_of(list(_instructions)).items():
        if namespace[name] is not value and namespace[name] != value:
            raise TypeError(f"{template.__qualname__}: an instruction means something else by {name!r}")
