"""Where things lie: field numbers of the memory that kernels share with Python.

Everything is uint64 words unless said otherwise. Address fields hold the address of an array that a Python object
keeps alive. Field names are grouped by structure; a `_WORDS` constant is a structure's size.
"""

from __future__ import annotations


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
