"""Words of the operand stack, loaded and stored limb by limb.

Most words are read a few instructions after they were written. A core hands such a word from its store buffer on to
the load only where one store holds all that the load asks for: a load of 32 bytes behind four stores of 8 waits until
they are in the cache, some fifteen cycles, while a load of 8 bytes behind a store of 8, 16 or 32 never does. Compilers
know nothing of that and make vectors of neighbouring loads. An *unordered* atomic access (LLVM's weakest; a plain
instruction on all machines) may be dropped, moved and used as an operand, but not be merged with its neighbour.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_LIMBS = 4
_WORD = types.UniTuple(types.uint64, _LIMBS)


def _limb(builder: Any, address: Any, number: int) -> Any:
    first = builder.inttoptr(address, ir.IntType(64).as_pointer())
    return builder.gep(first, [ir.Constant(ir.IntType(64), number)], inbounds=True)


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def load_limbs(typing_context: Any, address: Any) -> Any:
    """The word at an address of the stack."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        limbs = [builder.load_atomic(_limb(builder, arguments[0], i), "unordered", 8) for i in range(_LIMBS)]
        return context.make_tuple(builder, signature.return_type, limbs)

    return _WORD(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def store_limbs(typing_context: Any, address: Any, word: Any) -> Any:
    """Write a word at an address of the stack."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for i in range(_LIMBS):
            limb = builder.extract_value(arguments[1], i)
            builder.store_atomic(limb, _limb(builder, arguments[0], i), "unordered", 8)
        return context.get_dummy_value()

    return types.void(types.int64, _WORD), generate
