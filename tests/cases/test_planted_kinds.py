"""Bugs of the reported kinds, planted here, are caught by their cases; so no case passes because it shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from equivalence import Equivalence
from planted_bugs import BUGS, checker_of

from contend.evm import Block, State, errors, forks
from contend.evm.drivers.block_admission import Admission
from contend.evm.forks import PRAGUE, SHANGHAI
from contend.evm.receipts import Receipts
from contend.harness.verify import full_receipts as receipts_module
from contend.harness.verify.given_damage import has_hints
from contend.harness.verify.schedule_fuzzer.campaign import ScheduleBatch
from contend.strategies.base import Outcome
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks.virtual import VirtualClock
from tests.cases import case_checks
from tests.cases.case_checks import PREFIX, differences, serial_end
from tests.cases.every_case import CASES

# Planted in copies of strategies, for the schedule fuzzer: which report's kind it is, and the case that shows it.
BY_SCHEDULE = {
    "besu#7296": ("unvalidated_prefix", "beneficiary_is_read_while_tips_change"),
    "nethermind#9803": ("lost_dependency", "chain_that_aborts_itself"),
    "aptos-core#14422": ("kept_write", "write_that_is_not_repeated"),
    "op-geth#202": ("skipped_validation", "declared_sets_that_leave_the_conflict_out"),
    "nethermind#11389": ("lasting_certainty", "refund_for_an_authority_that_is_there"),
    "bor#2270": ("unseen_code", "code_and_hash_of_an_account_delegated_again"),
    "gravity-reth#388": ("unseen_new_location", "delegated_account_creates_a_contract"),
    "grevm#62": ("unseen_code", "slots_of_an_account_created_again"),
    "erigon#22190": ("skipped_validation", "reads_of_an_account_that_comes_and_goes"),
    "erigon#22057": ("lost_dependency", "tip_after_the_beneficiary_was_destroyed"),
}
SCHEDULES = 300


@pytest.mark.parametrize("reference", BY_SCHEDULE)
def test_a_bug_in_a_strategy_is_caught_under_some_schedule(reference: str) -> None:
    bug, title = BY_SCHEDULE[reference]
    assert reference in (CASES[title].__doc__ or "")
    checker = checker_of(bug, case_checks.scene_of_case)
    strategy = BUGS[bug].strategy
    batch = ScheduleBatch(strategy.name, 3, PREFIX + title, 0, 0, SCHEDULES, has_hints(strategy))
    assert any(checker.differences(case) for case in batch.cases())
    checker.close()


def settle_by_use(self: Admission, receipts: Receipts) -> bool:
    """Who has used no more than there was left is admitted; who was refused stays so, or this would not end."""
    rows = self._rows
    used = receipts.gas_used.astype(np.int64)
    does_not_fit = used > self._gas - (np.cumsum(used) - used)
    flaws = np.where(does_not_fit | (rows["flaw"] == errors.GAS_ALLOWANCE), errors.GAS_ALLOWANCE, self._flaws)
    is_settled = bool(np.array_equal(flaws, rows["flaw"]))
    rows["flaw"] = flaws
    return is_settled


def settle_gas_only(self: Admission, receipts: Receipts) -> bool:
    """Blobs are not counted."""
    self._rows["blobs"], blobs = 0, self._rows["blobs"].copy()
    try:
        return settle(self, receipts)
    finally:
        self._rows["blobs"] = blobs


settle = Admission.settle


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (settle_by_use, "limit_above_what_the_block_has_left"),  # ethrex#6341
        (settle_gas_only, "blobs_are_counted_apart_from_gas"),  # reth#22490
    ],
)
def test_wrong_admission_is_caught(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[[Admission, Receipts], bool], title: str
) -> None:
    case = CASES[title]()
    with BlockSTM() as strategy:
        strategy.clock = VirtualClock()
        Equivalence().check(strategy, case.blocks[-1], case.state(), 2)
        monkeypatch.setattr(Admission, "settle", wrong)
        with pytest.raises(AssertionError, match="transaction 1"):
            Equivalence().check(strategy, case.blocks[-1], case.state(), 2)


class Ahead(BlockSTM):
    """Executes a block from the state before the last one: it does not wait until that has been applied."""

    def __init__(self) -> None:
        super().__init__()
        self._behind: State | None = None

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        behind, self._behind = self._behind or state.copy(), state.copy()
        outcome = super().execute(block, behind, workers)
        assert outcome.changes is not None
        state.apply(outcome.changes)
        return outcome


def test_a_block_that_is_executed_ahead_of_the_last_one_is_caught() -> None:
    """erigon#19891."""
    case = CASES["block_behind_a_block"]()
    for kind, caught in ((BlockSTM, False), (Ahead, True)):
        state = case.state()
        with kind() as strategy:
            strategy.clock = VirtualClock()
            strategy.execute(case.blocks[0], state, 2)
            try:
                Equivalence().check(strategy, case.blocks[1], state, 2)
            except AssertionError:
                assert caught
            else:
                assert not caught


@contextmanager
def rule(fork: forks.Fork, name: str, value: int) -> Iterator[None]:
    """Another value of a fork's rule, for all strategies alike."""
    row = forks._rules[fork.number]
    before = int(row[name])
    row[name] = value
    try:
        yield
    finally:
        row[name] = before


@pytest.mark.parametrize(
    ("fork", "name", "value", "title"),
    [
        (PRAGUE, "floor_token_gas", 0, "floor_of_a_failed_transaction"),  # sei-chain#3768
        (SHANGHAI, "destroys_all", 0, "transfer_to_a_destroyed_account"),  # erigon#23206
        (PRAGUE, "delegates", 0, "sponsor_is_its_own_authority"),
    ],
)
def test_another_rule_is_caught_by_what_was_written_by_hand(
    fork: forks.Fork, name: str, value: int, title: str
) -> None:
    """Serial execution is as wrong as all others then, and no comparison with it shows anything."""
    with rule(fork, name, value):
        case = CASES[title]()
        assert differences(case, serial_end(case))
    assert differences(case, serial_end(case)) == []


@pytest.mark.parametrize("field", ["first_log", "cumulative_gas"])
def test_receipts_that_begin_anew_with_each_transaction_are_caught(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """erigon#22142, erigon#22106."""
    case = CASES["places_in_receipts"]()
    right = receipts_module.full_receipts

    def begun_anew(receipts: Receipts, kinds: list[int]) -> Any:
        made = right(receipts, kinds)
        changes: list[dict[str, Any]] = [{field: 0 if field == "first_log" else one.gas_used} for one in made]
        return tuple(replace(one, **change) for one, change in zip(made, changes, strict=True))

    monkeypatch.setattr(case_checks, "full_receipts", begun_anew)
    (found,) = differences(case, serial_end(case))
    assert ("first logs" if field == "first_log" else "gas through the block") in found
