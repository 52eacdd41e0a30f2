"""A simulated network between shards: an exchange whose messages take time to arrive.

The model is LogP's (Culler et al., "LogP: towards a realistic model of parallel computation", PPoPP 1993) without its
gap: a message keeps its sender and its receiver busy for an overhead each, and travels for a latency. What a step has
sent leaves when the step ends, in the order in which it was sent. Messages between two shards never overtake each
other. A receiver sees messages by the time of their arrival.

Every receiver has a pairing heap of the messages under way to it (Fredman, Sedgewick, Sleator and Tarjan, "The pairing
heap: a new form of self-adjusting heap", Algorithmica 1986), ordered by arrival, then by sender, then by number: when
everyone wants something of the same shard, thousands of messages wait there. Messages lie in a pool that all share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm.jit import Native, kernel, native
from evm.pointers import view_i64, view_u64
from evm.rooms import sparse_zeros
from strategies import shard_layout as s
from strategies.clocks import Network
from strategies.draws import draw, seeded

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
TO_SHIFT, SHARD_MASK = U(s.TO_SHIFT), U(s.SHARD_MASK)

# Header of the network.
(
    N_NOW,  # what a receiver may see has arrived by then, in picoseconds
    N_LATENCY,  # picoseconds
    N_JITTER,  # arrivals are later by up to so many picoseconds, drawn anew for each message
    N_RANDOM,  # state of the generator
    N_POOL,
    N_POOL_SIZE,
    N_FREE,  # list of messages that were received
    N_FRESH,  # from here on none was ever used
    N_FULL,  # whether the pool was too small
    N_INBOXES,  # the message that arrives first at each shard
    N_LAST,  # when the latest message of each pair of shards arrives; only where arrivals are random
    N_SHARDS,
    N_SENT,  # first and last message sent in the step in hand, which have not left
    N_SENT_LAST,
    N_WAKES,
    N_WORDS,
) = range(16)
# An endpoint: the network, and whose it is.
E_NETWORK, E_SHARD, E_COUNT_SENT, E_COUNT_TAKEN, E_WORDS = range(5)
# A message in the pool: its place in a list or heap, its arrival, which goes first of those that arrive together, then
# itself.
P_NEXT, P_CHILD, P_ARRIVAL, P_ORDER, P_MESSAGE = range(5)
P_WORDS = P_MESSAGE + int(s.MSG_WORDS)
NOBODY = 0
SENDER_SHIFT = U(40)  # in P_ORDER, above how many the sender has sent before


@kernel(inline=True)
def _goes_first(pool, one, other):
    """Whether one message is received before the other."""
    i, j = U(one * P_WORDS), U(other * P_WORDS)
    if pool[i + U(P_ARRIVAL)] != pool[j + U(P_ARRIVAL)]:
        return pool[i + U(P_ARRIVAL)] < pool[j + U(P_ARRIVAL)]
    return pool[i + U(P_ORDER)] < pool[j + U(P_ORDER)]


@kernel(inline=True)
def _meld(pool, one, other):
    """Join two heaps, of which either may be empty."""
    if one == NOBODY:
        return other
    if other == NOBODY:
        return one
    if _goes_first(pool, other, one):
        one, other = other, one
    pool[U(other * P_WORDS + P_NEXT)] = pool[U(one * P_WORDS + P_CHILD)]
    pool[U(one * P_WORDS + P_CHILD)] = U(other)
    return one


@kernel()
def _without_first(pool, first):
    """A heap without its first message: its children are melded in pairs, then the pairs, the last one first."""
    pairs, place = I(NOBODY), I(pool[U(first * P_WORDS + P_CHILD)])
    while place != NOBODY:
        other, after = I(pool[U(place * P_WORDS + P_NEXT)]), I(NOBODY)
        pool[U(place * P_WORDS + P_NEXT)] = U(NOBODY)
        if other != NOBODY:
            after = I(pool[U(other * P_WORDS + P_NEXT)])
            pool[U(other * P_WORDS + P_NEXT)] = U(NOBODY)
        pair = _meld(pool, place, other)
        pool[U(pair * P_WORDS + P_NEXT)] = U(pairs)
        pairs, place = pair, after
    rest = I(NOBODY)
    while pairs != NOBODY:
        after = I(pool[U(pairs * P_WORDS + P_NEXT)])
        pool[U(pairs * P_WORDS + P_NEXT)] = U(NOBODY)
        rest = _meld(pool, rest, pairs)
        pairs = after
    return rest


@kernel(inline=True)
def _take_place(network):
    """A free place of the pool, or `NOBODY`."""
    place = I(network[U(N_FREE)])
    pool = view_u64(I(network[U(N_POOL)]), I(network[U(N_POOL_SIZE)]) * P_WORDS)
    if place != NOBODY:
        network[U(N_FREE)] = pool[U(place * P_WORDS + P_NEXT)]
        return place
    place = I(network[U(N_FRESH)])
    if place == I(network[U(N_POOL_SIZE)]):
        network[U(N_FULL)] = U(1)
        return NOBODY
    network[U(N_FRESH)] = U(place + 1)
    return place


@native("int64(int64, int64)")
def send(endpoint_address, message_address):
    """Keep a message until the step that sends it ends; 0 if the pool is full."""
    endpoint = view_u64(endpoint_address, E_WORDS)
    network = view_u64(I(endpoint[U(E_NETWORK)]), N_WORDS)
    place = _take_place(network)
    if place == NOBODY:
        return 0
    pool = view_u64(I(network[U(N_POOL)]), I(network[U(N_POOL_SIZE)]) * P_WORDS)
    message = view_u64(message_address, s.MSG_WORDS)
    at = place * P_WORDS
    for i in range(s.MSG_WORDS):
        pool[U(at + P_MESSAGE + i)] = message[U(i)]
    pool[U(at + P_NEXT)] = U(NOBODY)
    pool[U(at + P_ORDER)] = (endpoint[U(E_SHARD)] << SENDER_SHIFT) | endpoint[U(E_COUNT_SENT)]
    if network[U(N_SENT)] == U(NOBODY):
        network[U(N_SENT)] = U(place)
    else:
        pool[network[U(N_SENT_LAST)] * U(P_WORDS) + U(P_NEXT)] = U(place)
    network[U(N_SENT_LAST)] = U(place)
    endpoint[U(E_COUNT_SENT)] += U(1)
    return 1


@native("int64(int64, int64)")
def receive(endpoint_address, message_address):
    """Take the earliest message that has arrived; 0 if there is none."""
    endpoint = view_u64(endpoint_address, E_WORDS)
    network = view_u64(I(endpoint[U(E_NETWORK)]), N_WORDS)
    inboxes = view_u64(I(network[U(N_INBOXES)]), I(network[U(N_SHARDS)]))
    place = I(inboxes[endpoint[U(E_SHARD)]])
    if place == NOBODY:
        return 0
    pool = view_u64(I(network[U(N_POOL)]), I(network[U(N_POOL_SIZE)]) * P_WORDS)
    at = place * P_WORDS
    if pool[U(at + P_ARRIVAL)] > network[U(N_NOW)]:
        return 0
    message = view_u64(message_address, s.MSG_WORDS)
    for i in range(s.MSG_WORDS):
        message[U(i)] = pool[U(at + P_MESSAGE + i)]
    inboxes[endpoint[U(E_SHARD)]] = U(_without_first(pool, place))
    pool[U(at + P_NEXT)] = network[U(N_FREE)]
    network[U(N_FREE)] = U(place)
    endpoint[U(E_COUNT_TAKEN)] += U(1)
    return 1


@native("int64(int64, int64, int64)")
def advance(network_address, worker, now):
    """From now on a worker sees what has arrived by `now`."""
    view_u64(network_address, N_WORDS)[U(N_NOW)] = U(now)
    return 0


@kernel()
def _enter(network, pool, place, receiver, arrival):
    """Enter a message into its receiver's heap."""
    inboxes = view_u64(I(network[U(N_INBOXES)]), I(network[U(N_SHARDS)]))
    pool[U(place * P_WORDS + P_ARRIVAL)] = U(arrival)
    pool[U(place * P_WORDS + P_CHILD)] = U(NOBODY)
    pool[U(place * P_WORDS + P_NEXT)] = U(NOBODY)
    inboxes[U(receiver)] = U(_meld(pool, I(inboxes[U(receiver)]), place))


