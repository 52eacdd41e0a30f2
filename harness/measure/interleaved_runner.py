"""Interleaved runner: workers are set up together, then measure strictly in turn. For real time.

The workers build a workload, run it serially and warm every cell up at the same time. Then one round at a time, one run
at a time, and nothing else runs meanwhile. Rounds alternate between groups of workers. A group has one worker of each
version: within a round each cell is run by one version and at once by the other, the order changing from round to
round (A B, B A), so that whatever the machine does to one it does to the other; the cells of one version follow each
other likewise. A round counts as a whole or not at all.

A null run has two workers of each version in a group, A B | B A; they change their turns as two do, neighbours staying
neighbours: A B B' A', B A A' B', A' B' B A, B' A' A B. Each is run in each turn once (a Latin square), and within each
pair A is first in every other round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from contend.harness.measure.batch import Batch
from contend.harness.measure.progress_log import Run
from contend.harness.measure.task import Task
from contend.harness.measure.warm_up import WarmUp
from contend.harness.measure.worker_pool import PlaceLostError, WorkerGoneError, WorkerPool
from contend.harness.plan.resolve import CellKey
from contend.harness.record.environment import utc_precisely
from contend.harness.record.measurement import RunStamp


class InterleavedRunner:
    """Measures batches one after the other.

    Parameters
    ----------
    pool : WorkerPool
    after_round : callable
        Called after each round, while nothing is measured.
    """

    def __init__(self, pool: WorkerPool, after_round: Callable[[Batch], object]) -> None:
        self._pool = pool
        self._after_round = after_round

    def measure(self, batch: Batch) -> None:
        """Set a workload up and run what is missing of its rounds.

        Raises
        ------
        BadInputError
            If earlier samples are of another block than the workload builds now.
        CrashError
            If workers keep dying.
        PlaceLostError
            If a worker is gone with its place; the batch is not finished then.
        """
        if not batch.cells():
            return
        warm_up = WarmUp(self._pool, batch)
        warm_up.run(range(len(self._pool)))
        number = batch.first
        while cells := batch.cells():
            if number >= max(batch.rounds[key] for key in cells):
                if batch.more is None:
                    return
                self._extend(batch, number)
                continue
            slots = self._slots(number)
            try:
                self._round(batch, number)
            except PlaceLostError:
                raise
            except WorkerGoneError as gone:
                # The cell is out; the round is run again in full, by the worker that takes the dead one's place.
                (slot,) = (slot for slot in slots if self._pool[slot] is gone.worker)
                batch.log.handle_exit(slot % len(self._pool.versions), gone)
                self._pool.restart(slot)
                if batch.cells():
                    warm_up.run([slot])
                continue
            number += 1
            self._after_round(batch)

    @staticmethod
    def _extend(batch: Batch, done: int) -> None:
        more, batch.more = batch.more, None
        if more is not None:
            batch.rounds = more()
            batch.log.observer.extended(sum(max(many - done, 0) for many in batch.rounds.values()))

    def _slots(self, round_number: int) -> range:
        group, versions = round_number % self._pool.groups, len(self._pool.versions)
        return range(group * versions, (group + 1) * versions)

    def _round(self, batch: Batch, round_number: int) -> None:
        """Run each cell once under each version. A cell that fails under one is out, and not run under the others."""
        log, slots = batch.log, list(self._slots(round_number))
        of_group = round_number // self._pool.groups
        cells = [key for key in batch.cells() if round_number < batch.rounds[key]]
        # No cell always runs after the same other one.
        by = of_group % len(cells)
        order = [slots[place] for place in turns(len(slots), of_group)]
        runs: dict[CellKey, list[Run]] = {}
        for place, key in enumerate([*cells[by:], *cells[:by]]):
            found: dict[int, Run] = {}
            for turn, slot in enumerate(order):
                task = batch.tasks[slot % len(slots)][key]
                run = self._run(batch, slot, task, place) if key in batch.cells() else None
                if run is not None:
                    found[slot] = replace(run, turn=turn)
            if len(found) == len(slots):
                runs[key] = [found[slot] for slot in slots]
                log.observer.measured(log.title, key, round_number + 1)
        log.keep(slots[0] // len(slots), round_number, {key: runs[key] for key in runs if key in batch.cells()})

    def _run(self, batch: Batch, slot: int, task: Task, place: int) -> Run | None:
        """Time one run; None if the cell failed."""
        worker, log = self._pool[slot], batch.log
        worker.task = task
        log.observer.running(worker.number, log.title, task.key)
        stamp, began = RunStamp(place, utc_precisely()), time.perf_counter()
        worker.send("run", task.as_plain())
        result = None
        while result is None:
            result = log.hear(slot % len(self._pool.versions), worker, self._pool.message(slot))
        worker.task = None
        elapsed = time.perf_counter() - began
        return None if result.sample is None else Run(worker.number, result.sample, stamp, elapsed)


def turns(workers: int, number: int) -> list[int]:
    """Order in which the workers of a group take turns.

    Parameters
    ----------
    workers : int
        In the group: 1, 2 or 4.
    number : int
        Of the round among those of the group.

    Returns
    -------
    list of int
        Their places in the group. Over as many rounds as there are workers, each is run in each turn once.
    """
    step = number % workers
    # Numbers of a Gray code: the first round that follows swaps neighbours, the second pairs of them, and so on.
    swapped = step ^ (step >> 1)
    return [place ^ swapped for place in range(workers)]
