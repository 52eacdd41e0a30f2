"""Judging choices: what `adaptive` takes on blocks that were no part of what its model was learned from.

Nothing is run again: under simulated time whoever is handed a block takes what it took when it was measured, and the
time of choosing is added by the cost table. A block is judged twice: as the first one, and behind one that was like it,
of which what was chosen there has told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contend.harness.analysis.learning.feature_choice import USUAL, Settings, time_of
from contend.harness.analysis.learning.learner import candidates_of, part_of
from contend.harness.analysis.learning.lessons import Lesson
from contend.strategies import registry
from contend.strategies.adaptive.block_features import SAMPLE, Features, group_of
from contend.strategies.adaptive.decision_model import SERIAL, UNIT, Candidate, Choice, Part, best_of_leaf
from contend.strategies.adaptive.delegates import can_delegate_to
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import PS_PER_SECOND
from contend.strategies.clocks.cost_table import default_costs

USUAL_RIVAL = {"none": "block_stm", "block": "bal"}
"""By source, who is always chosen by whoever does not choose."""


@dataclass(frozen=True)
class Judged:
    """A choice, and what it took.

    Attributes
    ----------
    lesson : Lesson
    is_first : bool
        Whether nothing was known of a block before.
    chosen : Candidate
    seconds : float
        With the time of choosing.
    best : float
        Seconds of the best in hindsight, serial execution and every contender among them, with the same workers.
    choosing : float
        Seconds.
    """

    lesson: Lesson
    is_first: bool
    chosen: Candidate
    seconds: float
    best: float
    choosing: float

    @property
    def regret(self) -> float:
        """By how much longer than the best in hindsight, as a share of that."""
        return self.seconds / self.best - 1

    @property
    def speedup(self) -> float:
        """Over serial execution."""
        return self.lesson.serial / self.seconds


def left_out(lessons: Sequence[Lesson], source: str, settings: Settings = USUAL) -> Iterator[Judged]:
    """Judge each workload by a model that was learned from all the others."""
    for workload in sorted({lesson.workload for lesson in lessons}):
        others = [lesson for lesson in lessons if lesson.workload != workload]
        own = [lesson for lesson in lessons if lesson.workload == workload]
        yield from judged(part_of(others, candidates_of(others, source), settings), own, source)


def judged(part: Part, lessons: Sequence[Lesson], source: str) -> Iterator[Judged]:
    """Judge blocks by a part of a model."""
    for lesson in lessons:
        choice = chosen_for(part, lesson, lesson.features)
        yield _told(lesson, choice, True, source)
        behind = lesson.behind(choice.candidate.contender)
        if behind is not None:
            yield _told(lesson, chosen_for(part, lesson, behind), False, source)


def chosen_for(part: Part, lesson: Lesson, features: Features) -> Choice:
    """What a model chooses, of those that were measured."""
    if lesson.workers == 1 or lesson.transactions < part.serial_below:
        return Choice(SERIAL)
    way = part.tree.way(features)
    usable = [time_of(lesson, one) is not None for one in part.candidates]
    best, least = best_of_leaf(part, way[-1], lesson.workers, usable)
    groups = {int(group_of(part.tree.feature[node])) for node in way[:-1]} - {0}
    looked = len(groups) * min(lesson.transactions, SAMPLE)
    return Choice(best, 1.0 if best is SERIAL else 2.0 ** (-least / UNIT), len(way) - 1, looked)


def best_of(lesson: Lesson, source: str) -> float:
    """Seconds of the best in hindsight."""
    own = (
        value
        for (name, workers), value in lesson.of_block.items()
        if workers == lesson.workers and can_delegate_to(registry.get(name), source)
    )
    return min(lesson.serial, *own)


def choosing_seconds(choice: Choice) -> float:
    """Seconds that choosing takes, by the cost table."""
    costs = default_costs().table
    looked, asked = choice.looked * int(costs[cost_table.SORT_HINT]), choice.asked * int(costs[cost_table.ORDER_ACCESS])
    return (looked + asked) / PS_PER_SECOND


def _told(lesson: Lesson, choice: Choice, is_first: bool, source: str) -> Judged:
    seconds = lesson.serial if choice.candidate == SERIAL else time_of(lesson, choice.candidate)
    assert seconds is not None
    choosing = choosing_seconds(choice)
    return Judged(lesson, is_first, choice.candidate, seconds + choosing, best_of(lesson, source), choosing)