@native("int64(int64, int64, int64)")
def settle(network_address, worker, end):
    """Send off at `end` what a step has sent; how many pairs (receiver, arrival) it has left for the event loop."""
    network = view_u64(network_address, N_WORDS)
    pool = view_u64(I(network[U(N_POOL)]), I(network[U(N_POOL_SIZE)]) * P_WORDS)
    wakes = view_i64(I(network[U(N_WAKES)]), 2 * I(network[U(N_POOL_SIZE)]))
    shards = I(network[U(N_SHARDS)])
    place, count = I(network[U(N_SENT)]), 0
    while place != NOBODY:
        following = I(pool[U(place * P_WORDS + P_NEXT)])
        receiver = I((pool[U(place * P_WORDS + P_MESSAGE + s.MSG_HEAD)] >> TO_SHIFT) & SHARD_MASK)
        arrival = end + I(network[U(N_LATENCY)])
        if network[U(N_JITTER)] != U(0):
            last = view_i64(I(network[U(N_LAST)]), shards * shards)
            later = draw(network, N_RANDOM, network[U(N_JITTER)] + U(1))
            arrival = max(arrival + later, last[U(worker * shards + receiver)])
            last[U(worker * shards + receiver)] = arrival
        _enter(network, pool, place, receiver, arrival)
        wakes[U(2 * count)], wakes[U(2 * count + 1)] = receiver, arrival
        count += 1
        place = following
    network[U(N_SENT)] = U(NOBODY)
    return count


