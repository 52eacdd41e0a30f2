"""Many schedules, shared out over processes: batches of one block under one strategy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from contend.harness.errors import BadInputError
from contend.harness.verify.damage import KINDS, SHARES, Damage
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, DELEGATING, DESTROYING, MADE, ScheduleCase
from contend.harness.verify.share_out import shared_out

if TYPE_CHECKING:
    from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker

SCHEDULES_A_BLOCK = 50
WORKERS = (2, 3, 4, 8)


@dataclass(frozen=True)
class ScheduleBatch:
    """Schedules of one block: seeds from `first` on.

    Attributes
    ----------
    strategy : str
    workers : int
    source : str
    block, first, count : int
    hinted : bool
        Whether the strategy is given hints, which can then be damaged.
    """

    strategy: str
    workers: int
    source: str
    block: int
    first: int
    count: int
    hinted: bool = False

    def cases(self) -> Iterator[ScheduleCase]:
        """Each schedule as a case: in every other one steps are cut in two, and in half of either hints are damaged."""
        for schedule in range(self.first, self.first + self.count):
            cut, pair = schedule % 2 == 1, schedule // 2
            damage = None
            if self.hinted and pair % 2 == 1:
                turn = pair // 2
                damage = Damage(KINDS[turn % len(KINDS)], SHARES[turn // len(KINDS) % len(SHARES)], schedule)
            yield ScheduleCase(self.strategy, self.workers, self.source, self.block, schedule, None, cut, damage)


@dataclass(frozen=True)
class FailingSchedule:
    """A schedule under which a strategy gave another result than serial execution.

    Attributes
    ----------
    case : ScheduleCase
        As it was found.
    small : ScheduleCase
        The shortest block that still fails, with a schedule under which it does.
    differences : list of str
        Of the small case.
    """

    case: ScheduleCase
    small: ScheduleCase
    differences: list[str]


@dataclass
class Tally:
    """Tally of a campaign so far.

    Attributes
    ----------
    schedules : dict
        By strategy, how many were run.
    damaged : dict
        By strategy, in how many of them hints were damaged.
    steps : int
    failures : list of FailingSchedule
    """

    schedules: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    failures: list[FailingSchedule] = field(default_factory=list)

    def add(self, batch: ScheduleBatch, run: int) -> None:
        """Count the first schedules of a batch."""
        damaged = sum(case.damage is not None for case in islice(batch.cases(), run))
        for counts, more in ((self.schedules, run), (self.damaged, damaged)):
            counts[batch.strategy] = counts.get(batch.strategy, 0) + more


def batches(
    strategies: Sequence[str],
    sources: Sequence[str],
    workers: Sequence[int],
    schedules: int,
    seed: int,
    hinted: Collection[str] = (),
) -> Iterator[ScheduleBatch]:
    """Share schedules out: strategies and sources in turn, so that any beginning of a campaign has some of each.

    Parameters
    ----------
    strategies, sources : sequence of str
        Names; of a source, of a workload or `ADVERSARIAL`.
    workers : sequence of int
        Worker counts, taken in turn.
    schedules : int
        In all.
    seed : int
        Of blocks and schedules.
    hinted : collection of str
        Those of the strategies that are given hints.
    """
    done, number = 0, 0
    while done < schedules:
        strategy = strategies[number % len(strategies)]
        turn = number // len(strategies)
        source = sources[turn % len(sources)]
        count = min(SCHEDULES_A_BLOCK, schedules - done)
        block = seed * 1_000_003 + turn
        count_of_workers = workers[turn // len(sources) % len(workers)]
        yield ScheduleBatch(strategy, count_of_workers, source, block, seed + done, count, strategy in hinted)
        done += count
        number += 1


Ran = tuple["ScheduleBatch", int, "FailingSchedule | None"]


def run_batch(checker: ScheduleChecker, batch: ScheduleBatch) -> Ran:
    """Run a batch up to its first failure, which is made small; how many steps that were."""
    before = checker.steps
    for case in batch.cases():
        if checker.differences(case):
            small = checker.shrink(case)
            return batch, checker.steps - before, FailingSchedule(case, small, checker.differences(small))
    return batch, checker.steps - before, None


@contextmanager
def checking() -> Iterator[Callable[[ScheduleBatch], Ran]]:
    """Open a checker; with it a batch is run."""
    from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
    from contend.strategies import registry

    with closing(ScheduleChecker(registry.get)) as checker:
        yield partial(run_batch, checker)


def campaign(
    planned: Iterator[ScheduleBatch],
    processes: int,
    tally: Tally,
    progress: Callable[[Tally], None],
    most_failures: int,
) -> None:
    """Run batches over processes, keeping the tally, until they are through or enough has failed.

    Parameters
    ----------
    planned : iterator of ScheduleBatch
    processes : int
    tally : Tally
        Altered in place.
    progress : callable
        Given the tally several times a second.
    most_failures : int
        After so many no further batch is begun.

    Raises
    ------
    KeyboardInterrupt
        If the user ended it; the tally holds what was done, and no process is left.
    """
    wanted = takewhile(lambda _: len(tally.failures) < most_failures, planned)
    with closing(shared_out(checking, wanted, processes)) as results:
        for result in results:
            if result is not None:
                batch, steps, failure = result[1]
                # A batch ends at its first failure.
                run = batch.count if failure is None else failure.case.schedule - batch.first + 1
                tally.add(batch, run)
                tally.steps += steps
                if failure is not None:
                    tally.failures.append(failure)
            progress(tally)


def default_sources() -> tuple[str, ...]:
    """Adversarial blocks as often as all default workloads, those that destroy or delegate as often as two each."""
    from contend.workloads import registry

    return (
        ADVERSARIAL,
        DESTROYING,
        DELEGATING,
        *(name for workload in registry.DEFAULT for name in (workload, ADVERSARIAL)),
    )


def checked_strategies(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Names of strategies that have schedules: those that are wanted; where none is, all built-in ones that have some.

    Raises
    ------
    BadInputError
        If one is not known, or has one schedule only.
    """
    from contend.harness.plan.request import ALL
    from contend.harness.plan.resolve import chosen_strategies, lookup
    from contend.strategies import registry

    kinds = {name: lookup(registry, name) for name in chosen_strategies(wanted or (ALL,))}
    for name, kind in kinds.items():
        if name in wanted and not kind.parallel:
            raise BadInputError(f"strategy {name!r}: a strategy that is not parallel has one schedule only")
        if name in wanted and "virtual" not in kind.clocks:
            raise BadInputError(f"strategy {name!r} runs under the wall clock only, and so under no schedule")
    return tuple(name for name, kind in kinds.items() if kind.parallel and "virtual" in kind.clocks)


def hinted_strategies(names: Sequence[str]) -> tuple[str, ...]:
    """Those of some strategies that are given hints."""
    from contend.harness.verify.given_damage import has_hints
    from contend.strategies import registry

    return tuple(name for name in names if has_hints(registry.get(name)))


def check_sources(names: tuple[str, ...]) -> None:
    """Make sure that blocks can be had of all of these.

    Raises
    ------
    BadInputError
        If a workload is not known.
    """
    from contend.harness.plan.resolve import lookup
    from contend.workloads import registry

    for name in names:
        if name not in MADE:
            lookup(registry, name)
