"""Kernel modules: from which modules the kernels come that a step's machine code is made from.

A compiled caller links the kernels that it calls in, so a change of one of them is a change of the step. They are found
as the compiler finds them: by the global names that a function refers to, and so on through the functions found. What
is called by address (`evm.runtime.jit.Native`) is compiled apart and no part of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any

from contend.evm.runtime.jit import Native


def kernel_modules(steps: Iterable[Native]) -> frozenset[str]:
    """Full names of the modules that define the steps and the kernels which they call, directly or not."""
    seen: set[Any] = set()
    waiting: list[Callable[..., Any]] = [step.function for step in steps]
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            waiting += _kernels_in(function)
    return frozenset(function.__module__ for function in seen)


def _kernels_in(function: Any) -> Iterator[Callable[..., Any]]:
    """Python functions behind the kernels that a function refers to: by name, of a module (`atomics.add`), or bound."""
    names = set(_names(function.__code__))
    found = [value for name, value in function.__globals__.items() if name in names]
    found += [getattr(module, name, None) for module in found if isinstance(module, ModuleType) for name in names]
    found += [cell.cell_contents for cell in function.__closure__ or ()]
    for value in found:
        behind = getattr(value, "py_func", None)
        if behind is not None and not isinstance(value, ModuleType):
            yield behind


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
