"""The worker of Block-STM's second version: execute, tell readers, announce, and never validate.

Aptos' `scheduler_v2` (aptos-core, pull requests 16734, 17019 and 17030) keeps Block-STM's multi-version memory and
replaces its sweeps of validations: a write pushes invalidations to those that have read what it changes, an aborted
transaction is not executed before the one that made it stale has ended, and transactions are committed in order. So
does this strategy, by `readers`, `invalidation` and `commit_point`. What is its own: a stale incarnation ends at its
next read, and readers stand where they are expected to be told otherwise (`expected_writers`).

A worker is a state machine of Block-STM's four phases (`block_stm.worker`), which also says when a step pays for what
others see. What is told is seen when words are, and is paid for before the announcement.
"""

from __future__ import annotations

from contend.evm.layout import PHASE_BEGIN
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.state import intern_location
from contend.evm.u256 import add
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import count_abort, has_fault, note_fault
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    COST_READ,
    COST_READ_AHEAD,
    FAULTED,
    NOBODY,
    RAN_INTO_FAULT,
    RAN_TO_END,
    begin,
    count_writes,
    fees_below,
    fees_seen_of,
    run_machine,
)
from contend.strategies.block_stm.layout import (
    ESTIMATE,
    EXECUTING,
    SHARED,
    STATUS_MASK,
    TASK_EXECUTE,
    TASK_NONE,
    WORKER,
)
from contend.strategies.block_stm.mv_memory import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    NO_VERSION,
    link_below,
    read,
    writer_of,
)
from contend.strategies.block_stm.scheduler import (
    add_dependency,
    is_executed,
    pack_status,
    set_executed_status,
    transaction_of,
    try_incarnate,
    txn_status,
)
from contend.strategies.block_stm.settled_words import settled_word, settler_of
from contend.strategies.block_stm.waiters.at_read import stand
from contend.strategies.block_stm.worker import PHASE_ANNOUNCE, PHASE_FINISH, PHASE_READ, PHASE_TASK
from contend.strategies.clocks import (
    ACT_EXECUTE,
    ACT_SCHEDULE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WORKED,
    cost_table,
)
from contend.strategies.optimistic.block_stm_v2.commit_point import committed, has_its_turn, move_commit_point
from contend.strategies.optimistic.block_stm_v2.contended_locations import is_contended
from contend.strategies.optimistic.block_stm_v2.expected_writers import (
    count_expected,
    expect_again,
    expect_write,
)
from contend.strategies.optimistic.block_stm_v2.invalidation import FRESH, see_to_aborted, stale_read_of, try_to_abort
from contend.strategies.optimistic.block_stm_v2.layout import READ_VERSION, STM_V2, STM_V2_WORKER
from contend.strategies.optimistic.block_stm_v2.published_writes import has_begun_before, publish_writes
from contend.strategies.optimistic.block_stm_v2.readers import FULL, read_and_enter
from contend.strategies.optimistic.occ_window.pending_results import keep_receipt

COST_TASK, COST_WAIT, COST_SWITCH, COST_FEE = cost_table.TASK, cost_table.WAIT, cost_table.SWITCH, cost_table.FEE
COST_PUBLISH_WRITE, COST_FILL = cost_table.PUBLISH_WRITE, cost_table.FILL


@kernel(inline=True)
def _note_progress(shared):
    """Let those look again that stand at a read, if there can be any."""
    if shared.workers > 1:
        atomics.add(STM_V2.at(shared.own), "progress", U1)


@kernel(inline=True)
def _stale_read(shared, worker):
    """Where the worker's incarnation was found stale, or `FRESH`; nobody tells one that has read what is final."""
    if worker.reads_final != U0:
        return I(FRESH)
    return stale_read_of(shared, worker.txn_idx, worker.incarnation)


