"""Memory layout of dependency graphs: what workers reach by the field `own` of either header of Block-STM's."""

from __future__ import annotations

from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT
from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, Struct, words

GRAPH = Struct(
    "DependencyGraph",
    speculative_step=I64,  # address of Block-STM's step, for validation and repair
    exclusive=U64,  # whether a writer also waits for the readers before it
    alone=U64,  # whether there is one worker, who executes in the block's order and needs no graph
    marks=U64,  # whether what is expected to be written stands in memory as ESTIMATEs
    early=I64,  # how far behind the executed prefix transactions may begin that are not ready; 0 for not at all
    chunk_size=I64,  # transactions in a chunk
    chunk_count=I64,
    partition_count=I64,  # parts of the locations, each linked by one worker
    sorted=I64,  # one word a chunk: whether its accesses lie in their partitions
    ranges=I64,  # for each chunk partition_count + 2 places in `accesses`, see `linking.sort_chunk`
    accesses=I64,  # as int64: transaction, write bit, location; chunk by chunk, sorted by partition
    edges=I64,  # array of EDGE, one an access
    access_room=I64,
    tails=I64,  # array of TAIL, one a location
    tail_count=I64,
    epoch=U64,  # of the block: a tail of another one says that nobody has touched the location yet
    nodes=I64,  # array of NODE, one a transaction
    ready=I64,  # the set of those that may be executed, see `waiters.ready_set`
    ready_words=I64,
    ready_groups=I64,
    ready_group_count=I64,
    # Counters, each on a cache line of its own.
    next_chunk=LINE_U64,  # to be sorted
    next_partition=LINE_U64,  # to be linked
    early_idx=LINE_U64,  # next transaction to begin though it may not be ready
    accesses_used=LINE_U64,
    executed_prefix=LINE_U64,  # all transactions below have been executed at least once
    lowest_stray=LINE_U64,  # lowest transaction that wrote what was not expected, or was aborted; see `validating`
    left=LINE_U64,  # transactions that have not been executed for the first time
    # What idle workers wait for. They only grow, so that no two changes cancel each other.
    sorted_count=LINE_U64,  # chunks
    readied=LINE_U64,  # transactions that were put into the set of ready ones
    finished=LINE_U64,  # executions, and such as were given up
)
WAKE_COUNTERS = ("sorted_count", "readied", "finished")

GRAPH_WORKER = Struct(
    "DependencyGraphWorker",
    first=U64,  # whether the execution in hand is its transaction's first
    kept=U64,  # a ready transaction that is nobody else's, plus one; or zero
    partition=U64,  # that the worker links, plus one; or zero
    next_chunk=I64,  # of that partition
    waits_for=I64,  # the transaction, plus one, for which the worker stands at a read; or zero
    # Counters.
    sure=U64,  # validations that had nothing to look at, see `validating`
    chained=U64,  # executions that followed on that of a predecessor, by the same worker
)

# One cache line a transaction.
NODE = Struct(
    "DependencyNode",
    waits=U64,  # accesses that are not linked, predecessors that have not finished, and one more if `is_behind`
    waiters=U64,  # the list of those who wait for this transaction, closed when it has finished
    next=U64,  # of the list in which it waits for one that it met while executing
    is_behind=U64,  # whether it is on that list
    is_sure=U64,  # whether all that is expected to be written stood in memory when it began
    unused=words(3),
)

# One an access. It holds two places in lists of waiters: its transaction's, behind the last writer; and, where it
# reads, that of the next writer.
EDGE = Struct(
    "DependencyEdge",
    next=U64,  # of the list in which the access's transaction waits for the last writer
    writer=I64,  # who waits for this access's transaction, which reads
    writer_next=U64,  # of the list in which that writer waits
    previous_reader=U64,  # of the same location since its last writer: an access, plus one; or zero
)

# The end of a location's queue, as far as it is linked. Only the worker that links its partition looks at it.
TAIL = Struct(
    "DependencyTail",
    writer=U64,  # epoch << EPOCH_SHIFT | last writer, plus one; or zero
    reader=U64,  # the last access that has read since, plus one; or zero
)
EPOCH_SHIFT = U(32)
MOST_EPOCHS = 1 << 32

# An access: transaction << TRANSACTION_SHIFT | WRITE_BIT | location.
TRANSACTION_SHIFT = 41
ACCESS_MASK = WRITE_BIT | LOCATION_MASK
