"""Access log: what a block access list is made of, as the drivers of a block keep it, transaction by transaction.

When a transaction has ended, the machine's access table has everything that it touched: which words it looked at,
which it left changed, and which accounts an access list has to name although no word of theirs mattered. The log keeps
that in records, a row a block access index: 0 is for what the block does before its transactions, and the last for what
it does after them. An incarnation that is executed again writes over the row, in its place if it fits, so that in the
end every row is that of the incarnation which counts.

Fees are credited lazily, so the beneficiary's balance in a record is the one that the transaction saw and left, which
has the fees of those before it but not its own. Whoever builds the list adds that (`evm.access_list.assembly`).

A transaction that is invalid did nothing: it has no records. In a block of a chain there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contend.evm import errors
from contend.evm.block import Words
from contend.evm.layout import GENERATION_SHIFT, KIND_GENERATION, KIND_TRANSIENT
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.runtime.structs import I64, KEY, U64, U256, Struct, words
from contend.evm.vm.access_table import KIND_CODE, KIND_SHIFT, LOADED, TOUCHED, entry_at, is_write

# One location of one transaction.
LOGGED = Struct(
    "LoggedAccess",
    key=KEY,
    marks=U64,  # block access index << INDEX_SHIFT | the marks below
    word=U256,  # that the transaction left
    code=I64,  # number of the code, where the location is one
)
IS_WRITE, IS_READ, IS_TOUCH = U(1), U(2), U(4)  # written; its word was needed; the code's account is to be named
INDEX_SHIFT, MARKS = U(8), U(7)
# The records of one block access index: a transaction, or what the block does before and after them.
LOG_ROW = Struct("AccessLogRow", records=I64, count=I64, room=I64)
# Where one worker keeps records, on a cache line of its own.
LOG = Struct("AccessLog", address=I64, room=I64, used=I64, padding=words(5))

RECORDS_PER_TRANSACTION = 32
SPARE_RECORDS = 1 << 14
FEW_WORKERS = 16
_RECORD_BYTES = LOGGED.words * 8
_TRANSIENT, _GENERATION = U(KIND_TRANSIENT), U(KIND_GENERATION)
_WITHOUT_GENERATION = U((1 << GENERATION_SHIFT) - 1)


@kernel(inline=True)
def plain_key(key):
    """A location's key as a list names it, which knows of no storage generations."""
    return key[0], key[1], key[2] & _WITHOUT_GENERATION, key[3], key[4], key[5], key[6]


@kernel(inline=True)
def marks_of(entry):
    """What the log says of an entry of the access table; 0 for one that it leaves out."""
    kind = entry.key[2] >> KIND_SHIFT
    if kind == _TRANSIENT or kind == _GENERATION:
        return U0
    marks = U0
    if entry.flags & LOADED != U0:
        marks |= IS_READ
        if is_write(entry):
            marks |= IS_WRITE
    if kind == KIND_CODE and entry.flags & TOUCHED != U0:
        marks |= IS_TOUCH
    return marks


@kernel()
def log_accesses(machine, rows, index, size, log):
    """Keep what the machine has touched as that of a block access index, of `size`. False when the log is full."""
    row, count = LOG_ROW.item(rows, size, index), 0
    if machine.status != errors.STATUS_INVALID:
        for i in range(machine.entry_count):
            count += I(marks_of(entry_at(machine, i)) != U0)
    if count > row.room:
        if log.used + count > log.room:
            return False
        row.records = log.address + log.used * _RECORD_BYTES
        row.room = count
        log.used += count
    row.count = count
    at = 0
    if count > 0:
        for i in range(machine.entry_count):
            entry = entry_at(machine, i)
            marks = marks_of(entry)
            if marks != U0:
                record = LOGGED.item(row.records, count, at)
                record.key = plain_key(entry.key)
                record.marks = marks | (U(index) << INDEX_SHIFT)
                record.word = entry.current
                record.code = entry.code
                at += 1
    return True


@kernel()
def _count_records(rows, count):
    total = 0
    for i in range(count):
        total += LOG_ROW.item(rows, count, i).count
    return total


