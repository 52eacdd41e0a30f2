"""Structs: memory shared by kernels and Python as named fields, declared once.

A layout is declared with numpy's own types, and read from both sides::

    WORKER = Struct("Worker", task=U64, transaction=I64, gas_spent=U64, wanted=KEY)

    rows = np.zeros(8, WORKER.dtype)            # Python: a numpy structured array
    rows[0]["transaction"] = 7

    worker = WORKER.at(address)                 # a kernel: a pointer whose fields are attributes
    worker.gas_spent += U(21_000)
    atomics.load(worker, "task")                # by `evm.runtime.atomics` where other threads write

Small structs also live on the native stack of the kernel that declares them (`Struct.on_stack`): as long as their
pointer goes to forced-inline kernels only, LLVM keeps their fields in registers. Python hands a struct to a kernel as
``WORKER.ref(address)``.

A kernel's view of a struct is one machine word, the pointer; it carries no reference count, and reading a field is one
load at a constant offset. The type of a field says once whether it is signed; what is stored is converted to it. A
misspelt field does not compile. A field of several words is read and stored as a tuple of them (`U256`, `ADDRESS`,
`KEY`), or seen as an array (`words`).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.errors import TypingError
from numba.core.imputils import lower_constant, lower_getattr_generic, lower_setattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, intrinsic, register_model, typeof_impl, unbox
from numba.np.arrayobj import populate_array

from contend.evm.runtime.kernel_cache import bounds_checked

WORD_BYTES = 8
_WORD = ir.IntType(64)


@dataclass(frozen=True)
class Field:
    """Type of a field.

    Attributes
    ----------
    words : int
        Its size in 64-bit words.
    kind : str
        ``i64``, ``u64``; ``tuple`` of uint64; or ``array`` of uint64.
    line : bool
        Whether it begins a cache line of its own, for what several workers write often.
    """

    words: int
    kind: str
    line: bool = False


I64, U64 = Field(1, "i64"), Field(1, "u64")
LINE_U64 = Field(1, "u64", line=True)
ADDRESS, U256, KEY = Field(3, "tuple"), Field(4, "tuple"), Field(7, "tuple")
_LINE_WORDS = 8


def words(count: int) -> Field:
    """Type of a field that kernels see as an array of `count` uint64."""
    return Field(count, "array")


class StructPointer(types.Type):  # type: ignore[misc]  # numba ships no types
    """Type, for numba, of a pointer to a struct. Two are equal where the names are: a name is given to one layout."""

    def __init__(self, name: str, fields: tuple[tuple[str, int, Field], ...]) -> None:
        self.fields = {field: (offset, kind) for field, offset, kind in fields}
        super().__init__(name=f"{name}*")

    def field_type(self, name: str) -> Any:
        """Type, for numba, of a field; None where there is no such field."""
        if name not in self.fields:
            return None
        kind = self.fields[name][1]
        if kind.kind == "i64":
            return types.int64
        if kind.kind == "u64":
            return types.uint64
        if kind.kind == "tuple":
            return types.UniTuple(types.uint64, kind.words)
        return types.Array(types.uint64, 1, "C")


@register_model(StructPointer)
class _StructPointerModel(models.PrimitiveModel):  # type: ignore[misc]  # numba ships no types
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@infer_getattr
class _StructAttributes(AttributeTemplate):  # type: ignore[misc]  # numba ships no types
    key = StructPointer

    def generic_resolve(self, pointer: Any, name: str) -> Any:
        found = pointer.field_type(name)
        if found is None:
            raise TypingError(f"{pointer} has no field {name!r}")
        return found


def field_pointer(builder: Any, pointer_type: StructPointer, pointer: Any, name: str) -> Any:
    """LLVM pointer to the first word of a field, for intrinsics."""
    offset = pointer_type.fields[name][0]
    return builder.gep(pointer, [ir.Constant(_WORD, offset)], inbounds=True)


def _word(builder: Any, first: Any, number: int) -> Any:
    return builder.gep(first, [ir.Constant(_WORD, number)], inbounds=True)


@lower_getattr_generic(StructPointer)  # type: ignore[untyped-decorator]  # numba ships no types
def _load_field(context: Any, builder: Any, pointer_type: Any, pointer: Any, name: str) -> Any:
    first, kind = field_pointer(builder, pointer_type, pointer, name), pointer_type.fields[name][1]
    if kind.kind in ("i64", "u64"):
        return builder.load(first)
    field_type = pointer_type.field_type(name)
    if kind.kind == "tuple":
        return context.make_tuple(
            builder, field_type, [builder.load(_word(builder, first, i)) for i in range(kind.words)]
        )
    array = context.make_array(field_type)(context, builder)
    populate_array(
        array,
        data=first,
        shape=cgutils.pack_array(builder, [ir.Constant(_WORD, kind.words)]),
        strides=cgutils.pack_array(builder, [ir.Constant(_WORD, WORD_BYTES)]),
        itemsize=ir.Constant(_WORD, WORD_BYTES),
        meminfo=None,
    )
    return array._getvalue()


@lower_setattr_generic(StructPointer)  # type: ignore[untyped-decorator]  # numba ships no types
def _store_field(context: Any, builder: Any, signature: Any, arguments: Any, name: str) -> None:
    pointer_type, value = signature.args[0], arguments[1]
    first, kind = field_pointer(builder, pointer_type, arguments[0], name), pointer_type.fields[name][1]
    if kind.kind == "tuple":
        for i in range(kind.words):
            builder.store(builder.extract_value(value, i), _word(builder, first, i))
        return
    if kind.kind == "array":
        raise TypeError(f"{name}: an array field is filled word by word")
    builder.store(value, first)


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def address_of(typing_context: Any, pointer: Any) -> Any:
    """Address of a struct, int64; 0 for none."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], _WORD)

    return (types.int64(pointer), generate) if isinstance(pointer, StructPointer) else None


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def is_null(typing_context: Any, pointer: Any) -> Any:
    """Whether a pointer is to no struct: what ``X.at(0)`` gives, and a search that found none returns."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.is_null(builder, arguments[0])

    return (types.boolean(pointer), generate) if isinstance(pointer, StructPointer) else None


@dataclass(frozen=True)
class Reference:
    """A struct at an address, for kernels called from Python. The owner of the memory must outlive the call."""

    pointer: StructPointer
    address: int


@typeof_impl.register(Reference)  # type: ignore[untyped-decorator]  # numba ships no types
def _type_of_reference(reference: Reference, context: Any) -> Any:
    return reference.pointer


@unbox(StructPointer)  # type: ignore[untyped-decorator]  # numba ships no types
def _unbox_reference(kind: Any, reference: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(reference, "address")
    number = c.pyapi.long_as_longlong(address)
    c.pyapi.decref(address)
    return NativeValue(c.builder.inttoptr(number, _WORD.as_pointer()))


class Struct:
    """The layout of a struct.

    Parameters
    ----------
    name : str
        Unique among all structs that kernels see.
    **fields : Field
        In the order in which they lie in memory.

    Attributes
    ----------
    dtype : numpy.dtype
        Of a structured array of such structs; its size is `words` * 8 bytes.
    words : int
        Size in 64-bit words. A whole number of cache lines where a field begins one.
    offsets : dict of str to int
        Of the fields, in words.
    """

    def __init__(self, name: str, **fields: Field) -> None:
        self.name = name
        self.offsets: dict[str, int] = {}
        at, alone = 0, False
        has_lines = any(field.line for field in fields.values())
        for field, kind in fields.items():
            if kind.line or alone:
                at = -(-at // _LINE_WORDS) * _LINE_WORDS
            alone = kind.line
            self.offsets[field] = at
            at += kind.words
        self.words = -(-at // _LINE_WORDS) * _LINE_WORDS if has_lines else at
        kinds = {"i64": "<i8", "u64": "<u8", "tuple": "<u8", "array": "<u8"}
        self.dtype = np.dtype(
            {
                "names": list(fields),
                "formats": [
                    kinds[kind.kind] if kind.kind in ("i64", "u64") else (kinds[kind.kind], (kind.words,))
                    for kind in fields.values()
                ],
                "offsets": [self.offsets[field] * WORD_BYTES for field in fields],
                "itemsize": self.words * WORD_BYTES,
            }
        )
        self.pointer = StructPointer(name, tuple((field, self.offsets[field], kind) for field, kind in fields.items()))
        self.at = _at(self.pointer)
        self.item = _checked_item(self.pointer, self.words) if bounds_checked() else _item(self.pointer, self.words)
        self.on_stack = _on_stack(self.pointer, self.words)

    def ref(self, address: int) -> Reference:
        """A struct at an address, as an argument of a kernel that is called from Python."""
        return Reference(self.pointer, int(address))

    def array_at(self, address: int, count: int = 1) -> Any:
        """Structs at an address, as a numpy structured array. The owner of the memory must outlive it."""
        memory = (ctypes.c_uint8 * (count * self.words * WORD_BYTES)).from_address(address)
        return np.asarray(memory).view(self.dtype)

    def zeros(self, count: int = 1) -> Any:
        """A numpy structured array of `count` such structs, all zero, that begins a cache line."""
        room = np.zeros(count * self.words + _LINE_WORDS, np.uint64)
        skip = (-room.ctypes.data // WORD_BYTES) % _LINE_WORDS
        return room[skip : skip + count * self.words].view(self.dtype)

    def lines(self, count: int) -> Any:
        """As `zeros`, but each struct begins a cache line and shares none: for what workers write, each its own."""
        stride = -(-self.words // _LINE_WORDS) * _LINE_WORDS
        room = np.zeros((count + 1) * stride, np.uint64)
        skip = (-room.ctypes.data // WORD_BYTES) % _LINE_WORDS
        rows = room[skip : skip + count * stride].reshape(count, stride)
        return rows[:, : self.words].view(self.dtype)[:, 0]


def _at(pointer_type: StructPointer) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def at(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], _WORD.as_pointer())

        return pointer_type(types.int64), generate

    return at


def _on_stack(pointer_type: StructPointer, size: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def on_stack(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return cgutils.alloca_once(builder, _WORD, size=size)

        return pointer_type(), generate

    return on_stack


def _item(pointer_type: StructPointer, size: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def item(typing_context: Any, address: Any, count: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = builder.inttoptr(arguments[0], _WORD.as_pointer())
            return builder.gep(first, [builder.mul(arguments[2], ir.Constant(_WORD, size))])

        return pointer_type(types.int64, types.int64, types.int64), generate

    return item


def _checked_item(pointer_type: StructPointer, size: int) -> Any:
    from contend.evm.runtime.jit import kernel

    unchecked = _item(pointer_type, size)

    @kernel(inline=True)
    def item(address, count, index):
        if index < 0 or index >= count:
            raise IndexError("struct index out of bounds")
        return unchecked(address, count, index)

    return item


class _StructLayout(types.Dummy):  # type: ignore[misc]  # numba ships no types
    """Type, for numba, of a layout itself, whose `at`, `item` and `words` kernels use."""

    def __init__(self, layout: Struct) -> None:
        self.layout = layout
        super().__init__(name=f"layout of {layout.name}")


@typeof_impl.register(Struct)  # type: ignore[untyped-decorator]  # numba ships no types
def _type_of_struct(layout: Struct, context: Any) -> Any:
    return _StructLayout(layout)


register_model(_StructLayout)(models.OpaqueModel)


@lower_constant(_StructLayout)  # type: ignore[untyped-decorator]  # numba ships no types
def _no_constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@infer_getattr
class _LayoutAttributes(AttributeTemplate):  # type: ignore[misc]  # numba ships no types
    key = _StructLayout

    def generic_resolve(self, kind: Any, name: str) -> Any:
        if name in ("at", "item", "on_stack"):
            return self.context.resolve_value_type(getattr(kind.layout, name))
        return types.IntegerLiteral(kind.layout.words) if name == "words" else None


@lower_getattr_generic(_StructLayout)  # type: ignore[untyped-decorator]  # numba ships no types
def _layout_attribute(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    if name == "words":
        return context.get_constant(types.int64, kind.layout.words)
    return context.get_dummy_value()
