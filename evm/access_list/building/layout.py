"""Memory layout of a list's building: what its steps share. All fields that hold addresses are of arrays.

A record of the log is known by its address. Records are distributed over *buckets*, ranges of keys in the list's order,
so that each bucket is sorted and encoded by itself. What a bucket has of one account is a *piece*.
"""

from __future__ import annotations

from contend.evm.runtime.structs import ADDRESS, I64, LINE_U64, U64, U256, Struct

BUILD = Struct(
    "ListBuild",
    rows=I64,  # array of `LOG_ROW`, by block access index
    size=I64,  # rows
    starts=I64,  # for each row and the end: how many records come before it, as int64
    total=I64,  # records
    extra=I64,  # address of one more record, which names the beneficiary, or 0
    splitters=I64,  # addresses of records: the least of each bucket but the first
    bucket_count=I64,
    bucket_of=I64,  # of each record, as int64
    chunk_count=I64,  # chunks of rows
    places=I64,  # for each bucket, chunk by chunk: where in `order` its next record goes
    bucket_starts=I64,  # where in `order` each bucket begins, and the end
    order=I64,  # addresses of records
    spare=I64,  # likewise, for sorting
    pieces=I64,  # array of `PIECE`; those of a bucket begin where it begins in `order`
    piece_counts=I64,  # by bucket
    changes=I64,  # encoded items, at `CHANGE_BYTES` a record
    reads=I64,  # at `READ_BYTES` a record
    fields=I64,  # of balances and nonces, at `FIELD_BYTES` a record
    codes=I64,  # address of the code directory
    accounts=I64,  # array of `LISTED`
    account_count=I64,
    payload=I64,  # bytes of the list without its header
    out=I64,  # where the list is written
    # The beneficiary, whose balance has the fees so far.
    coinbase=ADDRESS,
    balance=U256,  # before the block
    receipts=I64,  # array of `RECEIPT`, by transaction
    paid=I64,  # array of `PAID`, by block access index
    paid_bytes=I64,  # encoded balance changes
    paid_size=I64,
    next=LINE_U64,  # next part of the step in hand
)
PAID = Struct("BeneficiaryWrite", is_written=U64, word=U256)  # the balance that a transaction left, without its own fee
CHANGE_BYTES, READ_BYTES, FIELD_BYTES = 88, 40, 48
ROWS_PER_CHUNK = 64

# One account's part of a bucket.
PIECE = Struct(
    "ListPiece",
    address=ADDRESS,
    is_named=U64,  # whether the list has to name the account for what this piece knows
    changes=I64,
    changes_size=I64,
    reads=I64,
    reads_size=I64,
    balances=I64,
    balances_size=I64,
    nonces=I64,
    nonces_size=I64,
    code=I64,  # where in `order` the records of the code begin
    code_count=I64,
    codes_size=I64,
    next=I64,  # address of the account's next piece, or 0
)
# An account of the list.
LISTED = Struct(
    "ListedAccount",
    piece=I64,  # address of its first
    at=I64,  # where its encoding begins, behind the list's header
    changes_size=I64,
    reads_size=I64,
    balances_size=I64,
    nonces_size=I64,
    codes_size=I64,
    payload=I64,  # bytes without the account's own header
)
