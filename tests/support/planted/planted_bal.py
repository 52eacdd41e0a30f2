"""Planted bugs of `bal`: what each replaced function does wrongly; see `planted_block_stm`."""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime.integers import U1, I, U
from contend.evm.state import location_row
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_list.layout import VALUED
from contend.strategies.block_list.listed_changes import location_of_record, what_of_record, word_seen
from contend.strategies.block_stm.layout import LIST_MASK, ORIGIN_SHIFT
from contend.strategies.block_stm.mv_memory import read
from contend.strategies.block_stm.scheduler import transaction_of


def confirm_every_write(own, record, seen, txn_idx, word):
    """A write counts as being what the list says."""
    own.confirmed += U1


def trust_what_was_seen(shared, worker, entry):
    """A read of a word that the list had wrong is entered as one of the version that is there."""
    location = I(entry.origin >> ORIGIN_SHIFT)
    _, version, tag, _ = read(shared, location, worker.txn_idx)
    entry.origin = (U(location) << ORIGIN_SHIFT) | (tag >> U(2))
    entry.version = version


def publish_without_the_last(shared, worker):
    """The last write of a transaction that was executed from a wrong list is forgotten."""
    line = transaction_of(shared, worker.txn_idx)
    if line.write_set & LIST_MASK != U(0):
        line.write_set -= U1
    return original(shared, worker)


def keep_the_first_word(shared, own, record, head):
    """The word after the first change of a location goes to the state."""
    original(shared, own, record, head)
    if what_of_record(head) == VALUED:
        location_row(STATE.at(shared.state), location_of_record(head)).value = word_seen(record, 1)


def note_no_unlisted_read(shared, worker, own, key):
    """A list that leaves out what is read is taken for the right one."""
    before = own.unlisted
    done = original(shared, worker, own, key)
    own.unlisted = before
    return done
