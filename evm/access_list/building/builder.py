"""Builder of an encoded block access list: the memory of its steps, and all of them done by one worker.

Several workers do the same steps part by part (`strategies.block_stm.list_of_block`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from contend.evm import layout
from contend.evm.access_list.building.access_log import INDEX_SHIFT, IS_TOUCH, LOGGED, AccessLog
from contend.evm.access_list.building.joining import (
    ACCOUNTS_PER_PART,
    lay_out,
    pay_beneficiary,
    write_accounts,
    write_header,
)
from contend.evm.access_list.building.layout import (
    BUILD,
    CHANGE_BYTES,
    FIELD_BYTES,
    LISTED,
    PAID,
    PIECE,
    READ_BYTES,
    ROWS_PER_CHUNK,
)
from contend.evm.access_list.building.pieces import encode_bucket
from contend.evm.access_list.building.record_order import (
    choose_splitters,
    count_chunk,
    count_rows,
    place_buckets,
    place_chunk,
    sort_bucket,
)
from contend.evm.block import limbs
from contend.evm.errors import CapacityError
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.state import State, location_key

MOST_BUCKETS = 256


class ListBuilder:
    """The memory in which a list is built, for a block of so many transactions.

    Parameters
    ----------
    log : AccessLog
        Of the block, kept alive here.
    buckets : int
        Parts into which the records are divided, at most `MOST_BUCKETS`.
    """

    def __init__(self, log: AccessLog, buckets: int = 1) -> None:
        self.log = log
        self.buckets = min(max(buckets, 1), MOST_BUCKETS)
        self._build = BUILD.lines(1)
        self.header: Any = self._build[0]
        self._extra: Any = LOGGED.zeros(1)
        rows, chunks = log.size, -(-log.size // ROWS_PER_CHUNK)
        room = log.most + 1
        self.chunks = chunks
        self._paid = PAID.zeros(rows)
        self._arrays = {
            "starts": np.zeros(rows + 1, np.int64),
            "splitters": np.zeros(self.buckets, np.int64),
            "bucket_of": sparse_zeros(room, np.int64),
            "places": np.zeros(self.buckets * chunks, np.int64),
            "bucket_starts": np.zeros(self.buckets + 1, np.int64),
            "order": sparse_zeros(room, np.int64),
            "spare": sparse_zeros(room, np.int64),
            "pieces": sparse_zeros(room * PIECE.words),
            "piece_counts": np.zeros(self.buckets, np.int64),
            "changes": sparse_zeros(room * CHANGE_BYTES, np.uint8),
            "reads": sparse_zeros(room * READ_BYTES, np.uint8),
            "fields": sparse_zeros(room * FIELD_BYTES, np.uint8),
            "accounts": sparse_zeros(room * LISTED.words),
            "paid": self._paid,
            "paid_bytes": np.zeros(rows * FIELD_BYTES, np.uint8),
        }
        self._list = np.zeros(0, np.uint8)

    @property
    def address(self) -> int:
        """Address of the header, for steps."""
        return int(self._build.ctypes.data)

    def reset(self, state: State, coinbase: bytes, balance: int, receipts: int) -> None:
        """Make ready for a log that is complete.

        Parameters
        ----------
        state : State
            For its codes.
        coinbase : bytes
            The beneficiary.
        balance : int
            Of the beneficiary before the block.
        receipts : int
            Address of the receipts, for their fees.
        """
        self._build[:] = np.zeros((), self._build.dtype)
        self._paid.view(np.uint64)[:] = 0
        header = self.header
        for field, array in self._arrays.items():
            header[field] = array.ctypes.data
        header["rows"], header["size"] = self.log.address, self.log.size
        header["bucket_count"], header["chunk_count"] = self.buckets, self.chunks
        header["codes"], header["receipts"] = state.codes.address, receipts
        header["coinbase"] = limbs(int.from_bytes(coinbase, "big"), 3)
        header["balance"] = limbs(balance)
        # The beneficiary is in the list as soon as a transaction was executed.
        if self.log.rows["count"][1:-1].any():
            self._extra["key"] = location_key(coinbase, layout.KIND_CODE)
            # Marked with no index of a transaction: behind all others it would be out of order, and it says nothing.
            self._extra["marks"] = int(IS_TOUCH) | (self.log.size - 1) << int(INDEX_SHIFT)
            header["extra"] = self._extra.ctypes.data

    @property
    def records(self) -> int:
        """Records of the log, once counted."""
        return int(self.header["total"])

    def begin(self) -> int:
        """Count the records, and choose what divides them; how many were compared.

        Raises
        ------
        CapacityError
            If there are more records than a list can be built of.
        """
        if int(count_rows(BUILD.ref(self.address))) > self.log.most:
            raise CapacityError("making an access list: more accesses than there is room for")
        return int(choose_splitters(BUILD.ref(self.address)))

    def make_room(self) -> int:
        """Join all pieces and have room for the list's bytes; how many they are."""
        build = BUILD.ref(self.address)
        pay_beneficiary(build)
        self._list = np.empty(int(lay_out(build)), np.uint8)
        self.header["out"] = self._list.ctypes.data
        write_header(build)
        return len(self._list)

    def bytes(self) -> bytes:
        """The encoded list."""
        return self._list.tobytes()


@kernel()
def _distribute(build):
    for chunk in range(build.chunk_count):
        count_chunk(build, chunk)
    place_buckets(build)
    for chunk in range(build.chunk_count):
        place_chunk(build, chunk)
    for bucket in range(build.bucket_count):
        sort_bucket(build, bucket)
        encode_bucket(build, bucket)


@kernel()
def _write(build):
    for first in range(0, build.account_count, ACCOUNTS_PER_PART):
        write_accounts(build, first)


def build_list(builder: ListBuilder) -> bytes:
    """Do all steps of a builder that has been reset, by one worker."""
    build = BUILD.ref(builder.address)
    builder.begin()
    _distribute(build)
    builder.make_room()
    _write(build)
    return builder.bytes()
