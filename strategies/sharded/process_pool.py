"""Process pool of shards, from the parent's side: start them, hand them blocks, notice when one dies, end them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import multiprocess
import numpy as np
from multiprocess.connection import wait

from contend.evm import CapacityError, Changes, State
from contend.evm.block_image import BlockImage
from contend.evm.code import shared_store
from contend.evm.receipts import RECEIPT
from contend.strategies.backing import Backing
from contend.strategies.sharded.joined_log import ShardLog, received_log
from contend.strategies.sharded.partitioning import PartLayout, deliver, owners
from contend.strategies.sharded.process import OK, RAISED, serve
from contend.strategies.sharded.protocol.layout import CONTROL
from contend.strategies.sharded.results import ShardResult
from contend.strategies.sharded.transport.rings import rings_words
from contend.strategies.sharded.transport.shared_memory import Segment

ARENA_BYTES_PER_TRANSACTION = 1 << 11
SPARE_ARENA_BYTES = 1 << 20
STORE_WORDS = 1 << 20  # for codes that transactions create
_GRACE_S = 5.0


class ProcessPool:
    """Processes that live until `close`, or until this process is gone, however it ends.

    Parameters
    ----------
    shards, slots : int
        See `strategies.sharded.memory.ShardMemory`.
    """

    def __init__(self, shards: int, slots: int) -> None:
        self.fits = (shards, slots)
        self._scale = 0
        self._known_codes: set[bytes] = set()
        self._store: Segment | None = None
        self._part: Segment | None = None
        self._output: Segment | None = None
        self._layout = PartLayout(0, 0)
        self._arena_bytes = 0
        self._connections: list[Any] = []
        self._processes: list[Any] = []
        context = multiprocess.get_context("spawn")
        for number in range(shards):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, number), name=f"shard-{number}", daemon=True)
            process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)
        self._exchange = Segment(CONTROL.words + rings_words(shards, slots))

    def set_up(self, scale: int) -> None:
        """Let each process make its memory, unless it has it in that size. Until the first time they load Python."""
        if scale == self._scale:
            return
        self._scale = scale
        self._known_codes.clear()
        if self._store is not None:
            self._store.close()
        self._store = Segment(scale * STORE_WORDS)
        segments = (self._exchange, self._store)
        self._command("set_up", *self.fits, scale, *(segment.words for segment in segments), segments=segments)

    def load(self, state: State, spare: int, backing: Backing | None = None, coinbase: bytes = b"") -> None:
        """Give each shard its part of the state, the codes that it lacks, and room for `spare` new locations.

        And what lies behind the part, if anything lies behind the state; the beneficiary is then in memory.
        """
        codes = [state.codes[number] for number in range(len(state.codes))]
        self._command("codes", [bytes(code.code) for code in codes if code.hash not in self._known_codes])
        self._known_codes.update(code.hash for code in codes)
        present, kept = state.values.any(axis=1), np.zeros(0, np.bool_)
        if backing is not None:
            kept = backing.kept(state)
            if len(kept):
                present |= kept[: state.count]
        keys, words = state.keys[present], state.values[present]
        kept = kept[: state.count][present] if len(kept) else kept
        whose = owners(keys, len(self._processes))
        for number in range(len(self._processes)):
            mine = whose == number
            self._send(number, "load", 0, Changes(keys[mine], words[mine]), spare)
        self._answers()
        if backing is not None:
            for number in range(len(self._processes)):
                own = kept[whose == number] if len(kept) else kept
                self._send(number, "put_behind", 0, backing.recipe(), own, coinbase)
            self._answers()
        self._exchange.view()[:] = 0
        assert self._store is not None
        shared_store.clear(self._store.view())

    def make_room(self, image: BlockImage) -> None:
        """Have shared memory for a block of this size."""
        layout = PartLayout(len(image), image.data_bytes)
        arena = self._scale * (len(image) * ARENA_BYTES_PER_TRANSACTION + SPARE_ARENA_BYTES)
        if layout == self._layout and arena == self._arena_bytes:
            return
        for segment in (self._part, self._output):
            if segment is not None:
                segment.close()
        self._layout, self._arena_bytes = layout, arena
        shards = len(self._processes)
        self._part = Segment(shards * layout.words)
        self._output = Segment(shards * self._output_words)
        self._command("room", self._part.words, self._output.words, segments=(self._part, self._output))

    @property
    def _output_words(self) -> int:
        return self._layout.transactions * RECEIPT.words + self._arena_bytes // 8

    def execute(
        self, image: BlockImage, ordered: bool = False, logs: bool = False
    ) -> tuple[dict[str, float], dict[str, int], list[ShardResult]]:
        """Execute a block on what was loaded.

        Parameters
        ----------
        image : BlockImage
        ordered : bool
            Whether to commit in the block's order.
        logs : bool
            Whether to log what transactions touch (`access_logs`).

        Returns
        -------
        tuple
            Seconds by phase, what was counted, and where each shard's results lie.

        Raises
        ------
        CapacityError
            If something was too small in a shard.
        RuntimeError
            If a shard's process has ended or failed. The pool is closed then.
        """
        assert self._part is not None
        assert self._output is not None
        began = perf_counter()
        counts = deliver(image, len(self._processes), self._layout, self._part.address)
        coinbase = image.block.environment.coinbase
        for number, count in enumerate(counts.tolist()):
            part, output = number * self._layout.words, number * self._output_words
            where = part, output, self._arena_bytes
            self._send(number, "block", 0, self._layout, *where, count, coinbase, ordered, logs)
        answers = self._answers()
        done = perf_counter()
        if any(answer[0] != OK for answer in answers):
            raise CapacityError(
                "a machine, the locks, the state or the receipts of a shard are too small for the block"
            )
        started = min(answer[1] for answer in answers)
        ended = max(answer[2] for answer in answers)
        phases = {"prepare": started - began, "execute": ended - started, "commit": done - ended}
        counters = {name: sum(answer[3][name] for answer in answers) for name in answers[0][3]}
        results = []
        for number, answer in enumerate(answers):
            queue = self._part.address + (number * self._layout.words + self._layout.queue) * 8
            receipts = self._output.address + number * self._output_words * 8
            moved = self._output.address - answer[4]
            results.append(ShardResult(queue, receipts, int(counts[number]), moved))
        return phases, counters, results

    def access_logs(self) -> list[ShardLog]:
        """What each shard logged of the block, which was executed with logs."""
        return [received_log(*answer[1:]) for answer in self._command("accesses")]

    def changes(self) -> Changes:
        """Changes of the block in all shards."""
        answers = self._command("changes")
        keys = np.concatenate([answer[1] for answer in answers])
        return Changes.sorted(keys, np.concatenate([answer[2] for answer in answers]))

    def created_codes(self) -> list[bytes]:
        """Codes of the contracts that the block has created."""
        assert self._store is not None
        return list(shared_store.codes_in(self._store.view()))

    def close(self) -> None:
        """End all processes and give back the memory."""
        for connection in self._connections:
            connection.close()
        limit = perf_counter() + _GRACE_S
        for process in self._processes:
            # Each ends by itself when it finds the connection closed, wherever it is.
            process.join(max(limit - perf_counter(), 0.0))
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._connections, self._processes = [], []
        for segment in (self._exchange, self._store, self._part, self._output):
            if segment is not None:
                segment.close()
        self._store = self._part = self._output = None

    def _command(self, verb: str, *arguments: Any, segments: Sequence[Segment] = ()) -> list[tuple[Any, ...]]:
        """Give all shards the same command, and segments with it; their answers."""
        for number, connection in enumerate(self._connections):
            self._send(number, verb, len(segments), *arguments)
            if segments:
                with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as channel:
                    socket.send_fds(channel, [b"s"], [segment.descriptor for segment in segments])
        return self._answers()

    def _send(self, number: int, *message: Any) -> None:
        # That a shard is gone is noticed where its answer is awaited, with the cause of its end.
        with suppress(OSError):
            self._connections[number].send(message)

    def _answers(self) -> list[tuple[Any, ...]]:
        """One answer of each shard.

        Raises
        ------
        RuntimeError
            If a shard is gone, or has failed.
        """
        answers: dict[int, tuple[Any, ...]] = {}
        while len(answers) < len(self._connections):
            waiting = {self._connections[i]: i for i in range(len(self._connections)) if i not in answers}
            for connection in wait(list(waiting)):
                number = waiting[connection]
                try:
                    answers[number] = connection.recv()
                except (EOFError, OSError):
                    raise RuntimeError(f"shard {number} is gone: {self._exit_reason(number)}") from None
                if answers[number][0] == RAISED:
                    raise RuntimeError(f"shard {number} failed:\n{answers[number][1]}")
        return [answers[number] for number in range(len(answers))]

    def _exit_reason(self, number: int) -> str:
        """Exit reason of a shard's process."""
        process = self._processes[number]
        process.join(_GRACE_S)
        code = process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"
