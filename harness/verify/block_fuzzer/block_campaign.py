"""Many generated blocks, shared out over processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

from contend.harness.verify.block_fuzzer.block_case import BlockCase
from contend.harness.verify.block_fuzzer.block_checker import BlockChecker, Contender
from contend.harness.verify.block_fuzzer.random_blocks import case_of
from contend.harness.verify.block_fuzzer.smaller_blocks import small_block
from contend.harness.verify.share_out import done_here, shared_out

BLOCKS_A_BATCH = 10
SHRINK_SECONDS = 60.0
# Threads may go another way when a block is run again.
_TRIES = 3


@dataclass(frozen=True)
class BlockBatch:
    """Blocks of some seeds in a row; a seed has one of the forks, in turn."""

    seeds: range
    forks: tuple[str, ...]


@dataclass(frozen=True)
class FailingBlock:
    """A block that came to something else.

    Attributes
    ----------
    seed : int
    case : BlockCase
        As it was found.
    small : BlockCase
        The smallest that still fails; the same where it did not fail again.
    differences : list of str
        Of the small one, or of the first run where it did not fail again.
    again : bool
        Whether it failed again when it was run alone.
    """

    seed: int
    case: BlockCase
    small: BlockCase
    differences: list[str]
    again: bool


@dataclass
class BlockTally:
    """What was run, and what was in it.

    Attributes
    ----------
    blocks, transactions : int
    seen : Counter
        What executed blocks had in them, by name.
    refused : Counter
        Transactions that were not executed, by the reason.
    failures : list of FailingBlock
    """

    blocks: int = 0
    transactions: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[FailingBlock] = field(default_factory=list)

    def add(self, other: BlockTally) -> None:
        """Count what another has."""
        self.blocks += other.blocks
        self.transactions += other.transactions
        self.seen += other.seen
        self.refused += other.refused
        self.failures += other.failures


def batches_of(blocks: int, seed: int, forks: Sequence[str]) -> Iterator[BlockBatch]:
    """Seeds from the first on, some at a time."""
    for first in range(seed, seed + blocks, BLOCKS_A_BATCH):
        seeds = range(first, min(first + BLOCKS_A_BATCH, seed + blocks))
        yield BlockBatch(seeds, tuple(forks))


def run_blocks(checker: BlockChecker, batch: BlockBatch) -> BlockTally:
    """Run blocks; those that fail are made small."""
    tally = BlockTally()
    checker.refused.clear()
    before = checker.seen
    for seed in batch.seeds:
        case = case_of(seed, batch.forks[seed % len(batch.forks)])
        tally.blocks += 1
        tally.transactions += len(case.transactions)
        found = checker.differences(case)
        if found:
            seen, refused = checker.seen, checker.refused.copy()
            tally.failures.append(made_small(checker, seed, case, found))
            # What was tried to make it small is not what was generated.
            before += checker.seen - seen
            checker.refused = refused
    tally.seen = checker.seen - before
    tally.refused = checker.refused.copy()
    return tally


def made_small(checker: BlockChecker, seed: int, case: BlockCase, found: list[str]) -> FailingBlock:
    """The failure of a block that has just been checked, made small."""
    failing = set(checker.failing)

    def what(candidate: BlockCase) -> list[str]:
        for _ in range(_TRIES if failing else 1):
            lines = checker.differences(candidate, failing)
            # Of contenders, only their own failure counts: a block on which serial execution fails is another matter.
            if lines and (not failing or checker.failing):
                return lines
        return []

    if not what(case):
        return FailingBlock(seed, case, case, found, False)
    small = small_block(case, lambda candidate: bool(what(candidate)), SHRINK_SECONDS)
    return FailingBlock(seed, case, small, what(small) or found, True)


@contextmanager
def checking(contenders: tuple[Contender, ...]) -> Iterator[Callable[[BlockBatch], BlockTally]]:
    """Open contenders; with them a batch is run."""
    with BlockChecker(contenders) as checker:
        yield partial(run_blocks, checker)


def run_campaign(
    batches: Iterator[BlockBatch],
    contenders: Sequence[Contender],
    processes: int,
    tally: BlockTally,
    progress: Callable[[BlockTally], None],
    most_failures: int,
) -> None:
    """Run batches, keeping the tally, until they are through or enough has failed.

    Parameters
    ----------
    batches : iterator of BlockBatch
    contenders : sequence of (str, str, int)
        Names, clocks and workers of those that execute each block.
    processes : int
        With one, this process does it.
    tally : BlockTally
        Altered in place.
    progress : callable
        Given the tally now and then.
    most_failures : int
        After so many no further batch is begun.

    Raises
    ------
    KeyboardInterrupt
        If the user ended it; the tally holds what was done, and no process is left.
    """
    wanted = takewhile(lambda _: len(tally.failures) < most_failures, batches)
    work = partial(checking, tuple(contenders))
    with closing(done_here(work, wanted) if processes == 1 else shared_out(work, wanted, processes)) as results:
        for result in results:
            if result is not None:
                tally.add(result[1])
            progress(tally)
