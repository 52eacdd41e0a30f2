"""Memory layout of planned strategies, beside Block-STM's: what they reach by the field `own` of either header."""

from __future__ import annotations

from contend.evm.runtime.structs import I64, LINE_U64, U64, Struct, words

PLAN = Struct(
    "Plan",
    speculative_step=I64,  # address of Block-STM's step, which goes on when the plan is through
    partition=I64,  # address of the PARTITION that makes the plan, where kernels do
    size=I64,  # transactions in the plan
    missing=I64,  # the first transaction that is not in it
    lanes=I64,  # the first transaction of each lane, as int64
    lane_count=I64,
    next_in_lane=I64,  # by transaction the one behind it in its lane, or END_OF_LANE; as int64
    waits=I64,  # predecessors that have not finished, one word a transaction
    successors=I64,  # by transaction the first of the edges from it, plus one; or zero
    edges=I64,  # words: the next edge from the same transaction, plus one, << EDGE_SHIFT | successor
    edge_room=I64,
    ready=I64,  # queue of transactions, plus one, whose predecessors have finished
    # Counters, each on a cache line of its own.
    left=LINE_U64,  # planned transactions that have not been executed
    next_lane=LINE_U64,  # next lane without a worker
    ready_head=LINE_U64,
    ready_tail=LINE_U64,
    ahead=LINE_U64,  # below it everything of the graph has begun
    waiting=LINE_U64,  # workers that wait for another transaction
    advanced=LINE_U64,  # transactions that have finished for which others may wait
    executed_prefix=LINE_U64,  # every transaction below has been executed, see `block_stm.executed_prefix`
    news=LINE_U64,  # how often the executed prefix grew, or a later execution ended
    stage=LINE_U64,  # of planning, where kernels do it: a worker that waits for the others looks here
)
END_OF_LANE = -1
# Neither a block's transactions nor its hints are 2**32.
EDGE_SHIFT, LOW_WORD = 32, (1 << 32) - 1

PLAN_WORKER = Struct(
    "PlanWorker",
    planning=U64,  # whether the worker still follows the plan
    lane_next=I64,  # next transaction in the worker's lane, plus one; or zero
    is_ahead=U64,  # whether the worker's transaction was begun before its predecessors had finished
    waits_for=I64,  # the transaction, plus one, for which it stands at a read; or zero
    waits_ahead=I64,  # likewise, where its transaction was begun ahead
    own_ready=I64,  # a transaction, plus one, that the worker's last one was the last to hold up; or zero
)

# Working memory of the partition that kernels make; which stage fills what is said in `strategies.planned.partition`.
LANE_CLASSES = 8
PARTITION = Struct(
    "PartitionPlan",
    workers=I64,
    most_waiting=I64,  # while fewer workers wait, the next one to be free begins something ahead
    chunks=I64,  # pieces of the block, of `chunk_size` transactions each
    chunk_size=I64,
    shards=I64,  # a power of two
    access_room=I64,  # hinted accesses
    placed=I64,  # array of PLACED, chunk by chunk, in each by shard of the location
    starts=I64,  # for each chunk where each shard's begin, and the end of the last; as int64
    writers=I64,  # by place: who wrote last before, plus one; or zero
    edges=I64,  # by place: a transaction's predecessors, plus one, each once; then the edges from them
    places=I64,  # the first place of each transaction; as int64
    predecessors=I64,  # how many predecessors each transaction has; as int64
    last_writers=I64,  # by location: epoch << 32 | transaction + 1
    location_count=I64,
    epoch=U64,
    parents=I64,  # of the union-find: one word a transaction
    members=I64,  # transactions chunk by chunk, in each by shard of the root; as int64
    weights=I64,  # gas of the component, by root; as int64
    tails=I64,  # last transaction of the component, or of the lane, by its first one; as int64
    lane_links=I64,  # the next lane of the same class, plus one, by its first transaction; as int64
    most_gas=I64,  # of a component that is one lane
    lane_classes=words(LANE_CLASSES),  # the first lane of each class, plus one; or zero
    cursor=LINE_U64,  # stage << 32 | next task of the stage
    finished=LINE_U64,  # tasks of the stage that are done
    places_used=LINE_U64,
    gas=LINE_U64,  # of all transactions
    cut=LINE_U64,  # components that are too large for one lane
)
PLACED = Struct("PlacedAccess", entry=I64, target=U64)  # as in the hint table; transaction << 32 | place
