"""Planted bugs of the strategy that commits batches by reservations: what each replaced function does wrongly.

Each takes the place of a function of the strategy in a copy of it, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.worker import begin_paying
from contend.strategies.clocks import FINISHED, IDLE, cost_table
from contend.strategies.optimistic.aria.layout import ARIA, ARIA_WORKER, DECIDE, EXECUTE, PLACE_MASK
from contend.strategies.optimistic.aria.reservations import NO_CONFLICT
from contend.strategies.optimistic.aria.snapshot_batch import members_of, stage_of
from contend.strategies.optimistic.aria.worker import _apply, _decide

COST_KEEP = cost_table.PUBLISH_READ


def find_nothing_read(aria, reads, count, entry):
    """Who has read what a lower one writes is committed behind it."""
    original(aria, reads, count, entry)
    return I(NO_CONFLICT)


def take_invalid_for_done(shared, txn_idx):
    """A transaction whose nonce is too high yet is committed as one that does nothing."""
    return False


def take_member_by_a_plain_store(shared, worker):
    """Two workers that look at the same moment both take the same member."""
    aria = ARIA.at(shared.own)
    ticket = atomics.load(aria, "ticket")
    if aria.ordered >= shared.block_size:
        return FINISHED
    place = I(ticket & PLACE_MASK)
    if place >= aria.count:
        return IDLE
    atomics.store(aria, "ticket", ticket + U1)
    worker.txn_idx = members_of(aria)[U(place)]
    ARIA_WORKER.at(worker.own).place = place
    stage = stage_of(ticket)
    if stage == EXECUTE:
        return begin_paying(shared, worker, COST_KEEP)
    return _decide(shared, worker, aria, place) if stage == DECIDE else _apply(shared, worker, aria, place, stage)


def leave_ticket_open(aria):
    """Who has looked at the ticket before the next batch is laid out takes a member of that one."""
