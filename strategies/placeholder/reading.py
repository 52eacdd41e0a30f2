"""Reading: which word a transaction needs, found with the help of what the hints say about itself.

A transaction meets locations mostly in the order in which its hint names them, so that the next one is a guess that one
comparison of keys confirms, without a look into the table of locations. And where it is expected to write, it has a
placeholder of its own: the version that it must read is the next one below in the same list, however many others there
are. Before execution begins, that list holds all writers of a block, so that a hot location's is long; Block-STM
searches it from its front, where in the order of execution the nearest versions are, and here the farthest.

Both are guesses about where to look and not about what is found: a hint that is wrong, or in another order, costs the
search that it would have spared.
"""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.state import intern_location, key_of, same_key
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    FAULTED,
    NOBODY,
    answer_read,
    list_address,
    state_value,
    supply,
)
from contend.strategies.block_stm.layout import LIST_MASK, WRITE
from contend.strategies.block_stm.mv_memory import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    NO_VERSION,
    read,
    read_below,
    writer_of,
)
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table

COST_READ = cost_table.READ
_LOOKS = 16  # along the expected writes, before the location's versions are searched


@kernel()
def _needed_location(shared, worker, key):
    """Number of the location with this key; negative when the state is full."""
    hint = hint_of(shared, worker.txn_idx)
    if worker.read_count < hint.count:
        guess = location_in(entries_of(hint)[U(worker.read_count)])
        if same_key(key_of(STATE.at(shared.state), guess).key, key):
            return I(guess)
    return I(intern_location(shared.state, key))


@kernel()
def own_placeholder(shared, txn_idx, location):
    """Address of the placeholder that a transaction has at a location, or `NO_VERSION` if it is not soon found."""
    packed = transaction_of(shared, txn_idx).write_set
    expected, count = list_address(shared, packed), I(packed & LIST_MASK)
    for i in range(min(count, _LOOKS)):
        one = WRITE.item(expected, count, i)
        if one.location == location:
            return one.version
    return I(NO_VERSION)


@kernel()
def answer_at_placeholder(shared, worker):
    """Give the machine the word that it needs, or say who will fill it; results as of `incarnation.answer_read`.

    For the fees of those below, in the beneficiary's balance, nobody waits: what is there now is taken.
    """
    location = _needed_location(shared, worker, open_machine(worker.machine).pending_location)
    if location < 0 or location >= shared.heads_count:
        note_fault(shared)
        return FAULTED, NOBODY
    if location == shared.coinbase:
        return answer_read(shared, worker, True)
    spend(shared, worker, COST_READ, 1)
    own = own_placeholder(shared, worker.txn_idx, location)
    found, version, tag, word = read(shared, location, worker.txn_idx) if own == NO_VERSION else read_below(own)
    if found == FOUND_ESTIMATE:
        worker.met_location = location
        worker.met_version = version
        return BLOCKED, writer_of(version)
    if found == FOUND_STATE:
        word = state_value(shared, location).value
    return (ANSWERED if supply(shared, worker, location, version, tag, word) else FAULTED), NOBODY
