"""Joined log: what all shards logged, put into the serialisation order, from which the block's access list is made.

A shard logs the transactions that it coordinates: their machines are here, and have seen every word, whoever owns it.
A transaction's block access index is its place in the serialisation order, which is known when all have ended, so it is
filled in then. Where the order is not the block's, neither is the list: it is that of the block in the order that the
outcome claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from contend.evm import State
from contend.evm.access_list.building.access_log import (
    INDEX_SHIFT,
    IS_WRITE,
    LOG_ROW,
    LOGGED,
    MARKS,
    AccessLog,
)
from contend.evm.access_list.building.builder import ListBuilder, build_list
from contend.evm.code.directory import NO_CODE, find_code_of_any_fork
from contend.evm.receipts import RECEIPT
from contend.evm.runtime.integers import U0, U
from contend.evm.runtime.jit import kernel
from contend.evm.vm.access_table import KIND_CODE, KIND_SHIFT
from contend.strategies.sharded.protocol.layout import QUEUED
from contend.strategies.sharded.results import Indices, ShardResult


@dataclass(frozen=True)
class ShardLog:
    """Log of one shard, in this process.

    Attributes
    ----------
    rows : int
        Address of its rows: one before the first transaction of its run queue, one each, and one behind the last.
    kept : object
        What keeps the memory of rows and records.
    """

    rows: int
    kept: object


def received_log(counts: Any, offsets: Any, raw: Any) -> ShardLog:
    """Log that another process has sent (`AccessLog.exported`)."""
    rows = LOG_ROW.zeros(len(counts))
    rows["count"], rows["records"] = counts, raw.ctypes.data + offsets
    return ShardLog(int(rows.ctypes.data), (rows, raw))


@kernel()
def _join(queue, count, own_rows, receipts, places, rows, table, codes):
    """Give the transactions of one shard their places, and their codes the numbers that they have here."""
    size = places.size
    for i in range(count):
        place = places[QUEUED.item(queue, count, i).index]
        own, row = LOG_ROW.item(own_rows, count + 2, i + 1), LOG_ROW.item(rows, size + 2, place + 1)
        row.records, row.count = own.records, own.count
        RECEIPT.item(table, size, place).fee = RECEIPT.item(receipts, count, i).fee
        for j in range(own.count):
            record = LOGGED.item(own.records, own.count, j)
            marks = record.marks & MARKS
            record.marks = marks | (U(place + 1) << INDEX_SHIFT)
            if record.key[2] >> KIND_SHIFT == KIND_CODE and marks & IS_WRITE != U0:
                record.code = max(find_code_of_any_fork(codes, record.word), NO_CODE)


def joined_list(
    results: list[ShardResult],
    logs: list[ShardLog],
    order: Indices,
    state: State,
    coinbase: bytes,
    balance: int,
    scale: int,
) -> tuple[bytes, int]:
    """Access list of a block that shards have executed.

    Parameters
    ----------
    results, logs : list
        Of the shards.
    order : ndarray of int64, shape (n,)
        The serialisation order.
    state : State
        With the codes that the block has created.
    coinbase : bytes
        The beneficiary.
    balance : int
        Of the beneficiary before the block.
    scale : int
        Multiplies the usual room.

    Returns
    -------
    tuple
        The list, encoded; and of how many records it was made.
    """
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    log, table = AccessLog(len(order), scale=scale), RECEIPT.zeros(len(order))
    receipts = int(table.ctypes.data)
    for result, own in zip(results, logs, strict=True):
        where = result.queue, result.count, own.rows, result.receipts
        _join(*where, places, log.address, receipts, state.codes.address)
    builder = ListBuilder(log)
    builder.reset(state, coinbase, balance, receipts)
    made = build_list(builder)
    return made, builder.records
