"""Memory layout of a block's access list while it is decoded, and of what it is decoded to.

The encoded list is cut into pieces (`PIECE`), each decoded by one worker into records in the arena. A record is one
location (`RECORD`): its key, what it is, and its word before the block, side by side. Behind it stand the changes in
the order of their indices: each its index and, where the list is to seed reads, the word after it (`CHANGE`). So who
looks up what a transaction is to see finds key, index and word in two or three cache lines that follow each other.

Where the list is to seed reads, an index by key (`strategies.block_list.record_index`) leads to the records: an open-
addressed table of words, each ``epoch << EPOCH_SHIFT | some bits of the hash << TAG_SHIFT | where in the arena``.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, U256, Struct

BLOCK_LIST = Struct(
    "BlockList",
    bytes=I64,  # address of the encoded list, and its size
    size=I64,
    kind=I64,  # one of KIND_FULL to KIND_INDEXED
    seeds=U64,  # whether the index is filled, and words are laid out
    index=I64,  # array of words, and their number less one
    index_mask=I64,
    epoch=U64,  # of the words of the index, and of the rows, that are of this list
    rows=I64,  # of transactions: ROW_WORDS words each (`strategies.block_list.change_rows`)
    pieces=I64,  # array of PIECE
    pieces_room=I64,
    parts=I64,  # array of PART: long records (`strategies.block_list.long_records`)
    parts_room=I64,
    expects=U64,  # whether versions are to stand for the changes (`strategies.hints.listed`)
    # The scanner's place; whoever holds the word `scanner` has it.
    at=I64,  # next item of the list that is being scanned, and that list's end
    until=I64,
    what=I64,  # which list: one of SCAN_BEGIN to SCAN_FIELDS
    account=I64,  # offset of the address of the account in hand, where it is cut
    account_end=I64,
    account_before=I64,  # offset of the account before the next one, or 0
    field=I64,  # of the account in hand, the number of its next list behind those of slots
    reads_at=I64,  # its list of reads
    reads_until=I64,
    previous=I64,  # the item before the next one in the same list, or 0
    run=I64,  # where the run of small accounts begins that is not a piece yet, or 0
    # Counters, each on a cache line of its own.
    scanner=LINE_U64,  # whether somebody scans
    is_scanned=LINE_U64,  # whether all pieces are known
    published=LINE_U64,  # pieces that are known
    taken=LINE_U64,  # pieces that are decoded, or being decoded
    part_count=LINE_U64,  # parts of long records
    malformed=LINE_U64,  # the lowest offset at which the list breaks a rule << REASON_SHIFT | why; or SOUND
)
KIND_FULL, KIND_LOCATIONS, KIND_READS, KIND_INDEXED = range(4)
SCAN_BEGIN, SCAN_LIST, SCAN_CHANGES, SCAN_READS, SCAN_FIELDS, SCAN_END = range(6)
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
    room=I64,  # words that there are for them
    record_words=I64,  # and words that they have
    changes=I64,  # in all its records
    most_bytes=I64,  # of a SLICE: of a value, or NO_VALUES where it is of indices alone
    long_record=I64,  # of a long list's first SLICE: address and words of the record that all of them fill
    long_words=I64,
)
# What a piece holds: whole accounts; of one account, slots that change, slots that are read, or the fields behind; or
# some changes, or readers, of one location that has many.
ACCOUNTS, CHANGES, READS, FIELDS, SLICE = range(5)
NO_VALUES = 0

# Of a long record, what one worker walks over at a time.
PART = Struct(
    "BlockListPart",
    record=I64,
    first=I64,  # of its changes or readers
    versions=I64,  # address of the versions that stand for all its changes, or 0
)

LIST_INDEX = Struct("BlockListIndex", index=I64)
CHANGE = Struct("BlockListChange", index=I64, word=U256)
RECORD = Struct(
    "BlockListRecord",
    key=KEY,
    head=U64,  # location, how many changes or readers follow, whether it was touched, and what it is
    before=U256,  # the location's word before the block, where the list is to seed reads
)
LOCATION_SHIFT, COUNT_SHIFT = U(34), U(4)
COUNT_MASK, TOUCHED, WHAT_MASK = U((1 << 30) - 1), U(8), U(7)
# Changes, without words and with them; a slot that is only read; an account of which only the address is named; the
# code of an account that is named for something else; readers of a location.
CHANGED, VALUED, READ_ONLY, NAMED, IMPLIED, READERS = range(6)

EPOCH_SHIFT, TAG_SHIFT = U(48), U(36)
TAG_MASK, OFFSET_MASK = U((1 << 12) - 1), U((1 << 36) - 1)
MOST_EPOCHS = 1 << 16
