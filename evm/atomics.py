"""Atomic operations on elements of uint64 arrays, for structures that several workers share.

Loads acquire, stores release, read-modify-writes do both. A plain ``while a[0] == 0`` loop is hoisted by the compiler
and never ends; `load` is not. Counters that several workers write belong on cache lines of their own (`CACHE_LINE`).
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

CACHE_LINE = 8  # words of 64 bits between contended counters


def _element(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    view = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(view.data, [arguments[1]])


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """``array[index]``, acquiring."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_element(context, builder, signature, arguments), "acquire", 8)

    return types.uint64(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """``array[index] = value``, releasing."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _element(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), generate


def _read_modify_write(operation: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def modify(typing_context: Any, array: Any, index: Any, operand: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = _element(context, builder, signature, arguments)
            return builder.atomic_rmw(operation, element, arguments[2], "seq_cst")

        return types.uint64(array, types.int64, types.uint64), generate

    return modify


add = _read_modify_write("add")
subtract = _read_modify_write("sub")
minimum = _read_modify_write("umin")
exchange = _read_modify_write("xchg")


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def compare_and_swap(typing_context: Any, array: Any, index: Any, expected: Any, desired: Any) -> Any:
    """Store `desired` where `expected` is found. The value found is returned: `expected` means success."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = _element(context, builder, signature, arguments)
        pair = builder.cmpxchg(element, arguments[2], arguments[3], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 0)

    return types.uint64(array, types.int64, types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def acquire_fence(typing_context: Any) -> Any:
    """No load or store behind it moves before a load in front of it. Costs nothing where loads are ordered anyway."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("acquire")
        return context.get_dummy_value()

    return types.void(), generate
