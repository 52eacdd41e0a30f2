"""Rings: every message once and in order, across threads; and room for replies whatever the requests do."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_2, view_u64
from contend.strategies.clocks.wall import yield_processor
from contend.strategies.sharded.protocol.layout import (
    ACK,
    CONTROL_MESSAGES,
    FROM_SHIFT,
    LONG_SHIFT,
    MESSAGE,
    MESSAGE_WORDS,
    READ,
    REPLIES_PER_SLOT,
    SHORT_MESSAGE_WORDS,
    TO_SHIFT,
    VALUE,
)
from contend.strategies.sharded.transport.rings import RingEndpoint, ring_capacity, rings_words

SLOTS = 2
HEAD, DETAIL, WORD = (MESSAGE.offsets[field] for field in ("head", "detail", "word"))
WORDS, LAST = MESSAGE_WORDS, MESSAGE_WORDS - 1


class Pair:
    """The ends of the rings of some shards, and a message for each."""

    def __init__(self, shards: int = 2) -> None:
        self.memory = np.zeros(rings_words(shards, SLOTS), np.uint64)
        address = int(self.memory.ctypes.data)
        self.ends = [RingEndpoint(address, number, shards, SLOTS) for number in range(shards)]
        self.messages = np.zeros((shards, WORDS), np.uint64)

    def message(self, number: int) -> int:
        return int(self.messages[number].ctypes.data)

    def send(self, number: int, to: int, kind: np.int64, detail: int, long: bool = False) -> bool:
        message = self.messages[number]
        message[HEAD] = int(kind) | number << int(FROM_SHIFT) | to << int(TO_SHIFT) | int(long) << int(LONG_SHIFT)
        message[DETAIL] = detail
        function: Any = RingEndpoint.send.compiled.ctypes
        return bool(function(self.ends[number].address, self.message(number)))

    def receive(self, number: int) -> bool:
        function: Any = RingEndpoint.receive.compiled.ctypes
        return bool(function(self.ends[number].address, self.message(number)))


def test_replies_always_have_room() -> None:
    pair = Pair()
    requests = 0
    while pair.send(0, 1, READ, requests):
        requests += 1
    reserve = REPLIES_PER_SLOT * SLOTS + CONTROL_MESSAGES
    assert requests == ring_capacity(SLOTS) - reserve
    assert all(pair.send(0, 1, VALUE, requests + i) for i in range(reserve))
    assert not pair.send(0, 1, VALUE, 0)
    received = []
    while pair.receive(1):
        received.append(int(pair.messages[1, DETAIL]))
    assert received == list(range(requests + reserve))
    assert pair.send(0, 1, READ, 0)


def test_long_messages_travel_whole_and_short_ones_in_half() -> None:
    pair = Pair()
    pair.messages[0] = np.arange(WORDS)
    assert pair.send(0, 1, READ, 5, long=True)
    assert pair.send(0, 1, ACK, 6)
    assert pair.receive(1)
    assert (pair.messages[1, WORD:] == np.arange(WORD, WORDS)).all()
    pair.messages[1] = 0
    assert pair.receive(1)
    assert (pair.messages[1, WORD:SHORT_MESSAGE_WORDS] == np.arange(WORD, SHORT_MESSAGE_WORDS)).all()
    assert not pair.messages[1, SHORT_MESSAGE_WORDS:].any()


def test_every_sender_is_heard_in_turn() -> None:
    pair = Pair(4)
    for sender in (1, 2, 3):
        for i in range(3):
            assert pair.send(sender, 0, ACK, 10 * sender + i)
    received = []
    while pair.receive(0):
        received.append(int(pair.messages[0, DETAIL]))
    assert received == [10, 20, 30, 11, 21, 31, 12, 22, 32]


@kernel()
def _send_many(send: int, endpoint: int, message_address: int, to: int, count: int) -> None:
    message = view_u64(message_address, WORDS)
    for i in range(count):
        is_long = i % 3 == 0
        message[np.uint64(HEAD)] = np.uint64(to) << TO_SHIFT | np.uint64(is_long) << LONG_SHIFT
        message[np.uint64(DETAIL)] = np.uint64(i)
        message[np.uint64(WORD)] = np.uint64(i) * np.uint64(3)
        message[np.uint64(LAST)] = np.uint64(i) * np.uint64(5)
        while call_2(send, endpoint, message_address) == 0:
            yield_processor()


@kernel()
def _receive_many(receive: int, endpoint: int, message_address: int, count: int, shards: int) -> int:
    """Receive `count` messages of each other shard; how many were not what should have come."""
    message = view_u64(message_address, WORDS)
    wrong = 0
    for expected in range(count * (shards - 1)):
        while call_2(receive, endpoint, message_address) == 0:
            yield_processor()
        i = message[np.uint64(DETAIL)]
        if shards == 2 and i != np.uint64(expected):
            wrong += 1
        if message[np.uint64(WORD)] != i * np.uint64(3) or (
            i % np.uint64(3) == np.uint64(0) and message[np.uint64(LAST)] != i * np.uint64(5)
        ):
            wrong += 1
    return wrong


@pytest.mark.stress
@pytest.mark.parametrize("shards", [2, 4])
def test_threads_lose_and_double_nothing(shards: int) -> None:
    pair, count = Pair(shards), 50_000
    send, receive = RingEndpoint.send.address, RingEndpoint.receive.address

    def work(sender: int) -> None:
        _send_many(send, pair.ends[sender].address, pair.message(sender), 0, count)

    threads = [threading.Thread(target=work, args=(sender,)) for sender in range(1, shards)]
    for thread in threads:
        thread.start()
    wrong = _receive_many(receive, pair.ends[0].address, pair.message(0), count, shards)
    for thread in threads:
        thread.join()
    assert wrong == 0
    assert pair.ends[0].taken() == sum(pair.ends[sender].sent() for sender in range(1, shards)) == (shards - 1) * count
    assert not pair.receive(0)
