"""The exchange between processes on one machine: a ring in shared memory for each ordered pair of shards.

A ring has one writer and one reader (Lamport, "Specifying concurrent program modules", 1983). Each place carries the
sequence number of the message in it, so that the reader looks at nothing but the message itself, and the writer looks
at the reader's position only when the ring seems full (Giacomoni et al., "FastForward for efficient pipeline
parallelism", PPoPP 2008, has the first of these ideas). A message costs the transfer of one or two cache lines.

A ring never blocks. It refuses a request when that would leave less room than all replies under way could need: a
slot has at most `REPLIES_PER_SLOT` of them from one shard, and a new request goes out only after the last reply came
in. So replies are never refused, and a shard can always finish what it has received; the slot whose request was
refused tries again.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import atomics
from evm.jit import Native, kernel, native
from evm.pointers import view_u64
from strategies import shard_layout as s

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
LINE = atomics.CACHE_LINE
FIRST_REPLY = U(s.FIRST_REPLY)
TO_SHIFT, LONG_SHIFT = U(s.TO_SHIFT), U(s.LONG_SHIFT)
KIND_MASK, SHARD_MASK = U(s.KIND_MASK), U(s.SHARD_MASK)

# Header of an endpoint.
(
    P_SHARD,
    P_SHARDS,
    P_RINGS,  # address of the memory of all rings
    P_CAPACITY,  # messages that a ring holds
    P_RESERVE,  # of them for replies
    P_NEXT,  # shard to hear first
    P_SENT,  # array: messages sent to each shard
    P_SEEN,  # array: of them received, as far as was looked
    P_TAKEN,  # array: messages received from each shard
    P_WORDS,
) = range(10)


@kernel(inline=True)
def _ring(endpoint, source, to):
    """Address of a ring: the reader's position on a cache line of its own, then the messages."""
    size = LINE + I(endpoint[U(P_CAPACITY)]) * s.MSG_WORDS
    return I(endpoint[U(P_RINGS)]) + (source * I(endpoint[U(P_SHARDS)]) + to) * size * 8


@kernel(inline=True)
def _copy(target, target_at, source, source_at, head):
    """Copy a message but for its sequence number."""
    for i in range(1, s.MSG_SHORT):
        target[U(target_at + i)] = source[U(source_at + i)]
    if (head >> LONG_SHIFT) & U(1) != U(0):
        for i in range(s.MSG_SHORT, s.MSG_WORDS):
            target[U(target_at + i)] = source[U(source_at + i)]


@native("int64(int64, int64)")
def send(endpoint_address, message_address):
    """Put a message into the ring to its receiver; 0 if it must wait."""
    endpoint = view_u64(endpoint_address, P_WORDS)
    message = view_u64(message_address, s.MSG_WORDS)
    shards, capacity = I(endpoint[U(P_SHARDS)]), I(endpoint[U(P_CAPACITY)])
    head = message[U(s.MSG_HEAD)]
    to = I((head >> TO_SHIFT) & SHARD_MASK)
    ring = view_u64(_ring(endpoint, I(endpoint[U(P_SHARD)]), to), LINE + capacity * s.MSG_WORDS)
    sent, seen = view_u64(I(endpoint[U(P_SENT)]), shards), view_u64(I(endpoint[U(P_SEEN)]), shards)
    number = sent[U(to)]
    room = capacity if head & KIND_MASK >= FIRST_REPLY else capacity - I(endpoint[U(P_RESERVE)])
    if number - seen[U(to)] >= U(room):
        seen[U(to)] = atomics.load(ring, 0)
        if number - seen[U(to)] >= U(room):
            return 0
    at = LINE + (I(number) & (capacity - 1)) * s.MSG_WORDS
    _copy(ring, at, message, 0, head)
    atomics.store(ring, at, number + U(1))
    sent[U(to)] = number + U(1)
    return 1


@native("int64(int64, int64)")
def receive(endpoint_address, message_address):
    """Take the next message from any ring to this shard, each ring in turn; 0 if there is none."""
    endpoint = view_u64(endpoint_address, P_WORDS)
    message = view_u64(message_address, s.MSG_WORDS)
    shards, capacity, here = I(endpoint[U(P_SHARDS)]), I(endpoint[U(P_CAPACITY)]), I(endpoint[U(P_SHARD)])
    taken = view_u64(I(endpoint[U(P_TAKEN)]), shards)
    source = I(endpoint[U(P_NEXT)])
    for _ in range(shards):
        if source >= shards:
            source = 0
        if source != here:
            ring = view_u64(_ring(endpoint, source, here), LINE + capacity * s.MSG_WORDS)
            number = taken[U(source)]
            at = LINE + (I(number) & (capacity - 1)) * s.MSG_WORDS
            if atomics.load(ring, at) == number + U(1):
                _copy(message, 0, ring, at, ring[U(at + s.MSG_HEAD)])
                atomics.store(ring, 0, number + U(1))
                taken[U(source)] = number + U(1)
                endpoint[U(P_NEXT)] = U(source + 1)
                return 1
        source += 1
    return 0


def ring_capacity(slots: int) -> int:
    """Messages for which a ring has room: a power of two, for the replies that may be under way and some requests."""
    needed = _reserve(slots) + 2 * slots
    return 1 << (needed - 1).bit_length()


def rings_words(shards: int, slots: int) -> int:
    """Words of memory that the rings between so many shards take."""
    return shards * shards * (LINE + ring_capacity(slots) * s.MSG_WORDS)


def _reserve(slots: int) -> int:
    return s.REPLIES_PER_SLOT * slots + s.COORDINATION_MESSAGES


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
        self.header = np.zeros(P_WORDS, np.uint64)
        for field, value in (
            (P_SHARD, shard),
            (P_SHARDS, shards),
            (P_RINGS, rings),
            (P_CAPACITY, ring_capacity(slots)),
            (P_RESERVE, _reserve(slots)),
            (P_SENT, self._positions[0].ctypes.data),
            (P_SEEN, self._positions[1].ctypes.data),
            (P_TAKEN, self._positions[2].ctypes.data),
        ):
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
        return int(self.header.ctypes.data)

    def reset(self) -> None:
        """Begin with empty rings. The rings themselves must be zeroed too, by whoever owns them."""
        self._positions[:] = 0
        self.header[P_NEXT] = 0
