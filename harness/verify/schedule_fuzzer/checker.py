"""Checker: one case run and checked against the serial result; a failing case made small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

from contend.evm import Snapshot
from contend.harness.verify.given_damage import damage_hints, damageable
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.harness.verify.schedule_fuzzer.cases import Scene, ScheduleCase, scene_of
from contend.harness.verify.schedule_fuzzer.list_checks import has_list, list_differences
from contend.harness.verify.schedule_fuzzer.preemption_points import preemptible, repeatable
from contend.strategies.base import Strategy
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.given import TEMPLATE
from contend.strategies.serial import Serial

Find = Callable[[str], Callable[[], Strategy]]
Cut = Callable[[type[OptimisticStrategy]], type[OptimisticStrategy]]
SceneOf = Callable[[ScheduleCase], Scene]

# Schedules that a smaller block is given to fail again. A bug that needs a rare interleaving stays rare when the block
# shrinks, so a few would keep blocks larger than they need be.
TRIES = 60


class ScheduleChecker:
    """Runs cases, keeping strategies and the last block: many schedules of one block cost little more than one.

    Parameters
    ----------
    find : callable
        From the name of a strategy to its class.
    cut : callable
        From a class to the same one with steps that can be cut in two.
    scene : callable
        From a case to its block and state.
    """

    def __init__(self, find: Find, cut: Cut = preemptible, scene: SceneOf = scene_of) -> None:
        self._find = find
        self._cut = cut
        self._scene = scene
        self._serial = Serial()
        self._kept = ExitStack()
        self._strategies: dict[tuple[str, int, int, bool], Strategy] = {}
        self._laid_out: tuple[tuple[object, ...], Scene, Snapshot, Oracle, BlockKnowledge] | None = None
        self.steps = 0
        self.cuts = 0

    def close(self) -> None:
        """Close all strategies."""
        self._kept.close()
        self._strategies.clear()

    def _kind(self, case: ScheduleCase) -> Callable[[], Strategy]:
        """Class of the strategy, with steps that can be cut where the case wants it, and hints that can be damaged."""
        found = self._find(case.strategy)
        kind: object = found
        if isinstance(kind, type) and issubclass(kind, OptimisticStrategy):
            return damageable(self._cut(kind) if case.cut else repeatable(kind))
        return found

    def _lay_out(self, case: ScheduleCase) -> tuple[Scene, Snapshot, Oracle, BlockKnowledge]:
        key = (case.source, case.block, case.kept)
        if self._laid_out is None or self._laid_out[0] != key:
            scene = self._scene(case)
            # The state is a copy: a scene is used again, and its state must be as it was.
            scene = replace(scene, state=scene.state.copy())
            snapshot = scene.state.snapshot()
            oracle = Oracle(scene.block, scene.state, snapshot, self._serial, scene.contracts)
            knowledge = BlockKnowledge([scene.block], scene.state, self._serial)
            self._laid_out = key, scene, snapshot, oracle, knowledge
        return self._laid_out[1:]

    def differences(self, case: ScheduleCase) -> list[str]:
        """Differences of the case's result and access lists from the serial ones; empty when there are none."""
        scene, snapshot, oracle, knowledge = self._lay_out(case)
        # Rooms fit one size of block and one number of workers.
        key = (case.strategy, case.workers, len(scene.block), case.cut)
        if key not in self._strategies:
            if len(self._strategies) >= _MOST_STRATEGIES:
                self.close()
            self._strategies[key] = self._kept.enter_context(self._kind(case)())
        strategy = self._strategies[key]
        clock = Schedule(case.schedule, cut=case.cut)
        strategy.clock = clock
        strategy.knowledge = knowledge.of(0, strategy.given)
        strategy.makes_access_list = has_list(case, strategy)
        try:
            if strategy.given == TEMPLATE:
                _teach(strategy, scene, snapshot, case.workers)
            damage_hints(strategy, case.damage, len(scene.block))
            scene.state.restore(snapshot)
            outcome = strategy.execute(scene.block, scene.state, case.workers)
        # Whatever a strategy raises on a block that serial execution manages is a failure of the strategy.
        except Exception as error:
            with suppress(Exception):
                self._strategies.pop(key).close()
            return [f"{type(error).__name__}: {error}"]
        finally:
            self.steps += clock.steps
            self.cuts += clock.cuts
        found = oracle.check(outcome, scene.state.changes_since(snapshot))
        return found or list_differences(strategy, outcome, scene, snapshot, knowledge)

    def shrink(self, case: ScheduleCase, budget: int = 4_000) -> ScheduleCase:
        """Make a failing case small: fewer workers, then fewer transactions, as long as some schedule still fails.

        Delta debugging over the block's transactions (Zeller and Hildebrandt, IEEE TSE 2002).

        Parameters
        ----------
        budget : int
            Schedules to spend.

        Returns
        -------
        ScheduleCase
            It fails, and replays exactly.
        """
        left = [budget]

        def fails(candidate: ScheduleCase) -> ScheduleCase | None:
            for schedule in (case.schedule, *range(TRIES)):
                if left[0] <= 0:
                    return None
                left[0] -= 1
                found = replace(candidate, schedule=schedule)
                if self.differences(found):
                    return found
            return None

        kept = case.kept if case.kept is not None else tuple(range(len(self._scene(case).block)))
        best = replace(case, kept=kept)
        for workers in range(2, best.workers):
            fewer = fails(replace(best, workers=workers))
            if fewer is not None:
                best = fewer
                break
        if best.damage is not None:
            # Hints as they are given, and whole steps, are easier to follow.
            best = fails(replace(best, damage=None)) or best
        if best.cut:
            best = fails(replace(best, cut=False)) or best
        pieces = 2
        while len(kept) > 1:
            candidates = (fails(replace(best, kept=part)) for part in _without(kept, pieces))
            smaller = next((found for found in candidates if found is not None), None)
            if smaller is not None:
                best, kept, pieces = smaller, smaller.kept or (), max(pieces - 1, 2)
            elif pieces >= len(kept) or left[0] <= 0:
                break
            else:
                pieces = min(2 * pieces, len(kept))
        return best


_MOST_STRATEGIES = 24


def _teach(strategy: Strategy, scene: Scene, snapshot: Snapshot, workers: int) -> None:
    """Let a strategy learn from the same transactions in a block before; what it learned earlier, it forgets.

    So what it predicts depends on nothing but the case, and is wrong where transactions move what others touch.
    """
    environment = scene.block.environment
    before = replace(scene.block, environment=replace(environment, number=environment.number - 1))
    damage_hints(strategy, None, len(before))
    scene.state.restore(snapshot)
    strategy.execute(before, scene.state, workers)


def _without(kept: tuple[int, ...], pieces: int) -> Iterator[tuple[int, ...]]:
    """The places without each of so many pieces."""
    for number in range(pieces):
        first, last = number * len(kept) // pieces, (number + 1) * len(kept) // pieces
        if first < last:
            yield kept[:first] + kept[last:]