@kernel()
def _collect_records(rows, count, keys, marks, found, indices):
    to = 0
    for i in range(count):
        row = LOG_ROW.item(rows, count, i)
        for j in range(row.count):
            record = LOGGED.item(row.records, row.count, j)
            for k in range(7):
                keys[to, k] = record.key[k]
            for k in range(4):
                found[to, k] = record.word[k]
            marks[to] = record.marks & MARKS
            indices[to] = I(record.marks >> INDEX_SHIFT)
            to += 1


class AccessLog:
    """The memory of an access log: a row a block access index, and a list of records a worker.

    Parameters
    ----------
    size : int
        Transactions.
    workers : int
    scale : int
        Multiplies the usual room.

    Attributes
    ----------
    size : int
        Block access indices: those of the transactions, 0, and the last.
    most : int
        Records of which a list can be built.
    """

    def __init__(self, size: int, workers: int = 1, scale: int = 1) -> None:
        self.size = size + 2
        self.rows: Any = LOG_ROW.zeros(self.size)
        self._noted: list[Any] = []
        self.logs: Any = LOG.lines(workers)
        # Any worker may execute far more than its share, but hardly all of a large block.
        share = size if workers <= FEW_WORKERS else size * FEW_WORKERS // workers
        room = scale * (share * RECORDS_PER_TRANSACTION + SPARE_RECORDS)
        self.most = scale * (2 * size * RECORDS_PER_TRANSACTION + SPARE_RECORDS)
        self._records = [sparse_zeros(room * LOGGED.words) for _ in range(workers)]
        for log, records in zip(self.logs, self._records, strict=True):
            log["address"], log["room"] = records.ctypes.data, room

    def reset(self) -> None:
        """Forget all records."""
        self.rows.view(np.uint64)[:] = 0
        self.logs["used"] = 0
        self._noted.clear()

    def note(self, index: int, keys: Words, marks: Words, words: Words, codes: Sequence[int] = ()) -> None:
        """Keep what a block access index touched, where no machine did it: a withdrawal, for one.

        Parameters
        ----------
        index : int
            Without a row so far.
        keys : ndarray of uint64, shape (m, 7)
            Of locations, each once.
        marks : ndarray of uint64, shape (m,)
            `IS_WRITE`, `IS_READ` and `IS_TOUCH`, added up.
        words : ndarray of uint64, shape (m, 4)
            After the index.
        codes : sequence of int, optional
            Numbers of codes, where locations are.
        """
        records = LOGGED.zeros(max(len(keys), 1))
        for place, record in enumerate(records[: len(keys)]):
            record["key"], record["word"] = keys[place], words[place]
            record["marks"] = int(marks[place]) | index << int(INDEX_SHIFT)
            record["code"] = codes[place] if codes else 0
        self._noted.append(records)
        row = self.rows[index]
        row["records"], row["count"] = records.ctypes.data, len(keys)

    @property
    def address(self) -> int:
        """Address of the rows."""
        return int(self.rows.ctypes.data)

    def log_address(self, worker: int) -> int:
        """Address of a worker's log."""
        return int(self.logs[worker : worker + 1].ctypes.data)

    def exported(self) -> tuple[Any, Any, Any]:
        """Copy the log of one worker out as it lies: of each row how many records it has and where, in bytes; all."""
        begin, used = int(self.logs[0]["address"]), int(self.logs[0]["used"])
        offsets = np.where(self.rows["count"] > 0, self.rows["records"] - begin, 0)
        return self.rows["count"].copy(), offsets, self._records[0][: used * LOGGED.words].copy()

    def records(self) -> tuple[Any, Any, Any, Any]:
        """Copy all records out, in block order.

        Returns
        -------
        keys : ndarray of uint64, shape (m, 7)
        marks : ndarray of uint64, shape (m,)
        found : ndarray of uint64, shape (m, 4)
            Words that the transactions left.
        indices : ndarray of int64, shape (m,)
            Block access index: a transaction's number plus one.
        """
        total = int(_count_records(self.address, self.size))
        keys, found = np.zeros((total, 7), np.uint64), np.zeros((total, 4), np.uint64)
        marks, indices = np.zeros(total, np.uint64), np.zeros(total, np.int64)
        _collect_records(self.address, self.size, keys, marks, found, indices)
        return keys, marks, found, indices
