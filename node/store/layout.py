"""Memory layout of what lies behind a state: what is read, from where, and how long that takes in simulated time."""

from __future__ import annotations

from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, U256, Struct, words

# Kinds of records (`node.store.base`).
SLOT, ACCOUNT, CODE = range(3)

COLD = Struct(
    "ColdState",
    fetch=I64,  # as `evm.layout.COLD` has it
    state=I64,
    read=I64,  # address of ``int64 read(int64 source, int64 request)``: fills a REQUEST; negative if it cannot
    source=I64,
    coinbase=KEY,  # of the beneficiary's balance: its account is always in memory
    cached_below=U64,  # records whose mixed hash is below are in memory from the start
    seed=U64,
    instant=I64,  # address of the simulated time (`strategies.clocks.base.Clock.instant`), or zero
    began_ps=I64,  # when the step began in which a worker has waited last,
    machine=I64,  # with which machine,
    until_ps=I64,  # and until when
    waited=I64,  # address to which waits are added (`strategies.clocks.base.Clock.waited`), or zero
    latency_ps=I64,
    channels=I64,  # of a simulated device: address of a word a channel, when it is free next
    channel_count=I64,
    shard=I64,  # of the part of a state that this is behind, and of how many; others do not concern it
    shards=I64,
    code_arrivals=I64,  # a word a code that was there before the block, as of a location
    code_count=I64,
    records=LINE_U64,  # that were read
    device_reads=U64,
    waited_ps=U64,  # for which workers have waited, simulated
    faults=U64,  # reads that failed
    is_full=U64,  # whether the state had no room for what was read
)
# One record that is asked for.
REQUEST = Struct(
    "StoreRequest",
    kind=I64,
    key=KEY,  # as `node.store.record_hash` makes it
    number=I64,  # of a code in the directory
    nonce=U64,
    balance=U256,
    word=U256,  # in the slot; of an account the hash of its code
    device_reads=I64,  # that it took, one after the other
)

# A file of pages: a header, buckets of records, places of codes, codes (`node.store.page_file`).
PAGE_BYTES = 4096
RECORDS_OF_PAGE = 31
PAGE = Struct(
    "Page",
    check=U64,  # over what follows, up to the last record
    count=U64,
    overflows=U64,  # whether a record that belongs here may lie in the next page
    spare=words(13),
)
PAGE_RECORD = Struct(
    "PageRecord",
    key=KEY,
    nonce=U64,
    balance=U256,  # zero for a slot
    word=U256,
)
CODE_PLACE = Struct("CodePlace", page=U64, size=U64, check=U64)
PAGE_FILE = Struct(
    "PageFile",
    descriptor=I64,
    pread=I64,  # address of the C library's function
    first=I64,  # page of the first bucket
    buckets=I64,
    salt=U64,
    places=I64,  # address of a CODE_PLACE a code
    place_count=I64,
)
