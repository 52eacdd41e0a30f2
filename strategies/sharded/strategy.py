"""Sharded execution: the state divided by address over processes that share no state and exchange messages.

Each shard owns the locations of its addresses and coordinates the transactions whose sender is among them: it executes
them in the block's order, several under way at once. What a transaction needs of another shard, that shard, a
participant, tells it in a message: the resumable interpreter waits meanwhile, and its shard goes on with another
transaction.

Atomicity and isolation. A transaction that touches several shards holds locks (strict two-phase locking, a lock a
location) and commits in two phases (Gray, "Notes on data base operating systems", 1978; Mohan, Lindsay and Obermarck,
"Transaction management in the R* distributed database management system", TODS 1986; for the problem in general Gray
and Lamport, "Consensus on transaction commit", TODS 2006): its coordinator sends what it wrote to the participants,
commits when all have promised, and tells them. One that touches its own shard only commits without a message. Shards
do not fail here one by one: when a process dies the whole run ends in an error, so that no log is written.

Deadlock is impossible by wound-wait (Rosenkrantz, Stearns and Lewis, TODS 1978); the argument is in
`strategies.sharded.protocol.lock_manager`. Wait-die of the same paper would be as safe, but here transactions start in
the order of their age, so that it is mostly a younger one that finds an older one in its way: wait-die would abort it,
again and again, where wound-wait lets it wait.

Serialisation order. Messages carry a Lamport clock ("Time, clocks, and the ordering of events in a distributed
system", CACM 1978), and a transaction's commit is an event with a time of its own: one more than everything its
coordinator has sent or received before. Transactions are serialised by that time, then by coordinator. Why this is the
order in which they met: let U lock a location after T, in conflict with it, has released it. The owner released it
when it received T's commit (or it is T's coordinator, at the commit itself), so T's commit happened before the grant.
The grant travelled to U's coordinator in a message (or was made there), so it happened before U's commit. A Lamport
clock rises along that chain, so T's time is below U's. A lock-free transaction
(`strategies.sharded.protocol.lock_free`) holds no lock, but its reads and its commit are one step of its shard, so
that the same chain passes through that step. Equal times occur at different coordinators only, and only where no
conflict orders the two.

The beneficiary's balance lacks the fees of the block until its end. A transaction that needs it is deferred and
executed after all others; see `strategies.sharded.protocol.epilogue`.

The block's own order. Where that is binding (`evm.Block.binding_order`: a block that was replayed from a chain), and
always under the name ``sharded_ordered``, transactions commit in the order of a token that travels from coordinator to
coordinator; `strategies.sharded.protocol.commit_order` says how, and why nothing else has to change.

What is timed. ``prepare`` routes transactions to their coordinators, hands each shard its part of the block, and wakes
the shards up; ``execute`` is from the first shard's start to the last one's end; ``commit`` until the parent process
has heard of it. All of it grows with the block. Not timed, but told as `Outcome.untimed`: a shard is given its part of
the state before the block (``partition``; it grows with the state, but a node's shard keeps its part between blocks),
and receipts and changes are copied out for the oracle. Clock readings of several processes are compared: Python's
`perf_counter` is one clock for the whole machine.
"""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

import numpy as np

from contend.evm import Block, CapacityError, Environment, State
from contend.evm.block_image import BlockImage
from contend.strategies.backing import Backing
from contend.strategies.base import Outcome
from contend.strategies.clocks import WALL
from contend.strategies.clocks.network_model import NETWORKS, NetworkModel
from contend.strategies.compiled import LOCATIONS_PER_TRANSACTION, SPARE_LOCATIONS, CompiledStrategy
from contend.strategies.sharded.joined_log import joined_list
from contend.strategies.sharded.partitioning import PartLayout, deliver
from contend.strategies.sharded.process import compile_kernels
from contend.strategies.sharded.process_pool import ProcessPool
from contend.strategies.sharded.protocol.layout import MOST_SHARDS, MOST_SLOTS
from contend.strategies.sharded.results import collect, is_block_order
from contend.strategies.sharded.simulated_cluster import SimulatedCluster

SLOTS = 8


