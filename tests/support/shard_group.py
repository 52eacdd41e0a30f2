"""Shards in one process and one thread, stepped in an order that a seed decides: every seed is an interleaving."""

from __future__ import annotations

import ctypes
import random

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, Changes, State
from contend.evm.block_image import BlockImage
from contend.evm.code import shared_store
from contend.evm.receipts import RECEIPT
from contend.strategies.base import Outcome
from contend.strategies.clocks import FAILED, FINISHED, IDLE
from contend.strategies.compiled import LOCATIONS_PER_TRANSACTION, SPARE_LOCATIONS, CompiledStrategy
from contend.strategies.sharded.memory import Cluster, ShardMemory
from contend.strategies.sharded.partitioning import PartLayout, deliver, open_part, owners
from contend.strategies.sharded.protocol.layout import CONTROL, LOCK_NODE_MASK
from contend.strategies.sharded.protocol.worker import step
from contend.strategies.sharded.results import ShardResult, collect
from contend.strategies.sharded.transport.rings import RingEndpoint, rings_words

Words = npt.NDArray[np.uint64]
ARENA_BYTES_PER_TRANSACTION, SPARE_ARENA_BYTES = 1 << 11, 1 << 18
# Steps in a row in which no shard did anything, after which the shards are said to be stuck.
PATIENCE = 20_000


def owner(address: bytes, shards: int) -> int:
    """The shard that owns an address."""
    state = State()
    state.set_balance(address, 1)
    return int(owners(state.keys, shards)[0])


class ShardGroup(CompiledStrategy):
    """The sharded strategy without processes and without time.

    Parameters
    ----------
    slots : int
    seed : int
        Of the schedule. Each execution begins it anew.
    ordered : bool
        Whether to commit in the block's order.
    """

    name = "shard_group"

    def __init__(self, slots: int = 4, seed: int = 0, ordered: bool = False) -> None:
        super().__init__()
        self.slots, self.seed, self.ordered = slots, seed, ordered
        self.shards: list[ShardMemory] = []
        self._made: dict[tuple[int, int], tuple[Words, list[RingEndpoint], list[ShardMemory]]] = {}
        self._store: Words = np.zeros(1 << 18, np.uint64)
        self._control = CONTROL.zeros()

    def _make(self, shards: int, scale: int) -> None:
        self._control[:] = np.zeros(1, CONTROL.dtype)
        self._cluster = Cluster(int(self._control.ctypes.data))
        if (shards, scale) not in self._made:
            rings = np.zeros(rings_words(shards, self.slots), np.uint64)
            ends = [RingEndpoint(int(rings.ctypes.data), number, shards, self.slots) for number in range(shards)]
            store = int(self._store.ctypes.data)
            made = [ShardMemory(number, shards, self.slots, ends[number], scale, store) for number in range(shards)]
            self._made[shards, scale] = rings, ends, made
        self._rings, self._ends, self.shards = self._made[shards, scale]
        self._rings[:] = 0
        shared_store.clear(self._store)

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        self._make(workers, scale)
        present = state.values.any(axis=1)
        keys, words = state.keys[present], state.values[present]
        whose = owners(keys, workers)
        spare = scale * (LOCATIONS_PER_TRANSACTION * len(image) + SPARE_LOCATIONS)
        for number, shard in enumerate(self.shards):
            for place in range(len(state.codes)):
                shard.state.codes.add(bytes(state.codes[place].code))
            shard.load(Changes(keys[whose == number], words[whose == number]), spare)
        layout = PartLayout(len(image), image.data_bytes)
        parts = np.zeros(workers * layout.words, np.uint64)
        room = scale * (len(image) * ARENA_BYTES_PER_TRANSACTION + SPARE_ARENA_BYTES)
        arenas = np.zeros((workers, room), np.uint8)
        counts = deliver(image, workers, layout, int(parts.ctypes.data))
        results, kept = [], []
        for number, shard in enumerate(self.shards):
            count = int(counts[number])
            part = int(parts.ctypes.data) + number * layout.words * 8
            queue, part_image = open_part(part, layout, count)
            receipts = RECEIPT.zeros(count)
            kept.append(receipts)
            arena = int(arenas[number].ctypes.data)
            coinbase = image.block.environment.coinbase
            shard.begin_block(part_image, coinbase, queue, receipts, arena, room, self.ordered)
            results.append(ShardResult(part + layout.queue * 8, int(receipts.ctypes.data), count, 0))
        self._drive(random.Random(self.seed))
        receipts_of_all, order = collect(results)
        for shard in self.shards:
            state.apply(shard.changes())
        for code in shared_store.codes_in(self._store):
            state.codes.add(code)
        counted = [shard.counted() for shard in self.shards]
        counters = {name: sum(one[name] for one in counted) for name in counted[0]}
        return Outcome(None, receipts_of_all, {"execute": 0.0}, counters, None if self.ordered else order)

    def _drive(self, draw: random.Random) -> None:
        """Step shards until all have finished. Some are much slower than others, and hear their peers in any order."""
        function = step.compiled.ctypes
        shared = ctypes.c_int64(self._cluster.address)
        workers = [ctypes.c_int64(shard.address) for shard in self.shards]
        speeds = [draw.choice([1, 1, 1, 10, 100]) for _ in self.shards]
        alive = list(range(len(self.shards)))
        idle = 0
        while alive:
            number = draw.choices(alive, [speeds[i] for i in alive])[0]
            self._ends[number].header["next_source"] = draw.randrange(len(self.shards))
            for _ in range(draw.choice([1, 1, 1, 20])):
                cost = function(shared, workers[number])
                if cost == FAILED:
                    raise CapacityError("a shard is too small for the block")
                if cost == FINISHED:
                    alive.remove(number)
                    break
                idle = idle + 1 if cost == IDLE else 0
            assert idle < PATIENCE, f"shards are stuck with seed {self.seed}"

    def assert_nothing_is_left(self) -> None:
        """After a block no lock is held, no transaction is in a slot, and no message is under way."""
        for shard in self.shards:
            assert not (shard.lock_words & LOCK_NODE_MASK).any()
            assert int(shard.header["free_slots"]) == (1 << self.slots) - 1
            assert int(shard.header["runnable_slots"]) == 0
            assert int(shard.header["ended"]) == int(shard.header["queue_size"])
        assert sum(end.sent() for end in self._ends) == sum(end.taken() for end in self._ends)