@kernel(inline=True)
def _run_on(shared, worker):
    """The private work behind an answered read; sets the phase that follows. `WORKED` or `FAILED`."""
    stopped = run_machine(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return FAILED
    if stopped != RAN_TO_END:
        worker.phase = PHASE_READ
        return WORKED
    worker.phase = PHASE_FINISH
    worker.write_count, settling = count_writes(shared, worker)
    filled = settling
    if has_begun_before(worker):
        filled += count_expected(shared, worker)
    spend(shared, worker, COST_FILL, filled)
    spend(shared, worker, COST_PUBLISH_WRITE, worker.write_count - filled)
    return WORKED


@kernel()
def _execute(shared, worker):
    """Start the incarnation that is the worker's task and run it to its first need."""
    worker.executions += U1
    worker.activity = U(ACT_EXECUTE)
    begin(shared, worker)
    if committed(shared) == worker.txn_idx:
        worker.reads_final = U1
        worker.settles = shared.settles
    return _run_on(shared, worker)


@kernel()
def _look_up(shared, worker, location):
    """What the worker's transaction reads at a location: as `readers.read_and_enter`."""
    if worker.reads_final != U0:
        found, version, tag, word = read(shared, location, worker.txn_idx)
        if found == FOUND_STATE:
            tag, word = settled_word(shared, location)
        return I(found), version, tag, word
    if is_contended(shared, location) and not expect_write(shared, worker, location):
        return I(FULL), I(NO_VERSION), U0, (U0, U0, U0, U0)
    found, version, tag, word = read_and_enter(shared, worker, location)
    return I(found), version, tag, word


@kernel()
def _answer(shared, worker):
    """Give the machine the word that it needs: `ANSWERED`, `FAULTED`, or `BLOCKED` and by whom."""
    machine, txn_idx = open_machine(worker.machine), worker.txn_idx
    spend(shared, worker, COST_READ_AHEAD if machine.phase == PHASE_BEGIN else COST_READ, 1)
    location = I(intern_location(shared.state, machine.pending_location))
    if location < 0:
        note_fault(shared)
        return FAULTED, NOBODY
    worker.met_version = NO_VERSION
    found, version, tag, word = _look_up(shared, worker, location)
    if found == FULL:
        return FAULTED, NOBODY
    if found == FOUND_ESTIMATE:
        worker.met_version = version
        return BLOCKED, (settler_of(tag) if version == NO_VERSION else writer_of(version))
    if location == shared.coinbase:
        if not has_its_turn(shared, worker):
            # By now it may have it: then the one below has executed.
            return BLOCKED, min(committed(shared), txn_idx - 1)
        spend(shared, worker, COST_FEE, txn_idx)
        _, fees = fees_below(shared, txn_idx, True)
        word = add(word, fees)
        fees_seen_of(shared, txn_idx).fees = fees
    if not supply_word(machine, location, word):
        note_fault(shared)
        return FAULTED, NOBODY
    return ANSWERED, NOBODY


@kernel()
def _wait_for(shared, worker, blocking):
    """Leave the worker's transaction until another one has executed."""
    worker.phase = PHASE_TASK
    worker.activity = U(ACT_WAIT)
    spend(shared, worker, COST_WAIT, 1)
    add_dependency(shared, worker, blocking)
    _note_progress(shared)
    return WORKED


@kernel()
def _begin_again(shared, worker, location):
    """End the worker's incarnation, which is stale at a location, and begin the next; or wait for who writes there.

    A writer that is executed by somebody is met again at the read. One that waits itself would only be met in vain.
    """
    count_abort(shared, worker, location, worker.gas_spent)
    if not expect_again(shared, worker):
        return FAILED
    _, _, version = link_below(shared, location, worker.txn_idx)
    if version != NO_VERSION:
        status = txn_status(shared, writer_of(version))
        if not is_executed(status) and status & STATUS_MASK != U(EXECUTING):
            return _wait_for(shared, worker, writer_of(version))
    worker.incarnation += U1
    line = transaction_of(shared, worker.txn_idx)
    atomics.store(line, "txn_status", pack_status(worker.incarnation, EXECUTING))
    return _execute(shared, worker)


@kernel()
def _may_go_on(shared, worker, writer):
    """Whether the worker, which stands at a read for a transaction, need not stand any longer."""
    if is_executed(txn_status(shared, writer)):
        return True
    version = worker.met_version
    return version != NO_VERSION and atomics.load(READ_VERSION.at(version), "tag") & ESTIMATE == U0


@kernel()
def _leave_stand(shared, worker):
    """The worker does not stand at its read any longer, if it did."""
    own = STM_V2_WORKER.at(worker.own)
    if own.waits_for != 0:
        own.waits_for = I(0)
        atomics.subtract(STM_V2.at(shared.own), "standing", U1)


@kernel()
def _stand_or_leave(shared, worker, blocking):
    """A read has met a transaction that must come first: stand there; or be given up and wait, as the last worker."""
    status = txn_status(shared, blocking)
    if is_executed(status):
        # It has just executed: the machine stands where it was, and reads again.
        worker.waits += U1
        return WORKED
    if I(atomics.add(STM_V2.at(shared.own), "standing", U1)) < shared.workers - 1:
        stand(worker, STM_V2_WORKER.at(worker.own), blocking)
        return WORKED
    atomics.subtract(STM_V2.at(shared.own), "standing", U1)
    worker.wait_restarts += U1
    worker.wasted_gas += worker.gas_spent
    return _wait_for(shared, worker, blocking)


@kernel()
def _read(shared, worker):
    own = STM_V2_WORKER.at(worker.own)
    while True:
        stale = _stale_read(shared, worker)
        if stale != FRESH:
            _leave_stand(shared, worker)
            return _begin_again(shared, worker, stale)
        if own.waits_for != 0:
            if has_fault(shared):
                return FAILED
            if not _may_go_on(shared, worker, own.waits_for - 1):
                return IDLE
            _leave_stand(shared, worker)
            worker.activity = U(ACT_EXECUTE)
            spend(shared, worker, COST_SWITCH, 1)
        answered, blocking = _answer(shared, worker)
        if answered == FAULTED:
            return FAILED
        if answered == BLOCKED:
            return _stand_or_leave(shared, worker, blocking)
        result = _run_on(shared, worker)
        if worker.runs_on == U0 or result != WORKED or worker.phase != PHASE_READ:
            return result


@kernel()
def _finish(shared, worker):
    stale = _stale_read(shared, worker)
    if stale != FRESH:
        return _begin_again(shared, worker, stale)
    if not publish_writes(shared, worker) or not keep_receipt(shared, worker):
        note_fault(shared)
        return FAILED
    worker.phase = PHASE_ANNOUNCE
    _note_progress(shared)
    return WORKED


@kernel()
def _announce(shared, worker):
    """The worker's incarnation has executed, unless it was told otherwise in time; then its next one is the task."""
    txn_idx, incarnation = worker.txn_idx, worker.incarnation
    worker.phase = PHASE_TASK
    set_executed_status(shared, worker)
    worker.task = TASK_NONE
    stale = _stale_read(shared, worker)
    if stale == FRESH:
        move_commit_point(shared, worker)
    elif try_to_abort(shared, worker, txn_idx, incarnation, stale):
        see_to_aborted(shared, worker, False)
        try_incarnate(shared, worker, txn_idx)
    _note_progress(shared)
    return WORKED


@kernel()
def _next_task(shared, worker):
    """Take the next transaction of the sweep of executions, or see to the commit point."""
    worker.activity = U(ACT_SCHEDULE)
    if atomics.load(shared, "execution_idx") >= U(shared.block_size):
        if move_commit_point(shared, worker):
            _note_progress(shared)
            return WORKED
        return FINISHED if committed(shared) >= shared.block_size else IDLE
    spend(shared, worker, COST_TASK, 1)
    txn_idx = I(atomics.add(shared, "execution_idx", U1))
    if txn_idx >= shared.block_size or not try_incarnate(shared, worker, txn_idx):
        return WORKED
    return _execute(shared, worker)


@kernel()
def _work(shared, worker):
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if phase == PHASE_ANNOUNCE:
        return _announce(shared, worker)
    if has_fault(shared):
        return FAILED
    return _execute(shared, worker) if worker.task == TASK_EXECUTE else _next_task(shared, worker)


@native("int64(int64, int64)")
def telling_step(shared_address, worker_address):
    """Answer one read, publish one result, announce one, or take the next; or, without turns, all of it."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    result = _work(shared, worker)
    while result == WORKED and worker.runs_on != U0:
        result = _work(shared, worker)
    return end_step(worker, result)
