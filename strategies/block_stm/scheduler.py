"""The collaborative scheduler of Block-STM (arXiv 2203.06871, section 3 and algorithms 4 and 5), in the paper's names.

Workers share two indices that sweep over the block: `execution_idx` hands out executions, `validation_idx`
validations. An abort, or a write to a new location, decreases the validation index; a transaction made ready again
decreases the execution index. So the lowest transactions are always served first, and the block is done when both
have passed its end, nobody holds a task, and neither was decreased while that was being established.

A transaction's status word holds its incarnation number and one of four states:

    READY_TO_EXECUTE -> EXECUTING -> EXECUTED -> ABORTING -> READY_TO_EXECUTE (next incarnation)
    READY_TO_EXECUTE -> EXECUTING -> ABORTING -> READY_TO_EXECUTE (it had to wait for a lower transaction)

Departures from the paper:

- Where it takes a lock around status and dependency list, a compare-and-swap on the status and a lock-free list do.
  `add_dependency` therefore never fails: who puts a transaction on the list of one that finishes at that moment takes
  the list back and resumes it itself.
- A task is left in the worker's header, not returned; `next_task` tells that a look at the next transaction led to
  nothing (`PASSED`) from that there is nothing to look at (`NOTHING`), since each look is a step of its own.
- `set_executed_status` is the part of finish_execution that planned strategies need alone.
- `num_active_tasks` counts workers, not tasks: who has ended one stays counted until it has looked for the next and
  found none (`rest`). It is never lower than the paper's, and so the block is never found done too early.
- Where the sweep of validations comes to a transaction that has not executed, it goes on past it only if executions
  are further ahead than a few workers are (`PATIENCE`). What it finds valid beyond is as a rule validated once more
  when that transaction has written; where many are ahead, what it finds stale is worth knowing at once.
- Whose validation is the next that the sweep comes to takes it along when it has executed, before anybody else.
- An incarnation that began when all below it was final (`has_final_prefix`) has read rightly, and stays right: it is
  validated by that, and its read set is not walked. A single worker finds it so each time, and others where a
  transaction below has held up all.

Memory order. Read-modify-writes are sequentially consistent, stores release, loads acquire. That is enough wherever a
worker reads and then writes. It is not where two workers each write one word and then read the other's (store
buffering): an acquiring load may run ahead of an earlier read-modify-write of another word, and both could miss what
the other wrote. There are three such pairs, and their loads are sequentially consistent (`load_seq_cst`), so that in
the one order of these accesses at least one of the two sees the other:

- `finish_execution` sets EXECUTED, then reads `validation_idx`; `next_version_to_validate` moves `validation_idx`,
  then reads the status. Did both miss, nobody would validate the transaction.
- `finish_validation` after an abort sets READY_TO_EXECUTE, then reads `execution_idx`; `next_version_to_execute` moves
  `execution_idx`, then reads the status (in `try_incarnate`). Did both miss, nobody would execute it again.
- `add_dependency` puts a transaction on the list, then reads the status of the one it waits for; `set_executed_status`
  sets that status, then looks at the list. Did both miss, nobody would resume it.

On x86-64 a locked instruction is a full fence and both kinds of loads are the same instruction; on ARM `LDAPR` may
pass `LDADDAL`, and `LDAR` may not. `check_done` writes nothing before it reads: its loads are acquiring, in program
order, and a count of active tasks that it reads as zero brings all that the tasks before it did, among it every
decrease. `resume_dependencies` sets the status before it decreases the index, both by read-modify-writes: who takes
the transaction from the decreased index has read it, and so sees the status.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.layout import (
    ABORTING,
    EXECUTED,
    EXECUTING,
    READY_TO_EXECUTE,
    STATUS_BITS,
    STATUS_MASK,
    TASK_EXECUTE,
    TASK_NONE,
    TASK_VALIDATE,
    TRANSACTION,
)

PATIENCE = 3  # how far executions are ahead of the sweep of validations while it waits for a transaction to execute
NOTHING, PASSED, FOUND = range(3)  # what `next_task` returns


@kernel(inline=True)
def transaction_of(shared, txn_idx):
    """The scheduler's struct of a transaction."""
    return TRANSACTION.item(shared.transactions, shared.block_size, txn_idx)


@kernel(inline=True)
def pack_status(incarnation, status):
    """A status word."""
    return (U(incarnation) << STATUS_BITS) | U(status)


@kernel(inline=True)
def txn_status(shared, txn_idx):
    """A transaction's status word as it is now."""
    return atomics.load(transaction_of(shared, txn_idx), "txn_status")


@kernel(inline=True)
def is_executed(status):
    """Whether a status word says EXECUTED."""
    return status & STATUS_MASK == U(EXECUTED)


@kernel(inline=True)
def _swap_status(shared, txn_idx, incarnation, old, new):
    expected = pack_status(incarnation, old)
    line = transaction_of(shared, txn_idx)
    return atomics.compare_and_swap(line, "txn_status", expected, pack_status(incarnation, new)) == expected


