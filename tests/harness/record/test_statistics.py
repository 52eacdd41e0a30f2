from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from contend.harness.record import statistics


def test_an_interval_of_equal_samples_is_a_point() -> None:
    found = statistics.interval([np.full(5, 2.0), np.full(4, 2.0)])
    assert (found.median, found.low, found.high) == (2.0, 2.0, 2.0)


def test_the_median_is_that_of_all_samples() -> None:
    assert statistics.interval([np.array([1.0, 9.0]), np.array([3.0])]).median == 3.0


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        statistics.interval([np.array([])])


def test_the_same_samples_give_the_same_interval_and_another_seed_may_not() -> None:
    groups = [np.random.default_rng(1).normal(10, 1, 9)]
    assert statistics.interval(groups) == statistics.interval(groups)
    others = {statistics.interval(groups, seed=seed).low for seed in range(8)}
    assert len(others) > 1


def test_resampled_medians_follow_the_exact_bootstrap_distribution() -> None:
    # Three values drawn three times: enumerate all 27 resamples.
    values = (1.0, 2.0, 4.0)
    exact = [float(np.median(draw)) for draw in product(values, repeat=3)]
    found = statistics._resampled_medians([np.array(values)], np.random.default_rng(0))
    for value in values:
        expected = exact.count(value) / len(exact)
        sigma = np.sqrt(expected * (1 - expected) / len(found))
        assert abs((found == value).mean() - expected) < 4 * sigma


def test_processes_of_unequal_length_are_resampled_by_process() -> None:
    # Two processes of one value each: both draws from one process in half of the resamples, whatever their lengths.
    groups = [np.full(3, 1.0), np.full(1, 5.0)]
    found = statistics._resampled_medians(groups, np.random.default_rng(0))
    assert set(found) <= {1.0, 5.0}
    assert abs((found == 5.0).mean() - 0.25) < 0.05


def test_an_interval_holds_the_median_of_every_process() -> None:
    quiet, other = np.full(50, 1.0), np.full(1, 1.7)
    found = statistics.interval([quiet, other])
    assert found.low <= 1.0
    assert found.high >= 1.7


def test_an_interval_over_two_processes_is_wider_than_over_their_pooled_samples() -> None:
    random = np.random.default_rng(3)
    one, two = random.normal(1.0, 0.01, 20), random.normal(1.3, 0.01, 20)
    apart = statistics.interval([one, two])
    pooled = statistics.interval([np.concatenate([one, two])])
    assert apart.high - apart.low >= pooled.high - pooled.low
    assert apart.low < 1.01
    assert apart.high > 1.29


def test_the_interval_covers_the_true_median_about_as_often_as_it_claims() -> None:
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        groups = [random.normal(10.0, 1.0, 8) for _ in range(4)]
        found = statistics.interval(groups)
        hits += found.low <= 10.0 <= found.high
    assert hits >= 185


def test_speedup_pairs_runs_of_one_round() -> None:
    # A machine that slows down threefold halfway: every pair still says 2.
    base = np.array([2.0, 2.0, 6.0, 6.0])
    found = statistics.speedup([base / 2], [base])
    assert (found.median, found.low, found.high) == (2.0, 2.0, 2.0)


def test_steady_samples_of_two_processes_raise_no_warning() -> None:
    assert statistics.warnings([np.array([1.0, 1.01, 1.0]), np.array([1.0, 1.02, 1.01])]) == []


@pytest.mark.parametrize(
    ("groups", "word"),
    [
        ([[1.0, 1.0], [1.0]], "only 3 samples"),
        ([[1.0]], "only 1 sample"),
        ([[1.0] * 6], "one process only"),
        ([[1.0, 1.5, 1.0, 1.5], [1.0, 1.5, 1.0, 1.5]], "interquartile range is 40%"),
        ([[1.0] * 5, [1.2] * 5], "medians of processes are 18% apart"),
    ],
)
def test_doubtful_samples_are_named(groups: list[list[float]], word: str) -> None:
    assert any(word in warning for warning in statistics.warnings([np.array(group) for group in groups]))


def test_spread_and_drift_of_known_samples() -> None:
    assert statistics.spread(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(2 / 3)
    assert statistics.spread(np.array([1.0])) == 0.0
    assert statistics.drift([np.array([1.0]), np.array([3.0])]) == pytest.approx(1.0)
    assert statistics.drift([np.array([1.0])]) == 0.0


@pytest.mark.parametrize("processes", [2, 4, 6, 8, 12])
def test_luck_of_processes_is_covered_however_many_there_are(processes: int) -> None:
    random = np.random.default_rng(processes)
    hits = 0
    for _ in range(200):
        groups = [random.normal(10.0, 1.0) + random.normal(0.0, 0.2, 10) for _ in range(processes)]
        found = statistics.interval(groups)
        hits += found.low <= 10.0 <= found.high
    # With few processes the interval is their spread: the medians of two hold the truth between them half of the time.
    assert hits >= (90 if processes == 2 else 170 if processes == 4 else 182)


def test_an_interval_over_many_processes_is_narrower_than_their_spread() -> None:
    random = np.random.default_rng(1)
    groups = [random.normal(1.0, 0.05) + random.normal(0.0, 0.001, 10) for _ in range(12)]
    found = statistics.interval(groups)
    medians = [float(np.median(group)) for group in groups]
    assert min(medians) < found.low < found.median < found.high < max(medians)
