"""Prefetching: asks for a cache line that will be needed soon, so that several misses are waited for at once."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE_BYTES = 64
_FOR_READING, _KEEP_CLOSE, _DATA = 0, 3, 1


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def prefetch(typing_context: Any, address: Any) -> Any:
    """Ask for the cache line at an address, which need not be anybody's: nothing is read, and nothing can fail."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        how = [ir.Constant(number, one) for one in (_FOR_READING, _KEEP_CLOSE, _DATA)]
        builder.call(function, [builder.inttoptr(arguments[0], byte), *how])
        return context.get_dummy_value()

    return types.void(types.int64), generate
