"""How long a comparison measures."""

from __future__ import annotations

import numpy as np
import pytest

from contend.harness.compare.ratio import Pair
from contend.harness.compare.sample_size import (
    AGAIN_PROCESSES,
    AGAIN_SECONDS,
    AGAIN_TOTAL_SECONDS,
    PILOT_TIMES,
    SampleSize,
)

EFFORT = SampleSize(processes=2, rounds=20, threshold=0.05)


def noisy(spread: float, effect: float = 1.0, rounds: int = 400, seed: int = 1) -> list[Pair]:
    """Two pairs of processes of which the ratios differ by this standard deviation."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(2):
        a = np.exp(random.normal(0.0, 0.3, rounds))
        found.append(Pair(a, effect * a * np.exp(random.normal(0.0, spread, rounds))))
    return found


def test_without_noise_nothing_is_added() -> None:
    assert EFFORT.pilot(noisy(0.0)) == 20
    assert EFFORT.again(noisy(0.0), 0.01) * AGAIN_PROCESSES >= 20
    assert EFFORT.again(noisy(0.0), 0.01) == 2


@pytest.mark.parametrize("spread", [0.10, 0.15])
def test_a_further_measurement_has_the_rounds_for_the_error_that_it_may_have(spread: float) -> None:
    rounds = EFFORT.again(noisy(spread), 1e-3) * AGAIN_PROCESSES
    random = np.random.default_rng(2)
    medians = np.median(random.normal(0.0, spread, (500, rounds)), axis=1)
    assert medians.std() == pytest.approx(0.05 / 8, rel=0.15)


def test_what_the_ratio_is_does_not_matter() -> None:
    assert EFFORT.pilot(noisy(0.2)) == EFFORT.pilot(noisy(0.2, effect=3.0))
    assert EFFORT.again(noisy(0.2), 0.1) == EFFORT.again(noisy(0.2, effect=3.0), 0.1)


def test_noise_that_both_sides_share_does_not_matter() -> None:
    # Each side wanders by 30 %, the ratio of a pair by one.
    assert EFFORT.pilot(noisy(0.01)) == 20


def test_there_are_limits() -> None:
    assert EFFORT.pilot(noisy(5.0)) == PILOT_TIMES * 20
    seconds = 0.5
    rounds = EFFORT.again(noisy(5.0), seconds) * AGAIN_PROCESSES
    assert AGAIN_SECONDS <= rounds * seconds < AGAIN_SECONDS + AGAIN_PROCESSES * seconds
    many = EFFORT.again(noisy(5.0), seconds, cells=40) * AGAIN_PROCESSES
    assert AGAIN_TOTAL_SECONDS / 40 <= many * seconds < AGAIN_TOTAL_SECONDS / 40 + AGAIN_PROCESSES * seconds
    # Where what was asked for takes longer than the limit, it is done nevertheless.
    assert EFFORT.again(noisy(5.0), 60.0) * AGAIN_PROCESSES >= 20


def test_a_threshold_of_nothing_takes_what_there_is() -> None:
    assert SampleSize(2, 20, 0.0).pilot(noisy(0.1)) == PILOT_TIMES * 20


def test_runs_that_somebody_else_held_up_do_not_matter() -> None:
    quiet = noisy(0.1)
    held_up = [Pair(pair.a, np.where(np.arange(len(pair.b)) % 20 == 0, 9.0, pair.b)) for pair in quiet]
    assert EFFORT.again(held_up, 1e-3) == pytest.approx(EFFORT.again(quiet, 1e-3), rel=0.25)


def test_more_processes_than_usual_are_kept() -> None:
    assert SampleSize(12, 20, 0.05).again_processes == 12
