"""Where things lie: field numbers of the memory that kernels share with Python.

Everything is uint64 words unless said otherwise. Address fields hold the address of an array that a Python object
keeps alive. Field names are grouped by structure; a `_WORDS` constant is a structure's size.
"""

from __future__ import annotations

from evm.structs import ADDRESS, I64, KEY, U64, U256, Struct


def _fields(*sizes: int) -> tuple[int, ...]:
    """Offsets of consecutive fields of these sizes, and the total last."""
    offsets, at = [], 0
    for size in sizes:
        offsets.append(at)
        at += size
    return (*offsets, at)


# A location's key: the address in two words and the low half of a third, the kind above it, then the slot.
KEY_WORDS = 7
KIND_SHIFT = 32
KIND_STORAGE, KIND_BALANCE, KIND_NONCE, KIND_CODE, KIND_TRANSIENT = range(5)
KIND_NAMES = ("storage", "balance", "nonce", "code")

# The state: header of addresses and counts.
(
    STATE_KEYS,
    STATE_VALUES,
    STATE_TABLE,
    STATE_TABLE_MASK,
    STATE_CAPACITY,
    STATE_COUNT,  # address of a cache line that holds the number of interned locations
    STATE_WORDS,
) = _fields(1, 1, 1, 1, 1, 1)

