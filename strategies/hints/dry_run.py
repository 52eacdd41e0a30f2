"""Hints from a dry run: every transaction is executed as if it were the first of the block.

Nonce and funds are not checked, since an earlier transaction may have provided both. So a hint is right unless an
earlier transaction of the block changes which locations a later one touches (Calvin's reconnaissance queries: Thomson
et al., "Calvin: fast distributed transactions for partitioned database systems", SIGMOD 2012, section 3.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contend.evm import State, layout
from contend.evm.block_image import BlockImage
from contend.evm.code import cost_model as evm_costs
from contend.evm.drivers.access_sets import list_accesses
from contend.evm.runtime.integers import U1, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.evm.state import intern_location
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.transaction import open_machine, start_transaction
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import next_hinted, open_hint
from contend.strategies.block_stm.incarnation import RAN_INTO_FAULT, RAN_TO_END, RAN_TO_NEED, run_machine, state_value
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, Clock, cost_table
from contend.strategies.given import HintSource, Knowledge

PHASE_NEXT, PHASE_READ = 0, 1
COST_TASK, COST_HINT_LOCATION = cost_table.TASK, cost_table.HINT_LOCATION


@kernel()
def _record_accesses(shared, worker, machine):
    """Append the locations of the transaction that has ended to the worker's list, writes marked."""
    start = worker.hint_count
    count = list_accesses(machine, view_i64(worker.hint_list, worker.hint_room), start)
    if count < 0:
        note_fault(shared)
        return FAILED
    hint = open_hint(shared, worker, worker.txn_idx)
    hint.count = count - start
    hint.gas = machine.gas_used
    worker.hint_count = count
    spend(shared, worker, COST_HINT_LOCATION, count - start)
    return WORKED


@kernel()
def _resume_dry(shared, worker, machine):
    stopped = run_machine(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return FAILED
    worker.phase = PHASE_READ if stopped == RAN_TO_NEED else PHASE_NEXT
    return _record_accesses(shared, worker, machine) if stopped == RAN_TO_END else WORKED


@kernel()
def begin_dry_run(shared, worker, txn_idx):
    """Start the dry run of a transaction, and run it to its first need. `WORKED` or `FAILED`."""
    machine = open_machine(worker.machine)
    worker.txn_idx = txn_idx
    worker.dry_runs += U1
    spend(shared, worker, COST_TASK, 1)
    start_transaction(machine, txn_idx)
    return _resume_dry(shared, worker, machine)


@kernel()
def answer_from_state(shared, worker):
    """Answer the need of the worker's dry run from the state, and run on. `WORKED` or `FAILED`."""
    machine = open_machine(worker.machine)
    location = intern_location(shared.state, machine.pending_location)
    if location < 0 or not supply_word(machine, location, state_value(shared, location).value):
        note_fault(shared)
        return FAILED
    spend(shared, worker, evm_costs.STATE_READ, 1)
    return _resume_dry(shared, worker, machine)


@kernel()
def _run_dry(shared, worker):
    if worker.phase != PHASE_NEXT:
        return answer_from_state(shared, worker)
    if has_fault(shared):
        return FAILED
    txn_idx = next_hinted(shared)
    if txn_idx >= shared.block_size:
        return FINISHED
    return begin_dry_run(shared, worker, txn_idx)


@native("int64(int64, int64)")
def dry_run_step(shared_address, worker_address):
    """Take a transaction for a dry run, or answer one of its reads from the state, and run on."""
    worker = WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _run_dry(SHARED.at(shared_address), worker))


@contextmanager
def dry_machines(space: Any) -> Iterator[None]:
    """The machines of a workspace check neither nonces nor funds meanwhile."""
    for machine in space.machines:
        machine.header["mode"] = layout.MODE_HINT
    try:
        yield
    finally:
        for machine in space.machines:
            machine.header["mode"] = layout.MODE_NORMAL
    space.workers["phase"] = PHASE_NEXT


class DryRun(HintSource):
    """Executes every transaction on the state before the block."""

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table; see `HintSource.fill`."""
        with dry_machines(space):
            space.run_hint_step(dry_run_step, clock)
        self._dry_runs = int(space.workers["dry_runs"].sum())

    def counters(self) -> dict[str, int]:
        """How many transactions were executed in vain."""
        return {"dry_runs": self._dry_runs}
