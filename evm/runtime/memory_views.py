"""Views over raw memory, and calls through addresses: how kernels reach data without carrying a reference count.

A kernel receives one integer, the address of a header of 64-bit words, and makes views of what the header points to.
A view is an ordinary array to numba (and is bounds-checked as one in the checked lane) but belongs to nobody: the
Python object that allocated the memory must outlive the call. The same kernels so run over memory of this process
and over memory shared between processes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from contend.evm.runtime.jit import kernel
from contend.evm.runtime.kernel_cache import bounds_checked


def _view_of(dtype: Any) -> Any:
    array_type = types.Array(dtype, 1, "C")

    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def view(typing_context: Any, address: Any, length: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(array_type)(context, builder)
            item = context.get_data_type(dtype)
            item_size = context.get_constant(types.intp, context.get_abi_sizeof(item))
            populate_array(
                array,
                data=builder.inttoptr(arguments[0], item.as_pointer()),
                shape=cgutils.pack_array(builder, [arguments[1]]),
                strides=cgutils.pack_array(builder, [item_size]),
                itemsize=item_size,
                meminfo=None,
            )
            return array._getvalue()

        return array_type(types.int64, types.int64), generate

    return view


view_u8 = _view_of(types.uint8)
view_u32 = _view_of(types.uint32)
view_u64 = _view_of(types.uint64)
view_i64 = _view_of(types.int64)


def _call(arity: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        pointer = builder.inttoptr(arguments[0], ir.FunctionType(word, [word] * arity).as_pointer())
        return builder.call(pointer, list(arguments[1:]))

    if arity == 1:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any) -> Any:
            return types.int64(types.int64, types.int64), generate
    elif arity == 2:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any, b: Any) -> Any:
            return types.int64(types.int64, types.int64, types.int64), generate
    elif arity == 3:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any, b: Any, c: Any) -> Any:
            return types.int64(types.int64, types.int64, types.int64, types.int64), generate
    elif arity == 4:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
            return types.int64(*[types.int64] * 5), generate
    elif arity == 5:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
            return types.int64(*[types.int64] * 6), generate
    else:

        @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
        def call(typing_context: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> Any:
            return types.int64(*[types.int64] * 8), generate

    return call


call_1 = _call(1)
call_2 = _call(2)
call_3 = _call(3)
call_4 = _call(4)
call_5 = _call(5)
call_7 = _call(7)


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def address_of_view(typing_context: Any, array: Any) -> Any:
    """Address of an array's first element."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(view.data, ir.IntType(64))

    return types.int64(array), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def multiply_wide(typing_context: Any, a: Any, b: Any) -> Any:
    """``a * b`` of two uint64 as (low, high): one ``mulx`` instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        low = builder.trunc(product, word)
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)
        return context.make_tuple(builder, signature.return_type, [low, high])

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def multiply_add_wide(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """``a * b + c + d`` of four uint64 as (low, high); it cannot overflow the two."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        x, y, z, w = (builder.zext(one, wide) for one in arguments)
        total = builder.add(builder.add(builder.mul(x, y), z), w)
        low = builder.trunc(total, word)
        high = builder.trunc(builder.lshr(total, ir.Constant(wide, 64)), word)
        return context.make_tuple(builder, signature.return_type, [low, high])

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64, types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def keep_apart(typing_context: Any) -> Any:
    """Keep the kernel that this stands in out of its callers: for long straight code that is called in many places."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def swap_bytes(typing_context: Any, a: Any) -> Any:
    """The eight bytes of a uint64 in reverse order (``bswap``)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def count_leading_zeros(typing_context: Any, a: Any) -> Any:
    """Number of zero bits above the highest set bit of a uint64; 64 for zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba ships no types
def stack_buffer(typing_context: Any, length: Any) -> Any:
    """Uninitialised uint64 array of a constant `length` on the native stack; it dies with the calling function."""
    array_type = types.Array(types.uint64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(array_type)(context, builder)
        word = ir.IntType(64)
        count = signature.args[0].literal_value
        populate_array(
            array,
            data=cgutils.alloca_once(builder, word, size=count),
            shape=cgutils.pack_array(builder, [ir.Constant(word, count)]),
            strides=cgutils.pack_array(builder, [ir.Constant(word, 8)]),
            itemsize=ir.Constant(word, 8),
            meminfo=None,
        )
        return array._getvalue()

    return array_type(length), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _load_8(typing_context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(view.data, [arguments[1]])
        return builder.load(builder.bitcast(pointer, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _store_8(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(view.data, [arguments[1]])
        builder.store(arguments[2], builder.bitcast(pointer, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _move(typing_context: Any, target: Any, target_at: Any, source: Any, source_at: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to = context.make_array(signature.args[0])(context, builder, arguments[0])
        of = context.make_array(signature.args[2])(context, builder, arguments[2])
        cgutils.raw_memmove(
            builder, builder.gep(to.data, [arguments[1]]), builder.gep(of.data, [arguments[3]]), arguments[4], 1
        )
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _clear(typing_context: Any, target: Any, target_at: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to = context.make_array(signature.args[0])(context, builder, arguments[0])
        cgutils.memset(builder, builder.gep(to.data, [arguments[1]]), arguments[2], 0)
        return context.get_dummy_value()

    return types.void(target, types.int64, types.int64), generate


if bounds_checked():

    @kernel(inline=True)
    def _check(array, first, count):
        if count > 0 and (first < 0 or first + count > array.size):
            raise IndexError("byte range out of bounds")

    @kernel(inline=True)
    def load_8(array, index):
        """Eight bytes of a uint8 array from `index`, in the machine's byte order, as a uint64."""
        _check(array, index, 8)
        return _load_8(array, index)

    @kernel(inline=True)
    def store_8(array, index, value):
        """Write a uint64 over eight bytes of a uint8 array from `index`, in the machine's byte order."""
        _check(array, index, 8)
        _store_8(array, index, value)

    @kernel(inline=True)
    def move_bytes(target, target_at, source, source_at, count):
        """Copy `count` bytes between uint8 arrays, which may overlap."""
        _check(target, target_at, count)
        _check(source, source_at, count)
        _move(target, target_at, source, source_at, count)

    @kernel(inline=True)
    def clear_bytes(target, target_at, count):
        """Zero `count` bytes of a uint8 array."""
        _check(target, target_at, count)
        _clear(target, target_at, count)
else:
    load_8 = _load_8
    store_8 = _store_8
    move_bytes = _move
    clear_bytes = _clear


@kernel(inline=True)
def copy_words(target, source, count):
    """Copy `count` words from one address to another; the two may overlap."""
    move_bytes(view_u8(target, 8 * count), 0, view_u8(source, 8 * count), 0, 8 * count)
