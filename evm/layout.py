"""Memory layouts: the structs that kernels of the EVM share with Python (`evm.runtime.structs`), and their constants.

Fields that hold addresses are of arrays, or structs, that a Python object keeps alive.
"""

from __future__ import annotations

from contend.evm.runtime.structs import ADDRESS, I64, KEY, U64, U256, Field, Struct, words

# A location's key: the address in two words and the low half of a third, the kind above it, then the slot. Above the
# kind stands the storage generation that a slot is of (`evm.vm.generation`).
KEY_WORDS = 7
KIND_SHIFT, KIND_MASK = 32, 0xFF
GENERATION_SHIFT = 40
KIND_STORAGE, KIND_BALANCE, KIND_NONCE, KIND_CODE, KIND_TRANSIENT, KIND_GENERATION = range(6)
KIND_NAMES = ("storage", "balance", "nonce", "code")

SCRATCH_RESERVED = 256  # bytes at the start of the scratch space, for what is hashed in passing
HASHES_KEPT = 256  # block hashes that BLOCKHASH may ask for

PHASE_BEGIN, PHASE_OPEN, PHASE_RUN, PHASE_END = range(4)
MODE_NORMAL, MODE_HINT, MODE_GENESIS = range(3)

FLAG_LOADED, FLAG_WARM = 1, 2
# Whether the word that the transaction found mattered: it was looked at, or only tested for zero.
FLAG_OBSERVED, FLAG_TESTED = 8, 16
# These stand at the entry of an account's code, for the account. Touched: a block access list names it (EIP-7928).
FLAG_CREATED, FLAG_DESTROYED, FLAG_TOUCHED = 32, 64, 4

# A log record, in bytes: a header of four words (address, then topic count and data size), topics, data padded to 8.
LOG_HEADER_BYTES = 32

CALL_DEPTH_LIMIT = 1024
PRECOMPILE_SPAN = 512  # addresses of precompiled contracts are below it, under every fork
MOST_INIT_CODE = 1 << 32  # bytes, where no fork limits them: no gas pays for the memory
STACK_LIMIT = 1024

# A 256-bit word in memory: of the operand stack, of a state.
WORD = Struct("Word", value=U256)
WORD_BYTES = 32

