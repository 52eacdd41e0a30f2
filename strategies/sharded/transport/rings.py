"""Rings: the exchange between processes on one machine, a ring in shared memory for each ordered pair of shards.

A ring has one writer and one reader (Lamport, "Specifying concurrent program modules", 1983). Each place carries the
sequence number of the message in it, so that the reader looks at nothing but the message itself, and the writer looks
at the reader's position only when the ring seems full (Giacomoni et al., "FastForward for efficient pipeline
parallelism", PPoPP 2008, has the first of these ideas). A message costs the transfer of one or two cache lines.

A ring never blocks. It refuses a request when that would leave less room than all replies under way could need: a
slot has at most `REPLIES_PER_SLOT` of them from one shard, and a new request goes out only after the last reply came
in. So replies are never refused, and a shard can always finish what it has received; the slot whose request was
refused tries again.

Memory order. Two words of a ring are shared; each has one writer and one reader, and each orders one handover.

- *A place's sequence number.* The writer copies the message by plain stores and then stores the number, releasing; the
  reader loads the number, acquiring, and copies the message only where it is the one expected. Release and acquire of
  one word order the copies: a message is read whole. The number is 1 more for each message, so a place read before it
  is written again shows the number of a lap before, which is not the expected one.
- *The reader's position.* The reader stores it, releasing, when it has copied a message; the writer loads it,
  acquiring, before it writes to a place again. So the copy out of a place ends before the next copy into it begins.
  A position that is seen late makes a ring look fuller than it is, never emptier.

Nothing here needs sequential consistency. That is needed where two threads each write one word and then read the
other's, and one of them must see the other (store buffering). Here nobody concludes anything from *not* seeing a word:
a shard that finds no message, or no room, tries again at its next step, and stores become visible in finite time. The
loops that try again are steps of their own, or `yield_processor` between atomic loads, so no compiler hoists them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import Native, kernel, native
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import I64, Struct
from contend.strategies.sharded.protocol.layout import (
    CONTROL_MESSAGES,
    FIRST_REPLY,
    KIND_MASK,
    LONG_SHIFT,
    MESSAGE,
    MESSAGE_WORDS,
    REPLIES_PER_SLOT,
    SHARD_MASK,
    SHORT_MESSAGE_WORDS,
    TO_SHIFT,
)

LINE = atomics.CACHE_LINE
HEAD = MESSAGE.offsets["head"]
U_FIRST_REPLY = U(FIRST_REPLY)

RING_ENDPOINT = Struct(
    "RingEndpoint",
    shard=I64,
    shard_count=I64,
    rings=I64,  # address of the memory of all rings
    capacity=I64,  # messages that a ring holds
    reserve=I64,  # of them for replies
    next_source=I64,  # shard to hear first
    sent=I64,  # array: messages sent to each shard
    seen=I64,  # array: of them received, as far as was looked
    taken=I64,  # array: messages received from each shard
)


@kernel(inline=True)
def _ring(endpoint, source, to):
    """Address of a ring: the reader's position on a cache line of its own, then the messages."""
    size = LINE + endpoint.capacity * MESSAGE_WORDS
    return endpoint.rings + (source * endpoint.shard_count + to) * size * 8


@kernel(inline=True)
def _copy(target, target_at, source, source_at, head):
    """Copy a message but for its sequence number."""
    for i in range(1, SHORT_MESSAGE_WORDS):
        target[U(target_at + i)] = source[U(source_at + i)]
    if (head >> LONG_SHIFT) & U1 != U0:
        for i in range(SHORT_MESSAGE_WORDS, MESSAGE_WORDS):
            target[U(target_at + i)] = source[U(source_at + i)]


