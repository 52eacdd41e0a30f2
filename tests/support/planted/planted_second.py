"""Planted bugs of Block-STM's second version: what each replaced function does wrongly.

Each takes the place of a function of the strategy in a copy of it, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.layout import EXECUTED
from contend.strategies.block_stm.scheduler import pack_status, transaction_of
from contend.strategies.optimistic.block_stm_v2.invalidation import FRESH
from contend.strategies.optimistic.block_stm_v2.layout import WHO_BITS, WHO_MASK


def enter_nobody(shared, worker, readers, who):
    """Readers are on no list, so that nobody is told of anything."""
    return True


def lose_what_executed_ones_are_told(shared, worker, who, location):
    """Who has executed already is not told that it is stale."""
    txn_idx, incarnation = I(who >> WHO_BITS), who & WHO_MASK
    if atomics.load(transaction_of(shared, txn_idx), "txn_status") == pack_status(incarnation, EXECUTED):
        return False
    return original(shared, worker, who, location)


def look_for_no_mark(shared, txn_idx, incarnation):
    """What an incarnation was told while it executed is forgotten."""
    return I(FRESH)


def tell_nobody_below(shared, worker, location, version):
    """Those are not told that have read before a version was made for who is expected to write."""


def need_no_turn(shared, worker):
    """The beneficiary's balance is read with the fees of those that have executed by chance."""
    original(shared, worker)
    return True
