"""Simulated network: an exchange between shards of one process whose messages take time to arrive.

How much time is a `strategies.clocks.network_model.NetworkModel`. What a step has sent leaves when the step ends, in
the order in which it was sent. Messages between two shards never overtake each other. A receiver sees messages by the
time of their arrival.

Every receiver has a pairing heap of the messages under way to it (Fredman, Sedgewick, Sleator and Tarjan, "The pairing
heap: a new form of self-adjusting heap", Algorithmica 1986), ordered by arrival, then by sender, then by number: when
everyone wants something of the same shard, thousands of messages wait there. Messages lie in a pool that all share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import Native, kernel, native
from contend.evm.runtime.memory_views import view_i64, view_u64
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.runtime.structs import I64, U64, Struct, words
from contend.strategies.clocks.base import NetworkHooks
from contend.strategies.clocks.network_model import NetworkModel
from contend.strategies.clocks.rng import draw, seeded
from contend.strategies.sharded.protocol.layout import MESSAGE, MESSAGE_WORDS, SHARD_MASK, TO_SHIFT

NETWORK = Struct(
    "SimulatedNetwork",
    now_ps=I64,  # what a receiver may see has arrived by then
    latency_ps=I64,
    jitter=I64,  # arrivals are later by up to so many units of the loop's time, drawn anew for each message
    random=U64,  # state of the generator
    pool=I64,
    pool_size=I64,
    free=I64,  # list of places whose messages were received
    unused=I64,  # from here on no place was ever used
    is_full=I64,  # whether the pool was too small
    inboxes=I64,  # array: the message that arrives first at each shard
    last_arrivals=I64,  # array: when the latest message of each pair of shards arrives; only where there is jitter
    shard_count=I64,
    first_sent=I64,  # first and last message sent in the step in hand, which have not left
    last_sent=I64,
    wakes=I64,  # array of pairs: receiver, arrival
)
SIMULATED_ENDPOINT = Struct("SimulatedEndpoint", network=I64, shard=I64, sent=I64, taken=I64)
# A message of the pool: its place in a list or heap, its arrival, which goes first of those that arrive together.
POSTED = Struct("PostedMessage", next=I64, child=I64, arrival_ps=I64, order=U64, message=words(int(MESSAGE_WORDS)))
NOBODY = np.int64(0)
SENDER_SHIFT = U(40)  # in `order`, above how many the sender has sent before
HEAD = U(MESSAGE.offsets["head"])
POOL_PER_SLOT = 64


@kernel(inline=True)
def _posted(network, place):
    return POSTED.item(network.pool, network.pool_size, place)


@kernel(inline=True)
def _goes_first(network, one, other):
    """Whether one message is received before the other."""
    left, right = _posted(network, one), _posted(network, other)
    if left.arrival_ps != right.arrival_ps:
        return left.arrival_ps < right.arrival_ps
    return left.order < right.order


@kernel(inline=True)
def _meld(network, one, other):
    """Join two heaps, of which either may be empty."""
    if one == NOBODY:
        return other
    if other == NOBODY:
        return one
    if _goes_first(network, other, one):
        one, other = other, one
    _posted(network, other).next = _posted(network, one).child
    _posted(network, one).child = other
    return one


@kernel(inline=True)
def _unlink_next(network, place):
    """Cut a list behind a place; what came next."""
    after = _posted(network, place).next
    _posted(network, place).next = NOBODY
    return after


@kernel()
def _without_first(network, first):
    """A heap without its first message: its children are melded in pairs, then the pairs, the last one first."""
    pairs, place = NOBODY, _posted(network, first).child
    while place != NOBODY:
        other, after = _unlink_next(network, place), NOBODY
        if other != NOBODY:
            after = _unlink_next(network, other)
        pair = _meld(network, place, other)
        _posted(network, pair).next = pairs
        pairs, place = pair, after
    rest = NOBODY
    while pairs != NOBODY:
        after = _unlink_next(network, pairs)
        rest = _meld(network, rest, pairs)
        pairs = after
    return rest


@kernel(inline=True)
def _take_place(network):
    """A free place of the pool, or `NOBODY`."""
    place = network.free
    if place != NOBODY:
        network.free = _posted(network, place).next
        return place
    place = network.unused
    if place == network.pool_size:
        network.is_full = 1
        return NOBODY
    network.unused = place + 1
    return place


@native("int64(int64, int64)")
def send(endpoint_address, message_address):
    """Keep a message until the step that sends it ends; 0 if the pool is full."""
    endpoint = SIMULATED_ENDPOINT.at(endpoint_address)
    network = NETWORK.at(endpoint.network)
    place = _take_place(network)
    if place == NOBODY:
        return 0
    posted, message = _posted(network, place), view_u64(message_address, MESSAGE_WORDS)
    copy = posted.message
    for i in range(MESSAGE_WORDS):
        copy[U(i)] = message[U(i)]
    posted.next = NOBODY
    posted.order = (U(endpoint.shard) << SENDER_SHIFT) | U(endpoint.sent)
    if network.first_sent == NOBODY:
        network.first_sent = place
    else:
        _posted(network, network.last_sent).next = place
    network.last_sent = place
    endpoint.sent += 1
    return 1


@native("int64(int64, int64)")
def receive(endpoint_address, message_address):
    """Take the earliest message that has arrived; 0 if there is none."""
    endpoint = SIMULATED_ENDPOINT.at(endpoint_address)
    network = NETWORK.at(endpoint.network)
    inboxes = view_i64(network.inboxes, network.shard_count)
    place = inboxes[U(endpoint.shard)]
    if place == NOBODY:
        return 0
    posted = _posted(network, place)
    if posted.arrival_ps > network.now_ps:
        return 0
    message, copy = view_u64(message_address, MESSAGE_WORDS), posted.message
    for i in range(MESSAGE_WORDS):
        message[U(i)] = copy[U(i)]
    inboxes[U(endpoint.shard)] = _without_first(network, place)
    posted.next = network.free
    network.free = place
    endpoint.taken += 1
    return 1


@native("int64(int64, int64, int64)")
def advance(network_address, worker, now):
    """From now on a worker sees what has arrived by `now`."""
    NETWORK.at(network_address).now_ps = now
    return 0


@kernel()
def _enter(network, place, receiver, arrival):
    """Enter a message into its receiver's heap."""
    inboxes, posted = view_i64(network.inboxes, network.shard_count), _posted(network, place)
    posted.arrival_ps = arrival
    posted.child = NOBODY
    posted.next = NOBODY
    inboxes[U(receiver)] = _meld(network, inboxes[U(receiver)], place)