@native("int64(int64, int64)")
def send(endpoint_address, message_address):
    """Put a message into the ring to its receiver; 0 if it must wait."""
    endpoint = RING_ENDPOINT.at(endpoint_address)
    message = view_u64(message_address, MESSAGE_WORDS)
    shards, capacity = endpoint.shard_count, endpoint.capacity
    head = message[U(HEAD)]
    to = I((head >> TO_SHIFT) & SHARD_MASK)
    ring = view_u64(_ring(endpoint, endpoint.shard, to), LINE + capacity * MESSAGE_WORDS)
    sent, seen = view_u64(endpoint.sent, shards), view_u64(endpoint.seen, shards)
    number = sent[U(to)]
    room = capacity if head & KIND_MASK >= U_FIRST_REPLY else capacity - endpoint.reserve
    if number - seen[U(to)] >= U(room):
        seen[U(to)] = atomics.load(ring, 0)
        if number - seen[U(to)] >= U(room):
            return 0
    at = LINE + (I(number) & (capacity - 1)) * MESSAGE_WORDS
    _copy(ring, at, message, 0, head)
    atomics.store(ring, at, number + U1)
    sent[U(to)] = number + U1
    return 1


@native("int64(int64, int64)")
def receive(endpoint_address, message_address):
    """Take the next message from any ring to this shard, each ring in turn; 0 if there is none."""
    endpoint = RING_ENDPOINT.at(endpoint_address)
    message = view_u64(message_address, MESSAGE_WORDS)
    shards, capacity, here = endpoint.shard_count, endpoint.capacity, endpoint.shard
    taken = view_u64(endpoint.taken, shards)
    source = endpoint.next_source
    for _ in range(shards):
        if source >= shards:
            source = 0
        if source != here:
            ring = view_u64(_ring(endpoint, source, here), LINE + capacity * MESSAGE_WORDS)
            number = taken[U(source)]
            at = LINE + (I(number) & (capacity - 1)) * MESSAGE_WORDS
            if atomics.load(ring, at) == number + U1:
                _copy(message, 0, ring, at, ring[U(at + HEAD)])
                atomics.store(ring, 0, number + U1)
                taken[U(source)] = number + U1
                endpoint.next_source = source + 1
                return 1
        source += 1
    return 0


def ring_capacity(slots: int) -> int:
    """Messages for which a ring has room: a power of two, for the replies that may be under way and some requests."""
    needed = _reserve(slots) + 2 * slots
    return 1 << (needed - 1).bit_length()


def rings_words(shards: int, slots: int) -> int:
    """Words of memory that the rings between so many shards take."""
    return shards * shards * (LINE + ring_capacity(slots) * MESSAGE_WORDS)


def _reserve(slots: int) -> int:
    return REPLIES_PER_SLOT * slots + CONTROL_MESSAGES


class RingEndpoint:
    """One shard's end of the rings.

    Parameters
    ----------
    rings : int
        Address of `rings_words` words that all shards share, zero at first, aligned to a cache line.
    shard, shards, slots : int
        Which shard, of how many, and slots of each.
    """

    send: Native = send
    receive: Native = receive

    def __init__(self, rings: int, shard: int, shards: int, slots: int) -> None:
        self._positions = np.zeros((3, shards), np.uint64)
        self._memory = RING_ENDPOINT.zeros()
        self.header: Any = self._memory[0]
        for field, value in {
            "shard": shard,
            "shard_count": shards,
            "rings": rings,
            "capacity": ring_capacity(slots),
            "reserve": _reserve(slots),
            "sent": self._positions[0].ctypes.data,
            "seen": self._positions[1].ctypes.data,
            "taken": self._positions[2].ctypes.data,
        }.items():
            self.header[field] = value

    def sent(self) -> int:
        """Messages that this shard has sent."""
        return int(self._positions[0].sum())

    def taken(self) -> int:
        """Messages that this shard has received."""
        return int(self._positions[2].sum())

    @property
    def address(self) -> int:
        """Address of the endpoint, for the exchange's functions."""
        return int(self._memory.ctypes.data)

    def reset(self) -> None:
        """Begin with empty rings. The rings themselves must be zeroed too, by their owner."""
        self._positions[:] = 0
        self.header["next_source"] = 0