# A location of the state: two neighbouring cache lines, which a core fetches together.
LOCATION = Struct(
    "Location",
    key=KEY,
    arrival=U64,  # HERE, unless something lies behind the state (`COLD`)
    value=U256,
    spare=words(4),
)
# Of its arrival: the word is there, is absent, has been asked for; or it is there from a simulated time on.
HERE, ABSENT, ASKED, FIRST_TIME = range(4)
# What lies behind a state of which a part is not in memory. Whoever puts it there adds fields of its own.
COLD = Struct(
    "Cold",
    fetch=I64,  # address of ``int64 fetch(int64 cold, int64 machine)``: has the machine's pending location in memory
)
STATE = Struct(
    "State",
    locations=I64,  # address of a row a location
    table=I64,
    table_mask=I64,
    capacity=I64,
    count_address=I64,  # of a cache line that holds the number of interned locations
    has_generations=U64,  # whether an account may have a storage generation other than 0, before the block
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
    cost_model=I64,  # picoseconds by class of work (`evm.code.cost_model`)
    rules=I64,  # of all forks, by number: an array of `RULES`
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
    instruction_set=U64,  # by which it was decoded
)
# One straight-line block of a decoded code (`evm.code.decoder`).
BASIC_BLOCK = Struct("BasicBlock", requirement=U64, work_ps=U64)
# One row of a fork's opcode table, by the byte in the bytecode (`evm.forks`).
INSTRUCTION = Struct(
    "Instruction",
    is_defined=I64,
    stack_in=I64,
    stack_out=I64,
    gas=I64,  # the constant part
    ends_basic_block=I64,
    never_returns=I64,
)
# What a fork's rules are to kernels (`evm.forks.Fork` is what they are to Python).
RULES = Struct(
    "Rules",
    fork=U64,  # its number
    instruction_set=U64,  # number of its opcode table: forks that have the same instructions have one
    instructions=I64,  # address of 256 rows of `INSTRUCTION`
    precompiles=I64,  # address of `PRECOMPILE_SPAN` bytes: 1 for the address of a precompiled contract
    destroys_all=U64,  # whether SELFDESTRUCT deletes accounts that an earlier transaction created
    refund_quotient=U64,  # at most this share of the gas used is refunded
    clear_refund=I64,  # gas refunded for a slot that is cleared
    destroy_refund=I64,  # and for SELFDESTRUCT
    forbids_ef=U64,  # whether code that begins with 0xef is not kept
    init_code_limit=I64,  # bytes
    init_code_word_gas=I64,
    warm_beneficiary=U64,  # whether the beneficiary counts as accessed from the start
    floor_token_gas=I64,  # least gas for each token of call data, or zero
    delegates=U64,  # whether the code of an account may name another account, whose code runs
    modexp=U64,  # number of the EIP by which a modular exponentiation is priced and bounded
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
    data=I64,  # for each transaction call data, padded to 8 bytes, then access list, authorisations, blob hashes
    data_size=I64,
    fork=U64,  # number of the fork, see `evm.forks`
    max_blobs=I64,  # of all its transactions together
    cold=I64,  # address of a COLD, or zero where all of the state is in memory
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
    authorizations=I64,  # how many (EIP-7702)
)
# One authorisation of a transaction (EIP-7702).
AUTHORIZATION = Struct(
    "Authorization",
    authority=ADDRESS,  # the account that signed
    nonce=U64,
    address=ADDRESS,  # whose code is to run in its stead; zero for its own again
    is_valid=U64,  # as far as its fields show: it is for this chain, and signature and nonce can be
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
    calldata=I64,  # address of the transaction's data
    phase=I64,
    sure_reads=I64,  # how many of the locations that a transaction begins with were asked for (`evm.vm.sure_reads`)
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
    rules=I64,  # address of the rules of the block's fork
    scratch_used=I64,
    destroyed=U64,  # how often SELFDESTRUCT has marked an account
    compute=I64,  # address of the table of functions that compute precompiled contracts
    precompile_result=I64,  # one more than the error that it found; 0 before it was called
    precompile_gas=I64,  # and what it takes
    operation=I64,  # the instruction for which the interpreter's loop was left: a call, a creation, SELFDESTRUCT
    preimages=I64,  # address of a PREIMAGES in which hashes of two words are noted, or zero
    recent_hashes=I64,  # address of RECENT_HASHES rows (`evm.vm.recent_hashes`); 0: none are kept
    recent_generation=U64,  # rows of others are empty; begins at 1
    recent_hits=U64,
    gas_before=I64,  # that the block's transactions before this one have used, where a driver knows it
    blobs_before=I64,  # and the blobs that they have
    floor_gas=I64,  # the transaction uses at least so much
    redo_log=I64,  # address of a REDO_LOG (`evm.redo_log.log_layout`) for who executes by `resume_logged`, or zero
)
# What KECCAK256 of two words was of: by such hashes contracts find the slots of mappings.
PREIMAGE = Struct("Preimage", hash=U256, left=U256, right=U256)
PREIMAGES = Struct("Preimages", rows=I64, room=I64, count=I64)
RECENT_HASHES = 1024  # rows of a machine
RECENT_HASH = Struct("RecentHash", preimage=Field(8, "tuple"), hash=U256, generation=U64, spare=words(3))
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
# The current frame's registers while the interpreter's loop runs; they live on the native stack.
REGISTERS = Struct(
    "Registers",
    instruction=U64,  # the decoded instruction: its number in the low byte, an immediate above it
    pc=I64,
    stack_top=I64,  # address behind the top word
    stack_base=I64,  # address of the frame's first word
    gas=I64,
    memory=I64,  # address of the frame's memory
    memory_size=I64,
    code=I64,  # addresses of the code's descriptor, stream and basic blocks
    stream=I64,
    basic_blocks=I64,
    work_ps=U64,
)


def _offsets(prefix: str, struct: Struct, **names: str) -> None:
    globals().update({f"{prefix}_{old}": struct.offsets[new] for old, new in names.items()})
    globals()[f"{prefix}_WORDS"] = struct.words


_offsets("STATE", STATE, CAPACITY="capacity")
_offsets("CODES", CODE_DIRECTORY, STORE="store")
_offsets("BLOCK", BLOCK, TRANSACTIONS="transactions", SIZE="size", HASHES="hashes", DATA="data", DATA_SIZE="data_size")
_offsets("TX", TRANSACTION, SENDER="sender", DATA_AT="data_at", DATA_ROOM="data_room")
_offsets(
    "M", MACHINE, WORK_DONE="work_done_ps", ENTRY_COUNT="entry_count", GAS_DONE="gas_done", MODE="mode", FEE="fee",
    WANTED="pending_location", GAS_USED="gas_used", ERROR="error",
)  # fmt: skip
_offsets("ENTRY", ENTRY, ID="location", FLAGS="flags", CURRENT="current", ORIGINAL="original")