@kernel()
def decrease_execution_idx(shared, target_idx):
    """Let the sweep of executions go back to a transaction."""
    check(U(target_idx) <= U(shared.block_size))
    atomics.minimum(shared, "execution_idx", U(target_idx))
    atomics.add(shared, "decrease_cnt", U1)


@kernel()
def decrease_validation_idx(shared, target_idx):
    """Let the sweep of validations go back to a transaction."""
    check(U(target_idx) <= U(shared.block_size))
    atomics.minimum(shared, "validation_idx", U(target_idx))
    atomics.add(shared, "decrease_cnt", U1)


@kernel()
def doubt_those_above(shared, txn_idx):
    """What a transaction has written, or will write, is not what was expected (`validation.is_certain`).

    Whoever finds that out calls it, before the transaction's status says so or the sweep goes back on its account:
    `incarnation.apply_write_set` and `validation.convert_writes_to_estimates` do.
    """
    if atomics.load(shared, "first_doubt") > U(txn_idx + 1):
        atomics.minimum(shared, "first_doubt", U(txn_idx + 1))


@kernel()
def check_done(shared):
    """Set the done marker if both sweeps are over, nobody holds a task, and neither was sent back meanwhile."""
    observed = atomics.load(shared, "decrease_cnt")
    lowest = min(atomics.load(shared, "execution_idx"), atomics.load(shared, "validation_idx"))
    if lowest >= U(shared.block_size) and atomics.load(shared, "num_active_tasks") == U0:
        if observed == atomics.load(shared, "decrease_cnt"):
            atomics.store(shared, "done_marker", U1)


@kernel()
def is_done(shared):
    """Whether the block is executed and validated."""
    return atomics.load(shared, "done_marker") != U0


@kernel()
def try_incarnate(shared, worker, txn_idx):
    """Take the next incarnation of a transaction if it is ready: it becomes the worker's task."""
    status = atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status")
    if status & STATUS_MASK != U(READY_TO_EXECUTE):
        return False
    incarnation = status >> STATUS_BITS
    if not _swap_status(shared, txn_idx, incarnation, READY_TO_EXECUTE, EXECUTING):
        return False
    worker.task = TASK_EXECUTE
    worker.txn_idx = txn_idx
    worker.incarnation = incarnation
    return True


@kernel(inline=True)
def end_task(shared):
    """One active task less, of those that no worker is counted for."""
    before = atomics.subtract(shared, "num_active_tasks", U1)
    check(before != U0)


@kernel(inline=True)
def be_active(shared, worker):
    """Count the worker among those that have a task, or look for one."""
    if worker.is_active == U0:
        worker.is_active = U1
        atomics.add(shared, "num_active_tasks", U1)


@kernel(inline=True)
def rest(shared, worker):
    """The worker has no task and has found none."""
    if worker.is_active != U0:
        worker.is_active = U0
        end_task(shared)


@kernel()
def next_version_to_execute(shared, worker):
    """Look at the next transaction of the sweep of executions; see `next_task`."""
    if atomics.load(shared, "execution_idx") >= U(shared.block_size):
        rest(shared, worker)
        check_done(shared)
        return NOTHING
    be_active(shared, worker)
    txn_idx = I(atomics.add(shared, "execution_idx", U1))
    if txn_idx < shared.block_size and try_incarnate(shared, worker, txn_idx):
        return FOUND
    return PASSED


@kernel()
def try_validate(shared, worker, txn_idx):
    """Move the sweep of validations past a transaction, and take its validation if it has executed; see `next_task`."""
    be_active(shared, worker)
    if I(atomics.compare_and_swap(shared, "validation_idx", U(txn_idx), U(txn_idx + 1))) == txn_idx:
        status = atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status")
        if is_executed(status):
            worker.task = TASK_VALIDATE
            worker.txn_idx = txn_idx
            worker.incarnation = status >> STATUS_BITS
            return FOUND
    return PASSED


@kernel()
def next_version_to_validate(shared, worker):
    """Look at the next transaction of the sweep of validations; see `next_task`."""
    txn_idx = I(atomics.load(shared, "validation_idx"))
    if txn_idx >= shared.block_size:
        rest(shared, worker)
        check_done(shared)
        return NOTHING
    ahead = I(atomics.load(shared, "execution_idx")) - txn_idx
    if ahead <= PATIENCE and not is_executed(txn_status(shared, txn_idx)):
        # Who executes it validates it, or lets the sweep go on: `finish_execution`.
        return next_version_to_execute(shared, worker)
    return try_validate(shared, worker, txn_idx)


@kernel()
def next_task(shared, worker):
    """Find the worker a task, the lowest first: `FOUND`; `PASSED` if what was considered needs none; or `NOTHING`."""
    if atomics.load(shared, "validation_idx") < atomics.load(shared, "execution_idx"):
        return next_version_to_validate(shared, worker)
    return next_version_to_execute(shared, worker)


