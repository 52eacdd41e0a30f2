"""Worker of the state root: tasks of one stage after the other.

Storage roots are part of accounts, so tries have an order: accounts are found first, then slots are changed, then
storages have roots, then the accounts' trie is rehashed. Within a stage tasks have nothing in common, and any worker
takes the next one; a stage begins when the one before is done.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.node.state_root.changed_accounts import gather_piece
from contend.node.state_root.layout import STAGES, STATE_ROOT, STATE_ROOT_WORKER
from contend.node.state_root.updating import (
    TOPS,
    rehash_accounts,
    root_accounts,
    root_storages,
    update_accounts,
    update_slots,
)
from contend.strategies.clocks import ACT_COMMIT, FINISHED, IDLE

GATHER, UPDATE_ACCOUNTS, UPDATE_SLOTS, ROOT_STORAGES, REHASH_ACCOUNTS, ROOT = range(STAGES)


@kernel()
def _do(tries, worker, stage, task):
    if stage == GATHER:
        gather_piece(tries, worker, task)
    elif stage == UPDATE_ACCOUNTS:
        update_accounts(tries, worker, task)
    elif stage == UPDATE_SLOTS:
        update_slots(tries, worker, task)
    elif stage == ROOT_STORAGES:
        root_storages(tries, worker, task)
    elif stage == REHASH_ACCOUNTS:
        rehash_accounts(tries, worker, task)
    else:
        root_accounts(tries, worker)


@kernel()
def _begin_next(tries, stage):
    """Begin the next stage that has tasks, or end."""
    stage += 1
    if stage == ROOT_STORAGES:
        tries.tasks[stage] = U((I(atomics.load(tries, "changed_count")) + TOPS - 1) // TOPS)
    while stage < STAGES and tries.tasks[stage] == U0:
        stage += 1
    # Nobody takes a task of the new stage before it is told of it.
    atomics.store(tries, "done", U0)
    atomics.store(tries, "taken", U(stage) << U(32))
    atomics.store(tries, "stage", U(stage))


@kernel()
def _step(tries, worker):
    # Stage and number of tasks are one word, so that nobody takes a task of another stage than it has seen.
    taken = atomics.load(tries, "taken")
    stage, task = I(taken >> U(32)), taken & U(0xFFFFFFFF)
    if stage == STAGES:
        return I(FINISHED)
    if task >= tries.tasks[stage]:
        return I(IDLE)
    worker.cost_ps = U1
    if atomics.compare_and_swap(tries, "taken", taken, taken + U1) == taken:
        _do(tries, worker, stage, I(task))
        if atomics.add(tries, "done", U1) + U1 == tries.tasks[stage]:
            _begin_next(tries, stage)
    return I(worker.cost_ps)


@native("int64(int64, int64)")
def state_root_step(shared_address, worker_address):
    """Do one task."""
    worker = STATE_ROOT_WORKER.at(worker_address)
    worker.activity = U(ACT_COMMIT)
    return _step(STATE_ROOT.at(shared_address), worker)
