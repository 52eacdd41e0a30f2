"""The simulated network alone: every message arrives once, by its time; between two shards none overtakes another."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.strategies.clocks.network_model import NetworkModel
from contend.strategies.sharded.protocol.layout import FROM_SHIFT, LONG_SHIFT, MESSAGE, READ, TO_SHIFT
from contend.strategies.sharded.transport.simulated_network import SimulatedNetwork

LATENCY_PS = 5_000
MODEL = NetworkModel(latency_ns=LATENCY_PS / 1_000, overhead_ns=0)


@dataclass
class Post:
    """What one step sends, and when it ends."""

    sender: int
    receivers: list[int]
    end: int


class Driver:
    """Plays the event loop's part."""

    def __init__(self, shards: int, jitter: int = 0, seed: int = 0, slots: int = 4) -> None:
        self.shards = shards
        self.network = SimulatedNetwork(shards, slots)
        self.network.reset(MODEL, jitter, seed)
        self._hooks = self.network.hooks()
        self._messages = MESSAGE.zeros()
        self._message: Any = self._messages[0]
        self._numbers = 0
        self._send, self._receive = (
            native.compiled.ctypes for native in (self.network.endpoints[0].send, self.network.endpoints[0].receive)
        )

    def _call(self, hook: str, worker: int, time: int) -> int:
        function = getattr(self._hooks, hook).compiled.ctypes
        return int(function(*(ctypes.c_int64(value) for value in (self._hooks.address, worker, time))))

    def send(self, sender: int, to: int) -> int:
        """Send a message; its number, or -1 if there was no room."""
        self._numbers += 1
        head = int(READ) | sender << int(FROM_SHIFT) | to << int(TO_SHIFT) | 1 << int(LONG_SHIFT)
        self._message["head"], self._message["detail"] = head, self._numbers
        self._message["unused"][-1] = ~np.uint64(self._numbers)
        taken = self._send(self.network.endpoints[sender].address, self._messages.ctypes.data)
        return self._numbers if taken else -1

    def settle(self, sender: int, end: int) -> list[tuple[int, int]]:
        """End a step: receivers and arrivals of what it has sent."""
        count = self._call("settle", sender, end)
        wakes = (ctypes.c_int64 * (2 * count)).from_address(self._hooks.wakes)
        return list(zip(wakes[::2], wakes[1::2], strict=True))

    def arrival(self, worker: int) -> int:
        """When the next message arrives, or -1."""
        return self._call("arrival", worker, 0)

    def take(self, worker: int, now: int) -> int:
        """Number of the message received at a time; 0 if there is none."""
        self._call("advance", worker, now)
        if not self._receive(self.network.endpoints[worker].address, self._messages.ctypes.data):
            return 0
        number = int(self._message["detail"])
        assert self._message["unused"][-1] == ~np.uint64(number)
        return number


posts = st.lists(
    st.builds(Post, st.integers(0, 4), st.lists(st.integers(0, 4), max_size=6), st.integers(0, 50_000)), max_size=40
)


@pytest.mark.bounds
@settings(max_examples=150)
@given(posts=posts, jitter=st.sampled_from([0, 0, 3, 30_000]), seed=st.integers(0, 2**32))
def test_every_message_arrives_once_in_the_order_of_arrivals(posts: list[Post], jitter: int, seed: int) -> None:
    driver = Driver(5, jitter, seed)
    # What a shard sends leaves at the end of its steps, which follow each other.
    clock = [0] * 5
    under_way: dict[int, list[tuple[int, int, int]]] = {shard: [] for shard in range(5)}
    for post in posts:
        clock[post.sender] += 1 + post.end
        numbers = [driver.send(post.sender, to) for to in post.receivers]
        left = driver.settle(post.sender, clock[post.sender])
        assert [to for to, _ in left] == post.receivers
        for number, (to, at) in zip(numbers, left, strict=True):
            assert clock[post.sender] + LATENCY_PS <= at <= clock[post.sender] + LATENCY_PS + jitter
            under_way[to].append((at, post.sender, number))
    for receiver, expected in under_way.items():
        expected.sort()
        taken: list[int] = []
        while (at := driver.arrival(receiver)) >= 0:
            assert driver.take(receiver, at - 1) == 0
            taken.append(driver.take(receiver, at))
        assert taken == [number for _, _, number in expected]
        sent_by: dict[int, list[int]] = {}
        for _, sender, number in expected:
            sent_by.setdefault(sender, []).append(number)
        assert all(numbers == sorted(numbers) for numbers in sent_by.values())


def test_random_delays_come_from_the_seed() -> None:
    def arrivals(seed: int) -> list[int]:
        driver = Driver(3, jitter=1_000, seed=seed)
        for i in range(40):
            driver.send(i % 3, (i + 1) % 3)
        return [at for _, at in driver.settle(0, 100)]

    assert arrivals(7) == arrivals(7) != arrivals(8)


def test_a_full_network_says_so_and_places_are_used_again() -> None:
    driver = Driver(2, slots=1)
    room = 0
    while driver.send(0, 1) > 0:
        room += 1
    assert driver.network.full
    driver.settle(0, 0)
    for _ in range(room):
        assert driver.take(1, LATENCY_PS) > 0
    assert driver.take(1, LATENCY_PS) == 0
    assert driver.send(1, 0) > 0


def test_many_messages_for_one_shard() -> None:
    shards = 300
    driver = Driver(shards)
    expected = []
    for i in range(5_000):
        sender, end = 1 + i * 7 % (shards - 1), i * 7919 % 65_521 + i * 65_521
        expected.append((end, driver.send(sender, 0)))
        driver.settle(sender, end)
    assert [driver.take(0, 1 << 60) for _ in expected] == [number for _, number in sorted(expected)]