@kernel()
def set_ready_status(shared, txn_idx):
    """An aborted transaction's next incarnation may be executed."""
    line = transaction_of(shared, txn_idx)
    status = atomics.load(line, "txn_status")
    check(status & STATUS_MASK == U(ABORTING))
    atomics.exchange(line, "txn_status", pack_status((status >> STATUS_BITS) + U1, READY_TO_EXECUTE))


@kernel()
def resume_dependencies(shared, txn_idx):
    """Make ready all that wait for a transaction, and let the sweep of executions find them."""
    line = transaction_of(shared, txn_idx)
    if atomics.load_seq_cst(line, "txn_dependency") == U0:
        return
    waiting = atomics.exchange(line, "txn_dependency", U0)
    lowest = shared.block_size
    while waiting != U0:
        resumed = I(waiting) - 1
        check(resumed > txn_idx)
        waiting = transaction_of(shared, resumed).next_dependent
        set_ready_status(shared, resumed)
        lowest = min(lowest, resumed)
    if lowest < shared.block_size:
        decrease_execution_idx(shared, lowest)


@kernel()
def add_dependency(shared, worker, blocking_txn_idx):
    """Suspend the worker's transaction until a lower one has executed; the task is finished.

    The transaction must not be touched by the worker afterwards: another may be executing it already.
    """
    txn_idx = worker.txn_idx
    line, blocking = transaction_of(shared, txn_idx), transaction_of(shared, blocking_txn_idx)
    check(blocking_txn_idx < txn_idx)
    check(line.txn_status == pack_status(worker.incarnation, EXECUTING))
    atomics.exchange(line, "txn_status", pack_status(worker.incarnation, ABORTING))
    head = atomics.load(blocking, "txn_dependency")
    while True:
        line.next_dependent = head
        found = atomics.compare_and_swap(blocking, "txn_dependency", head, U(txn_idx + 1))
        if found == head:
            break
        head = found
    if is_executed(atomics.load_seq_cst(blocking, "txn_status")):
        resume_dependencies(shared, blocking_txn_idx)
    worker.task = TASK_NONE


@kernel()
def set_executed_status(shared, worker):
    """The worker's incarnation is executed and its writes are visible; who waits for it can go on."""
    line = transaction_of(shared, worker.txn_idx)
    check(line.txn_status == pack_status(worker.incarnation, EXECUTING))
    atomics.exchange(line, "txn_status", pack_status(worker.incarnation, EXECUTED))
    resume_dependencies(shared, worker.txn_idx)


@kernel()
def has_final_prefix(shared, txn_idx):
    """Whether all transactions below one that the worker is to execute have executed, and stay as they are.

    They do if both sweeps are beyond them and nobody but the worker holds a task, as `check_done` asks of the block.
    """
    observed = atomics.load(shared, "decrease_cnt")
    if atomics.load(shared, "validation_idx") < U(txn_idx) or atomics.load(shared, "execution_idx") <= U(txn_idx):
        return False
    return atomics.load(shared, "num_active_tasks") == U1 and observed == atomics.load(shared, "decrease_cnt")


@kernel()
def finish_execution(shared, worker, wrote_new_location):
    """The worker's incarnation is executed and its writes are visible. Its own validation may become the next task."""
    txn_idx = worker.txn_idx
    set_executed_status(shared, worker)
    worker.task = TASK_NONE
    reached = atomics.load_seq_cst(shared, "validation_idx")
    if reached == U(txn_idx):
        # The sweep's next one: the worker takes it along.
        reached = atomics.compare_and_swap(shared, "validation_idx", reached, reached + U1)
        if reached == U(txn_idx):
            if atomics.load(shared, "execution_idx") >= U(shared.block_size):
                # Others may have nothing to do but what comes behind.
                atomics.add(shared, "decrease_cnt", U1)
            worker.task = TASK_NONE if worker.reads_final != U0 else TASK_VALIDATE
            return
    if reached > U(txn_idx):
        if worker.reads_final != U0:
            if wrote_new_location:
                decrease_validation_idx(shared, txn_idx + 1)
        elif wrote_new_location:
            decrease_validation_idx(shared, txn_idx)
        else:
            worker.task = TASK_VALIDATE


@kernel()
def try_validation_abort(shared, worker):
    """After a failed validation: True for the one worker that may abort this incarnation."""
    return _swap_status(shared, worker.txn_idx, worker.incarnation, EXECUTED, ABORTING)


@kernel()
def finish_validation(shared, worker, aborted):
    """The worker's validation is over. After an abort the next incarnation may become its task."""
    txn_idx = worker.txn_idx
    worker.task = TASK_NONE
    if aborted:
        set_ready_status(shared, txn_idx)
        decrease_validation_idx(shared, txn_idx + 1)
        if atomics.load_seq_cst(shared, "execution_idx") > U(txn_idx):
            try_incarnate(shared, worker, txn_idx)
