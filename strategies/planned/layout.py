"""Memory layout of planned strategies, beside Block-STM's: what they reach by the field `own` of either header."""

from __future__ import annotations

from contend.evm.runtime.structs import I64, LINE_U64, U64, Struct

PLAN = Struct(
    "Plan",
    speculative_step=I64,  # address of Block-STM's step, which goes on when the plan is through
    size=I64,  # transactions in the plan
    missing=I64,  # the first transaction that is not in it
    lanes=I64,  # transactions lane by lane, as int64
    lane_starts=I64,
    lane_count=I64,
    waits=I64,  # predecessors that have not finished, one word a transaction
    successors=I64,  # as int64
    successor_starts=I64,
    successor_count=I64,
    ready=I64,  # queue of transactions, plus one, whose predecessors have finished
    # Counters, each on a cache line of its own.
    left=LINE_U64,  # planned transactions that have not been executed
    next_lane=LINE_U64,  # next lane without a worker
    ready_head=LINE_U64,
    ready_tail=LINE_U64,
)

PLAN_WORKER = Struct(
    "PlanWorker",
    planning=U64,  # whether the worker still follows the plan
    lane_next=I64,  # next position in the worker's lane, and the lane's end
    lane_end=I64,
    ticket=I64,  # the worker's position in the queue, plus one; or zero
)
