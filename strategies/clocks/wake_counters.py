"""Wake counters: words of which one changes whenever an idle worker may find something to do (`Workers.wake_counters`).

A clock remembers their sum, and lets who is idle look again when it is another. Counters only grow, or all that they
count is told by another one, so that no two changes cancel each other.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64, view_u64

_POSITIVE = (U1 << U(62)) - U1


@kernel()
def sum_at(addresses, count):
    """Sum of so many counters, whose addresses lie at an address as int64; never negative."""
    counters, total = view_i64(addresses, count), U0
    for i in range(count):
        total += atomics.load(view_u64(counters[U(i)], 1), 0)
    return I(total & _POSITIVE)
