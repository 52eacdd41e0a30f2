"""The scheduler's kernels against a model of it: the same actions of several workers, in orders drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import planted_block_stm as stm
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.switch import turned_to
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies.block_stm import scheduler
from contend.strategies.block_stm.layout import SHARED, STATUS_BITS, TASK_NONE, TRANSACTION, WORKER
from contend.strategies.block_stm.workspace import addresses_of
from tests.strategies.block_stm import scheduler_kernels
from tests.strategies.block_stm.scheduler_model import EXECUTED, TASK_EXECUTE, TASK_VALIDATE, Found, Scheduler, Task

MOST_TRANSACTIONS, MOST_WORKERS = 8, 4
INDICES = ("execution_idx", "validation_idx", "decrease_cnt", "num_active_tasks", "done_marker")
LOOKS = ["next_task", "next_task", "next_task", "next_version_to_execute", "next_version_to_validate"]


class SchedulerMachine(RuleBasedStateMachine):
    """Workers that take tasks and end them in any way they can end, at the kernels and at the model.

    Two things are asked beside agreement: the block is done only when every transaction has executed and has been
    validated since anything below it last changed; and from wherever the workers are, they get done.
    """

    kernels: Any = scheduler_kernels
    scheduler: type[Scheduler] = Scheduler

    def __init__(self) -> None:
        super().__init__()
        self.agreed = False

    @initialize(size=st.integers(1, MOST_TRANSACTIONS), workers=st.integers(1, MOST_WORKERS))
    def begin(self, size: int, workers: int) -> None:
        self.model = self.scheduler(size)
        self.headers, self.lines, self.rows = SHARED.lines(1), TRANSACTION.lines(size), WORKER.lines(workers)
        self.header = self.headers[0]
        self.header["block_size"], self.header["transactions"] = size, self.lines.ctypes.data
        self.shared, self.workers = int(self.headers.ctypes.data), addresses_of(self.rows)
        self.held: list[Task | None] = [None] * workers
        # What each validation in hand came to: None while it goes on, else whether its incarnation is to be aborted.
        self.aborts: list[bool | None] = [None] * workers
        # Whether nothing below has changed since a validation began; transactions that such a one found valid.
        self.fresh = [False] * workers
        self.validated = [False] * size

    def among(self, choice: int, suits: Callable[[int], bool]) -> int | None:
        """One of the workers that suit."""
        found = [worker for worker in range(len(self.held)) if suits(worker)]
        return found[choice % len(found)] if found else None

    def is_idle(self, worker: int) -> bool:
        return self.held[worker] is None

    def executes(self, worker: int) -> bool:
        task = self.held[worker]
        return task is not None and task.kind == TASK_EXECUTE

    def validates(self, worker: int) -> bool:
        task = self.held[worker]
        return task is not None and task.kind == TASK_VALIDATE

    def call(self, action: str, worker: int, *arguments: Any) -> Any:
        return getattr(self.kernels, action)(self.shared, self.workers[worker], *arguments)

    def hold(self, worker: int, task: Task | None) -> None:
        self.held[worker], self.aborts[worker], self.fresh[worker] = task, None, True
        if self.executes(worker):
            # As it begins, before it reads.
            assert task is not None
            reads_final = self.model.has_final_prefix(task.txn_idx)
            assert bool(self.kernels.has_final_prefix(self.shared, task.txn_idx)) == reads_final
            self.rows[worker]["reads_final"] = reads_final

    def changed(self, lowest: int) -> None:
        """Transactions from here on have to be validated again, and validations under way may have seen too little."""
        for txn_idx in range(lowest, self.model.block_size):
            self.validated[txn_idx] = False
        for worker, task in enumerate(self.held):
            if task is not None and task.txn_idx >= lowest:
                self.fresh[worker] = False

    def look(self, worker: int, action: str) -> None:
        found: Found = getattr(self.model, action)(worker)
        assert self.call(action, worker) == found[0]
        self.hold(worker, found[1])

    def finish(self, worker: int, wrote_new_location: bool) -> None:
        task = self.held[worker]
        assert task is not None
        self.call("finish_execution", worker, wrote_new_location)
        reads_final = bool(self.rows[worker]["reads_final"])
        following = self.model.finish_execution(task, wrote_new_location, reads_final)
        assert self.fresh[worker] or not reads_final, "what was final below has changed"
        if wrote_new_location:
            self.changed(task.txn_idx)
        self.validated[task.txn_idx] = reads_final
        self.hold(worker, following)

    def conclude(self, worker: int, aborted: bool) -> None:
        task = self.held[worker]
        assert task is not None
        self.call("finish_validation", worker, aborted)
        if aborted:
            self.changed(task.txn_idx + 1)
        elif self.fresh[worker] and self.model.txn_status[task.txn_idx] == (task.incarnation, EXECUTED):
            self.validated[task.txn_idx] = True
        self.hold(worker, self.model.finish_validation(task, aborted))

    # A worker may look for a task of the kind that was due a moment ago: others have moved the indices since.
    @precondition(lambda self: not self.model.done_marker)
    @rule(choice=st.integers(0, MOST_WORKERS - 1), action=st.sampled_from(LOOKS))
    def take_a_task(self, choice: int, action: str) -> None:
        worker = self.among(choice, self.is_idle)
        if worker is not None:
            self.look(worker, action)

    @precondition(lambda self: not any(self.held))
    @rule()
    def see_whether_all_is_done(self) -> None:
        self.kernels.check_done(self.shared)
        self.model.check_done()

    @precondition(lambda self: any(map(self.executes, range(len(self.held)))))
    @rule(choice=st.integers(0, MOST_WORKERS - 1), wrote_new_location=st.booleans())
    def finish_an_execution(self, choice: int, wrote_new_location: bool) -> None:
        worker = self.among(choice, self.executes)
        assert worker is not None
        self.finish(worker, wrote_new_location)

    @precondition(lambda self: any(map(self.executes, range(len(self.held)))))
    @rule(choice=st.integers(0, MOST_WORKERS - 1), below=st.integers(0, MOST_TRANSACTIONS - 1))
    def wait_for_a_lower_transaction(self, choice: int, below: int) -> None:
        worker = self.among(choice, lambda one: self.executes(one) and self.held[one].txn_idx > 0)  # type: ignore[union-attr]
        if worker is None:
            return
        task = self.held[worker]
        assert task is not None
        self.call("add_dependency", worker, below % task.txn_idx)
        self.model.add_dependency(task, below % task.txn_idx)
        self.hold(worker, None)

    @precondition(lambda self: any(map(self.validates, range(len(self.held)))))
    @rule(choice=st.integers(0, MOST_WORKERS - 1))
    def find_a_stale_read(self, choice: int) -> None:
        worker = self.among(choice, lambda one: self.validates(one) and self.aborts[one] is None)
        if worker is None:
            return
        task = self.held[worker]
        assert task is not None
        aborted = self.model.try_validation_abort(task)
        assert bool(self.call("try_validation_abort", worker)) == aborted
        self.aborts[worker] = aborted

    @precondition(lambda self: any(map(self.validates, range(len(self.held)))))
    @rule(choice=st.integers(0, MOST_WORKERS - 1))
    def finish_a_validation(self, choice: int) -> None:
        worker = self.among(choice, self.validates)
        assert worker is not None
        self.conclude(worker, bool(self.aborts[worker]))

    @invariant()
    def kernels_and_model_agree(self) -> None:
        self.agreed = False
        model = self.model
        assert {name: int(self.header[name]) for name in INDICES} == {name: getattr(model, name) for name in INDICES}
        words = [incarnation << int(STATUS_BITS) | status for incarnation, status in model.txn_status]
        assert self.lines["txn_status"].tolist() == words
        assert [self.waiting_for(txn_idx) for txn_idx in range(model.block_size)] == model.txn_dependency
        for row, task in zip(self.rows, self.held, strict=True):
            assert row["task"] == (TASK_NONE if task is None else task.kind)
            assert task is None or (row["txn_idx"], row["incarnation"]) == task[1:]
        assert self.rows["is_active"].tolist() == [worker in model.active for worker in range(len(self.held))]
        assert {worker for worker, task in enumerate(self.held) if task is not None} <= model.active
        if self.header["done_marker"]:
            assert {status for _, status in model.txn_status} == {EXECUTED}
            assert all(self.validated)
        self.agreed = True

    def waiting_for(self, txn_idx: int) -> set[int]:
        """Transactions on the list of one that they wait for."""
        found, at = [], int(self.lines[txn_idx]["txn_dependency"])
        while at:
            assert at - 1 not in found, "the list goes in a circle"
            found.append(at - 1)
            at = int(self.lines[at - 1]["next_dependent"])
        return set(found)

    def teardown(self) -> None:
        """Let all workers go on, each validation finding nothing: the block gets done."""
        if not self.agreed:
            return
        for step in range(20 * MOST_WORKERS * MOST_TRANSACTIONS):
            if self.header["done_marker"]:
                return
            worker = step % len(self.held)
            if self.is_idle(worker):
                self.look(worker, "next_task")
            elif self.executes(worker):
                self.finish(worker, False)
            else:
                self.conclude(worker, bool(self.aborts[worker]))
            self.kernels_and_model_agree()
        raise AssertionError("the workers never get done")


@pytest.mark.bounds
def test_the_scheduler_does_what_its_model_does() -> None:
    run_state_machine_as_test(SchedulerMachine, settings=settings(max_examples=300, stateful_step_count=60))


PLANTED = [
    Replacement(scheduler, stm.forget_those_who_wait, "resume_dependencies", 1),
    Replacement(scheduler, stm.finish_validation_without_revalidation, "finish_validation", 2),
    Replacement(scheduler, stm.take_new_locations_for_known_ones, "finish_execution", 3),
    Replacement(scheduler, stm.finish_execution_without_validation, "finish_execution", 4),
    Replacement(scheduler, stm.wait_without_looking_again, "add_dependency", 5),
]


SOME = settings(max_examples=500, stateful_step_count=80, database=None, derandomize=True, phases=[Phase.generate])


@pytest.fixture(scope="module")
def planted() -> Any:
    """The kernels with every bug planted, and none turned on."""
    return Variant([scheduler_kernels], PLANTED).module(scheduler_kernels)


@pytest.mark.parametrize("number", [one.number for one in PLANTED], ids=[one.function.__name__ for one in PLANTED])
def test_a_planted_bug_is_found(planted: Any, number: int) -> None:
    machine = type("Planted", (SchedulerMachine,), {"kernels": planted})
    run_state_machine_as_test(machine, settings=SOME)
    with turned_to(number), pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=SOME)


class WithoutRevalidation(Scheduler):
    """As the kernels with the second planted bug."""

    def finish_validation(self, task: Task, aborted: bool) -> Task | None:
        before = self.validation_idx, self.decrease_cnt
        again = super().finish_validation(task, aborted)
        self.validation_idx, self.decrease_cnt = before
        return again


class WithoutNewLocations(Scheduler):
    """As the kernels with the third planted bug."""

    def finish_execution(self, task: Task, wrote_new_location: bool, reads_final: bool = False) -> Task | None:
        return super().finish_execution(task, False, reads_final)


class WithoutASecondLook(Scheduler):
    """As the kernels with the fifth planted bug."""

    def resume_dependencies(self, txn_idx: int) -> None:
        if not self.waits:
            super().resume_dependencies(txn_idx)

    waits = False

    def add_dependency(self, task: Task, blocking_txn_idx: int) -> None:
        self.waits = True
        super().add_dependency(task, blocking_txn_idx)
        self.waits = False


@pytest.mark.parametrize(
    ("number", "model", "words"),
    [
        (2, WithoutRevalidation, r"all\("),
        (3, WithoutNewLocations, r"all\("),
        (5, WithoutASecondLook, r"never get done|== \{2\}"),
    ],
)
def test_a_model_with_the_same_bug_does_not_hide_it(
    planted: Any, number: int, model: type[Scheduler], words: str
) -> None:
    machine = type("Planted", (SchedulerMachine,), {"kernels": planted, "scheduler": model})
    with turned_to(number), pytest.raises(AssertionError, match=words):
        run_state_machine_as_test(machine, settings=SOME)
