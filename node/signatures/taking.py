"""Taking transactions: what a worker of any scheme does around finding out who sent one.

Transactions are taken one at a time: a verification takes as long as some hundred increments of a contended counter.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.accounting import end_step
from contend.strategies.clocks import FINISHED, WORKED


@kernel(inline=True)
def take(shared):
    """Take a transaction; its number, or one that no transaction has when all are taken."""
    return I(atomics.add(shared, "taken", U1))


@kernel()
def end_of(shared, worker, number, is_right):
    """End the step of a transaction, noting a signature that is nobody's, or end the worker."""
    if number >= shared.count:
        return I(FINISHED)
    if not is_right:
        view_u64(shared.forged, shared.count)[number] = U1
    return end_step(worker, WORKED)
