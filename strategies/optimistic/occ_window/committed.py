"""Committed versions: for every location the word that the last committed transaction left there.

Versions are committed one transaction after the other, so that one word a location is enough: its head, which leads
to the newest version or belongs to another block. Who reads a location reads a word that was committed, and no other.

Memory order. A version is written by the worker that executed its transaction, before the status that says so
(released); who has the turn reads the status (acquired) and stores the head (released); a reader loads the head
(acquired). So whoever finds a version finds its word. Only the worker that has the turn stores heads.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import list_address, state_value
from contend.strategies.block_stm.layout import HEAD_SHIFT, LIST_MASK, LIST_SHIFT
from contend.strategies.block_stm.mv_memory import head_of, led_to, row_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.occ_window.layout import COMMITTED, SEEN

COST_TURN_READ, COST_TURN_WRITE = cost_table.TURN_READ, cost_table.TURN_WRITE
FRESH = -1  # no read is stale
_COMMITTED_WORDS = COMMITTED.words


@kernel()
def word_behind(shared, location, head):
    """Word of the version that a location's head leads to; that of the state before the block if it leads to none."""
    address = led_to(shared, head)
    return COMMITTED.at(address).word if address != 0 else state_value(shared, location).value


@kernel(inline=True)
def head_to(shared, packed, number):
    """The head that leads to one of the versions of a packed write set."""
    return (shared.epoch << HEAD_SHIFT) | ((packed >> LIST_SHIFT) + U(number * _COMMITTED_WORDS))


@kernel()
def first_stale_read(shared, worker, packed, compares_values):
    """Walk a packed read set: the first location that would now be read otherwise, or `FRESH`."""
    reads, count = list_address(shared, packed), I(packed & LIST_MASK)
    spend(shared, worker, COST_TURN_READ, count)
    for i in range(count):
        seen = SEEN.item(reads, count, i)
        location, then, now = seen.location, seen.head, head_of(shared, seen.location)
        if now == then:
            continue
        if not compares_values or not equal(word_behind(shared, location, then), word_behind(shared, location, now)):
            return location
    return I(FRESH)


@kernel()
def publish(shared, worker, packed):
    """Make the versions of a packed write set those of their locations. Only who has the turn may."""
    writes, count = list_address(shared, packed), I(packed & LIST_MASK)
    spend(shared, worker, COST_TURN_WRITE, count)
    for i in range(count):
        location = COMMITTED.item(writes, count, i).location
        atomics.store(row_of(shared, location), "head", head_to(shared, packed, i))
