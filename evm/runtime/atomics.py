"""Atomic operations on words that several workers share: elements of uint64 arrays, and fields of structs.

An element is named by array and index, a field by struct and name: ``load(counters, "validation_idx")``.

Loads acquire, stores release, read-modify-writes are sequentially consistent. A plain ``while a[0] == 0`` loop is
hoisted by the compiler and never ends; `load` is not. Counters that several workers write belong on cache lines of
their own (`CACHE_LINE`).
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from contend.evm.runtime.structs import StructPointer, field_pointer

CACHE_LINE = 8  # words of 64 bits between contended counters


def _typed(result: Any, place: Any, name: Any, *operands: Any) -> Any:
    """Signature for an element of an array or a field of a struct."""
    if isinstance(place, StructPointer):
        if not isinstance(name, types.StringLiteral) or place.field_type(name.literal_value) is None:
            raise TypingError(f"{place}: name a field of the struct by a constant, not {name}")
        return result(place, name, *operands)
    return result(place, types.int64, *operands)


def _element(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place, name = signature.args[:2]
    if isinstance(place, StructPointer):
        return field_pointer(builder, place, arguments[0], name.literal_value)
    view = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(view.data, [arguments[1]])


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """``array[index]``, acquiring."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_element(context, builder, signature, arguments), "acquire", 8)

    return _typed(types.uint64, array, index), generate


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
def load_seq_cst(typing_context: Any, array: Any, index: Any) -> Any:
    """As `load`, and in one total order with all read-modify-writes: for store-buffering pairs.

    Two threads that each write one word and then read the other's may both miss it, unless both reads and writes are
    in that order. An acquiring load may run ahead of an earlier read-modify-write on ARM (`LDAPR` behind `LDADDAL`);
    on x86-64 the locked instruction is a full fence, and the two kinds of loads are the same.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_element(context, builder, signature, arguments), "seq_cst", 8)

    return _typed(types.uint64, array, index), generate


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """``array[index] = value``, releasing."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _element(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return _typed(types.void, array, index, types.uint64), generate


def _read_modify_write(operation: str) -> Any:
    @intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
    def modify(typing_context: Any, array: Any, index: Any, operand: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = _element(context, builder, signature, arguments)
            return builder.atomic_rmw(operation, element, arguments[2], "seq_cst")

        return _typed(types.uint64, array, index, types.uint64), generate

    return modify


add = _read_modify_write("add")
subtract = _read_modify_write("sub")
minimum = _read_modify_write("umin")
exchange = _read_modify_write("xchg")


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
def compare_and_swap(typing_context: Any, array: Any, index: Any, expected: Any, desired: Any) -> Any:
    """Store `desired` where `expected` is found. The value found is returned: `expected` means success."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = _element(context, builder, signature, arguments)
        pair = builder.cmpxchg(element, arguments[2], arguments[3], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 0)

    return _typed(types.uint64, array, index, types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def release_fence(typing_context: Any) -> Any:
    """No store behind it moves before a load or store in front of it. Costs nothing where stores are ordered anyway."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("release")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def acquire_fence(typing_context: Any) -> Any:
    """No load or store behind it moves before a load in front of it. Costs nothing where loads are ordered anyway."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("acquire")
        return context.get_dummy_value()

    return types.void(), generate