@native("int64(int64, int64, int64)")
def arrival(network_address, worker, now):
    """When a worker's next message arrives, or -1 if none is under way to it."""
    network = view_u64(network_address, N_WORDS)
    place = I(view_u64(I(network[U(N_INBOXES)]), I(network[U(N_SHARDS)]))[U(worker)])
    if place == NOBODY:
        return I(-1)
    pool = view_u64(I(network[U(N_POOL)]), I(network[U(N_POOL_SIZE)]) * P_WORDS)
    return I(pool[U(place * P_WORDS + P_ARRIVAL)])


class NetworkError(ValueError):
    """A network that nobody knows; the message names those there are."""


@dataclass(frozen=True)
class NetworkModel:
    """How long messages take.

    Attributes
    ----------
    latency : float
        Nanoseconds from the end of the step that sends to the arrival.
    overhead : float
        Nanoseconds for which a message keeps its sender busy, and its receiver.
    """

    latency: float
    overhead: float

    @classmethod
    def parse(cls, text: str) -> NetworkModel:
        """Read a name of `NETWORKS`, or ``latency:overhead`` in nanoseconds.

        Raises
        ------
        NetworkError
            If it is neither.
        """
        if text in NETWORKS:
            return NETWORKS[text]
        latency, colon, overhead = text.partition(":")
        try:
            found = cls(float(latency), float(overhead))
        except ValueError:
            found = cls(-1.0, -1.0)
        if not colon or not 0 <= found.latency <= _MOST or not 0 <= found.overhead <= _MOST:
            raise NetworkError(
                f"network {text!r} is not known; give one of {', '.join(NETWORKS)}, or latency:overhead in nanoseconds"
            )
        return found


_MOST = 1e12
# Latencies one way. Between cores of a machine: a cache line, about 100 ns. In a data centre and beyond: Dean's numbers
# that every programmer should know (half a millisecond there and back, 150 ms across an ocean), RDMA in a rack a few
# microseconds (Kalia, Kaminsky and Andersen, "Design guidelines for high performance RDMA systems", USENIX ATC 2016).
# Overheads: a ring of cache lines; a verb; a system call and its share of a stack of protocols.
NETWORKS: dict[str, NetworkModel] = {
    "same_machine": NetworkModel(100, 0),
    "rack": NetworkModel(2_000, 150),
    "datacenter": NetworkModel(250_000, 1_500),
    "region": NetworkModel(1_000_000, 1_500),
    "wide_area": NetworkModel(75_000_000, 1_500),
}
_PICOSECONDS = 1_000
POOL_PER_SLOT = 64


class VirtualEndpoint:
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
        self._header = np.zeros(E_WORDS, np.uint64)
        self._header[E_NETWORK], self._header[E_SHARD] = network, shard

    @property
    def address(self) -> int:
        """Address of the endpoint, for the exchange's functions."""
        return int(self._header.ctypes.data)

    def reset(self) -> None:
        """Begin without a message; see `VirtualNetwork.reset`."""
        self._header[E_COUNT_SENT:] = 0

    def sent(self) -> int:
        """Messages that this shard has sent."""
        return int(self._header[E_COUNT_SENT])

    def taken(self) -> int:
        """Messages that this shard has received."""
        return int(self._header[E_COUNT_TAKEN])


class VirtualNetwork:
    """A network between so many shards, in this process.

    Parameters
    ----------
    shards, slots : int
    scale : int
        Multiplies the room for messages under way.
    """

    def __init__(self, shards: int, slots: int, scale: int = 1) -> None:
        size = scale * (shards * slots * POOL_PER_SLOT + 1)
        self._pool = sparse_zeros(size * P_WORDS)
        self._inboxes = np.zeros(shards, np.uint64)
        self._last: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._wakes = sparse_zeros(2 * size, np.int64)
        self.header = np.zeros(N_WORDS, np.uint64)
        self._shards = shards
        for field, value in (
            (N_POOL, self._pool.ctypes.data),
            (N_POOL_SIZE, size),
            (N_INBOXES, self._inboxes.ctypes.data),
            (N_SHARDS, shards),
            (N_WAKES, self._wakes.ctypes.data),
        ):
            self.header[field] = value
        self.endpoints = [VirtualEndpoint(self.address, shard) for shard in range(shards)]

    @property
    def address(self) -> int:
        """Address of the header."""
        return int(self.header.ctypes.data)

    @property
    def full(self) -> bool:
        """Whether there was no room for a message."""
        return bool(self.header[N_FULL])

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
        header = self.header
        header[N_NOW], header[N_FREE], header[N_FRESH], header[N_FULL], header[N_SENT] = 0, NOBODY, 1, 0, NOBODY
        header[N_LATENCY] = round(model.latency * _PICOSECONDS)
        header[N_JITTER], header[N_RANDOM] = jitter, seeded(seed)
        if jitter:
            self._last = np.zeros(self._shards**2, np.int64)
            header[N_LAST] = self._last.ctypes.data
        for endpoint in self.endpoints:
            endpoint.reset()

    def hooks(self) -> Network:
        """What an event loop has to call."""
        return Network(self.address, advance, settle, arrival, int(self._wakes.ctypes.data))