@kernel(inline=True)
def _later(network, sender, receiver, arrival):
    """An arrival with its jitter, and not before the sender's message before it."""
    arrivals = view_i64(network.last_arrivals, network.shard_count * network.shard_count)
    pair = U(sender * network.shard_count + receiver)
    arrivals[pair] = max(arrival + draw(network, network.jitter + 1), arrivals[pair])
    return arrivals[pair]


@native("int64(int64, int64, int64)")
def settle(network_address, worker, end):
    """Send off at `end` what a step has sent; how many pairs (receiver, arrival) it has left for the event loop."""
    network = NETWORK.at(network_address)
    wakes = view_i64(network.wakes, 2 * network.pool_size)
    place, count = network.first_sent, 0
    while place != NOBODY:
        posted = _posted(network, place)
        following = posted.next
        receiver = I((posted.message[HEAD] >> TO_SHIFT) & SHARD_MASK)
        arrival = end + network.latency_ps
        if network.jitter != 0:
            arrival = _later(network, worker, receiver, arrival)
        _enter(network, place, receiver, arrival)
        wakes[U(2 * count)], wakes[U(2 * count + 1)] = receiver, arrival
        count += 1
        place = following
    network.first_sent = NOBODY
    return count


@native("int64(int64, int64, int64)")
def arrival(network_address, worker, now):
    """Arrival time of a worker's next message, or -1 if none is under way to it."""
    network = NETWORK.at(network_address)
    place = view_i64(network.inboxes, network.shard_count)[U(worker)]
    if place == NOBODY:
        return I(-1)
    return _posted(network, place).arrival_ps


class SimulatedEndpoint:
    """One shard's end of a simulated network.

    Parameters
    ----------
    network : int
        Address of its header.
    shard : int
    """

    send: Native = send
    receive: Native = receive

    def __init__(self, network: int, shard: int) -> None:
        self._memory = SIMULATED_ENDPOINT.zeros()
        self._header: Any = self._memory[0]
        self._header["network"], self._header["shard"] = network, shard

    @property
    def address(self) -> int:
        """Address of the endpoint, for the exchange's functions."""
        return int(self._memory.ctypes.data)

    def reset(self) -> None:
        """Begin without a message; see `SimulatedNetwork.reset`."""
        self._header["sent"] = self._header["taken"] = 0

    def sent(self) -> int:
        """Messages that this shard has sent."""
        return int(self._header["sent"])

    def taken(self) -> int:
        """Messages that this shard has received."""
        return int(self._header["taken"])


class SimulatedNetwork:
    """A network between so many shards, in this process.

    Parameters
    ----------
    shards, slots : int
    scale : int
        Multiplies the room for messages under way.
    """

    def __init__(self, shards: int, slots: int, scale: int = 1) -> None:
        size = scale * (shards * slots * POOL_PER_SLOT + 1)
        self._pool = sparse_zeros(size * POSTED.words)
        self._inboxes = np.zeros(shards, np.int64)
        self._last_arrivals: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._wakes = sparse_zeros(2 * size, np.int64)
        self._memory = NETWORK.zeros()
        self._header: Any = self._memory[0]
        self._shards = shards
        for field, value in {
            "pool": self._pool.ctypes.data,
            "pool_size": size,
            "inboxes": self._inboxes.ctypes.data,
            "shard_count": shards,
            "wakes": self._wakes.ctypes.data,
        }.items():
            self._header[field] = value
        self.endpoints = [SimulatedEndpoint(self.address, shard) for shard in range(shards)]

    @property
    def address(self) -> int:
        """Address of the header."""
        return int(self._memory.ctypes.data)

    @property
    def full(self) -> bool:
        """Whether there was no room for a message."""
        return bool(self._header["is_full"])

    def reset(self, model: NetworkModel, jitter: int = 0, seed: int = 0) -> None:
        """Begin without a message under way.

        Parameters
        ----------
        model : NetworkModel
        jitter : int
            Arrivals are later by up to so many units of the loop's time, drawn from `seed` for each message.
        seed : int
        """
        self._inboxes[:] = 0
        header = self._header
        header["now_ps"], header["free"], header["unused"] = 0, NOBODY, 1
        header["is_full"], header["first_sent"] = 0, NOBODY
        header["latency_ps"], header["jitter"], header["random"] = model.latency_ps, jitter, seeded(seed)
        if jitter:
            self._last_arrivals = np.zeros(self._shards**2, np.int64)
            header["last_arrivals"] = self._last_arrivals.ctypes.data
        for endpoint in self.endpoints:
            endpoint.reset()

    def hooks(self) -> NetworkHooks:
        """Functions that an event loop has to call."""
        return NetworkHooks(self.address, advance, settle, arrival, int(self._wakes.ctypes.data))
