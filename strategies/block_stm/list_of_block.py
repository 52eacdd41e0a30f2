"""Access lists (EIP-7928) of what incarnations logged: built by all workers, when the block has been executed.

Every worker takes parts of a stage until none is left: chunks of transactions whose accesses are counted, then put,
into ranges of the list; ranges, which are sorted and encoded; accounts, which are written. Stages follow each other, so
that within one nobody reads what another worker is writing, and the only word that they share is the number of the
next part. What is left for one worker alone between them grows with the ranges and the accounts.
"""

from __future__ import annotations

from contend.evm import State
from contend.evm.access_list.building.joining import ACCOUNTS_PER_PART, write_accounts
from contend.evm.access_list.building.layout import BUILD
from contend.evm.access_list.building.pieces import encode_bucket
from contend.evm.access_list.building.record_order import count_chunk, place_buckets, place_chunk, sort_bucket
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, Clock, cost_table

COST_ACCESS, COST_SORT, COST_BYTE = cost_table.LIST_ACCESS, cost_table.LIST_SORT, cost_table.LIST_BYTE


STAGE_COUNT, STAGE_PLACE, STAGE_ENCODE, STAGE_WRITE = range(4)


@kernel()
def _next_part(build):
    """Take a part of the stage in hand."""
    return I(atomics.add(build, "next", U1))


@kernel()
def _encode(shared, worker, build, bucket):
    """Sort a range and encode its pieces."""
    starts = view_i64(build.bucket_starts, build.bucket_count + 1)
    records = starts[U(bucket + 1)] - starts[U(bucket)]
    spend(shared, worker, COST_SORT, records * sort_bucket(build, bucket))
    spend(shared, worker, COST_BYTE, encode_bucket(build, bucket))


@native("int64(int64, int64)")
def list_step(shared_address, worker_address):
    """One part of the stage in hand."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    build, stage = BUILD.at(shared.list_build), shared.list_stage
    part = _next_part(build)
    if part >= shared.list_parts:
        return FINISHED
    worker.activity = U(ACT_COMMIT)
    if stage == STAGE_COUNT:
        spend(shared, worker, COST_ACCESS, count_chunk(build, part))
    elif stage == STAGE_PLACE:
        spend(shared, worker, COST_ACCESS, place_chunk(build, part))
    elif stage == STAGE_ENCODE:
        _encode(shared, worker, build, part)
    else:
        spend(shared, worker, COST_BYTE, write_accounts(build, part * ACCOUNTS_PER_PART))
    return end_step(worker, WORKED)


def build_access_list(space: Workspace, state: State, coinbase: bytes, balance: int, clock: Clock) -> tuple[int, int]:
    """Build the list of a block that was executed with a log, by all workers of its workspace.

    Parameters
    ----------
    space : Workspace
        Its ``lists`` has the list afterwards.
    state : State
    coinbase : bytes
        The beneficiary.
    balance : int
        Of the beneficiary before the block.
    clock : Clock

    Returns
    -------
    tuple of int
        Records that one worker alone compared, and how many it joined.

    Raises
    ------
    CapacityError
        If there are more records than there is room for.
    """
    builder = space.lists
    assert builder is not None
    builder.reset(state, coinbase, balance, space.receipts.address)
    space.shared["list_build"] = builder.address
    compared = builder.begin()
    _run(space, clock, STAGE_COUNT, builder.chunks)
    place_buckets(BUILD.ref(builder.address))
    _run(space, clock, STAGE_PLACE, builder.chunks)
    _run(space, clock, STAGE_ENCODE, int(builder.header["bucket_count"]))
    builder.make_room()
    _run(space, clock, STAGE_WRITE, -(-int(builder.header["account_count"]) // ACCOUNTS_PER_PART))
    return compared, int(builder.header["account_count"]) + len(builder.log.rows) * 2


def _run(space: Workspace, clock: Clock, stage: int, parts: int) -> None:
    assert space.lists is not None
    space.lists.header["next"] = 0
    space.shared["list_stage"], space.shared["list_parts"] = stage, parts
    space.run(list_step, clock, ())
