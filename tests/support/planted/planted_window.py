"""Planted bugs of the strategy that commits in a window: what each replaced function does wrongly.

Each takes the place of a function of the strategy in a copy of it, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.layout import KIND_GENERATION, STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.state import kind_of
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.incarnation import ANSWERED
from contend.strategies.optimistic.occ_window.committed import FRESH
from contend.strategies.optimistic.occ_window.layout import SEEN, WINDOW, WINDOW_WORKER
from contend.strategies.optimistic.occ_window.worker import may_commit


def find_every_read_fresh(shared, worker, packed, compares_values):
    """Whatever a transaction has read is taken for what is committed at its turn."""
    original(shared, worker, packed, compares_values)
    return I(FRESH)


def need_no_turn(shared, worker, location):
    """The beneficiary's balance is read with the fees that are committed by chance."""
    return False


def note_no_generation(shared, worker):
    """The storage generation that a transaction saw is no part of its read set.

    That its code was gone and is back again is no reason either, where words are compared.
    """
    answered = original(shared, worker)
    count = worker.read_count
    if answered == ANSWERED and count > 0:
        location = SEEN.item(worker.reads, worker.reads_room, count - 1).location
        if kind_of(STATE.at(shared.state), location) == KIND_GENERATION:
            worker.read_count = count - 1
    return answered


def publish_all_but_the_last(shared, worker, packed):
    """One of the versions that a transaction prepared is never found."""
    original(shared, worker, packed if packed & U(3) == U0 else packed - U1)


def give_up_without_counting(shared, worker):
    """An execution that is given up for the transaction's turn is not counted."""
    worker.wasted_gas += worker.gas_spent


def take_turn_by_a_plain_store(shared, worker):
    """Two workers that find the turn free at the same moment both have it."""
    window = WINDOW.at(shared.own)
    if not may_commit(shared, I(atomics.load(window, "committed"))) or atomics.load(window, "turn") != U0:
        return False
    atomics.store(window, "turn", U1)
    WINDOW_WORKER.at(worker.own).has_turn = U1
    return True


def move_commit_point_before_publishing(shared, worker):
    """The commit point moves before the words are there: who executes at it reads those from before."""
    atomics.store(WINDOW.at(shared.own), "committed", U(worker.txn_idx + 1))
    original(shared, worker)
    return I(1)
