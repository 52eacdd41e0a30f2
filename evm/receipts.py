"""Receipts: what each transaction of a block did, apart from its writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm import errors, layout
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import move_bytes, view_u8
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.runtime.structs import I64, U256, Struct, words

# What kernels leave of a transaction: the payload is the logs, then the output padded to 8 bytes.
RECEIPT = Struct(
    "Receipt",
    status=I64,
    error=I64,
    gas_used=I64,
    payload=I64,  # its address
    logs_size=I64,
    output_size=I64,
    payload_room=I64,  # bytes that an earlier incarnation's payload left there
    fee=U256,
)
# An arena that one worker fills with payloads, on a cache line of its own.
RECEIPT_ARENA = Struct("ReceiptArena", address=I64, size=I64, used=I64, padding=words(5))


@kernel()
def write_receipt(machine, receipt, arena):
    """Keep the receipt of the transaction that the machine has ended. False when the arena is full.

    A payload that fits where the transaction's last incarnation put its own goes there; so an arena fills only as
    payloads grow.
    """
    logs_size, output_size = machine.log_size, machine.output_size
    padded = (output_size + 7) & ~7
    total = logs_size + padded
    if total > receipt.payload_room:
        if arena.used + total > arena.size:
            return False
        receipt.payload = arena.address + arena.used
        receipt.payload_room = total
        arena.used += total
    payload = view_u8(receipt.payload, total)
    move_bytes(payload, 0, view_u8(machine.logs, logs_size), 0, logs_size)
    for i in range(logs_size + output_size, total):
        payload[U(i)] = np.uint8(0)
    move_bytes(payload, logs_size, view_u8(machine.output, output_size), 0, output_size)
    receipt.status = machine.status
    receipt.error = machine.error
    receipt.gas_used = machine.gas_used
    receipt.logs_size = logs_size
    receipt.output_size = output_size
    receipt.fee = machine.fee
    return True


@kernel()
def _payload_bytes(table, count):
    total = 0
    for i in range(count):
        receipt = RECEIPT.item(table, count, i)
        total += receipt.logs_size + ((receipt.output_size + 7) & ~7)
    return total


@kernel()
def _collect(table, count, starts, payload):
    to = 0
    for i in range(count):
        receipt = RECEIPT.item(table, count, i)
        padded = (receipt.output_size + 7) & ~7
        starts[i, 0], starts[i, 1] = to, to + receipt.logs_size
        starts[i, 2] = to + receipt.logs_size + receipt.output_size
        total = receipt.logs_size + padded
        move_bytes(payload, to, view_u8(receipt.payload, total), 0, total)
        to += total


class Log(NamedTuple):
    """One log entry."""

    address: bytes
    topics: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Receipts:
    """Receipts of a block, by place in it.

    Attributes
    ----------
    status : ndarray of uint8, shape (n,)
        1 success, 0 failure with its gas used, 2 invalid (no effect).
    error_codes : ndarray of uint32, shape (n,)
    gas_used : ndarray of uint64, shape (n,)
    payload : ndarray of uint8
        Logs and output of all transactions, each padded to 8 bytes.
    starts : ndarray of int64, shape (n, 3)
        Where in the payload a transaction's logs begin, its output begins, and its output ends.
    """

    status: npt.NDArray[np.uint8]
    error_codes: npt.NDArray[np.uint32]
    gas_used: npt.NDArray[np.uint64]
    payload: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.status)

    def error(self, index: int) -> str | None:
        """Reason why a transaction failed, None if it did not."""
        return errors.describe(int(self.error_codes[index]))

    def output(self, index: int) -> bytes:
        """Return data of a transaction, or its revert data."""
        _, begin, end = self.starts[index]
        return self.payload[begin:end].tobytes()

    def log_bytes(self, index: int) -> bytes:
        """A transaction's logs as kernels wrote them: a canonical encoding, good for comparing."""
        begin, end, _ = self.starts[index]
        return self.payload[begin:end].tobytes()

    def logs(self, index: int) -> list[Log]:
        """A transaction's log entries in order."""
        raw, at, found = self.log_bytes(index), 0, []
        while at < len(raw):
            address = int.from_bytes(raw[at : at + 24], "little").to_bytes(20, "big")
            head = int.from_bytes(raw[at + 24 : at + 32], "little")
            count, size = head & 0xFF, head >> 8
            at += layout.LOG_HEADER_BYTES
            topics = tuple(int.from_bytes(raw[at + 32 * i : at + 32 * i + 32], "little") for i in range(count))
            at += 32 * count
            found.append(Log(address, topics, raw[at : at + size]))
            at += (size + 7) & ~7
        return found

    @property
    def digest(self) -> str:
        """Digest of status, gas, logs and output of all transactions, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (self.status, self.gas_used, self.starts, self.payload):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def differences(self, other: Receipts) -> Iterator[tuple[int, str]]:
        """Differences between two blocks' receipts: (transaction, name of the field), in block order."""
        for i in range(min(len(self), len(other))):
            if self.status[i] != other.status[i]:
                yield i, "status"
            if self.gas_used[i] != other.gas_used[i]:
                yield i, "gas_used"
            if self.log_bytes(i) != other.log_bytes(i):
                yield i, "logs"
            if self.output(i) != other.output(i):
                yield i, "output"
        for i in range(min(len(self), len(other)), max(len(self), len(other))):
            yield i, "missing"

    def reordered(self, places: npt.NDArray[np.int64]) -> Receipts:
        """Receipts so that entry i is what was entry ``places[i]``, the payload rewritten in the new order."""
        parts, starts, at = [], np.zeros_like(self.starts), 0
        for i, place in enumerate(places):
            begin, middle, end = (int(x) for x in self.starts[place])
            padded = begin + (((end - begin) + 7) & ~7)
            parts.append(self.payload[begin:padded])
            starts[i] = at, at + middle - begin, at + end - begin
            at += padded - begin
        payload = np.concatenate(parts) if parts else self.payload
        return Receipts(self.status[places], self.error_codes[places], self.gas_used[places], payload, starts)


