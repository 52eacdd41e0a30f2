"""Processor: what numba compiles for, where a kernel is written one way for a machine that has certain instructions.

What numba keeps of compiled kernels is kept apart by the same features (`evm.runtime.kernel_cache`).
"""

from __future__ import annotations

from numba.core.registry import cpu_target


def features() -> frozenset[str]:
    """Names of the processor's features, as LLVM has them: ``avx2``, ``sha``."""
    listed = str(cpu_target.target_context.codegen().magic_tuple()[2])
    return frozenset(name[1:] for name in listed.split(",") if name.startswith("+"))
