"""Simulated cluster: all shards in one process, driven by a simulated clock.

Steps and messages are the same as between processes. What is timed is as in `strategies.sharded.strategy`: routing and
the shards' work, and nothing that a node has or uses in place.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, Changes, State
from contend.evm.block_image import BlockImage
from contend.evm.layout import KEY_WORDS
from contend.evm.receipts import RECEIPT
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.strategies.backing import Backing
from contend.strategies.base import Outcome
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import ACT_COMMIT, FAILED, Clock, Workers
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.network_model import NetworkModel
from contend.strategies.compiled import LOCATIONS_PER_TRANSACTION
from contend.strategies.sharded.joined_log import ShardLog, joined_list
from contend.strategies.sharded.memory import Cluster, ShardMemory
from contend.strategies.sharded.partitioning import PartLayout, deliver, open_part, owners
from contend.strategies.sharded.protocol.layout import CONTROL, SHARD
from contend.strategies.sharded.protocol.worker import step
from contend.strategies.sharded.results import Indices, ShardResult, collect, is_block_order
from contend.strategies.sharded.transport.simulated_network import SimulatedEndpoint, SimulatedNetwork

Words = npt.NDArray[np.uint64]

ARENA_BYTES_PER_TRANSACTION, SPARE_ARENA_BYTES = 1 << 11, 1 << 18
SPARE_LOCATIONS = 1 << 10
# A shard may meet that many times its fair share of a block's new locations before it needs more room. Few need more:
# those that own a contract with which all the block is concerned.
_UNEVEN = 8


class SimulatedCluster:
    """Shards of one process, kept for blocks executed on states with the same code directory.

    Parameters
    ----------
    shards, slots : int
    state : State
        Whose codes they share.
    scale : int
        Multiplies their room.
    """

    def __init__(self, shards: int, slots: int, state: State, scale: int) -> None:
        self.fits = (shards, slots, id(state.codes), scale)
        self.network = SimulatedNetwork(shards, slots, scale)
        self._codes = state.codes  # kept alive, so that no other can have its identity
        self._scale = scale
        self._uneven = np.full(shards, _UNEVEN)
        self.shards = [
            ShardMemory(number, shards, slots, endpoint, scale, codes=state.codes)
            for number, endpoint in enumerate(self.network.endpoints)
        ]
        self._control = CONTROL.zeros()

    def execute(
        self,
        image: BlockImage,
        state: State,
        clock: Clock,
        model: NetworkModel,
        ordered: bool = False,
        logs: bool = False,
        backing: Backing | None = None,
    ) -> Outcome:
        """Execute a block, and leave `state` as it is after it.

        Parameters
        ----------
        clock : Clock
            A simulated one.
        model : NetworkModel
        ordered : bool
            Whether to commit in the block's order.
        logs : bool
            Whether to make the block's access list.
        backing : Backing, optional
            What lies behind the state.

        Raises
        ------
        CapacityError
            If a shard, or the network, was too small.
        """
        mark = clock.mark()
        while True:
            try:
                return self._attempt(image, state, clock, model, ordered, logs, backing)
            except CapacityError:
                if not self._make_room():
                    raise
                clock.rewind(mark)

    def _make_room(self) -> bool:
        """Give more room to the shards of which the state was full; whether that can help."""
        full = np.array([shard.state.count >= shard.state.capacity for shard in self.shards])
        grows = full & (self._uneven < len(self.shards))
        self._uneven[grows] *= _UNEVEN
        return bool(grows.any())

    def _attempt(
        self,
        image: BlockImage,
        state: State,
        clock: Clock,
        model: NetworkModel,
        ordered: bool,
        logs: bool,
        backing: Backing | None,
    ) -> Outcome:
        count, begin = len(image), perf_counter()
        self._load(state, count, backing, image.block.environment.coinbase, clock)
        untimed = {"partition": perf_counter() - begin}
        self.network.reset(model, clock.jitter, clock.seed)
        self._control[:] = np.zeros(1, CONTROL.dtype)
        cluster = Cluster(int(self._control.ctypes.data), SimulatedEndpoint, clock.costs, model.overhead_ps)
        layout = PartLayout(count, image.data_bytes)
        parts = sparse_zeros(len(self.shards) * layout.words)

        began = clock.now()
        results, kept = self._deliver(image, layout, parts, ordered, logs)
        costs = (clock.costs or default_costs()).table
        clock.spend(int(costs[cost_table.ROUTE]) * count)
        prepared = clock.now()
        addresses, activity = [shard.address for shard in self.shards], SHARD.offsets["activity"]
        execution = SHARD.offsets["txn_idx"], SHARD.offsets["execution"]
        hooks = self.network.hooks()
        workers = Workers(step, cluster.address, addresses, activity=activity, execution=execution, network=hooks)
        try:
            ended = clock.run(workers)
        except RuntimeError:  # stuck, or in a livelock
            if self.network.full:
                raise CapacityError("the network is too small for the block") from None
            raise
        read = self._uncover()
        if backing is not None:
            backing.note_parts(read, clock)
        if FAILED in ended:
            raise CapacityError(
                "a machine, the locks, the state or the receipts of a shard are too small for the block"
            )
        executed = clock.now()
        begin = perf_counter()
        receipts, order = collect(results)
        access_list, listing = None, 0.0
        if logs:
            access_list = self._access_list(image, state, results, order, clock)
            listing = clock.now() - executed
        del kept
        untimed["receipts"] = perf_counter() - begin
        begin = perf_counter()
        changes = [shard.changes() for shard in self.shards]
        together = Changes.sorted(
            np.concatenate([one.keys for one in changes]), np.concatenate([one.words for one in changes])
        )
        state.apply(together)
        untimed["changes"] = perf_counter() - begin
        counted = [shard.counted() for shard in self.shards]
        counters = {name: sum(one[name] for one in counted) for name in counted[0]}
        phases = {"prepare": prepared - began, "execute": executed - prepared, "commit": listing}
        named = None if ordered or is_block_order(order) else order
        blamed = self._abort_locations()
        return Outcome(
            together,
            receipts,
            phases,
            counters,
            named,
            abort_locations=blamed,
            untimed=untimed,
            access_list=access_list,
        )

    def _access_list(
        self, image: BlockImage, state: State, results: list[ShardResult], order: Indices, clock: Clock
    ) -> bytes:
        """Access list of the block in its serialisation order, made at one place of what the shards logged."""
        own = [ShardLog(shard.access_log.address, shard) for shard in self.shards if shard.access_log is not None]
        coinbase = image.block.environment.coinbase
        made, records = joined_list(results, own, order, state, coinbase, state.balance(coinbase), self._scale)
        costs = (clock.costs or default_costs()).table.tolist()
        joining = records * (costs[cost_table.LIST_ACCESS] + costs[cost_table.LIST_SORT] * records.bit_length())
        clock.spend(joining + len(made) * costs[cost_table.LIST_BYTE], ACT_COMMIT)
        return made

    def _uncover(self) -> dict[str, int]:
        """Have nothing lie behind the shards' parts any more; what was counted there."""
        counted = [shard.uncover() for shard in self.shards]
        return {name: sum(one[name] for one in counted) for name in counted[0]}

    def _load(self, state: State, count: int, backing: Backing | None, coinbase: bytes, clock: Clock) -> None:
        """Give each shard its part of the state, with what lies behind it."""
        shards = len(self.shards)
        present, kept = state.values.any(axis=1), np.zeros(0, np.bool_)
        if backing is not None:
            kept = backing.kept(state)
            if len(kept):
                present |= kept[: state.count]
        keys, words = state.keys[present], state.values[present]
        kept = kept[: state.count][present] if len(kept) else kept
        whose = owners(keys, shards)
        by_owner = np.argsort(whose, kind="stable")
        ends = np.searchsorted(whose[by_owner], np.arange(shards + 1))
        locations = LOCATIONS_PER_TRANSACTION * count
        spare = self._scale * (np.minimum(locations, self._uneven * locations // shards) + SPARE_LOCATIONS)
        for number, shard in enumerate(self.shards):
            mine = by_owner[ends[number] : ends[number + 1]]
            shard.load(Changes(keys[mine], words[mine]), int(spare[number]))
            if backing is not None:
                shard.put_behind(backing.part(), kept[mine] if len(kept) else kept, coinbase, shards, clock)

    def _deliver(
        self, image: BlockImage, layout: PartLayout, parts: Words, ordered: bool, logs: bool
    ) -> tuple[list[ShardResult], list[npt.NDArray[np.generic]]]:
        """Give each shard its part of the block; where results will lie, and the arrays in which they will."""
        counts = deliver(image, len(self.shards), layout, int(parts.ctypes.data))
        rooms = self._scale * (counts * ARENA_BYTES_PER_TRANSACTION + SPARE_ARENA_BYTES)
        arenas = sparse_zeros(int(rooms.sum()), np.uint8)
        starts = int(arenas.ctypes.data) + np.cumsum(rooms) - rooms
        coinbase = image.block.environment.coinbase
        results: list[ShardResult] = []
        kept: list[npt.NDArray[np.generic]] = [arenas]
        for number, shard in enumerate(self.shards):
            count = int(counts[number])
            part = int(parts.ctypes.data) + number * layout.words * 8
            queue, part_image = open_part(part, layout, count)
            receipts = RECEIPT.zeros(count)
            kept.append(receipts)
            arena, room = int(starts[number]), int(rooms[number])
            shard.begin_block(part_image, coinbase, queue, receipts, arena, room, ordered, logs)
            results.append(ShardResult(part + layout.queue * 8, int(receipts.ctypes.data), count, 0))
        return results, kept

    def _abort_locations(self) -> tuple[Words, npt.NDArray[np.int64]]:
        """Keys of the locations that caused aborts, and how many each."""
        causes, counts = np.unique(np.concatenate([shard.abort_causes() for shard in self.shards]), return_counts=True)
        keys = [self.shards[int(one) >> 32].state.keys[int(one) & 0xFFFFFFFF] for one in causes]
        return np.array(keys, np.uint64).reshape(len(keys), KEY_WORDS), counts.astype(np.int64)
