"""Validation behind execution: a transaction is validated when all before it have been executed.

Block-STM validates what is executed as soon as it can, and again whenever something below has changed. Here most of
that would be in vain: what runs when its predecessors have finished has read rightly as a rule. So the sweep of
validations (`validation_idx` of Block-STM's scheduler) stays within the prefix of the block that has been executed, in
the block's order, by whoever is free, while the rest is still executing. With right hints that is one validation a
transaction and no abort, and what the sweep has passed is final.

What is found stale is executed again at once, by the worker that found it, when everything before it has been executed;
the sweep then goes back as ever (arXiv 2203.06871, algorithm 5). So the scheduler's rules hold with one change: while
the prefix grows the sweep ends at it and not at the block's end.

- `executed_prefix` only grows, and covers a transaction only after its status said EXECUTED. The sweep is moved by
  compare-and-swap from a place below the prefix. So a first execution is never behind the sweep, and need not look for
  it when it ends.
- A later execution is, and looks: it is `finish_execution` of the scheduler, whose pair (set EXECUTED, then read
  `validation_idx`; move `validation_idx`, then read the status) is kept by the sequentially consistent load here.

Where what is expected to be written stands in memory as ESTIMATEs (`early`), most transactions need not be looked at.
Who begins when all of it stands there reads of each location the version of the last writer below it, or waits for it,
unless somebody below writes what was not expected, and whether its own reads were expected or not (Bohm's placeholders:
Faleiro and Abadi, PVLDB 8(11), 2015). All below have been executed when it is validated, so it is known whether anybody
did: `lowest_stray` is the lowest that wrote something unexpected, or was aborted, since what it writes next may be
another thing. It is lowered before the stray's status says EXECUTED, and before the sweep goes back behind an abort, so
that whom it concerns is seen, or seen again, after that. The fees before a transaction are no location that anybody
writes: who read them is looked at.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import fees_seen_of
from contend.strategies.block_stm.layout import EXECUTED, STATUS_BITS, TASK_VALIDATE
from contend.strategies.block_stm.scheduler import (
    FOUND,
    NOTHING,
    PASSED,
    check_done,
    end_task,
    finish_validation,
    is_executed,
    transaction_of,
    try_validation_abort,
    txn_status,
)
from contend.strategies.block_stm.validation import COST_VALIDATE, VALID, abort, validate_read_set
from contend.strategies.dependency.linking import node_of

MOST_AT_ONCE = 64  # by which one worker moves the prefix on


@kernel()
def advance_prefix(shared, graph):
    """Let the prefix cover what has been executed; where it ends."""
    prefix = I(atomics.load(graph, "executed_prefix"))
    end = prefix
    last = min(prefix + MOST_AT_ONCE, shared.block_size)
    # A status beyond that of the first execution, of whatever incarnation, is a greater word.
    while end < last and txn_status(shared, end) >= U(EXECUTED):
        end += 1
    if end > prefix and I(atomics.compare_and_swap(graph, "executed_prefix", U(prefix), U(end))) == prefix:
        return end
    return I(atomics.load(graph, "executed_prefix"))


@kernel()
def note_stray(graph, txn_idx):
    """What a transaction has written, or will write, is not what was expected."""
    atomics.minimum(graph, "lowest_stray", U(txn_idx))


@kernel()
def _is_sure(shared, graph, txn_idx):
    """Whether a transaction has certainly read what it would read now."""
    if node_of(graph, shared, txn_idx).is_sure == U0 or fees_seen_of(shared, txn_idx).seen != U0:
        return False
    return U(txn_idx) <= atomics.load(graph, "lowest_stray")


@kernel()
def validate(shared, worker, graph, own):
    """Validate the worker's transaction; if it is stale, take back what it wrote, and execute it again next."""
    worker.validations += U1
    stale = I(VALID)
    if _is_sure(shared, graph, worker.txn_idx):
        own.sure += U1
        spend(shared, worker, COST_VALIDATE, 1)
    else:
        stale = validate_read_set(shared, worker)
    aborted = stale != VALID and try_validation_abort(shared, worker)
    if aborted:
        abort(shared, worker, stale)
        note_stray(graph, worker.txn_idx)
    finish_validation(shared, worker, aborted)


@kernel()
def next_to_validate(shared, worker, graph):
    """Look at the next transaction of the sweep: `FOUND`, `PASSED` or `NOTHING`, as `scheduler.next_task` has them."""
    txn_idx = I(atomics.load(shared, "validation_idx"))
    if txn_idx >= I(atomics.load(graph, "executed_prefix")) and txn_idx >= advance_prefix(shared, graph):
        if txn_idx >= shared.block_size:
            check_done(shared)
        return NOTHING
    atomics.add(shared, "num_active_tasks", U1)
    if I(atomics.compare_and_swap(shared, "validation_idx", U(txn_idx), U(txn_idx + 1))) == txn_idx:
        status = atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status")
        if is_executed(status):
            worker.task = TASK_VALIDATE
            worker.txn_idx = txn_idx
            worker.incarnation = status >> STATUS_BITS
            return FOUND
    end_task(shared)
    return PASSED
