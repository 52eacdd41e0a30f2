"""Memory layout of `redo`, beside that of the window: what is kept of an execution until its transaction's turn.

A transaction's read set leads to a `KEPT`. Behind it lie its reads, the entries of its log, the patches of its receipt,
and for each of its writes the number of the word in the log, or 0.
"""

from __future__ import annotations

from contend.evm.redo_log.dependent_results import PATCH
from contend.evm.redo_log.log_layout import LOG_ENTRY
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import I64, U64, U256, WORD_BYTES, Struct

# The first field is that of `strategies.optimistic.occ_window.layout.WINDOW_WORKER`, which goes for this one, too.
REDO_WORKER = Struct(
    "RedoWorker",
    has_turn=U64,
    plain=I64,  # addresses of the interpreter, and of that which keeps a log
    logged=I64,
    logs=U64,  # whether the execution in hand keeps a log
    redone=U64,  # transactions that were stale and not executed again
    recomputed=U64,  # entries of their logs that were computed anew
    codes=I64,  # codes that the execution in hand has read; they lie at the end of the room for reads
    code_writes=U64,  # codes that the execution at its turn has written
)

KEPT = Struct(
    "RedoKept",
    reads=I64,
    codes=I64,  # reads of codes, which lie behind the other ones
    entries=I64,
    patches=I64,
    writes=I64,
    code_writes=U64,  # writes of codes
    left=I64,  # as in the log (`evm.redo_log.log_layout`)
    refund=U64,
    floor_gas=I64,
    gas_seen=I64,
)

# A read: the location, its head as it was, the number of the word in the log (0: it must not change), and the word.
READ_WORD = Struct("RedoRead", location=I64, head=U64, number=I64, word=U256)
PREDICTED = U(0xFFFFFFFFFFFFFFFF)  # the head of no word: what was given to the machine stands nowhere yet

_HEADER, _READ, _ENTRY, _PATCH = KEPT.words, READ_WORD.words, LOG_ENTRY.words, PATCH.words


@kernel(inline=True)
def kept_words(reads, entries, patches, writes):
    """Words that a `KEPT` takes, with what lies behind it."""
    return _HEADER + reads * _READ + entries * _ENTRY + patches * _PATCH + writes


@kernel(inline=True)
def reads_of(address):
    """Address of the reads of the `KEPT` at an address."""
    return address + _HEADER * WORD_BYTES


@kernel(inline=True)
def entries_of(address):
    """Address of its log's entries."""
    return reads_of(address) + KEPT.at(address).reads * _READ * WORD_BYTES


@kernel(inline=True)
def patches_of(address):
    """Address of the patches of its receipt."""
    return entries_of(address) + KEPT.at(address).entries * _ENTRY * WORD_BYTES


@kernel(inline=True)
def numbers_of(address):
    """Address of the numbers of its writes."""
    return patches_of(address) + KEPT.at(address).patches * _PATCH * WORD_BYTES
