"""Expected writers: who reads where readers have been told before will write there, it is thought, and others wait.

Who is told of a write has read before it what it should have read behind it. On a counter, a pool or a nonce that goes
on for the whole block: each reader writes, and tells all that have read since. There a version is made for the reader
as soon as it reads, an ESTIMATE without a word. Those above that read later stand at it until it is written, instead of
reading what is about to change, and keep their machines meanwhile; those that have read are told at once. Only what
comes behind the read is done one after the other. Who has not written in the end leaves its version ABSENT, and those
that stand at it go on.

Where that is so the block itself has shown (`contended_locations`); it needs no hints. (That a transaction's writes be
known ahead is what Bohm and PWV ask for: Faleiro and Abadi, VLDB 2015; Faleiro, Abadi and Hellerstein, VLDB 2017.)

Why somebody always goes on: a worker stands only for a transaction that another one executes, which stands, if it does,
for a still lower one. Where the writer is not executed by anybody, having been aborted, who would read it is given up
and put on its list.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import ZERO
from contend.evm.vm.access_table import entry_at, is_write
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.layout import ABSENT, ESTIMATE, TAG_SHIFT
from contend.strategies.block_stm.mv_memory import NO_VERSION, allocate, place
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.invalidation import (
    marks_of,
    see_to_aborted,
    tell,
    tell_below,
)
from contend.strategies.optimistic.block_stm_v2.layout import EXPECTED_WRITE, READ_VERSION, STM_V2
from contend.strategies.optimistic.block_stm_v2.readers import readers_of

COST_PUBLISH_WRITE = cost_table.PUBLISH_WRITE
_EXPECTED_WORDS = EXPECTED_WRITE.words


@kernel()
def _note_expected(shared, worker, location, version):
    """Note a version, to look behind whether it has been written. False when the arena is full."""
    address = allocate(shared, worker, _EXPECTED_WORDS)
    if address == 0:
        return False
    marks = marks_of(shared, worker.txn_idx)
    made = EXPECTED_WRITE.at(address)
    made.location = location
    made.version = version
    made.previous = marks.expected
    marks.expected = address
    return True


@kernel()
def expect_write(shared, worker, location):
    """Have a version of the worker's transaction stand at a location, for which others wait. False without room.

    Those above that have read below it are told at once: who reads later finds it.
    """
    tag = (worker.incarnation << TAG_SHIFT) | ESTIMATE
    version, stood = place(shared, worker, location, worker.txn_idx, tag, ZERO, U0)
    if version == NO_VERSION:
        return False
    if stood:
        was = atomics.load(READ_VERSION.at(version), "tag")
        if was & ESTIMATE != U0:
            return True
        # An earlier incarnation did not write here, and those may have come past.
        check(was & ABSENT != U0)
        atomics.exchange(READ_VERSION.at(version), "tag", tag)
        tell(shared, worker, readers_of(version), location)
    spend(shared, worker, COST_PUBLISH_WRITE, 1)
    tell_below(shared, worker, location, version)
    see_to_aborted(shared, worker, False)
    return _note_expected(shared, worker, location, version)


@kernel()
def expect_again(shared, worker):
    """Have versions stand for what the worker's incarnation has written, which is stale. False without room."""
    if STM_V2.at(shared.own).expects_writers == U0:
        return True
    machine = open_machine(worker.machine)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry) and entry.location != shared.coinbase:
            if not expect_write(shared, worker, entry.location):
                return False
    return True


@kernel()
def count_expected(shared, worker):
    """Count the writes of the worker's incarnation, which has run to its end, for which a version was made ahead."""
    first = marks_of(shared, worker.txn_idx).expected
    if first == 0:
        return 0
    machine = open_machine(worker.machine)
    count = 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if is_write(entry):
            expected = first
            while expected != 0:
                one = EXPECTED_WRITE.at(expected)
                count += I(one.location == entry.location)
                expected = one.previous
    return count
