"""Public bugs of other engines as small blocks: the right outcome under every contender, clock, and many schedules."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from equivalence import Equivalence

from contend.evm.access_list import access_list_of, decode, encode
from contend.harness.verify.given_damage import has_hints
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.schedule_fuzzer.campaign import ScheduleBatch
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies import registry
from contend.strategies.clocks import WALL
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import BLOCK, SEPARATOR, contender
from contend.strategies.serial import Serial
from tests.cases.case_checks import PREFIX, differences, scene_of_case, serial_end, specified_end
from tests.cases.every_case import CASES
from tests.cases.list_verdicts import LISTED, WRONG_LISTS

WORKERS = 3
# Of a case under a strategy that is given what it usually is, and under one that is given something else.
SCHEDULES, FEWER_SCHEDULES = 20, 12
PAGE = Path(__file__).resolve().parents[2] / "docs" / "public-bugs.md"


def all_contenders() -> list[str]:
    found = []
    for name in registry.built_in(variants=True):
        kind = registry.get(name)
        found += [contender(name, source, registry.usual_source(kind)) for source in kind.takes] or [name]
    return found


CONTENDERS = all_contenders()
SCHEDULED = [name for name in CONTENDERS if registry.get(name).parallel]


@pytest.mark.parametrize("name", CASES)
def test_the_outcome_is_what_the_specification_says(name: str) -> None:
    case = CASES[name]()
    assert differences(case, serial_end(case)) == []


@pytest.mark.parametrize("name", CASES)
def test_the_executable_specification_says_the_same(name: str) -> None:
    case = CASES[name]()
    assert differences(case, specified_end(case)) == []
    # And of all that the case does not speak of.
    assert specified_end(case).left == serial_end(case).left


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_under_both_clocks(name: str) -> None:
    runner, kind = Equivalence(), registry.get(name)
    clocks = (WALL, VirtualClock()) if "virtual" in kind.clocks else (WALL,)
    with kind() as strategy:
        for clock in clocks:
            strategy.clock = clock
            for title, make in CASES.items():
                case = make()
                state = case.state()
                try:
                    for block in case.blocks[:-1]:
                        strategy.knowledge = BlockKnowledge([block], state, Serial()).of(0, strategy.given)
                        strategy.execute(block, state, WORKERS)
                    runner.check(strategy, case.blocks[-1], state, WORKERS)
                except AssertionError as error:
                    raise AssertionError(f"{title}, {clock.name} clock: {error}") from None


@pytest.mark.parametrize("name", SCHEDULED)
def test_some_tens_of_schedules_of_each_case(name: str) -> None:
    checker = ScheduleChecker(registry.get, scene=scene_of_case)
    hinted, count = has_hints(registry.get(name)), FEWER_SCHEDULES if SEPARATOR in name else SCHEDULES
    for number, title in enumerate(CASES):
        batch = ScheduleBatch(name, 2 + number % 3, PREFIX + title, 0, 100 * number, count, hinted)
        for case in batch.cases():
            assert checker.differences(case) == [], case
    checker.close()


@pytest.mark.parametrize("name", LISTED)
def test_an_access_list_names_what_it_must(name: str) -> None:
    case = CASES[name]()
    found = {one.address: one for one in decode(access_list_of(case.blocks[-1], case.state()))}
    for account in LISTED[name]:
        assert found[account.address] == account


@pytest.mark.parametrize("wrong", WRONG_LISTS)
def test_a_wrong_list_costs_time_and_is_refused(wrong: str) -> None:
    case = CASES["reads_that_outlive_a_revert"]()
    (block,), state = case.blocks, case.state()
    snapshot, knowledge = state.snapshot(), BlockKnowledge([block], state, Serial()).of(0, BLOCK)
    right = decode(knowledge.access_list or b"")
    lie = replace(knowledge, access_list=encode(WRONG_LISTS[wrong].of(right)))
    with Serial() as serial:
        serial.execute(block, state, 1)
    changed = state.changes_since(snapshot).digest
    for name in ("bal", "bal_longest"):
        with registry.get(name)() as strategy:
            strategy.clock = VirtualClock()
            for given in (knowledge, lie):
                state.restore(snapshot)
                strategy.knowledge = given
                outcome = strategy.execute(block, state, WORKERS)
                assert tuple(outcome.receipts.status.tolist()) == case.statuses
                assert state.changes_since(snapshot).digest == changed
                assert (outcome.refused_list is None) == (given is knowledge), outcome.refused_list


def test_the_page_tells_of_every_case() -> None:
    text = PAGE.read_text()
    named = set(re.findall(r"`(\w+)`", "".join(line for line in text.splitlines() if line.startswith("| "))))
    assert set(CASES) | set(WRONG_LISTS) <= named
    for make in CASES.values():
        reference = (make.__doc__ or "").partition(":")[0]
        assert all(one in text for one in re.findall(r"[\w./-]+#\d+", reference)), reference