class Sharded(CompiledStrategy):
    """Two-phase commit between shards of the state, one process a shard.

    Processes start when a block is first executed with so many workers, stay for the next block, and end at `close`
    or with this process. They are started by the method ``spawn``: a script that is not guarded by
    ``if __name__ == "__main__"`` is run again in each of them.

    Parameters
    ----------
    slots : int
        Transactions that a shard can have under way at once, 1 to `MOST_SLOTS`.
    network : NetworkModel, optional
        Between shards under a simulated clock; that of one machine by default.

    Attributes
    ----------
    keeps_order : bool
        Whether transactions always commit in the block's order; otherwise they do so where a block says that its
        order is binding.

    Raises
    ------
    ValueError
        If `slots` is out of range.
    """

    name: ClassVar[str] = "sharded"
    summary: ClassVar[str] = "state divided by address over processes, two-phase commit between them"
    lists_accesses: ClassVar[bool] = True
    divides_state: ClassVar[bool] = True
    keeps_order: ClassVar[bool] = False

    def __init__(self, slots: int = SLOTS, network: NetworkModel | None = None) -> None:
        super().__init__()
        if not 1 <= slots <= MOST_SLOTS:
            raise ValueError(f"slots = {slots}: a shard has 1 to {MOST_SLOTS}")
        self._slots = slots
        self.network = network or NETWORKS["same_machine"]
        self._pool: ProcessPool | None = None
        self._cluster: SimulatedCluster | None = None

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`.

        Raises
        ------
        RuntimeError
            If a shard's process dies, naming the shard.
        """
        if workers > MOST_SHARDS:
            raise ValueError(f"workers = {workers}: at most {MOST_SHARDS} shards can be told apart")
        # In another order others would fit into the block.
        is_binding = image.block.binding_order or image.limits_matter()
        ordered, logs = self.keeps_order or is_binding, self.makes_access_list
        if self.clock.simulated:
            cluster = self._open_cluster(workers, state, scale)
            network = self.clock.network or self.network
            return cluster.execute(image, state, self.clock, network, ordered, logs, self.backing)
        pool = self._open_pool(workers)
        try:
            return self._run(pool, image, state, scale, ordered, logs, self.backing)
        except CapacityError:
            raise
        except BaseException:
            # Whatever was interrupted, nobody knows what the shards are at.
            self._close_pool()
            raise

    @staticmethod
    def _run(
        pool: ProcessPool,
        image: BlockImage,
        state: State,
        scale: int,
        ordered: bool,
        logs: bool,
        backing: Backing | None,
    ) -> Outcome:
        began = perf_counter()
        pool.set_up(scale)
        pool.make_room(image)
        spare = scale * (LOCATIONS_PER_TRANSACTION * len(image) + SPARE_LOCATIONS)
        pool.load(state, spare, backing, image.block.environment.coinbase)
        loaded = perf_counter()
        phases, counters, results = pool.execute(image, ordered, logs)
        if backing is not None:
            backing.note_parts(counters, WALL)
        executed = perf_counter()
        receipts, order = collect(results)
        copied = perf_counter() - executed
        for code in pool.created_codes():
            state.codes.add(code)
        access_list = None
        if logs:
            coinbase, began_list = image.block.environment.coinbase, perf_counter()
            balance = state.balance(coinbase)
            access_list, _ = joined_list(results, pool.access_logs(), order, state, coinbase, balance, scale)
            phases["commit"] += perf_counter() - began_list
        collected = perf_counter()
        changes = pool.changes()
        state.apply(changes)
        untimed = {
            "partition": loaded - began,
            "receipts": copied,
            "changes": perf_counter() - collected,
        }
        # With the order kept, the claim is the block's order, and the oracle holds the result against that one.
        claimed = None if ordered or is_block_order(order) else order
        return Outcome(changes, receipts, phases, counters, claimed, untimed=untimed, access_list=access_list)

    def close(self) -> None:
        """End the shards' processes."""
        self._cluster = None
        self._close_pool()

    def _open_cluster(self, shards: int, state: State, scale: int) -> SimulatedCluster:
        """The shards of this process for these sizes: the last ones if they fit."""
        if self._cluster is None or self._cluster.fits != (shards, self._slots, id(state.codes), scale):
            self._cluster = SimulatedCluster(shards, self._slots, state, scale)
        return self._cluster

    def _open_pool(self, shards: int) -> ProcessPool:
        if self._pool is not None and self._pool.fits != (shards, self._slots):
            self._close_pool()
        if self._pool is None:
            self._pool = ProcessPool(shards, self._slots)
            # Meanwhile the processes start.
            _compile()
        return self._pool

    def _close_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


class ShardedOrdered(Sharded):
    """`Sharded`, with the block's order kept in every block: what that order costs, seen beside `Sharded`."""

    name: ClassVar[str] = "sharded_ordered"
    summary: ClassVar[str] = "sharded, committing in the block's order, a turn that travels from shard to shard"
    keeps_order: ClassVar[bool] = True


def _compile() -> None:
    """Compile here what the shards' processes then load from the cache."""
    compile_kernels()
    layout = PartLayout(0, 0)
    part = np.zeros(layout.words, np.uint64)
    deliver(BlockImage(Block(Environment(), ())), 1, layout, int(part.ctypes.data))
