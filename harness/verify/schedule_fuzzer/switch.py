"""Switch: a number of this process that compiled code can ask for, to choose among several planted changes.

Compiling copies of kernels takes seconds, running them milliseconds. So many bugs can be planted in the same copies,
each behind the number by which it is turned on; with none of them on, the copies do what the originals do.

As points of preemption do (`strategies.clocks.preemption`), code reaches the number by the name of an external
function, which stands for another address in every process: so it can be kept in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba import cfunc, types
from numba.core import cgutils
from numba.extending import intrinsic

from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64

SYMBOL = "contend_switch"
OFF = 0

_POSITION: npt.NDArray[np.int64] = np.zeros(1, np.int64)


@contextmanager
def turned_to(number: int) -> Iterator[None]:
    """While this lasts, the change of this number is on, and no other."""
    before = int(_POSITION[0])
    _POSITION[0] = number
    try:
        yield
    finally:
        _POSITION[0] = before


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _position(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, SYMBOL), [])

    return types.int64(), generate


@kernel(inline=True)
def is_on(number: Any) -> Any:
    """Whether the change of this number is on."""
    return _position() == number


_ATTACHED: list[Any] = []


def attach() -> None:
    """Let compiled code ask for this process's number. To be done before code that asks is loaded."""
    if _ATTACHED:
        return
    at = int(_POSITION.ctypes.data)

    def position() -> Any:
        return view_i64(at, 1)[0]

    compiled = cfunc("int64()", nopython=True, _nrt=False)(position)
    binding.add_symbol(SYMBOL, compiled.address)
    _ATTACHED.append(compiled)
