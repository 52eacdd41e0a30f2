"""The window's worker: execute ahead of the commit point, and commit in the block's order whenever it is possible.

Optimistic concurrency control with serial validation (Kung and Robinson, "On optimistic methods for concurrency
control", ACM TODS 1981, section 4), in the block's order instead of that of arrival. So do chains that execute in
parallel describe what they do: Monad commits pending results one after the other, compares each input with what is
committed, and executes again at once what does not match, while nothing else is committed (docs.monad.xyz, parallel
execution); Sei's validation and merge are ordered as well (docs.sei.io), and so is Erigon's. What it buys is
simplicity, and a bound: at its turn a transaction has all its predecessors' words, so that it is executed twice at
most. What it costs: only what is committed can be read, so that a chain of dependent transactions is executed one after
the other by whoever has the turn; and validation is serial.

A transaction goes through

    UNEXECUTED -> PENDING -> committed
    UNEXECUTED -> PENDING -> stale at its turn: executed again -> committed
    UNEXECUTED -> DEFERRED (it asked for the beneficiary's balance) -> executed at its turn -> committed

A worker takes the turn if the transaction at the commit point is executed and nobody has the turn, commits as long as
the next one is executed, one a step, and gives the turn back; otherwise it executes the next transaction within the
window. The commit point moves at the beginning of the step that follows, so that a commit takes time under every clock.

How far ahead is best depends on the block: what is executed too early is stale at its turn, and then the whole block
waits for one execution. So the window's size follows what is found there, as the window of a TCP sender follows losses
(Jacobson, "Congestion avoidance and control", SIGCOMM 1988): each transaction that was found fresh adds an eighth of a
transaction, each stale one takes an eighth of the window away. That settles where one transaction of a window is stale,
which is where fixed windows were found to be fastest, whatever the block.

The turn is a lock, and nobody waits for it within a step: who finds it taken executes ahead, and only where the window
is full is a worker idle, and then yields its core (`strategies.clocks.wall`). So a holder whose thread loses its core
gets one back as soon as the others have used up the window. It holds the turn for a commit, a fraction of a
microsecond, or for the one execution without which nothing could be committed whoever held it.

Memory order. `committed` and the heads are stored (released) by who has the turn only. The turn is taken by a
compare-and-swap and given back by a store (released), so that holders see all that holders before them did, the sum of
fees among it. A transaction that is executed at the commit point by someone else reads that sum after `committed`
(acquired), and it does not change before this very transaction is committed. Who sets a status and then finds the turn
taken may be missed by a holder who looked just before: then nobody has the turn although the next transaction is
executed. Nothing is lost by it, for every worker looks for that first in each of its steps between executions, and
those that are idle do nothing else. Under simulated time a step is one piece and the holder cannot miss it; there the
commit point is what idle workers wait for.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.u256 import add
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import count_abort, has_fault
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, receipt_of
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.scheduler import transaction_of, txn_status
from contend.strategies.block_stm.worker import (
    OWN_PHASE,
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
    begin_paying,
    run_paying,
)
from contend.strategies.clocks import ACT_COMMIT, ACT_SCHEDULE, ACT_WAIT, FAILED, FINISHED, IDLE, WORKED, cost_table
from contend.strategies.optimistic.occ_window.committed import FRESH, first_stale_read, publish
from contend.strategies.optimistic.occ_window.layout import (
    DEFERRED,
    ONE,
    PENDING,
    SIZE_BITS,
    UNEXECUTED,
    WINDOW,
    WINDOW_WORKER,
)
from contend.strategies.optimistic.occ_window.pending_results import answer_from_committed, give_up, keep_result

COST_TASK, COST_WAIT, COST_VALIDATE = cost_table.TASK, cost_table.WAIT, cost_table.VALIDATE
COST_KEEP = cost_table.PUBLISH_READ
PHASE_COMMITTED = OWN_PHASE
ADAPTATION = U(8)  # of a transaction the window grows, or of its size it shrinks: one in so many


@kernel(inline=True)
def may_commit(shared, txn_idx):
    """Whether a transaction at the commit point can be committed now: its first execution is over."""
    return txn_idx < shared.block_size and txn_status(shared, txn_idx) != U(UNEXECUTED)


@kernel(inline=True)
def give_turn_back(shared, worker):
    """Let others commit."""
    WINDOW_WORKER.at(worker.own).has_turn = U0
    atomics.store(WINDOW.at(shared.own), "turn", U0)


@kernel()
def adapt(shared, is_stale):
    """Make the window larger after a transaction that was fresh at its turn, and smaller after a stale one."""
    window = WINDOW.at(shared.own)
    if window.adapts == U0:
        return
    size = atomics.load(window, "size")
    size = max(size - size // ADAPTATION, ONE) if is_stale else min(size + ONE // ADAPTATION, window.most)
    atomics.store(window, "size", size)


@kernel()
def publish_result(shared, worker):
    """Make the result of the worker's transaction, which is right, that of the block; `PHASE_COMMITTED` follows."""
    window, txn_idx = WINDOW.at(shared.own), worker.txn_idx
    check(atomics.load(window, "committed") == U(txn_idx))
    publish(shared, worker, transaction_of(shared, txn_idx).write_set)
    window.fees = add(window.fees, receipt_of(shared, txn_idx).fee)
    worker.phase = PHASE_COMMITTED
    return WORKED


