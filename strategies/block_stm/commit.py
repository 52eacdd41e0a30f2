"""Commit: the final words of what a block has written go to the state (MVMemory.snapshot, arXiv 2203.06871).

Looked at are the locations that workers noted when they made their first version, and no others, so that commit costs
what the block wrote, however large the state. Workers take the chunks of these notes one by one from the list that
they form. Since nobody adds to it meanwhile, a compare-and-swap of its head is enough: a chunk never comes back, so
what the head of the list is followed by has not changed while the head has not.
"""

from __future__ import annotations

from contend.evm.receipts import RECEIPT
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.u256 import add
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.incarnation import state_value
from contend.strategies.block_stm.layout import ABORT, SHARED, VERSION, WORKER, WRITTEN, WRITTEN_LOCATIONS
from contend.strategies.block_stm.mv_memory import NO_VERSION, final_version
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, cost_table

COMMIT_LOCATION = cost_table.COMMIT_LOCATION


@kernel()
def _take_chunk(shared):
    """Address of a chunk of written locations that nobody else commits, or 0."""
    head = atomics.load(shared, "written")
    while head != U0:
        found = atomics.compare_and_swap(shared, "written", head, WRITTEN.at(I(head)).previous)
        if found == head:
            break
        head = found
    return I(head)


@kernel()
def commit_locations(shared, locations, count):
    """Write the final words of so many locations to the state."""
    for i in range(count):
        location = I(locations[U(i)])
        version = final_version(shared, location)
        if version != NO_VERSION:
            state_value(shared, location).value = VERSION.at(version).word


@native("int64(int64, int64)")
def commit_step(shared_address, worker_address):
    """Commit one chunk of the written locations."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    chunk = _take_chunk(shared)
    if chunk == 0:
        return FINISHED
    written = WRITTEN.at(chunk)
    check(written.count <= WRITTEN_LOCATIONS)
    commit_locations(shared, written.locations, written.count)
    worker.activity = U(ACT_COMMIT)
    spend(shared, worker, COMMIT_LOCATION, written.count)
    return end_step(worker, WORKED)


@kernel()
def count_written(chunk):
    """Locations in a chunk and all before it."""
    total = 0
    while chunk != 0:
        total += WRITTEN.at(chunk).count
        chunk = I(WRITTEN.at(chunk).previous)
    return total


@kernel()
def list_written(chunk, found):
    """Fill `found` with the locations in a chunk and all before it."""
    at = 0
    while chunk != 0:
        written = WRITTEN.at(chunk)
        locations = written.locations
        for i in range(written.count):
            found[at] = I(locations[U(i)])
            at += 1
        chunk = I(written.previous)


@kernel()
def sum_fees(receipts, count):
    """Sum of the fees of so many receipts that lie at an address."""
    total = (U0, U0, U0, U0)
    for i in range(count):
        total = add(total, RECEIPT.item(receipts, count, i).fee)
    return total


@kernel()
def count_aborts(note):
    """Count the notes of a worker's aborts."""
    count = 0
    while note != 0:
        count += 1
        note = ABORT.at(note).previous
    return count


@kernel()
def list_aborts(note, found):
    """Fill `found` with the locations of a worker's aborts, as many as were noted, the last one first."""
    for i in range(found.size):
        found[i] = ABORT.at(note).location
        note = ABORT.at(note).previous