# The code directory: a header, a descriptor a code, and a hash index.
(
    CODES_DESCRIPTORS,
    CODES_CAPACITY,  # descriptors that fit
    CODES_COUNT,
    CODES_INDEX,
    CODES_INDEX_MASK,
    CODES_ARENA,  # where codes that transactions create are decoded to
    CODES_ARENA_WORDS,
    CODES_ARENA_USED,
    CODES_STORE,  # address of a store of codes that other processes created (`evm.codestore`), or zero
    CODES_COSTS,  # picoseconds by class of work, see `evm.costs`
    CODES_WORDS,
) = _fields(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
(
    CODE_BYTES,
    CODE_SIZE,
    CODE_STREAM,
    CODE_STREAM_SIZE,
    CODE_BLOCKS,
    CODE_BLOCKS_SIZE,
    CODE_CONSTANTS,
    CODE_CONSTANTS_SIZE,
    CODE_TARGETS,
    CODE_HASH,
    CODE_WORDS,
) = _fields(1, 1, 1, 1, 1, 1, 1, 1, 1, 4)

# A block as kernels see it: environment, then where the transactions are.
(
    BLOCK_NUMBER,
    BLOCK_TIMESTAMP,
    BLOCK_GAS_LIMIT,
    BLOCK_BASE_FEE,
    BLOCK_COINBASE,
    BLOCK_CHAIN_ID,
    BLOCK_PREV_RANDAO,
    BLOCK_BLOB_BASE_FEE,
    BLOCK_HASHES,  # address of 256 words, the k-th for block number - 1 - k
    BLOCK_TRANSACTIONS,
    BLOCK_SIZE,
    BLOCK_DATA,  # for each transaction its call data, padded to 8 bytes, then its access list and blob hashes
    BLOCK_DATA_SIZE,
    BLOCK_FORK,  # number of the fork, see `evm.forks`
    BLOCK_WORDS,
) = _fields(4, 4, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1)

# A transaction's row.
(
    TX_SENDER,
    TX_TO,
    TX_CREATES,
    TX_NONCE,
    TX_GAS_LIMIT,
    TX_VALUE,
    TX_PRICE,
    TX_TIP,
    TX_MAX_FEE,
    TX_DATA_AT,
    TX_DATA_SIZE,  # of the call data, in bytes
    TX_DATA_ROOM,  # bytes of the call data and all that lies behind it
    TX_LIST_ADDRESSES,  # of the access list (EIP-2930): for each three words, how many slots, and the slots
    TX_LIST_SLOTS,
    TX_BLOBS,
    TX_BLOB_FEE,  # wei burned for blobs (EIP-4844)
    TX_BLOB_FEE_LIMIT,  # wei that the sender must have for them
    TX_FLAWS,  # an error that the fields alone show (a fee below the base fee), or zero
    TX_WORDS,
) = _fields(3, 3, 1, 1, 1, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1, 4, 4, 1)

# The machine: one executing transaction with everything private to it.
(
    M_STACK,
    M_STACK_WORDS,
    M_MEMORY,
    M_MEMORY_BYTES,
    M_FRAMES,
    M_FRAMES_WORDS,
    M_ENTRIES,
    M_ENTRIES_WORDS,
    M_INDEX,
    M_INDEX_WORDS,
    M_JOURNAL,
    M_JOURNAL_WORDS,
    M_LOGS,
    M_LOGS_BYTES,
    M_OUTPUT,
    M_OUTPUT_BYTES,
    M_SCRATCH,  # decoded init code of the frames that are open, and what is hashed or decoded in passing
    M_SCRATCH_BYTES,
    M_BLOCK,
    M_CODES,
    M_TRANSACTION,  # address of the transaction's row
    M_TRANSACTION_INDEX,
    M_CALLDATA,  # address of the transaction's data
    M_PHASE,
    M_MODE,
    M_DEPTH,
    M_EPOCH,
    M_ENTRY_COUNT,
    M_INDEX_MASK,
    M_JOURNAL_COUNT,
    M_LOG_SIZE,
    M_OUTPUT_SIZE,
    M_REFUND,
    M_ERROR,
    M_STATUS,
    M_GAS_USED,
    M_GAS_DONE,  # gas of the work since this counter was last cleared: the private work of a step
    M_WORK_DONE,  # its cost in picoseconds, where codes have been priced; likewise
    M_FEE,
    M_WANTED,  # key of the location that the machine needs next
    M_FORK,
    M_LAST_PRECOMPILE,
    M_SCRATCH_USED,
    M_DESTROYED,  # how often SELFDESTRUCT has marked an account
    M_COMPUTE,  # address of the function that computes precompiled contracts
    M_ANSWER,  # what it found
    M_PRICE,  # and its price
    M_WORDS,
) = _fields(*[1] * 38, 4, KEY_WORDS, 1, 1, 1, 1, 1, 1, 1)

SCRATCH_RESERVED = 256  # bytes at the start of the scratch space, for what is hashed in passing

PHASE_BEGIN, PHASE_RUN, PHASE_END = range(3)
MODE_NORMAL, MODE_HINT, MODE_GENESIS = range(3)

# One location that the transaction has touched.
(
    ENTRY_KEY,
    ENTRY_ID,
    ENTRY_ORIGINAL,
    ENTRY_CURRENT,
    ENTRY_FLAGS,
    ENTRY_CODE,  # number of the code, where the location is a code
    ENTRY_WORK,  # work that the machine had done when it needed the word
    ENTRY_WORDS,
) = _fields(KEY_WORDS, 1, 4, 4, 1, 1, 1)
FLAG_LOADED, FLAG_WARM, FLAG_WRITTEN = 1, 2, 4
# Whether the word that the transaction found mattered: it was looked at, or only tested for zero.
FLAG_OBSERVED, FLAG_TESTED = 8, 16
# These stand at the entry of an account's code, for the account.
FLAG_CREATED, FLAG_DESTROYED = 32, 64

# One undoable change: which entry, what its current word and flags were.
(JOURNAL_ENTRY, JOURNAL_FLAGS, JOURNAL_VALUE, JOURNAL_WORDS) = _fields(1, 1, 4)

# A call frame.
(
    F_POSITION,
    F_STACK_TOP,
    F_STACK_BASE,
    F_GAS,
    F_MEMORY_BASE,
    F_MEMORY_SIZE,
    F_CALLDATA,
    F_CALLDATA_SIZE,
    F_CODE,  # address of the code's descriptor; zero for a precompiled contract, whose number is the position
    F_ADDRESS,
    F_CALLER,
    F_VALUE,
    F_STATIC,
    F_RETURN_AT,
    F_RETURN_SIZE,
    F_JOURNAL,
    F_LOGS,
    F_REFUND,
    F_CREATES,  # whether the frame runs init code
    F_WORDS,
) = _fields(1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4, 1, 1, 1, 1, 1, 1, 1)

# A log record, in bytes: a header of four words (address, then topic count and data size), topics, data padded to 8.
LOG_HEADER_BYTES = 32

CALL_DEPTH_LIMIT = 1024
STACK_LIMIT = 1024


# The same memory as structs (`evm.structs`), field by field in the order of the numbers above.

STATE = Struct(
    "State",
    keys=I64,
    values=I64,
    table=I64,
    table_mask=I64,
    capacity=I64,
    count_address=I64,  # of a cache line that holds the number of interned locations
)
CODE_DIRECTORY = Struct(
    "CodeDirectory",
    descriptors=I64,
    capacity=I64,  # descriptors that fit
    count=U64,
    index=I64,
    index_mask=U64,
    arena=I64,  # where codes that transactions create are decoded to
    arena_words=I64,
    arena_used=U64,
    store=I64,  # address of a store of codes that other processes created, or zero
    costs=I64,  # picoseconds by class of work
)
CODE = Struct(
    "Code",
    bytes=I64,
    size=I64,
    stream=I64,
    stream_size=I64,
    basic_blocks=I64,
    basic_blocks_size=I64,
    constants=I64,
    constants_size=I64,
    targets=I64,
    hash=U256,
)
BLOCK = Struct(
    "Block",
    number=U256,
    timestamp=U256,
    gas_limit=U256,
    base_fee=U256,
    coinbase=U256,
    chain_id=U256,
    prev_randao=U256,
    blob_base_fee=U256,
    hashes=I64,  # address of 256 words, the k-th for block number - 1 - k
    transactions=I64,
    size=I64,
    data=I64,  # for each transaction its call data, padded to 8 bytes, then its access list and blob hashes
    data_size=I64,
    fork=U64,
)
TRANSACTION = Struct(
    "Transaction",
    sender=ADDRESS,
    to=ADDRESS,
    creates=U64,
    nonce=U64,
    gas_limit=I64,
    value=U256,
    gas_price=U256,
    tip=U256,
    max_fee=U256,
    data_at=I64,
    data_size=I64,  # of the call data, in bytes
    data_room=I64,  # bytes of the call data and all that lies behind it
    list_addresses=I64,  # of the access list (EIP-2930): for each three words, how many slots, and the slots
    list_slots=I64,
    blobs=I64,
    blob_fee=U256,  # wei burned for blobs (EIP-4844)
    blob_fee_limit=U256,  # wei that the sender must have for them
    flaw=I64,  # an error that the fields alone show (a fee below the base fee), or zero
)
MACHINE = Struct(
    "Machine",
    stack=I64,
    stack_words=I64,
    memory=I64,
    memory_bytes=I64,
    frames=I64,
    frames_words=I64,
    entries=I64,
    entries_words=I64,
    index=I64,
    index_words=I64,
    journal=I64,
    journal_words=I64,
    logs=I64,
    logs_bytes=I64,
    output=I64,
    output_bytes=I64,
    scratch=I64,  # decoded init code of the frames that are open, and what is hashed or decoded in passing
    scratch_bytes=I64,
    block=I64,
    codes=I64,
    transaction=I64,  # address of the transaction's row
    transaction_index=I64,
    calldata=I64,  # address of the transaction's data
    phase=I64,
    mode=I64,
    depth=I64,
    epoch=U64,
    entry_count=I64,
    index_mask=U64,
    journal_count=I64,
    log_size=I64,
    output_size=I64,
    refund=U64,
    error=I64,
    status=I64,
    gas_used=I64,
    gas_done=U64,  # gas of the work since this counter was last cleared: the private work of a step
    work_done_ps=U64,  # its cost in picoseconds, where codes have been priced; likewise
    fee=U256,
    pending_location=KEY,  # key of the location that the machine needs next
    fork=U64,
    last_precompile=U64,
    scratch_used=I64,
    destroyed=U64,  # how often SELFDESTRUCT has marked an account
    compute=I64,  # address of the function that computes precompiled contracts
    answer=I64,  # what it found
    precompile_gas=I64,  # and what it takes
)
ENTRY = Struct(
    "Entry",
    key=KEY,
    location=I64,
    original=U256,
    current=U256,
    flags=U64,
    code=I64,  # number of the code, where the location is a code
    work_ps=U64,  # work that the machine had done when it needed the word
)
JOURNAL = Struct("Journal", entry=I64, flags=U64, value=U256)
FRAME = Struct(
    "Frame",
    pc=I64,  # position in the decoded stream
    stack_top=I64,
    stack_base=I64,
    gas=I64,
    memory_base=I64,
    memory_size=I64,
    calldata=I64,
    calldata_size=I64,
    code=I64,  # address of the code's descriptor; zero for a precompiled contract, whose number is the position
    address=ADDRESS,
    caller=ADDRESS,
    value=U256,
    static=U64,
    return_at=I64,
    return_size=I64,
    journal_count=I64,
    log_size=I64,
    refund=U64,
    creates=U64,  # whether the frame runs init code
)