@kernel()
def commit_next(shared, worker, txn_idx):
    """Commit the transaction at the commit point, or begin to execute it again. The worker has the turn."""
    worker.txn_idx = txn_idx
    worker.activity = U(ACT_COMMIT)
    if txn_status(shared, txn_idx) == U(DEFERRED):
        return begin_paying(shared, worker, COST_KEEP)
    worker.validations += U1
    spend(shared, worker, COST_VALIDATE, 1)
    compares_values = WINDOW.at(shared.own).compares_values != U0
    stale = first_stale_read(shared, worker, transaction_of(shared, txn_idx).read_set, compares_values)
    adapt(shared, stale != FRESH)
    if stale == FRESH:
        return publish_result(shared, worker)
    count_abort(shared, worker, stale, receipt_of(shared, txn_idx).gas_used)
    return begin_paying(shared, worker, COST_KEEP)


@kernel()
def _move_commit_point(shared, worker):
    """Count a commit, and go on with the next one or give the turn back."""
    following = worker.txn_idx + 1
    atomics.store(WINDOW.at(shared.own), "committed", U(following))
    worker.phase = PHASE_TASK
    if may_commit(shared, following):
        return commit_next(shared, worker, following)
    worker.activity = U(ACT_SCHEDULE)
    spend(shared, worker, COST_TASK, 1)
    give_turn_back(shared, worker)
    return WORKED


@kernel()
def try_to_take_turn(shared, worker):
    """Whether the worker has got the turn to commit; it asks only where there is something to be committed."""
    window = WINDOW.at(shared.own)
    if not may_commit(shared, I(atomics.load(window, "committed"))) or atomics.load(window, "turn") != U0:
        return False
    if atomics.compare_and_swap(window, "turn", U0, U1) != U0:
        return False
    WINDOW_WORKER.at(worker.own).has_turn = U1
    return True


@kernel()
def _begin_turn(shared, worker):
    """Commit what is at the commit point now: another worker may have had the turn since the look at it."""
    spend(shared, worker, COST_TASK, 1)
    first = I(atomics.load(WINDOW.at(shared.own), "committed"))
    if may_commit(shared, first):
        return commit_next(shared, worker, first)
    give_turn_back(shared, worker)
    return WORKED


@kernel()
def _execute_ahead(shared, worker):
    """Take the next transaction of the window."""
    window = WINDOW.at(shared.own)
    committed = I(atomics.load(window, "committed"))
    if committed >= shared.block_size:
        return FINISHED
    txn_idx = I(atomics.load(window, "next_txn"))
    size = I(atomics.load(window, "size") >> SIZE_BITS)
    if txn_idx >= min(committed + size, shared.block_size):
        return IDLE
    spend(shared, worker, COST_TASK, 1)
    if atomics.compare_and_swap(window, "next_txn", U(txn_idx), U(txn_idx + 1)) != U(txn_idx):
        return WORKED
    worker.txn_idx = txn_idx
    return begin_paying(shared, worker, COST_KEEP)


@kernel()
def _read(shared, worker):
    answered = answer_from_committed(shared, worker)
    if answered == ANSWERED:
        return run_paying(shared, worker, COST_KEEP)
    if answered != BLOCKED:
        return FAILED
    worker.phase = PHASE_TASK
    worker.activity = U(ACT_WAIT)
    spend(shared, worker, COST_WAIT, 1)
    give_up(shared, worker)
    atomics.store(transaction_of(shared, worker.txn_idx), "txn_status", U(DEFERRED))
    return WORKED


@kernel()
def _finish(shared, worker):
    """Keep what an execution came to; at its turn that is its result."""
    has_turn = WINDOW_WORKER.at(worker.own).has_turn != U0
    if not keep_result(shared, worker, not has_turn):
        return FAILED
    if has_turn:
        return publish_result(shared, worker)
    worker.phase = PHASE_TASK
    atomics.store(transaction_of(shared, worker.txn_idx), "txn_status", U(PENDING))
    return WORKED


@kernel()
def _work(shared, worker):
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if has_fault(shared):
        return FAILED
    if phase == PHASE_COMMITTED:
        return _move_commit_point(shared, worker)
    worker.activity = U(ACT_SCHEDULE)
    if try_to_take_turn(shared, worker):
        return _begin_turn(shared, worker)
    return _execute_ahead(shared, worker)


@native("int64(int64, int64)")
def window_step(shared_address, worker_address):
    """Answer one read, keep one result, commit one transaction, or take the next; its cost."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    return end_step(worker, _work(shared, worker))
