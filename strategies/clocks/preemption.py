"""Atomic operations that are points of preemption: a schedule may let other workers go on before each of them.

A step of a strategy is one interaction with what is shared, but some interactions have several parts: writes are
published one by one, then the read set, then the status; a counter is looked at, then changed. Between any two of them
another thread may do whatever it likes. Under a schedule nothing could happen there, were steps the only unit.

So the fuzzer also drives copies of the strategies' modules that import this module for `contend.evm.runtime.atomics`
(`contend.harness.verify.schedule_fuzzer.preemption_points`). Each operation first calls the schedule
(`contend.strategies.clocks.schedule.preempt`).

Compiled code reaches the schedule by the name of an external function, which stands for another address in every
process: so it can be kept in the cache.
"""

from __future__ import annotations

import inspect
from typing import Any

from llvmlite import binding, ir
from numba import cfunc
from numba.core import cgutils
from numba.extending import intrinsic

from contend.evm.runtime import atomics
from contend.evm.runtime.memory_views import call_1
from contend.strategies.clocks.schedule import CURRENT, preempt

SYMBOL = "contend_preempt"

# This module stands in for `evm.runtime.atomics`, whole.
CACHE_LINE = atomics.CACHE_LINE
acquire_fence, release_fence = atomics.acquire_fence, atomics.release_fence


def _behind_preemption(operation: Any) -> Any:
    """The same operation on an element or a field, with a point of preemption before it."""
    define = operation._defn

    def defined(typing_context: Any, *arguments: Any) -> Any:
        signature, inner = define(typing_context, *arguments)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(ir.IntType(64), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, SYMBOL), [])
            return inner(context, builder, signature, arguments)

        return signature, generate

    defined.__name__ = define.__name__
    defined.__signature__ = inspect.signature(define)  # type: ignore[attr-defined]  # numba asks for it
    return intrinsic(prefer_literal=True)(defined)


load = _behind_preemption(atomics.load)
load_seq_cst = _behind_preemption(atomics.load_seq_cst)
store = _behind_preemption(atomics.store)
add = _behind_preemption(atomics.add)
subtract = _behind_preemption(atomics.subtract)
minimum = _behind_preemption(atomics.minimum)
exchange = _behind_preemption(atomics.exchange)
compare_and_swap = _behind_preemption(atomics.compare_and_swap)


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
