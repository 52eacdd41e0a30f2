"""Draws: the same bits everywhere, and distributed as they should be."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from contend.workloads.building.sampling import RandomStream, Zipf, _exp, _log

# Written down once; they must never change, whatever the machine and the version of numpy.
RAW = [15705993160271784010, 4465587559227857769]
BELOW = [851, 242, 108, 326, 117, 932, 234, 271]
PERMUTATION = [2, 4, 6, 1, 7, 3, 0, 5]
ZIPF = [11, 10, 0, 187, 1, 0, 0, 36, 51, 1, 22, 14]
WEIGHTS = [562949953421312, 239995386303078, 145750698321462, 102314220112667, 77756496140455]
TOTAL = 16311910140947


def test_draws_are_these_bits() -> None:
    assert RandomStream(1, "a").raw(2).tolist() == RAW
    assert RandomStream(1, "a").below(1000, 8).tolist() == BELOW
    assert RandomStream(1, "a").permutation(8).tolist() == PERMUTATION
    assert RandomStream(1, "a").chance(0.5, 8).tolist() == [value < 500 for value in BELOW]
    assert Zipf(1000, 1.23).draw(RandomStream(7, "pools"), 12).tolist() == ZIPF


def test_weights_are_these_integers() -> None:
    assert Zipf(5, 1.23).weights.tolist() == WEIGHTS
    assert int(Zipf(100_000, 0.53).cumulative[-1]) == TOTAL


def test_the_bits_do_not_depend_on_vector_instructions() -> None:
    code = (
        "from contend.workloads.building.sampling import RandomStream, Zipf\n"
        "print(Zipf(1000, 1.23).draw(RandomStream(7, 'pools'), 12).tolist(), int(Zipf(100_000, 0.53).cumulative[-1]))"
    )
    scalar = {**os.environ, "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX2 FMA3 X86_V4 X86_V3"}
    answer = subprocess.run([sys.executable, "-c", code], env=scalar, check=True, capture_output=True, text=True)
    assert answer.stdout == f"{ZIPF} {TOTAL}\n"


def test_streams_differ_by_seed_and_by_name_and_go_on() -> None:
    first = RandomStream(1, "a")
    assert first.raw(4).tolist() + first.raw(4).tolist() == RandomStream(1, "a").raw(8).tolist()
    assert RandomStream(1, "a").raw(4).tolist() != RandomStream(2, "a").raw(4).tolist()
    assert RandomStream(1, "a").raw(4).tolist() != RandomStream(1, "b").raw(4).tolist()


def test_logarithm_and_exponential_are_accurate() -> None:
    x = np.concatenate([np.arange(1.0, 2_000.0), np.logspace(3, 9, 500)])
    assert np.abs(_log(x) - np.log(x)).max() < 1e-14
    y = np.linspace(-100.0, 5.0, 2_001)
    assert np.abs(_exp(y) / np.exp(y) - 1.0).max() < 1e-14


@pytest.mark.parametrize(("n", "exponent"), [(267, 1.23), (51_317, 0.80), (10, 5.0), (1_000_000, 1.0)])
def test_weights_follow_the_power_law(n: int, exponent: float) -> None:
    weights = Zipf(n, exponent).weights
    for rank in (0, 1, 9, n - 1):
        assert weights[rank] / weights[0] == pytest.approx((rank + 1) ** -exponent, rel=1e-3)
    assert weights.min() >= 1


def test_exponent_zero_is_uniform() -> None:
    weights = Zipf(777, 0.0).weights
    assert weights.min() == weights.max()


def test_shares_of_the_top_ranks_are_those_of_uniswap() -> None:
    # Measured on an average day: 267 pairs, the first with 30 % of the swaps and the first ten with 61 %.
    draws = Zipf(267, 1.23).draw(RandomStream(3, "check"), 200_000)
    shares = np.bincount(draws, minlength=267) / len(draws)
    assert shares[0] == pytest.approx(0.25, abs=0.05)
    assert shares[:10].sum() == pytest.approx(0.64, abs=0.05)


def test_draws_follow_the_weights() -> None:
    n, count = 50, 100_000
    zipf = Zipf(n, 0.9)
    observed = np.bincount(zipf.draw(RandomStream(11, "chi"), count), minlength=n)
    expected = zipf.weights / zipf.cumulative[-1] * count
    # 49 degrees of freedom: 99.99 % of all samples stay below 95.
    assert ((observed - expected) ** 2 / expected).sum() < 95.0


@given(some.integers(1, 2**52), some.integers(0, 2**32))
def test_draws_stay_below_their_bound(bound: int, seed: int) -> None:
    draws = RandomStream(seed, "bound").below(bound, 64)
    assert draws.min() >= 0
    assert draws.max() < bound


@pytest.mark.parametrize("bound", [0, -1, 2**52 + 1])
def test_bounds_out_of_range_are_refused(bound: int) -> None:
    with pytest.raises(ValueError, match="is not in 1"):
        RandomStream(1, "a").below(bound, 1)


@given(some.integers(1, 300), some.floats(0.0, 5.0), some.integers(0, 2**32))
def test_ranks_stay_in_range(n: int, exponent: float, seed: int) -> None:
    zipf = Zipf(n, exponent)
    assert zipf.cumulative[-1] < 2**52
    assert (np.diff(zipf.cumulative) > 0).all()
    draws = zipf.draw(RandomStream(seed, "ranks"), 64)
    assert draws.min() >= 0
    assert draws.max() < n


@pytest.mark.parametrize(("n", "exponent"), [(0, 1.0), (5, -0.1)])
def test_impossible_distributions_are_refused(n: int, exponent: float) -> None:
    with pytest.raises(ValueError, match="no Zipf distribution"):
        Zipf(n, exponent)


def test_chance_of_none_and_all() -> None:
    assert not RandomStream(1, "a").chance(0.0, 1_000).any()
    assert RandomStream(1, "a").chance(1.0, 1_000).all()
    assert RandomStream(1, "a").chance(0.25, 40_000).mean() == pytest.approx(
        0.25, abs=5 * math.sqrt(0.25 * 0.75 / 40_000)
    )


@given(some.integers(1, 200), some.integers(0, 2**32))
def test_permutations_hold_everything_once(n: int, seed: int) -> None:
    assert sorted(RandomStream(seed, "order").permutation(n).tolist()) == list(range(n))
