"""Planted bugs: each is found, made small and replayed, and copies of strategies in which none is turned on pass."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

import pytest
from planted_bugs import (
    BUGS,
    FAMILIES,
    MOST_SCHEDULES,
    MULTI_VERSION,
    PAGE,
    cases_nearest_first,
    checker_of,
    checker_only,
    copy_of,
)

from contend.harness.verify.schedule_fuzzer.campaign import batches
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, ScheduleCase, scene_of
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies.base import Strategy

SMALL, TRIES = 8, 6  # transactions of a failure that is made small, and failures that are


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_made_small_and_replayed(name: str) -> None:
    bug = BUGS[name]
    checker = checker_of(name)
    # Where a failure needs many transactions to keep workers busy, a later one is made small instead.
    failing = islice((case for case in cases_nearest_first(name) if checker.differences(case)), TRIES)
    small = next((one for one in map(checker.shrink, failing) if one.kept is not None and len(one.kept) <= SMALL), None)
    assert small is not None, f"not found in {MOST_SCHEDULES:,} schedules, or not made small"
    assert small.kept is not None
    assert len(small.kept) <= len(scene_of(ScheduleCase(small.strategy, 2, bug.source, small.block, 0)).block)
    if bug.within:
        # Whole steps do not show it, however the schedule is drawn.
        assert small.cut
    first = checker.differences(small)
    checker.close()
    # In another checker, with nothing kept, the same schedule fails in the same way.
    again = checker_of(name)
    assert first
    assert again.differences(small) == first
    again.close()
    # And it is the strategy's failure, not the block's. Where steps are cut, those of the copies are, none turned on:
    # those of the strategy itself pass in the fuzzer's own test.
    honest = checker_only(copy_of(bug.strategy)) if small.cut else ScheduleChecker(lambda name: bug.strategy)
    assert honest.differences(small) == []
    honest.close()


@pytest.mark.parametrize(
    ("kind", "cut"),
    [
        (kind, cut)
        for family in FAMILIES
        for kind in family
        for cut in (False, True)
        if not cut or kind in MULTI_VERSION
    ],
)
def test_copies_in_which_no_bug_is_turned_on_pass(kind: type[Strategy], cut: bool) -> None:
    checker, plain = checker_only(copy_of(kind)), ScheduleChecker(lambda name: kind)
    for batch in batches([kind.name], [ADVERSARIAL], (3, 4, 2, 8), 200, seed=5):
        for case in batch.cases():
            assert checker.differences(replace(case, cut=cut)) == [], case
            if not cut:
                # A copy's steps can be cut, and are the strategy's as long as they are not.
                assert plain.differences(replace(case, cut=False)) == [], case
                assert checker.steps == plain.steps, case
    checker.close()
    plain.close()


def test_each_planted_bug_breaks_a_mechanism_of_its_own() -> None:
    assert len({bug.mechanism for bug in BUGS.values()}) == len(BUGS) >= 12
    assert {bug.strategy for bug in BUGS.values()} == {kind for family in FAMILIES for kind in family}
    told = re.findall(r"^\| `(\w+)` \| (.*?) \| `(\w+)` \| `(\w+)` \| [\d,]+ \| \d+ \|$", PAGE.read_text(), re.M)
    assert told == [(name, bug.mechanism, bug.strategy.name, bug.source) for name, bug in BUGS.items()]
