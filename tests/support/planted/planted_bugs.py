"""Planted bugs: for each mechanism that a strategy's correctness rests on, what happens without it.

They are this project's mutation score: random schedules must find every one of them. What each replaced function does
wrongly is in the other files of this folder; which function it takes the place of is said
here.

All bugs of strategies over multi-version memory are planted in the same copies of them, each behind a switch of its
own, and so are all bugs of the sharded ones: however many there are, what strategies share is compiled once. The
former's copies can be cut in two within their steps. Where they are not, their steps are those of the strategies.

``python tests/support/planted/planted_bugs.py`` writes into ``docs/fuzzing.md`` when each was found.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import planted_aria as batches_of_aria
import planted_bal as bal_bugs
import planted_block_stm as stm
import planted_graphs as graphs
import planted_placeholder as placeholders
import planted_redo as logged
import planted_second as second
import planted_sharded as sharding
import planted_window as ordered
from dry_graphs import DryGroups, DryLocks
from half_plan import HalfPlan
from lying_list import LyingList
from planted_placeholder import FewMachines, HalfTold
from predicted import Predicted, Standing

from contend.evm import Block, State
from contend.evm.redo_log import recompute
from contend.harness.verify.given_damage import has_hints
from contend.harness.verify.schedule_fuzzer import switch
from contend.harness.verify.schedule_fuzzer.campaign import batches
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, DELEGATING, DESTROYING, ScheduleCase, scene_of
from contend.harness.verify.schedule_fuzzer.checker import SceneOf, ScheduleChecker
from contend.harness.verify.schedule_fuzzer.preemption_points import (
    preemptible,
    preemptible_variant,
    shared_steps,
    steps_of,
)
from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies.bal import repair, sweep
from contend.strategies.bal import worker as bal_worker
from contend.strategies.bal.strategy import Bal
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_stm import (
    accounting,
    commit,
    estimates,
    executed_prefix,
    incarnation,
    list_of_block,
    mv_memory,
    scheduler,
    settled_words,
    standing_versions,
    validation,
)
from contend.strategies.block_stm.strategy import BlockSTM, OptimisticStrategy
from contend.strategies.dependency import linking, validating
from contend.strategies.optimistic.aria import reservations, snapshot_batch
from contend.strategies.optimistic.aria import worker as aria_worker
from contend.strategies.optimistic.aria.strategy import Aria
from contend.strategies.optimistic.block_stm_v2 import commit_point, invalidation, readers
from contend.strategies.optimistic.block_stm_v2.strategy import BlockSTMv2
from contend.strategies.optimistic.occ_window import committed, pending_results
from contend.strategies.optimistic.occ_window import worker as window_worker
from contend.strategies.optimistic.occ_window.strategy import OccWindow
from contend.strategies.optimistic.redo import kept_logs, redoing
from contend.strategies.optimistic.redo.strategy import Redo
from contend.strategies.placeholder import contexts, filling
from contend.strategies.planned import engine
from contend.strategies.planned.static_partition import StaticPartition
from contend.strategies.sharded import Sharded, ShardedOrdered
from contend.strategies.sharded.protocol import commit as sharded_commit
from contend.strategies.sharded.protocol import commit_order, lock_free, lock_manager, messages

MOST_SCHEDULES = 10_000
MULTI_VERSION: tuple[type[OptimisticStrategy], ...] = (
    *(BlockSTM, StaticPartition, HalfPlan, Predicted, Standing),
    *(Bal, LyingList),
    *(OccWindow, Redo, Aria, BlockSTMv2),
    *(FewMachines, HalfTold),
    *(DryGroups, DryLocks),
)
SHARDED: tuple[type[Strategy], ...] = (Sharded, ShardedOrdered)
# Strategies whose bugs are planted in the same copies.
FAMILIES: tuple[tuple[type[Strategy], ...], ...] = (MULTI_VERSION, SHARDED)


@dataclass(frozen=True)
class Bug:
    """A planted bug.

    Attributes
    ----------
    mechanism : str
        What is broken.
    strategy : type
        Of which the copy is broken.
    replacement : Replacement
    within : bool
        Whether it lies between two accesses of one step, so that only schedules that cut steps in two can find it.
    source : str
        Of the blocks that show it: those that do within some thousand schedules are enough for most.
    """

    mechanism: str
    strategy: type[Strategy]
    replacement: Replacement
    within: bool = False
    source: str = ADVERSARIAL


def checker_of(name: str, scene: SceneOf = scene_of) -> ScheduleChecker:
    """Checker of a bug's strategy, with the bug."""
    kind = _switched(copy_of(BUGS[name].strategy), list(BUGS).index(name) + 1)
    return checker_only(kind, scene)


