"""Verdicts on block tests, of one process or several, each of which keeps its contenders from test to test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from contend.harness.verify.share_out import done_here, shared_out
from contend.harness.verify.whole_block.block_test import BlockTest, Verdict, run_test
from contend.harness.verify.whole_block.contender_check import ContenderCheck

Contender = tuple[str, str, int]  # name, clock, workers


@contextmanager
def checking(contenders: Sequence[Contender]) -> Iterator[Callable[[BlockTest], Verdict]]:
    """Open contenders; with them a test is run."""
    with ExitStack() as kept:
        checks = [kept.enter_context(ContenderCheck(*one)) for one in contenders]
        yield lambda test: run_test(test, checks)


def verdicts(tests: Sequence[BlockTest], contenders: Sequence[Contender], jobs: int) -> Generator[Verdict, None, None]:
    """Verdicts on tests in their order, of so many processes; with one, this process gives them.

    A process that dies fails the test that it ran.
    """
    work = partial(checking, tuple(contenders))
    done: dict[int, Verdict] = {}
    given = 0
    with closing(done_here(work, tests) if jobs == 1 else shared_out(work, tests, jobs, Verdict)) as results:
        for result in results:
            if result is not None:
                done[result[0]] = result[1]
            while given in done:
                yield done.pop(given)
                given += 1
