"""Memory layout of the strategy `bal`, beside Block-STM's: what it reaches by the field `own` of either header."""

from __future__ import annotations

from contend.evm.runtime.structs import I64, LINE_U64, U64, U256, Struct

BAL = Struct(
    "Bal",
    order=I64,  # transactions in the order of their execution, as int64; 0 for the block's
    lengths=I64,  # how long each transaction takes, as int64, by which they are ordered; 0 for the gas that it declares
    starts=I64,  # where in the order each class of lengths begins, as int64
    workers=I64,  # how many there are
    next=LINE_U64,  # the next place in the order that nobody has taken
)
BAL_WORKER = Struct(
    "BalWorker",
    next=I64,  # the worker's places in the order: the next one, and their end
    end=I64,
    confirmed=U64,  # writes that are as the list has them
    wrong_writes=U64,  # writes that are not
    unlisted=U64,  # slots read and accounts touched that the list does not name
    untouched=U64,  # slots and accounts that the list names and nobody touched
    names_beneficiary=U64,  # whether the worker has noted that the beneficiary is touched
    beneficiary=I64,  # and then the record of its balance
)

# What a transaction wrote, kept for who has to repair the block if the list is wrong.
WRITE_LOG = Struct("BalWrite", location=I64, word=U256)
