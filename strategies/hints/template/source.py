"""Template source: hints predicted from what calls of the same kind touched in earlier blocks.

Contracts find what they touch by a few rules: a variable at a fixed slot, a mapping's element by the sender or by an
argument, a contract whose address is an argument or was stored somewhere. Such a rule is an expression over the
transaction's own words (`expression`). After each block the final read and write set of every transaction is explained
by expressions (`explanation`), which are counted for each kind of call (`contexts`); those that held in at least four
fifths of the calls of a kind are predicted for its next one (`predict`). A transaction whose call nobody has seen is
dry-run, as all are in the first block; so is a contract's creation.

Saraph and Herlihy, "An empirical study of speculative concurrency in Ethereum smart contracts" (Tokenomics 2019), found
that few contracts cause most conflicts, so that a little knowledge goes far; Forerunner (SOSP 2021) predicts from
pending transactions what their executions will touch. Neither keeps rules; these are templates in the sense of program
synthesis from examples, with hashes of mappings inverted by the preimages that contracts computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.layout import PREIMAGE, PREIMAGES
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.strategies.clocks import Clock
from contend.strategies.given import HintSource, Knowledge
from contend.strategies.hints.dry_run import dry_machines
from contend.strategies.hints.template.layout import (
    CHUNK,
    CONTEXT,
    DICTIONARY,
    EXPRESSION,
    EXPRESSIONS,
    INDEX,
    LEARNER,
    PARTITIONS,
    SAMPLE,
    SCRATCH,
    SETS,
    WAYS,
)
from contend.strategies.hints.template.learn import (
    PASS_COUNT,
    PASS_EXPLAIN,
    PASS_MARK,
    PASS_PREIMAGES,
    PASS_TIDY,
    learn_step,
)
from contend.strategies.hints.template.predict import predict_step
from contend.strategies.hints.template.preimages import PIECE
from contend.strategies.hints.template.tidy import PIECES

PREIMAGES_PER_TRANSACTION, ENTRIES_PER_TRANSACTION = 32, 160
SPARE = 1 << 12
FEW_WORKERS = 16
NEARLY_FULL = EXPRESSIONS * 3 // 4


class _Dictionary:
    """Memory of one dictionary."""

    def __init__(self) -> None:
        self.rows = EXPRESSION.zeros(EXPRESSIONS)
        self.index = np.zeros(INDEX, np.uint64)
        self.header = DICTIONARY.lines(1)
        self.header["rows"], self.header["index"] = self.rows.ctypes.data, self.index.ctypes.data

    @property
    def address(self) -> int:
        return int(self.header.ctypes.data)

    @property
    def used(self) -> int:
        return int(self.header["used"][0])

    def clear(self) -> None:
        self.header["generation"] += 1
        self.header["used"] = 0


class _BlockMemory:
    """What learning from a block of some size by some workers needs; kept for the next one of the same size."""

    def __init__(self, size: int, workers: int, machines: int) -> None:
        self.fits = size, workers, machines
        share = size if workers <= FEW_WORKERS else size * FEW_WORKERS // workers
        self.chunks = -(-size // CHUNK)
        self.samples = SAMPLE.zeros(max(size, 1))
        self.heads = np.zeros(2 * max(self.chunks, 1) * PARTITIONS, np.uint64)
        self.scratch = SCRATCH.zeros(workers)
        self.room = PREIMAGES_PER_TRANSACTION * share + SPARE
        # A machine's, and not a worker's: workers hand on machines that wait.
        self.logs = PREIMAGES.zeros(machines)
        self.log_rows = [sparse_zeros(self.room * PREIMAGE.words) for _ in range(machines)]
        self.logs["rows"], self.logs["room"] = [rows.ctypes.data for rows in self.log_rows], self.room
        entries = ENTRIES_PER_TRANSACTION * share + SPARE
        self.entries = [sparse_zeros(entries) for _ in range(workers)]
        self.scratch["entries"], self.scratch["entry_room"] = [one.ctypes.data for one in self.entries], entries
        # Twice as many places as preimages, so that searches are short, and end.
        self.most_preimages = PREIMAGES_PER_TRANSACTION * size + SPARE
        self.preimages = sparse_zeros(1 << (2 * self.most_preimages).bit_length())
        self.generation = 0

    def reset(self) -> None:
        """Forget the block before; scratch memory is told apart by its epoch."""
        self.logs["count"] = 0
        self.scratch["entry_count"] = self.scratch["predicted"] = 0
        self.generation += 1

    def bounded_preimages(self) -> int:
        """Most preimages of a log, after cutting what the index has no room for."""
        counts = self.logs["count"]
        if int(counts.sum()) > self.most_preimages:
            counts[:] = np.minimum(counts, self.most_preimages // len(counts))
        return int(counts.max(initial=0))


class Template(HintSource):
    """Predicts what transactions touch from what earlier blocks' transactions did.

    A block whose number is not above that of the last one learned from is the beginning of another run, or of the same
    run again: what was learned is forgotten, so that nothing is predicted from the future. One that is executed again
    because it did not fit (`HintSource.has_learned`) is not.
    """

    def __init__(self) -> None:
        self._learner = LEARNER.zeros()
        self._contexts = CONTEXT.zeros(SETS * WAYS)
        self._dictionaries = [_Dictionary(), _Dictionary()]
        self._memory: _BlockMemory | None = None
        self._last_number: int | None = None
        self._counters: dict[str, int] = {}
        learner = self._learner[0]
        learner["contexts"] = self._contexts.ctypes.data
        self._forget()

    def _forget(self) -> None:
        learner = self._learner[0]
        learner["generation"] += 1
        learner["block"] = 0
        self._dictionaries[0].clear()
        learner["dictionary"] = self._dictionaries[0].address
        self._last_number = None

    def _prepare(self, space: Any, image: BlockImage) -> _BlockMemory:
        """Point the learner at a block and at the workers of a workspace."""
        sizes = len(image), len(space.workers), len(space.machines)
        if self._memory is None or self._memory.fits != sizes:
            self._memory = _BlockMemory(*sizes)
        memory, learner = self._memory, self._learner[0]
        memory.reset()
        for field, value in (
            ("image", image.address),
            ("scratch", memory.scratch.ctypes.data),
            ("workers", len(space.workers)),
            ("first_worker", space.workers.ctypes.data),
            ("worker_stride", space.workers.strides[0]),
            ("samples", memory.samples.ctypes.data),
            ("heads", memory.heads.ctypes.data),
            ("chunks", memory.chunks),
            ("logs", memory.logs.ctypes.data),
            ("log_count", len(memory.logs)),
            ("preimages", memory.preimages.ctypes.data),
            ("preimage_mask", len(memory.preimages) - 1),
            ("preimage_generation", memory.generation),
        ):
            learner[field] = value
        return memory

    def watch(self, space: Any, image: BlockImage) -> None:
        """Forget what is not of this chain, and let machines note preimages; see `HintSource.watch`."""
        number = image.block.environment.number
        if not self.has_learned and self._last_number is not None and number <= self._last_number:
            self._forget()
        memory = self._prepare(space, image)
        stride = memory.logs.strides[0]
        for i, machine in enumerate(space.machines):
            machine.header["preimages"] = memory.logs.ctypes.data + i * stride

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table; see `HintSource.fill`."""
        self.watch(space, image)
        memory = self._memory
        assert memory is not None
        with dry_machines(space):
            space.run_hint_step(predict_step, clock, self._learner)
        self._counters = {
            "predicted": int(memory.scratch["predicted"].sum()),
            "dry_runs": int(space.workers["dry_runs"].sum()),
            "templates": self._dictionary.used,
        }

    @property
    def _dictionary(self) -> _Dictionary:
        first, second = self._dictionaries
        return first if self._learner[0]["dictionary"] == first.address else second

    def learn(self, space: Any, image: BlockImage, state: State, clock: Clock) -> None:
        """Learn from a block's final read and write sets; see `HintSource.learn`."""
        memory, learner = self._memory, self._learner[0]
        if memory is None:
            raise RuntimeError("a block is learned from whose hints were never filled in")
        for machine in space.machines:
            machine.header["preimages"] = 0
        learner["log_chunks"] = max(-(-memory.bounded_preimages() // PIECE), 1)
        for kind, tasks, counts_values in (
            (PASS_PREIMAGES, int(learner["log_chunks"]) * len(memory.logs), 0),
            (PASS_EXPLAIN, memory.chunks, 0),
            (PASS_COUNT, PARTITIONS, 0),
            (PASS_MARK, memory.chunks, 0),
            (PASS_COUNT, PARTITIONS, 1),
        ):
            learner["counts_values"] = counts_values
            self._pass(space, clock, kind, tasks)
        self._tidy(space, clock)
        learner["block"] += 1
        self._last_number = image.block.environment.number

    def _pass(self, space: Any, clock: Clock, kind: int, tasks: int) -> None:
        self._learner[0]["task_kind"], self._learner[0]["tasks"] = kind, tasks
        space.run_hint_step(learn_step, clock, self._learner)

    def _tidy(self, space: Any, clock: Clock) -> None:
        """Leave out expressions without use, if the dictionary is nearly full."""
        learner = self._learner[0]
        block = int(learner["block"])
        for oldest, limit in ((0, NEARLY_FULL), (block, NEARLY_FULL * 2 // 3)):
            if self._dictionary.used <= limit:
                return
            other = self._dictionaries[self._dictionary is self._dictionaries[0]]
            other.clear()
            learner["other"], learner["oldest"] = other.address, oldest
            self._pass(space, clock, PASS_TIDY, PIECES)
            learner["dictionary"] = other.address

    def counters(self) -> dict[str, int]:
        """How many transactions were predicted, how many dry-run for want of a past, and how many expressions known."""
        return self._counters