def checker_only(kind: type[Strategy], scene: SceneOf = scene_of) -> ScheduleChecker:
    """Checker of one strategy, whatever a case names; its steps are cut in two where they can be."""
    return ScheduleChecker(lambda name: kind, lambda kind: kind, scene)


def cases_of(name: str, count: int = MOST_SCHEDULES) -> Iterator[ScheduleCase]:
    """The first schedules, half of them with damaged hints if there are any; all cut if only those find the bug."""
    bug = BUGS[name]
    hinted = [bug.strategy.name] if has_hints(bug.strategy) else []
    for batch in batches([bug.strategy.name], [bug.source], (3, 4, 2, 8), count, seed=5, hinted=hinted):
        for case in batch.cases():
            yield replace(case, cut=True) if bug.within else case


def cases_nearest_first(name: str) -> Iterator[ScheduleCase]:
    """As `cases_of`, but first those around the one that the page tells of: tests need not run thousands before."""
    told = re.search(rf"^\| `{name}` \| .*? \| `\w+` \| `\w+` \| ([\d,]+) \|", PAGE.read_text(), re.M)
    assert told, f"{PAGE} does not tell of {name}: run `python tests/support/planted/planted_bugs.py`"
    number = int(told[1].replace(",", ""))
    yield from islice(cases_of(name), max(0, number - 100), number + 100)
    yield from cases_of(name)


def copy_of(kind: type[Strategy]) -> type[Strategy]:
    """A strategy with all bugs of its family planted and none turned on; its steps can be cut if any strategy's can."""
    if issubclass(kind, OptimisticStrategy):
        return preemptible(kind, _copies(MULTI_VERSION))
    found: type[Strategy] = getattr(_copies(SHARDED).module(kind.__module__), kind.__name__)
    return found


@cache
def _copies(family: tuple[type[Strategy], ...]) -> Variant:
    replacements = [
        replace(bug.replacement, number=number) for number, bug in enumerate(BUGS.values(), 1) if bug.strategy in family
    ]
    if family is MULTI_VERSION:
        return preemptible_variant((*steps_of(family), *shared_steps()), replacements)
    return Variant([sys.modules[kind.__module__] for kind in family], replacements)


def _switched(kind: type[Strategy], number: int) -> type[Strategy]:
    """The same strategy with one of its bugs turned on while it executes."""

    def execute(self: Any, block: Block, state: State, workers: int) -> Outcome:
        with switch.turned_to(number):
            return kind.execute(self, block, state, workers)

    return type(kind.__name__, (kind,), {"execute": execute})


