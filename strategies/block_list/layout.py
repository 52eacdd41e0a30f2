"""Memory layout of a block's access list while it is decoded, and of what it is decoded to.

The encoded list is cut into pieces (`PIECE`), each decoded by one worker into records in the arena. A record is one
location: its head word, then, for what the block changes, a word for each change in the order of their indices:
``index << INDEX_SHIFT | offset of the value in the encoded list``. Values are left where they are until somebody reads
them; only codes are followed by their hashes, four words each.

Where the list is to seed reads, the array of heads of multi-version memory (`strategies.block_stm.layout.SHARED`) has
for each location that the list names the epoch and where in the arena its record lies, or one of the marks below,
which are lower than the offset of any record.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, Struct, words

BLOCK_LIST = Struct(
    "BlockList",
    bytes=I64,  # address of the encoded list, and its size
    size=I64,
    kind=I64,  # one of KIND_FULL to KIND_INDEXED
    seeds=U64,  # whether heads are set
    pieces=I64,  # array of PIECE
    pieces_room=I64,
    # The scanner's place; whoever holds the word `scanner` has it.
    at=I64,  # next item of the list that is being scanned, and that list's end
    until=I64,
    what=I64,  # which list: one of SCAN_BEGIN to SCAN_READS
    account=I64,  # offset of the address of the account in hand
    account_end=I64,
    reads_at=I64,  # its list of reads
    reads_until=I64,
    previous=I64,  # the item before the next one in the same list, or 0
    run=I64,  # where the run of small accounts begins that is not a piece yet, or 0
    # Counters, each on a cache line of its own.
    scanner=LINE_U64,  # whether somebody scans
    is_scanned=LINE_U64,  # whether all pieces are known
    published=LINE_U64,  # pieces that are known
    taken=LINE_U64,  # pieces that are decoded, or being decoded
    malformed=LINE_U64,  # the lowest offset at which the list breaks a rule << REASON_SHIFT | why; or SOUND
)
KIND_FULL, KIND_LOCATIONS, KIND_READS, KIND_INDEXED = range(4)
SCAN_BEGIN, SCAN_LIST, SCAN_CHANGES, SCAN_READS, SCAN_END = range(5)
SOUND = U((1 << 64) - 1)
REASON_SHIFT = U(8)

# A part of the list that one worker decodes at a time.
PIECE = Struct(
    "BlockListPiece",
    what=I64,
    account=I64,  # offset of the address, where the piece is a part of an account
    first=I64,
    last=I64,
    previous=I64,  # the item before it in the same list, or 0; of FIELDS, bytes of the account's lists of slots
    records=I64,  # address of its records
    record_words=I64,
    changes=I64,  # in all its records
)
# What a piece holds: whole accounts; of one account, slots that change, slots that are read, or the fields behind.
ACCOUNTS, CHANGES, READS, FIELDS = range(4)

LIST_WORD = Struct("BlockListWord", word=U64)
LIST_HASH = Struct("BlockListHash", limbs=words(4))
# Head word of a record: location, how many changes or readers follow, and what it is.
LOCATION_SHIFT, COUNT_SHIFT = U(34), U(3)
COUNT_MASK, WHAT_MASK = U((1 << 31) - 1), U(7)
CHANGED, CODED, READ_ONLY, NAMED, READERS = range(5)
INDEX_SHIFT, OFFSET_MASK = U(32), U((1 << 32) - 1)

# Marks of heads, in place of the offset of a record: a slot that is only read, an account of which only the address is
# named, a location of an account that is named; and whether a transaction has touched it yet.
READ_UNTOUCHED, READ_TOUCHED, NAME_UNTOUCHED, NAME_TOUCHED, NOTHING_LISTED = U(1), U(2), U(3), U(4), U(5)
FIRST_RECORD = U(8)
