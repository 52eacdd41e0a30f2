"""Assertions of kernels: checked in the bounds lane (``NUMBA_BOUNDSCHECK=1``), compiled to nothing elsewhere.

They state what the code around them relies on: that a status changes only along its arrows, that a list ends within
its room. A check that fails raises, as an index out of bounds does in that lane.
"""

from __future__ import annotations

from contend.evm.runtime.jit import kernel
from contend.evm.runtime.kernel_cache import bounds_checked

if bounds_checked():

    @kernel(inline=True)
    def check(condition):
        """Raise IndexError unless the condition holds."""
        if not condition:
            raise IndexError("check failed")
else:

    @kernel(inline=True)
    def check(condition):
        """Do nothing."""
