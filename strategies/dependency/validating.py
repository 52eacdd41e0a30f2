"""Validation behind execution: a transaction is validated when all before it have been executed.

With right hints that is one validation a transaction and no abort, and what the sweep has passed is final; it ends at
the executed prefix while that grows (`strategies.block_stm.executed_prefix`), and not at the block's end.

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
from contend.strategies.block_stm.scheduler import finish_validation, try_validation_abort
from contend.strategies.block_stm.validation import COST_VALIDATE, VALID, abort, validate_read_set
from contend.strategies.dependency.linking import node_of


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
