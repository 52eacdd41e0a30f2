"""Early begin: transactions that are not ready run up to the first read that they have to wait for.

Most of a transaction is done before it reads what a hot chain passes along, and all that can be done while those before
it still execute. So workers that find nothing ready begin the lowest transactions that have not begun. What is hinted
to be written stands in multi-version memory as ESTIMATEs by then (`strategies.block_stm.estimates`), so that a read
which comes too early is noticed.

Who reads a version that is to be written waits in one of two ways.

- In place, with its machine kept, if the writer is held by a worker: executing, or being executed again. Those that
  are waited for in place are lower each time, and the lowest is not waiting: so there is always one that goes on.
- Else its execution is given up, and it stands behind the writer like any other waiter. A writer that was held may be
  given up itself while others wait for it in place; they find that out at their next look, and follow.

The second way also catches what hints do not name: who reads a slot that the hints of others say is written (an
EIP-7928 list has no readers of such slots) waits for the last writer when it meets it, though nothing was planned.

A transaction may so become ready while it executes, or be in the set of ready transactions although it waits again.
Who takes it from there executes it if it can be had (its status says so) and else forgets it; and `release` does not
put there what executes. For that a transaction that is given up makes sure of being found again: it is on a list, with
that list's wait counted, or puts itself into the set. `is_behind` says that its one place is still on a list when it is
given up once more: then that wait stands for both. This is a store-buffering pair. `give_up` sets READY_TO_EXECUTE and
then reads `is_behind`; `release` clears `is_behind` and then it, or who takes the transaction from the set, reads the
status. Did both miss, nobody would execute it: so both reads are sequentially consistent.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.block_stm.layout import EXECUTING, TASK_NONE
from contend.strategies.block_stm.scheduler import pack_status, transaction_of
from contend.strategies.block_stm.waiters.ready_set import add_ready
from contend.strategies.block_stm.worker import PHASE_TASK
from contend.strategies.clocks import cost_table
from contend.strategies.dependency.linking import NOT_BEGUN, has_begun, node_of, place_of, take_off, wait_behind

COST_WAIT = cost_table.WAIT
NOBODY_EARLY = -1


@kernel()
def next_early(shared, graph, prefix):
    """Take the next transaction that may begin though it is not ready, or `NOBODY_EARLY`."""
    if graph.early == 0 or I(atomics.load(graph, "sorted_count")) < graph.chunk_count:
        return I(NOBODY_EARLY)
    last = min(prefix + graph.early, shared.block_size)
    early = I(atomics.load(graph, "early_idx"))
    while early < last:
        # Those below the prefix have all begun.
        found = I(atomics.compare_and_swap(graph, "early_idx", U(early), U(max(early, prefix) + 1)))
        if found != early:
            early = found
            continue
        early = max(early, prefix)
        if early < last and not has_begun(shared, early):
            return early
        early += 1
    return I(NOBODY_EARLY)


@kernel()
def give_up(shared, worker, graph, own, writer):
    """Let the worker's transaction, which is executed for the first time, begin again when another has finished."""
    txn_idx = worker.txn_idx
    node, line = node_of(graph, shared, txn_idx), transaction_of(shared, txn_idx)
    check(writer < txn_idx)
    check(line.txn_status == pack_status(0, EXECUTING))
    worker.wait_restarts += U1
    worker.wasted_gas += worker.gas_spent
    worker.task = TASK_NONE
    worker.phase = PHASE_TASK
    own.first = U0
    spend(shared, worker, COST_WAIT, 1)
    # Nobody else has it now, so nobody else can put it on a list.
    if atomics.load(node, "is_behind") != U0:
        atomics.exchange(line, "txn_status", NOT_BEGUN)
        if atomics.load_seq_cst(node, "is_behind") == U0:
            add_ready(graph, txn_idx)
        return
    node.is_behind = U1
    atomics.add(node, "waits", U1)
    atomics.exchange(line, "txn_status", NOT_BEGUN)
    if not wait_behind(shared, graph, writer, place_of(graph, txn_idx)):
        # It may have been taken again meanwhile: then it is found to be executing.
        atomics.exchange(node, "is_behind", U0)
        if take_off(shared, graph, txn_idx):
            add_ready(graph, txn_idx)
