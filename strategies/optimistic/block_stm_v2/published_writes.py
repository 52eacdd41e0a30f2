"""Published writes: an incarnation's words become visible, and whoever has read otherwise is told.

A write changes what somebody has read in one of three ways:

- The transaction had a word there, and it is another one now, or there is none any more: its readers are told.
- It had none, or no version: those above it are told that have come past its version, which was ABSENT, and those that
  have read the version below, or come past that, or read the state if there is none below. Nobody else has read below:
  when that version came, it was told.
- It goes to the state at once, since all below is final (`block_stm.settled_words`): the readers of the state are told.

With `compares_values` nobody is told where the word is the same as what was read. Those that have read the version
below are then entered at the new one as well, since it is what they read now.
"""

from __future__ import annotations

from contend.evm import errors
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal, subtract
from contend.evm.vm.access_table import entry_at, is_write
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import fees_seen_of, list_address, state_value
from contend.strategies.block_stm.layout import (
    ABSENT,
    ESTIMATE,
    LIST_MASK,
    LIST_SHIFT,
    TAG_SHIFT,
    WRITE,
)
from contend.strategies.block_stm.mv_memory import (
    NO_VERSION,
    allocate,
    arena_offset,
    has_versions,
    next_below,
    place,
)
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.settled_words import settle
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.contended_locations import lower_score, raise_score
from contend.strategies.optimistic.block_stm_v2.invalidation import (
    marks_of,
    see_to_aborted,
    take_over,
    tell,
)
from contend.strategies.optimistic.block_stm_v2.layout import EXPECTED_WRITE, READ_VERSION, READERS, STM_V2
from contend.strategies.optimistic.block_stm_v2.readers import readers_of, readers_of_state

COST_ABORT_WRITE = cost_table.ABORT_WRITE
SAME, CHANGED, FIRST = range(3)  # what a write is to those above: nothing; another word; one where there was none


@kernel(inline=True)
def has_begun_before(worker):
    """Whether versions may stand for the worker's transaction that its incarnation does not write."""
    return worker.reads_final == U0 or worker.incarnation != U0


@kernel(inline=True)
def _tag_of(worker):
    return worker.incarnation << TAG_SHIFT


@kernel()
def _write_where_it_stands(shared, worker, version, word):
    """Give the transaction's version, which stands there, a word: `SAME`, `CHANGED` or `FIRST`."""
    own = READ_VERSION.at(version)
    tag = atomics.load(own, "tag")
    if tag & ABSENT == U0 and STM_V2.at(shared.own).compares_values != U0 and equal(own.word, word):
        atomics.store(own, "tag", _tag_of(worker))
        return SAME
    atomics.store(own, "tag", tag | ESTIMATE)
    atomics.release_fence()
    own.word = word
    atomics.exchange(own, "tag", _tag_of(worker))
    return CHANGED if tag & ABSENT == U0 else FIRST


@kernel()
def _is_as_below(shared, location, below, word):
    """Whether a word is that of the version below, or of the state; never where readers have looked further down."""
    if STM_V2.at(shared.own).compares_values == U0:
        return False
    if below == NO_VERSION:
        return equal(state_value(shared, location).value, word)
    version = READ_VERSION.at(below)
    return atomics.load(version, "tag") & ABSENT == U0 and equal(version.word, word)


@kernel()
def _tell_those_above(shared, worker, location, version, word, written):
    """Tell readers of a write to a version. False when the arena is full."""
    if written == SAME:
        return True
    if written == CHANGED:
        tell(shared, worker, readers_of(version), location)
        return True
    below = next_below(version)
    readers = readers_of_state(shared, location) if below == NO_VERSION else readers_of(below)
    if _is_as_below(shared, location, below, word):
        return take_over(shared, worker, readers, location, version)
    tell(shared, worker, readers_of(version), location)
    tell(shared, worker, readers, location)
    return True


@kernel()
def _settle_and_tell(shared, worker, location, word):
    """Write a final word to the state, and tell its readers. False when the arena is full."""
    is_same = _is_as_below(shared, location, I(NO_VERSION), word)
    if not settle(shared, worker, location, word):
        return False
    if shared.workers == 1 or is_same:
        return True
    readers = readers_of_state(shared, location)
    # No look at the list before the word is settled: see `readers`.
    atomics.add(READERS.at(readers), "readers", U0)
    tell(shared, worker, readers, location)
    return True


@kernel()
def _leave_unwritten(shared, worker, location, version):
    """The worker's incarnation has not written where an earlier one did, or it was expected to: make that ABSENT."""
    own = READ_VERSION.at(version)
    tag = atomics.load(own, "tag")
    if tag & ESTIMATE == U0 and tag >> TAG_SHIFT == worker.incarnation:
        return
    spend(shared, worker, COST_ABORT_WRITE, 1)
    atomics.exchange(own, "tag", _tag_of(worker) | ABSENT)
    if tag & ABSENT == U0:
        tell(shared, worker, readers_of(version), location)


@kernel()
def _leave_the_rest(shared, worker):
    """See to versions of the worker's transaction that its incarnation has not written.

    One that took its transaction for invalid, because of a nonce that it read too early, has written nothing: that says
    nothing of the location.
    """
    line, marks = transaction_of(shared, worker.txn_idx), marks_of(shared, worker.txn_idx)
    writes, count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    for i in range(count):
        one = WRITE.item(writes, count, i)
        _leave_unwritten(shared, worker, one.location, one.version)
    expected = marks.expected
    is_valid = open_machine(worker.machine).status != errors.STATUS_INVALID
    while expected != 0:
        one = EXPECTED_WRITE.at(expected)
        if atomics.load(READ_VERSION.at(one.version), "tag") & ESTIMATE != U0:
            if is_valid:
                lower_score(shared, one.location)
        else:
            raise_score(shared, one.location)
        _leave_unwritten(shared, worker, one.location, one.version)
        expected = one.previous
    marks.expected = I(0)


@kernel()
def _publish(shared, worker, location, word):
    """Make one write visible: the version's address, or `NO_VERSION` when the arena is full."""
    version, stood = place(shared, worker, location, worker.txn_idx, _tag_of(worker), word, U0)
    if version == NO_VERSION:
        return version
    written = _write_where_it_stands(shared, worker, version, word) if stood else FIRST
    return version if _tell_those_above(shared, worker, location, version, word, written) else I(NO_VERSION)


@kernel()
def publish_writes(shared, worker):
    """Make the writes of the worker's incarnation, which has run to its end, visible. False when the arena is full."""
    machine, txn_idx = open_machine(worker.machine), worker.txn_idx
    line, count = transaction_of(shared, txn_idx), worker.write_count
    # The old list is gone through at the end, so the new one goes elsewhere.
    address = I(0)
    written = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if not is_write(entry):
            continue
        word, location = entry.current, entry.location
        if location == shared.coinbase:
            word = subtract(word, fees_seen_of(shared, txn_idx).fees)
        if worker.settles != U0 and not has_versions(shared, location):
            if not _settle_and_tell(shared, worker, location, word):
                return False
            continue
        if address == 0:
            address = allocate(shared, worker, count * WRITE.words)
            if address == 0:
                return False
        version = _publish(shared, worker, location, word)
        if version == NO_VERSION:
            return False
        made = WRITE.item(address, count, written)
        made.location = location
        made.version = version
        written += 1
    if has_begun_before(worker):
        _leave_the_rest(shared, worker)
    see_to_aborted(shared, worker, True)
    list_at = U0 if address == 0 else arena_offset(shared, address)
    line.write_set = (list_at << LIST_SHIFT) | U(written)
    return True
