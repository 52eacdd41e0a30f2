"""Allocations that fail: fixed-size structures of a run, made too small for the n-th thing that they must hold.

Kernels allocate nothing; they hand out room that Python made before the block. So an allocation fails where room ends,
and every structure has one word that says how much there is. A `Fault` sets that word when an attempt to execute a
block lays its memory out, for that attempt only: execution meets the end of one structure at a chosen allocation, and
no kernel knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from contend.evm import Block, State, layout
from contend.evm.block_image import BlockImage
from contend.evm.layout import ENTRY, JOURNAL, WORD, WORD_BYTES
from contend.evm.receipts import ReceiptTable
from contend.evm.vm.machine import Machine
from contend.strategies import compiled
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import FIRST_ARENA_WORD, Workspace
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.sharded import Sharded
from contend.strategies.sharded.memory import ShardMemory
from contend.strategies.sharded.protocol.layout import NO_NODE

Header = Any  # of numpy's structured types: a struct with fields by name


@dataclass(frozen=True)
class Fault:
    """A structure, and how it is made to hold no more than so much.

    Attributes
    ----------
    name : str
    shrink : callable
        ``shrink(strategy, state, n)`` gives a context in which an attempt has room for `n` units.
    keeps : bool
        Whether what was put into the structure stays for the next run on the same state.
    step : int
        Units that the smallest of its common allocations takes, so that no smaller step meets another one.
    """

    name: str
    shrink: Callable[[Strategy, State, int], AbstractContextManager[object]]
    keeps: bool = False
    step: int = 1

    def __str__(self) -> str:
        return self.name


@contextmanager
def laid_out(
    kind: type, method: str, headers: Callable[[Any], list[Header]], field: str, room: Callable[[Any], int]
) -> Iterator[None]:
    """Change a field of the headers of what a method has just laid out, and set it right afterwards."""
    original, before = getattr(kind, method), []

    def changed(self: Any, *arguments: Any, **named: Any) -> Any:
        result = original(self, *arguments, **named)
        for header in headers(self):
            before.append((header, int(header[field])))
            header[field] = min(room(self), int(header[field]))
        return result

    try:
        with patch.object(kind, method, changed):
            yield
    finally:
        for header, value in reversed(before):
            header[field] = value


@contextmanager
def less(header: Header, field: str, room: int) -> Iterator[None]:
    """Let a header say that there is less room than there is."""
    before = int(header[field])
    header[field] = min(room, before)
    try:
        yield
    finally:
        header[field] = before


def of_machine(name: str, field: str, room: Callable[[int], int]) -> Fault:
    """A room of every machine: `room` says how many words or bytes it has for `n` units."""
    return Fault(name, lambda strategy, state, n: laid_out(Machine, "attach", _header, field, lambda _: room(n)))


def of_workers(name: str, change: Callable[[Workspace, int], None], step: int = 1) -> Fault:
    """Something that optimistic workers have, changed before they start."""

    def shrink(strategy: Strategy, state: State, n: int) -> AbstractContextManager[object]:
        assert isinstance(strategy, OptimisticStrategy)
        original = strategy.prepare

        def prepare(space: Workspace, image: BlockImage, state: State) -> None:
            change(space, n)
            original(space, image, state)

        return patch.object(strategy, "prepare", prepare)

    return Fault(name, shrink, step=step)


def _header(owner: Any) -> list[Header]:
    return [owner.header]


@contextmanager
def _locations(strategy: Strategy, state: State, n: int) -> Iterator[None]:
    """Room for n new locations in the state, or in each shard's."""
    shards = laid_out(
        ShardMemory, "begin_block", lambda m: list(m.state._header), "capacity", lambda m: int(m.state.count) + n
    )
    # Sharded execution writes to the state at its end only, after Python has made room there.
    whole = nullcontext() if isinstance(strategy, Sharded) else less(state._header[0], "capacity", state.count + n)
    with whole, shards:
        yield


@contextmanager
def _receipts(strategy: Strategy, state: State, n: int) -> Iterator[None]:
    """Room for n words of logs and output with each worker."""
    shards = laid_out(ShardMemory, "begin_block", lambda memory: list(memory.receipt_arena), "size", lambda _: 8 * n)
    with laid_out(ReceiptTable, "reset", lambda table: list(table.arenas), "size", lambda _: 8 * n), shards:
        yield


