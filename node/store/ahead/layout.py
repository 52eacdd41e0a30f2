"""Memory layout of reading ahead: what is asked for, and who reads it."""

from __future__ import annotations

from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, Struct

# A record that is asked for.
ASK = Struct(
    "Ask",
    kind=I64,  # of the record (`node.store.layout`)
    number=I64,  # of a code in the directory; of a slot its location, of an account that of the row that stands for it
    key=KEY,  # as `node.store.record_hash` makes it
)
AHEAD = Struct(
    "ReadAhead",
    cold=I64,  # address of a COLD (`node.store.layout`)
    asks=I64,  # addresses of ASK rows
    room=I64,
    count=I64,
    costs=I64,  # address of the cost table, picoseconds by class
    cpu_ps=I64,  # simulated work of a worker for each read
    taken=LINE_U64,  # asks that have been taken
)
# A worker that reads one record at a time.
READER = Struct("Reader", cost_ps=U64, until_ps=I64)
# A worker with a ring of reads that are under way: an io_uring, by addresses of its words (`node.store.ahead.ring`).
RING = Struct(
    "Ring",
    cost_ps=U64,
    syscall=I64,  # address of the C library's function
    descriptor=I64,
    depth=I64,
    sq_tail=I64,
    sq_mask=I64,
    sq_array=I64,
    sq_entries=I64,
    cq_head=I64,
    cq_tail=I64,
    cq_mask=I64,
    cq_entries=I64,
    reads=I64,  # address of a RING_READ for each that can be under way
    free=I64,  # the first that is not, plus one; or 0
    under_way=I64,
    queued=I64,  # of them, not handed over yet
)
RING_READ = Struct(
    "RingRead",
    next=I64,  # of those that are free, plus one
    ask=I64,
    page=I64,  # the first one that is read
    pages=I64,
    left=I64,  # pages of a code behind them
    check=U64,  # of those before them
    device_reads=I64,
    buffer=I64,
)