class ReceiptTable:
    """The memory in which kernels leave receipts: a table with a row a transaction, and an arena a worker.

    Parameters
    ----------
    workers : int
    arena_bytes : int
        Room for payloads of one worker; pages are backed as they are touched.
    """

    def __init__(self, workers: int, arena_bytes: int) -> None:
        self.arena_bytes = arena_bytes
        self.rows = RECEIPT.zeros(0)
        self._bytes = [sparse_zeros(arena_bytes, np.uint8) for _ in range(workers)]
        self.arenas = RECEIPT_ARENA.zeros(workers)
        for row, array in zip(self.arenas, self._bytes, strict=True):
            row["address"], row["size"] = array.ctypes.data, arena_bytes

    def reset(self, count: int) -> None:
        """Forget all receipts and make a row for each of `count` transactions."""
        if len(self.rows) < count:
            self.rows = RECEIPT.zeros(count)
        else:
            self.rows.view(np.uint64)[:] = 0
        self.arenas["used"] = 0

    @property
    def address(self) -> int:
        """Address of the table."""
        return int(self.rows.ctypes.data)

    def arena_address(self, worker: int) -> int:
        """Address of a worker's arena."""
        return int(self.arenas[worker : worker + 1].ctypes.data)

    def collect(self, count: int) -> Receipts:
        """Copy all receipts out, in block order."""
        rows, starts = self.rows[:count], np.zeros((count, 3), np.int64)
        payload = np.zeros(_payload_bytes(self.address, count), np.uint8)
        _collect(self.address, count, starts, payload)
        status, error = rows["status"].astype(np.uint8), rows["error"].astype(np.uint32)
        return Receipts(status, error, rows["gas_used"].astype(np.uint64), payload, starts)
