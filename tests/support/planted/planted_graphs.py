"""Planted bugs of the strategies over dependency graphs: what each replaced function does wrongly.

Each takes the place of a function of the strategies in a copy of them, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.layout import STATUS_BITS, TASK_VALIDATE
from contend.strategies.block_stm.scheduler import (
    FOUND,
    NOTHING,
    PASSED,
    be_active,
    check_done,
    is_executed,
    transaction_of,
)
from contend.strategies.block_stm.waiters.waiter_list import CLOSED, WAITER_LINK, WAITER_LIST
from contend.strategies.dependency.linking import _link_of, _waiters_of, node_of


def validate_ahead_of_execution(shared, worker, header):
    """The sweep of validations passes transactions that have not been executed, and none of them looks for it."""
    if I(atomics.load(shared, "validation_idx")) >= shared.block_size:
        original(shared, worker, header)
        check_done(shared)
        return NOTHING
    be_active(shared, worker)
    txn_idx = I(atomics.add(shared, "validation_idx", U1))
    if txn_idx < shared.block_size:
        status = atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status")
        if is_executed(status):
            worker.task = TASK_VALIDATE
            worker.txn_idx = txn_idx
            worker.incarnation = status >> STATUS_BITS
            return FOUND
    return PASSED


def wait_for_what_has_finished(shared, graph, predecessor, place):
    """Who is linked behind a transaction that has finished waits for it all the same."""
    finished = atomics.load(node_of(graph, shared, predecessor), "waiters") == CLOSED
    return True if finished else original(shared, graph, predecessor, place)


def link_by_a_plain_store(shared, graph, predecessor, place):
    """Who is linked behind a transaction that finishes at the same moment waits for ever."""
    head, own = WAITER_LIST.at(_waiters_of(shared, graph, predecessor)), WAITER_LINK.at(_link_of(shared, graph, place))
    first = atomics.load(head, "first")
    if first == CLOSED:
        return False
    own.next = first
    atomics.store(head, "first", place + U1)
    return True


def note_no_stray(graph, txn_idx):
    """A write that nobody expected leaves those above unvalidated."""
