"""Model of Block-STM's scheduler: algorithms 4 and 5 of arXiv 2203.06871 in plain Python, in the paper's names.

Each method is one atomic action. It departs from the paper where `strategies.block_stm.scheduler` says that it does:
`add_dependency` never fails, but resumes at once what waits for a transaction that has executed; a look that finds
nothing tells whether there was a transaction to look at; workers are counted as active until they find nothing; who
has executed the transaction that is to be validated next validates it; and who began to read when all below was final
need not be validated. Validations do not go on past one of the last few transactions while it executes.
"""

from __future__ import annotations

from typing import NamedTuple

READY_TO_EXECUTE, EXECUTING, EXECUTED, ABORTING = range(4)
TASK_EXECUTE, TASK_VALIDATE = 1, 2
PATIENCE = 3
NOTHING, PASSED, FOUND = range(3)


class Task(NamedTuple):
    """What a worker has in hand."""

    kind: int
    txn_idx: int
    incarnation: int


Found = tuple[int, Task | None]


class Scheduler:
    """The scheduler of one block."""

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.execution_idx = self.validation_idx = 0
        self.decrease_cnt = 0
        self.active: set[int] = set()
        self.done_marker = False
        self.txn_status = [(0, READY_TO_EXECUTE)] * block_size
        self.txn_dependency: list[set[int]] = [set() for _ in range(block_size)]

    def decrease_execution_idx(self, target_idx: int) -> None:
        self.execution_idx = min(self.execution_idx, target_idx)
        self.decrease_cnt += 1

    def decrease_validation_idx(self, target_idx: int) -> None:
        self.validation_idx = min(self.validation_idx, target_idx)
        self.decrease_cnt += 1

    @property
    def num_active_tasks(self) -> int:
        return len(self.active)

    def check_done(self) -> None:
        if min(self.execution_idx, self.validation_idx) >= self.block_size and self.num_active_tasks == 0:
            self.done_marker = True

    def try_incarnate(self, txn_idx: int) -> Task | None:
        incarnation, status = self.txn_status[txn_idx]
        if status != READY_TO_EXECUTE:
            return None
        self.txn_status[txn_idx] = incarnation, EXECUTING
        return Task(TASK_EXECUTE, txn_idx, incarnation)

    def next_version_to_execute(self, worker: int) -> Found:
        if self.execution_idx >= self.block_size:
            self.active.discard(worker)
            self.check_done()
            return NOTHING, None
        self.active.add(worker)
        txn_idx = self.execution_idx
        self.execution_idx += 1
        return self._started(self.try_incarnate(txn_idx))

    def next_version_to_validate(self, worker: int) -> Found:
        if self.validation_idx >= self.block_size:
            self.active.discard(worker)
            self.check_done()
            return NOTHING, None
        txn_idx = self.validation_idx
        incarnation, status = self.txn_status[txn_idx]
        if status != EXECUTED and self.execution_idx - txn_idx <= PATIENCE:
            return self.next_version_to_execute(worker)
        self.active.add(worker)
        self.validation_idx += 1
        return self._started(Task(TASK_VALIDATE, txn_idx, incarnation) if status == EXECUTED else None)

    def _started(self, task: Task | None) -> Found:
        return (PASSED if task is None else FOUND), task

    def next_task(self, worker: int) -> Found:
        if self.validation_idx < self.execution_idx:
            return self.next_version_to_validate(worker)
        return self.next_version_to_execute(worker)

    def set_ready_status(self, txn_idx: int) -> None:
        incarnation, status = self.txn_status[txn_idx]
        assert status == ABORTING
        self.txn_status[txn_idx] = incarnation + 1, READY_TO_EXECUTE

    def resume_dependencies(self, txn_idx: int) -> None:
        waiting, self.txn_dependency[txn_idx] = self.txn_dependency[txn_idx], set()
        for resumed in waiting:
            self.set_ready_status(resumed)
        if waiting:
            self.decrease_execution_idx(min(waiting))

    def add_dependency(self, task: Task, blocking_txn_idx: int) -> None:
        self.txn_status[task.txn_idx] = task.incarnation, ABORTING
        self.txn_dependency[blocking_txn_idx].add(task.txn_idx)
        if self.txn_status[blocking_txn_idx][1] == EXECUTED:
            self.resume_dependencies(blocking_txn_idx)

    def has_final_prefix(self, txn_idx: int) -> bool:
        return self.validation_idx >= txn_idx and self.execution_idx > txn_idx and self.num_active_tasks == 1

    def finish_execution(self, task: Task, wrote_new_location: bool, reads_final: bool = False) -> Task | None:
        self.txn_status[task.txn_idx] = task.incarnation, EXECUTED
        self.resume_dependencies(task.txn_idx)
        validates = None if reads_final else task._replace(kind=TASK_VALIDATE)
        if self.validation_idx == task.txn_idx:
            self.validation_idx += 1
            self.decrease_cnt += self.execution_idx >= self.block_size
            return validates
        if self.validation_idx < task.txn_idx:
            return None
        if not wrote_new_location:
            return validates
        self.decrease_validation_idx(task.txn_idx + reads_final)
        return None

    def try_validation_abort(self, task: Task) -> bool:
        if self.txn_status[task.txn_idx] != (task.incarnation, EXECUTED):
            return False
        self.txn_status[task.txn_idx] = task.incarnation, ABORTING
        return True

    def finish_validation(self, task: Task, aborted: bool) -> Task | None:
        again = None
        if aborted:
            self.set_ready_status(task.txn_idx)
            self.decrease_validation_idx(task.txn_idx + 1)
            if self.execution_idx > task.txn_idx:
                again = self.try_incarnate(task.txn_idx)
        return again
