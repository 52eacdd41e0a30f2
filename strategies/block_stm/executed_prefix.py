"""Executed prefix of the block: within it the sweep of validations stays while the rest executes for the first time.

Block-STM validates what is executed as soon as it can, and again whenever something below has changed. Where readers
wait for their writers most of that would be in vain: what runs then has read rightly as a rule. So the sweep
(`validation_idx` of the scheduler) stays within the prefix of the block that has been executed, in the block's order.
What is found stale is executed again at once, by the worker that found it; the sweep then goes back as ever (arXiv
2203.06871, algorithm 5).

- `executed_prefix` only grows, and covers a transaction only after its status said EXECUTED. The sweep is moved by
  compare-and-swap from a place below the prefix. So a first execution is never behind the sweep, and need not look for
  it when it ends.
- A later execution is, and looks: it is `finish_execution` of the scheduler, whose pair (set EXECUTED, then read
  `validation_idx`; move `validation_idx`, then read the status) is kept by the sequentially consistent load here.

Kernels take any header that has the field `executed_prefix`.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.layout import EXECUTED
from contend.strategies.block_stm.scheduler import (
    NOTHING,
    check_done,
    rest,
    try_validate,
    txn_status,
)

MOST_AT_ONCE = 64  # by which one worker moves the prefix on


@kernel()
def advance_prefix(shared, header):
    """Let the prefix cover what has been executed; where it ends."""
    prefix = I(atomics.load(header, "executed_prefix"))
    end = prefix
    last = min(prefix + MOST_AT_ONCE, shared.block_size)
    # A status beyond that of the first execution, of whatever incarnation, is a greater word.
    while end < last and txn_status(shared, end) >= U(EXECUTED):
        end += 1
    if end > prefix and I(atomics.compare_and_swap(header, "executed_prefix", U(prefix), U(end))) == prefix:
        return end
    return I(atomics.load(header, "executed_prefix"))


@kernel()
def next_to_validate(shared, worker, header):
    """Look at the next transaction of the sweep: `FOUND`, `PASSED` or `NOTHING`, as `scheduler.next_task` has them."""
    txn_idx = I(atomics.load(shared, "validation_idx"))
    if txn_idx >= I(atomics.load(header, "executed_prefix")) and txn_idx >= advance_prefix(shared, header):
        rest(shared, worker)
        if txn_idx >= shared.block_size:
            check_done(shared)
        return NOTHING
    return try_validate(shared, worker, txn_idx)