BUGS = {
    "secret_word": Bug(
        "re-validation after a repair that wrote another word",
        HalfPlan,
        Replacement(mv_memory, stm.keep_a_changed_word_to_oneself, "_write_again"),
        source="grants",
    ),
    "same_stamp": Bug(
        "the number of a version's word",
        BlockSTM,
        Replacement(mv_memory, stm.take_another_word_for_the_same, "_write_again"),
    ),
    "skipped_validation": Bug(
        "validation", BlockSTM, Replacement(validation, stm.find_everything_valid, "validate_read_set")
    ),
    "missing_revalidation": Bug(
        "re-validation after an abort",
        BlockSTM,
        Replacement(scheduler, stm.finish_validation_without_revalidation, "finish_validation"),
        source="adversarial",
    ),
    "unseen_new_location": Bug(
        "re-validation after a write to a new location",
        BlockSTM,
        Replacement(scheduler, stm.take_new_locations_for_known_ones, "finish_execution"),
    ),
    "skipped_own_validation": Bug(
        "validation of oneself",
        BlockSTM,
        Replacement(scheduler, stm.finish_execution_without_validation, "finish_execution"),
    ),
    "kept_write": Bug(
        "ABSENT marks",
        BlockSTM,
        Replacement(mv_memory, stm.keep_what_was_not_written_again, "mark_absent"),
        source="nft",
    ),
    "lost_dependency": Bug(
        "wake-up of those who wait", BlockSTM, Replacement(scheduler, stm.forget_those_who_wait, "resume_dependencies")
    ),
    "unvalidated_prefix": Bug(
        "validation of the beneficiary's prefix",
        StaticPartition,
        Replacement(incarnation, stm.answer_without_noting_the_prefix, "answer_read"),
    ),
    "incomplete_prefix": Bug(
        "completeness of the beneficiary's prefix",
        Standing,
        Replacement(incarnation, stm.sum_only_fees_of_the_executed, "fees_below"),
    ),
    "unseen_generation": Bug(
        "storage generations in read sets",
        OccWindow,
        Replacement(pending_results, ordered.note_no_generation, "answer_from_committed"),
        source=DESTROYING,
    ),
    "unseen_code": Bug(
        "codes, and so delegations, in read sets",
        BlockSTM,
        Replacement(incarnation, stm.note_no_code, "answer_read"),
        source=DELEGATING,
    ),
    "lasting_certainty": Bug(
        "doubt after an unexpected write",
        Predicted,
        Replacement(scheduler, stm.doubt_nobody, "doubt_those_above"),
    ),
    "skipped_version": Bug(
        "links of versions that are laid out at once",
        Standing,
        Replacement(standing_versions, stm.link_past_the_version_below, "stand"),
    ),
    "recycled_read_set": Bug(
        "a machine used again", BlockSTM, Replacement(incarnation, stm.begin_with_the_last_read_set, "begin")
    ),
    "short_commit": Bug("commit", BlockSTM, Replacement(commit, stm.commit_all_but_the_last, "commit_locations")),
    "forgotten_location": Bug(
        "notes of written locations", BlockSTM, Replacement(mv_memory, stm.note_every_other_location, "note_written")
    ),
    "unseen_settling": Bug(
        "whose word the state has",
        BlockSTM,
        Replacement(settled_words, stm.forget_who_settled, "tag_of"),
    ),
    "lost_wake_up": Bug(
        "a second look after waiting",
        BlockSTM,
        Replacement(scheduler, stm.wait_without_looking_again, "add_dependency"),
        within=True,
    ),
    "word_after_link": Bug(
        "order of a version's word and link",
        BlockSTM,
        Replacement(mv_memory, stm.write_word_after_link, "write"),
        within=True,
    ),
    "lost_insertion": Bug(
        "insertion into a skip list",
        BlockSTM,
        Replacement(mv_memory, stm.insert_by_a_plain_store, "write"),
        within=True,
        source="nft",
    ),
    "unvalidated_plan": Bug(
        "validation of a plan", StaticPartition, Replacement(engine, stm.open_no_validation, "_open_validation")
    ),
    "trusted_plan": Bug(
        "execution of what a plan leaves out",
        HalfPlan,
        Replacement(engine, stm.trust_what_the_plan_left_out, "_open_validation"),
    ),
    "left_lane": Bug(
        "execution of every lane", StaticPartition, Replacement(engine, stm.leave_the_last_lane, "_next_in_lane")
    ),
    "uncounted_restart": Bug(
        "counts of restarts after a wait", BlockSTM, Replacement(scheduler, stm.wait_without_counting, "add_dependency")
    ),
    "doubled_repair": Bug(
        "one count for each execution",
        HalfPlan,
        Replacement(accounting, stm.count_repairs_as_aborts_too, "count_abort"),
    ),
    "stale_accesses": Bug(
        "an access list of each transaction's last incarnation",
        BlockSTM,
        Replacement(incarnation, stm.keep_the_first_accesses, "keep_accesses"),
    ),
    "untaken_part": Bug(
        "every part of an access list in the making",
        BlockSTM,
        Replacement(list_of_block, stm.leave_the_first_part, "_next_part"),
    ),
    "lasting_prediction": Bug(
        "ABSENT marks of predicted writes that do not come",
        Predicted,
        Replacement(estimates, stm.expect_and_forget, "expect_writes"),
    ),
    "unconfirmed_write": Bug(
        "comparison of writes with the list",
        LyingList,
        Replacement(bal_worker, bal_bugs.confirm_every_write, "_confirm_write"),
    ),
    "trusted_list": Bug(
        "comparison of reads with versions",
        LyingList,
        Replacement(repair, bal_bugs.trust_what_was_seen, "_enter_read"),
    ),
    "unpublished_write": Bug(
        "versions of what was executed from a list",
        LyingList,
        Replacement(repair, bal_bugs.publish_without_the_last, "_publish_writes"),
    ),
    "first_word": Bug("last words of a list", Bal, Replacement(sweep, bal_bugs.keep_the_first_word, "_sweep_record")),
    "unnoticed_read": Bug(
        "notice of reads that a list does not name",
        Bal,
        Replacement(bal_worker, bal_bugs.note_no_unlisted_read, "_answer_unlisted"),
    ),
    "unvalidated_turn": Bug(
        "validation at a transaction's turn",
        OccWindow,
        Replacement(committed, ordered.find_every_read_fresh, "first_stale_read"),
    ),
    "early_fees": Bug(
        "the beneficiary's balance at its turn only",
        OccWindow,
        Replacement(pending_results, ordered.need_no_turn, "needs_its_turn"),
    ),
    "short_publication": Bug(
        "publication of what was written",
        OccWindow,
        Replacement(committed, ordered.publish_all_but_the_last, "publish"),
    ),
    "uncounted_deferral": Bug(
        "counts of executions given up for their turn",
        OccWindow,
        Replacement(pending_results, ordered.give_up_without_counting, "give_up"),
    ),
    "doubled_turn": Bug(
        "one turn at a time",
        OccWindow,
        Replacement(window_worker, ordered.take_turn_by_a_plain_store, "try_to_take_turn"),
        within=True,
    ),
    "early_commit_point": Bug(
        "the commit point behind what is published",
        OccWindow,
        Replacement(window_worker, ordered.move_commit_point_before_publishing, "publish_result"),
        within=True,
    ),
    "ignored_guards": Bug(
        "guards of a log",
        Redo,
        Replacement(recompute, logged.hold_always, "_guard_holds"),
        source="nft",
    ),
    "skipped_operation": Bug(
        "operations of a log",
        Redo,
        Replacement(recompute, logged.leave_sums_as_they_were, "_result"),
    ),
    "unpatched_words": Bug(
        "words of what was redone",
        Redo,
        Replacement(redoing, logged.patch_nothing, "_patch"),
    ),
    "trusted_nonce": Bug(
        "confirmation of a predicted nonce",
        Redo,
        Replacement(kept_logs, logged.predict_without_doubt, "predict"),
    ),
    "uncounted_codes": Bug(
        "codes in read sets where codes are written",
        Redo,
        Replacement(kept_logs, logged.count_no_code, "count_code_writes"),
        source=DELEGATING,
    ),
    "unseen_readers": Bug(
        "conflicts of readers in a batch",
        Aria,
        Replacement(reservations, batches_of_aria.find_nothing_read, "_conflict_of_reads"),
    ),
    "overtaken_sender": Bug(
        "invalid until the sender's earlier transactions are committed",
        Aria,
        Replacement(reservations, batches_of_aria.take_invalid_for_done, "is_invalid"),
    ),
    "doubled_member": Bug(
        "one worker for each member and stage",
        Aria,
        Replacement(aria_worker, batches_of_aria.take_member_by_a_plain_store, "_take_member"),
        within=True,
    ),
    "open_ticket": Bug(
        "a batch's end, at which nothing is given out",
        Aria,
        Replacement(snapshot_batch, batches_of_aria.leave_ticket_open, "close_ticket"),
        within=True,
    ),
    "unentered_reader": Bug(
        "entries of readers at what they have read",
        BlockSTMv2,
        Replacement(readers, second.enter_nobody, "enter"),
    ),
    "lost_invalidation": Bug(
        "invalidation of those that have executed",
        BlockSTMv2,
        Replacement(invalidation, second.lose_what_executed_ones_are_told, "invalidate"),
    ),
    "unseen_mark": Bug(
        "invalidation of those that still execute",
        BlockSTMv2,
        Replacement(invalidation, second.look_for_no_mark, "stale_read_of"),
    ),
    "untold_expectation": Bug(
        "invalidation of those that have read where one below is expected to write",
        BlockSTMv2,
        Replacement(invalidation, second.tell_nobody_below, "tell_below"),
    ),
    "early_balance": Bug(
        "the beneficiary's balance at the commit point only",
        BlockSTMv2,
        Replacement(commit_point, second.need_no_turn, "has_its_turn"),
    ),
    "untold_waiters": Bug(
        "wake-up of those who wait at placeholders",
        FewMachines,
        Replacement(filling, placeholders.fill_and_tell_nobody, "wake_waiters"),
    ),
    "forgotten_waiters": Bug(
        "wake-up of those who wait for another word than the first of them",
        FewMachines,
        Replacement(filling, placeholders.wake_only_the_first, "fill_waited_for"),
    ),
    "lost_context": Bug(
        "contexts used again", FewMachines, Replacement(contexts, placeholders.keep_no_context, "give_back")
    ),
    "missed_filling": Bug(
        "one word for filling and for waiting",
        FewMachines,
        Replacement(filling, placeholders.wait_by_a_plain_store, "wait_for"),
        within=True,
    ),
    "unfilled_placeholder": Bug(
        "placeholders for which no write comes",
        HalfTold,
        Replacement(mv_memory, placeholders.leave_what_was_not_written, "mark_absent"),
    ),
    "undoubted_hints": Bug(
        "validation of those above an unexpected write",
        HalfTold,
        Replacement(filling, placeholders.doubt_nothing, "doubt"),
    ),
    "forgotten_reads": Bug(
        "read sets of those who are put aside",
        HalfTold,
        Replacement(contexts, placeholders.put_down_without_the_reads, "put_down"),
        source="adversarial",
    ),
    "unbounded_sweep": Bug(
        "validation behind the executed prefix",
        DryGroups,
        Replacement(executed_prefix, graphs.validate_ahead_of_execution, "next_to_validate"),
    ),
    "unnoticed_stray": Bug(
        "notice of unexpected writes",
        DryGroups,
        Replacement(validating, graphs.note_no_stray, "note_stray"),
    ),
    "closed_list": Bug(
        "a look at whether a predecessor has finished",
        DryLocks,
        Replacement(linking, graphs.wait_for_what_has_finished, "wait_behind"),
    ),
    "missed_closing": Bug(
        "one word for finishing and for waiting behind",
        DryLocks,
        Replacement(linking, graphs.link_by_a_plain_store, "wait_behind"),
        within=True,
    ),
    "skipped_lock": Bug("conflict of locks", Sharded, Replacement(lock_manager, sharding.grant_every_lock, "lock")),
    "skipped_upgrade": Bug(
        "conflict of upgrades", Sharded, Replacement(lock_manager, sharding.upgrade_among_others, "upgrade")
    ),
    "read_past_locks": Bug(
        "locks seen by reads without locks", Sharded, Replacement(lock_manager, sharding.read_past_locks, "is_readable")
    ),
    "commit_past_locks": Bug(
        "locks seen by commits without locks",
        Sharded,
        Replacement(lock_free, sharding.commit_past_locks, "may_commit_lock_free"),
        source="adversarial",
    ),
    "lost_vote": Bug("votes", Sharded, Replacement(lock_manager, sharding.send_no_vote, "send_vote")),
    "lost_write": Bug(
        "writes of participants", Sharded, Replacement(lock_manager, sharding.drop_staged_writes, "write_staged")
    ),
    "missing_wound": Bug("wounds", Sharded, Replacement(lock_manager, sharding.wound_nobody, "_wound")),
    "uncounted_wound": Bug(
        "counts of wounds", Sharded, Replacement(sharded_commit, sharding.note_no_wound, "_note_cause")
    ),
    "recycled_session": Bug(
        "a session used again",
        Sharded,
        Replacement(lock_manager, sharding.release_a_context_that_stays_wounded, "release"),
        source="grants",
    ),
    "stopped_clock": Bug(
        "Lamport's clock", Sharded, Replacement(messages, sharding.receive_without_the_clock, "receive")
    ),
    "ignored_turn": Bug(
        "commit order", ShardedOrdered, Replacement(commit_order, sharding.commit_without_the_token, "may_commit_next")
    ),
    "lost_fees": Bug(
        "fees that go with the turn",
        ShardedOrdered,
        Replacement(commit_order, sharding.take_the_token_without_fees, "take_token"),
    ),
}


PAGE = Path(__file__).resolve().parents[3] / "docs" / "fuzzing.md"
_HEAD = (
    "| bug | what does not work | strategy | blocks | schedules | transactions |\n"
    "| --- | --- | --- | --- | ---: | ---: |\n"
)
_TABLE = re.compile(rf"{re.escape(_HEAD)}(\|.*\n)*")


def _row(name: str) -> str:
    bug, checker = BUGS[name], checker_of(name)
    number, failing = next((i, case) for i, case in enumerate(cases_of(name), 1) if checker.differences(case))
    left = checker.shrink(failing).kept or ()
    checker.close()
    return f"| `{name}` | {bug.mechanism} | `{bug.strategy.name}` | `{bug.source}` | {number:,} | {len(left)} |\n"


if __name__ == "__main__":
    table = _HEAD + "".join(_row(name) for name in BUGS)
    print(table)
    PAGE.write_text(_TABLE.sub(lambda _: table, PAGE.read_text()))
