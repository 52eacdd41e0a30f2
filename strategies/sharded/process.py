"""Process of a shard: it does what the parent says, one command at a time, and ends when the parent is gone.

A command is a tuple, the name of a method of `_Shard` first; the answer is a tuple too, its first item one of the
words below. Only blocks, results and the words that all shards see travel in shared memory besides; what shards say
to one another goes through the exchange.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
import traceback
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, Changes
from contend.evm.receipts import RECEIPT
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, U
from contend.evm.runtime.jit import kernel
from contend.evm.vm.precompiles import raise_failure
from contend.strategies.backing import PartBacking, PartRecipe
from contend.strategies.clocks import WALL
from contend.strategies.clocks.base import FINISHED
from contend.strategies.clocks.wall import drive, yield_processor
from contend.strategies.sharded.memory import Cluster, ShardMemory
from contend.strategies.sharded.partitioning import PartLayout, open_part
from contend.strategies.sharded.protocol.layout import CONTROL
from contend.strategies.sharded.protocol.worker import step
from contend.strategies.sharded.transport.rings import RingEndpoint
from contend.strategies.sharded.transport.shared_memory import Segment

# First items of answers.
OK, FULL, RAISED = "ok", "full", "raised"


@kernel()
def arrive(control_address, shards):
    """Barrier: wait until all shards are here, so that they start together; or until one has failed.

    The counter only grows during a block, and nobody leaves before it has the last value: an acquiring load suffices.
    It is put back to zero between blocks by the parent, which then sends each shard a command through a pipe.
    """
    control = CONTROL.at(control_address)
    atomics.add(control, "arrived", U1)
    while atomics.load(control, "arrived") < U(shards) and atomics.load(control, "fault") == U0:
        yield_processor()


def compile_kernels() -> None:
    """Compile, or load, all that a shard's process runs, so that none of it is compiled in a timed run."""
    step.address  # noqa: B018  # asking for the address compiles
    drive.compile("int64(int64, int64, int64)")
    arrive.compile("none(int64, int64)")
    Cluster(0)


class _Shard:
    """State of a process between commands."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._exchange: Segment | None = None
        self._store: Segment | None = None
        self._part: Segment | None = None
        self._output: Segment | None = None
        self._memory: ShardMemory | None = None
        self._shards = 0
        self._recipe: PartRecipe | None = None
        self._backing: PartBacking | None = None

    def set_up(self, descriptors: list[int], shards: int, slots: int, scale: int, words: int, store_words: int) -> None:
        compile_kernels()
        for segment in (self._exchange, self._store):
            if segment is not None:
                segment.close()
        self._exchange = Segment(words, descriptors[0])
        self._store = Segment(store_words, descriptors[1])
        endpoint = RingEndpoint(self._exchange.address + CONTROL.words * 8, self._number, shards, slots)
        self._memory = ShardMemory(self._number, shards, slots, endpoint, scale, self._store.address)
        self._cluster = Cluster(self._exchange.address)
        self._shards = shards

    def codes(self, codes: list[bytes]) -> None:
        assert self._memory is not None
        for code in codes:
            self._memory.state.codes.add(code)

    def load(self, contents: Changes, spare: int) -> None:
        assert self._memory is not None
        self._memory.load(contents, spare)

    def put_behind(self, recipe: PartRecipe, kept: npt.NDArray[np.bool_], coinbase: bytes) -> None:
        assert self._memory is not None
        if self._recipe != recipe:
            self._recipe, self._backing = recipe, recipe.made()
        assert self._backing is not None
        self._memory.put_behind(self._backing, kept, coinbase, self._shards, WALL)

    def room(self, descriptors: list[int], part_words: int, output_words: int) -> None:
        for segment in (self._part, self._output):
            if segment is not None:
                segment.close()
        self._part = Segment(part_words, descriptors[0])
        self._output = Segment(output_words, descriptors[1])

    def block(
        self,
        layout: PartLayout,
        part: int,
        output: int,
        arena: int,
        count: int,
        coinbase: bytes,
        ordered: bool,
        logs: bool,
    ) -> Any:
        """Execute this shard's part of a block; when it began and ended, what it counted, and where results lie."""
        assert self._memory is not None
        assert self._exchange is not None
        assert self._part is not None
        assert self._output is not None
        transactions, image = open_part(self._part.address + part * 8, layout, count)
        receipts_address = self._output.address + output * 8
        receipts = RECEIPT.array_at(receipts_address, count)
        arena_address = receipts_address + layout.transactions * RECEIPT.words * 8
        self._memory.begin_block(image, coinbase, transactions, receipts, arena_address, arena, ordered, logs)
        arrive(self._exchange.address, self._shards)
        began = perf_counter()
        ended = drive(step.address, self._cluster.address, self._memory.address)
        finished = perf_counter()
        try:
            read = self._memory.uncover()
        except CapacityError:
            return (FULL,)
        if ended != FINISHED:
            raise_failure()
            return (FULL,)
        return OK, began, finished, self._memory.counted() | read, self._output.address

    def accesses(self) -> Any:
        """What the shard logged, if it did."""
        assert self._memory is not None
        assert self._memory.access_log is not None
        return OK, *self._memory.access_log.exported()

    def changes(self) -> Any:
        assert self._memory is not None
        found = self._memory.changes()
        return OK, found.keys, found.words


def serve(connection: Any, number: int) -> None:
    """Serve the parent at the other end of the connection until it closes it or is gone."""
    # A terminal's Ctrl-C is the parent's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(connection, inbox), name="shard-listen", daemon=True)
    listener.start()
    shard = _Shard(number)
    while True:
        verb, *arguments = inbox.get()
        try:
            answer = getattr(shard, verb)(*arguments)
        # Whatever went wrong, the parent has to know: it waits for an answer.
        except Exception:
            answer = (RAISED, traceback.format_exc())
        connection.send(answer if answer is not None else (OK,))


def _listen(connection: Any, inbox: queue.SimpleQueue[tuple[Any, ...]]) -> None:
    """Receive commands. A kernel holds no GIL, so that the end of the parent is noticed during one too."""
    with socket.socket(fileno=os.dup(connection.fileno())) as channel:
        while True:
            try:
                verb, descriptors, *arguments = connection.recv()
                if descriptors:
                    arguments.insert(0, socket.recv_fds(channel, 1, descriptors)[1])
            except (EOFError, OSError):
                os._exit(0)
            inbox.put((verb, *arguments))
