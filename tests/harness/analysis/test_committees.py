"""Committees: published figures, models against each other and against counting, and what is safe."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.analysis.committees import (
    AT_LEAST,
    MORE_THAN,
    ROUNDED_DOWN,
    RULES,
    Chain,
    binomial_takeover,
    hypergeometric_takeover,
    risks,
    smallest_committee,
    threshold,
)

THIRD, HALF = Fraction(1, 3), Fraction(1, 2)
shares = st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=12)
chains = st.builds(
    Chain, st.integers(4, 9), st.integers(1, 4), shares, shares, st.sampled_from([AT_LEAST, MORE_THAN, ROUNDED_DOWN])
)


def test_omniledger_and_elastico_a_hundred_members_a_quarter_bad() -> None:
    assert threshold(100, THIRD, MORE_THAN) == 34
    assert binomial_takeover(100, Fraction(1, 4), 34) == pytest.approx(0.0276, abs=5e-5)


def test_the_minimum_committee_of_ethereum() -> None:
    assert smallest_committee(2.0**-40, THIRD, Fraction(2, 3), ROUNDED_DOWN) == 111


def test_rapidchain_lasts_for_thousands_of_years() -> None:
    binomial, hypergeometric = risks(Chain(4_000, 16, THIRD, HALF))
    assert binomial.epochs / 365 == pytest.approx(4_302, abs=1)
    assert risks(Chain(3_750, 15, THIRD, HALF))[0].epochs / 365 == pytest.approx(4_589, abs=1)
    assert hypergeometric.epochs / 365 == pytest.approx(12_540, abs=1)


@given(st.integers(1, 30), shares, st.integers(0, 31))
def test_the_binomial_tail_is_the_sum_of_exact_terms(size: int, bad: Fraction, needed: int) -> None:
    terms = (math.comb(size, k) * bad**k * (1 - bad) ** (size - k) for k in range(needed, size + 1))
    assert binomial_takeover(size, bad, needed) == pytest.approx(float(sum(terms, Fraction(0))), rel=1e-9)


@given(st.integers(1, 30), st.data())
def test_the_hypergeometric_tail_is_the_sum_of_exact_terms(nodes: int, data: st.DataObject) -> None:
    bad, size = data.draw(st.integers(0, nodes)), data.draw(st.integers(1, nodes))
    needed = data.draw(st.integers(0, size + 1))
    ways = sum(math.comb(bad, k) * math.comb(nodes - bad, size - k) for k in range(needed, size + 1))
    expected = float(Fraction(ways, math.comb(nodes, size)))
    assert hypergeometric_takeover(nodes, bad, size, needed) == pytest.approx(expected, rel=1e-9)


@given(chains)
def test_some_shard_is_taken_over_as_often_as_in_all_deals(chain: Chain) -> None:
    """Every way to place the bad nodes among all places, which are cut into shards."""
    if chain.shards > chain.nodes:
        return
    starts = [0, *itertools.accumulate(chain.sizes)]
    needed = [threshold(size, chain.resilience, chain.rule) for size in chain.sizes]
    taken = total = 0
    for placed in itertools.combinations(range(chain.nodes), chain.bad_nodes):
        counts = [sum(low <= place < high for place in placed) for low, high in itertools.pairwise(starts)]
        taken += any(count >= least for count, least in zip(counts, needed, strict=True))
        total += 1
    found = risks(chain)[1]
    assert found.is_exact
    assert found.some == pytest.approx(taken / total, rel=1e-9)


@given(st.sampled_from([2.0**-10, 2.0**-20, 1e-3]), shares, shares, st.sampled_from(sorted(RULES)))
def test_the_smallest_committee_meets_the_target_and_none_smaller_does(
    target: float, bad: Fraction, resilience: Fraction, rule: str
) -> None:
    if resilience - bad < Fraction(1, 8):
        return
    found = smallest_committee(target, bad, resilience, rule)
    assert found is not None
    for size in range(1, found + 1):
        meets = binomial_takeover(size, bad, threshold(size, resilience, rule)) <= target
        assert meets == (size == found)


def test_no_committee_is_safe_where_more_are_bad_than_it_bears() -> None:
    assert smallest_committee(2.0**-40, HALF, THIRD) is None
    assert smallest_committee(2.0**-40, THIRD, THIRD, nodes=1_000) is None


def test_a_chain_too_large_to_walk_gets_a_bound() -> None:
    small = risks(Chain(4_000, 16, THIRD, HALF))[1]
    large = risks(Chain(2_000_000, 5_000, THIRD, HALF))[1]
    assert small.is_exact
    assert not large.is_exact
    assert large.some == pytest.approx(large.one * 5_000)
