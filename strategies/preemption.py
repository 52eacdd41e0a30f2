"""Atomic operations that are points of preemption: a schedule may let other workers go on before each of them.

A step of a strategy is one interaction with what is shared, but some interactions have several parts: writes are
published one by one, then the read set, then the status; a counter is looked at, then changed. Between any two of them
another thread may do whatever it likes. Under a schedule nothing could happen there, were steps the only unit.

So the fuzzer also drives copies of the strategies' modules that import this module for `evm.atomics`
(`harness.schedules.cuts`). Each operation first calls the schedule (`strategies.schedule.preempt`).

Compiled code reaches the schedule by the name of an external function, which stands for another address in every
process: so it can be kept in the cache.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import cfunc, types
from numba.core import cgutils
from numba.extending import intrinsic

from evm import atomics
from evm.jit import kernel
from evm.pointers import call_1
from strategies.schedule import CURRENT, preempt

SYMBOL = "contend_preempt"

# This module stands in for `evm.atomics`, whole.
CACHE_LINE = atomics.CACHE_LINE
acquire_fence = atomics.acquire_fence


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _let_others_go_on(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, SYMBOL), [])
        return context.get_dummy_value()

    return types.void(), generate


@kernel(inline=True)
def load(array, index):
    """As `evm.atomics.load`."""
    _let_others_go_on()
    return atomics.load(array, index)


@kernel(inline=True)
def store(array, index, value):
    """As `evm.atomics.store`."""
    _let_others_go_on()
    atomics.store(array, index, value)


@kernel(inline=True)
def add(array, index, operand):
    """As `evm.atomics.add`."""
    _let_others_go_on()
    return atomics.add(array, index, operand)


@kernel(inline=True)
def subtract(array, index, operand):
    """As `evm.atomics.subtract`."""
    _let_others_go_on()
    return atomics.subtract(array, index, operand)


@kernel(inline=True)
def minimum(array, index, operand):
    """As `evm.atomics.minimum`."""
    _let_others_go_on()
    return atomics.minimum(array, index, operand)


@kernel(inline=True)
def exchange(array, index, operand):
    """As `evm.atomics.exchange`."""
    _let_others_go_on()
    return atomics.exchange(array, index, operand)


@kernel(inline=True)
def compare_and_swap(array, index, expected, desired):
    """As `evm.atomics.compare_and_swap`."""
    _let_others_go_on()
    return atomics.compare_and_swap(array, index, expected, desired)


_ATTACHED: list[Any] = []


def attach() -> None:
    """Let points of preemption call this process's schedules. To be done before code with such points is loaded."""
    if _ATTACHED:
        return
    function, current = preempt.address, int(CURRENT.ctypes.data)

    def hook() -> Any:
        return call_1(function, current)

    compiled = cfunc("int64()", nopython=True, _nrt=False)(hook)
    binding.add_symbol(SYMBOL, compiled.address)
    _ATTACHED.append(compiled)