@contextmanager
def _codes(strategy: Strategy, state: State, n: int) -> Iterator[None]:
    """Room for n further codes."""
    header, most = state.codes.header, len(state.codes) + n
    with less(header, "capacity", most):
        try:
            yield
        finally:
            # Those that found no room were counted; the directory knows by its real size, which is another one.
            header["count"] = min(int(header["count"]), most)


def _code_words(strategy: Strategy, state: State, n: int) -> AbstractContextManager[object]:
    """Room for 8 n words of decoded code."""
    header = state.codes.header
    return less(header, "arena_words", int(header["arena_used"]) + 8 * n)


def _versions(space: Workspace, n: int) -> None:
    """Room for n words of versions, read sets and write sets with each worker, and no more to be had."""
    first = int(space.shared["arena"]) + 8 * FIRST_ARENA_WORD
    for number, worker in enumerate(space.workers):
        worker["chunk"] = first + 8 * number * n
        worker["chunk_end"] = first + 8 * (number + 1) * n
    space.shared["arena_used"] = space.shared["arena_words"] = FIRST_ARENA_WORD + len(space.workers) * n


def _reads(space: Workspace, n: int) -> None:
    """Room for n reads of a transaction."""
    space.workers["reads_room"] = n


def _hints(space: Workspace, n: int) -> None:
    """Room for n hints with each worker."""
    space.workers["hint_room"] = n


def _locks(strategy: Strategy, state: State, n: int) -> AbstractContextManager[object]:
    """Room for n locks with each shard; one node means none."""
    return laid_out(ShardMemory, "begin_block", _header, "node_count", lambda _: int(NO_NODE) + 1 + n)


STACK_WORDS = WORD.words * (layout.STACK_LIMIT + 2)
COMMON = (
    of_machine("entries of the access table", "entries_words", lambda n: n * ENTRY.words),
    of_machine("index of the access table", "index_words", lambda n: 256 << n),
    of_machine("journal", "journal_words", lambda n: n * JOURNAL.words),
    of_machine("logs", "logs_bytes", lambda n: 8 * n),
    of_machine("output", "output_bytes", lambda n: 8 * n),
    of_machine("scratch space", "scratch_bytes", lambda n: layout.SCRATCH_RESERVED + WORD_BYTES * n),
    of_machine("memory", "memory_bytes", lambda n: WORD_BYTES * n),
    of_machine("stacks", "stack_words", lambda n: n * STACK_WORDS),
    Fault("locations", _locations),
    Fault("receipts", _receipts, step=4),
    Fault("codes", _codes, keeps=True),
    Fault("decoded code", _code_words, keeps=True),
)
OPTIMISTIC = (of_workers("versions and lists", _versions, step=7), of_workers("reads", _reads))
PLANNED = (of_workers("hints", _hints),)
SHARDED = (Fault("locks", _locks),)


class Failing:
    """A strategy of which attempts fail for want of one structure's room.

    Parameters
    ----------
    strategy : CompiledStrategy
    fault : Fault

    Attributes
    ----------
    attempts : int
        Made in the last execution.
    """

    def __init__(self, strategy: CompiledStrategy, fault: Fault) -> None:
        self.strategy, self.fault = strategy, fault
        self.attempts = 0

    def execute(self, block: Block, state: State, workers: int, n: int, once: bool) -> Outcome:
        """Execute a block of which the first attempt, or every one, has room for `n` units of the structure only.

        Raises
        ------
        CapacityError
            If it does not fit, and no attempt is made with all the room that there is.
        """
        original = type(self.strategy).attempt
        self.attempts = 0

        def attempt(image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
            self.attempts += 1
            if once and self.attempts > 1:
                return original(self.strategy, image, state, workers, scale)
            with self.fault.shrink(self.strategy, state, n):
                return original(self.strategy, image, state, workers, scale)

        self.strategy._scale = 1
        with patch.object(self.strategy, "attempt", attempt), patch.object(compiled, "LARGEST_SCALE", 2 if once else 1):
            return self.strategy.execute(block, state, workers)
