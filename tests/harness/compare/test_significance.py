"""Signed-rank test, false discovery rate and null run, on samples that are made up."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contend.harness.compare.measured import CellName
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.significance.false_discovery import adjusted, least_pairs
from contend.harness.compare.significance.null_run import NullSamples, floor_of, null_run, pooled
from contend.harness.compare.significance.signed_rank import signed_rank
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.measure.interleaved_runner import turns
from contend.harness.record.statistics import Interval

SIZES = st.lists(st.integers(-3, 3).map(float), max_size=9)


def by_enumeration(values: list[float]) -> float:
    """The same probability by all ways to choose the signs."""
    sizes = np.abs(values)
    ranks = [(sizes < one).sum() + ((sizes == one).sum() + 1) / 2 if one else 0.0 for one in sizes]
    reached = sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    ways = product((0.0, 1.0), repeat=len(ranks))
    sums = [sum(rank * sign for rank, sign in zip(ranks, signs, strict=True)) for signs in ways]
    return float(np.mean([one >= reached for one in sums]))


@given(SIZES)
@example([0.0, 0.0])
@example([1.0, 1.0, -1.0])
def test_the_test_of_signs_is_exact(values: list[float]) -> None:
    assert signed_rank(values) == pytest.approx(by_enumeration(values))


def test_only_many_pairs_that_agree_say_much() -> None:
    assert signed_rank([]) == 1.0
    assert signed_rank([0.1] * 12) == 2.0**-12
    assert signed_rank([-0.1] * 12) == 1.0
    # How much longer one pair takes does not matter.
    assert signed_rank([0.1] * 11 + [-9.0]) == signed_rank([0.1] * 11 + [-0.2])


@given(st.lists(st.floats(0.0, 1.0), max_size=12), st.floats(0.01, 0.5))
def test_step_up_claims_as_its_definition_does(probabilities: list[float], rate: float) -> None:
    found = adjusted(probabilities)
    count = len(probabilities)
    ranked = sorted(probabilities)
    passing = [rank for rank in range(1, count + 1) if ranked[rank - 1] * count / rank <= rate]
    limit = ranked[max(passing) - 1] if passing else -1.0
    assert [one <= rate for one in found] == [one <= limit for one in probabilities]
    assert all(after >= before * (1.0 - 1e-12) for before, after in zip(probabilities, found, strict=True))


@pytest.mark.parametrize("tested", [1, 3, 50, 204, 205, 5000])
def test_enough_pairs_can_single_one_cell_out_of_many(tested: int) -> None:
    pairs = least_pairs(tested, 0.05)
    assert adjusted([2.0**-pairs, *[1.0] * (tested - 1)])[0] <= 0.05
    assert adjusted([2.0 ** (1 - pairs), *[1.0] * (tested - 1)])[0] > 0.05


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_turns_are_a_latin_square_and_neighbours_stay_neighbours(workers: int) -> None:
    orders = [turns(workers, number) for number in range(workers)]
    assert all(sorted(order) == list(range(workers)) for order in orders)
    assert all(sorted(had) == list(range(workers)) for had in zip(*orders, strict=True))
    for order in orders:
        assert all({one // 2 for one in order[at : at + 2]} in ({0}, {1}) for at in range(0, workers, 2))


@pytest.mark.parametrize(("low", "high", "floor"), [(0.99, 1.05, 0.05), (0.9, 1.05, 1 / 0.9 - 1), (1.08, 1.1, 0.1)])
def test_a_floor_is_the_end_that_is_further_from_no_change(low: float, high: float, floor: float) -> None:
    assert floor_of(Interval((low * high) ** 0.5, low, high)) == pytest.approx(floor)


def test_a_pilot_is_not_quieter_than_its_workload_by_chance() -> None:
    steady, noisy = np.ones(8), np.linspace(0.9, 1.2, 8)
    quiet = NullSamples((steady, steady), (steady, steady))
    others = pooled([quiet, *[NullSamples((noisy, 1 / noisy), (steady,))] * 4])
    together = null_run(others)
    assert together is not None
    lucky = null_run(quiet, together.floor)
    assert lucky is not None
    assert lucky.floor == together.floor > 0.01
    # With many processes of its own, a cell is what it is.
    many = null_run(NullSamples((steady,) * 12, (steady,) * 12), together.floor)
    assert many is not None
    assert many.floor == 0.0
    assert null_run(NullSamples()) is None


@pytest.mark.parametrize(
    ("floor", "verdict", "note"),
    [
        (0.02, Verdict.SLOWER, ""),
        (0.11, Verdict.INCONCLUSIVE, "slower by its interval, but a version differs from itself by up to 11 %"),
    ],
)
def test_nothing_is_claimed_below_the_floor(floor: float, verdict: Verdict, note: str) -> None:
    slower = Interval(1.10, 1.07, 1.13)
    found = Rule().settle([slower, slower], [floor, floor])
    assert (found[0], note in found[2]) == (verdict, True)
    # Nor can versions be called the same more finely than one is the same as itself.
    same = Interval(1.0, 0.99, 1.01)
    assert Rule().settle([same], [floor])[0] is (Verdict.SAME if floor < 0.05 else Verdict.INCONCLUSIVE)


def concluded(probabilities: list[float]) -> Comparison:
    """A comparison of cells that are slower by themselves, with this probability, or were not measured again."""
    comparison = Comparison({}, {}, Rule(), frozenset(), True, {})
    comparison.conclude(
        CellResult(
            CellName("swaps", (), 1, 100, f"strategy{place}", 1, "wall"),
            Verdict.SAME if probability == 1.0 else Verdict.SLOWER,
            Interval(1.1, 1.07, 1.13),
            p_value=probability,
        )
        for place, probability in enumerate(probabilities)
    )
    return comparison


def test_a_claim_that_chance_makes_among_many_cells_is_withdrawn() -> None:
    alone = concluded([0.004])
    assert alone.counts == {Verdict.SLOWER: 1}
    # Cells that make no claim are part of the family.
    many = concluded([0.004] + [1.0] * 29)
    assert many.counts == {Verdict.INCONCLUSIVE: 1, Verdict.SAME: 29}
    assert many.family is not None
    assert (many.family.tested, many.family.withdrawn) == (30, 1)
    assert many.cells[0].note == "slower, but not among 30 cells at a false discovery rate of 5 %: it takes 12 %"
    # Where many are slower, each is borne out by the others.
    several = concluded([0.004] * 5 + [1.0] * 25)
    assert several.counts == {Verdict.SLOWER: 5, Verdict.SAME: 25}


def test_the_rate_of_false_discoveries_is_held_among_cells_that_are_disturbed_together() -> None:
    # Heavy tails, processes whose disturbance all cells share, and twelve pairs of them, of which half are biased.
    random, rate, different = np.random.default_rng(11), 0.05, 5
    held: list[float] = []
    each: list[float] = []
    found = 0
    for _ in range(150):
        shared = 0.01 * random.standard_t(3, 12) + np.tile([0.01, -0.01], 6)
        cells = 0.02 * random.standard_t(2, (20, 12)) + shared
        cells[:different] += 0.08
        probabilities = [signed_rank(cell) for cell in cells]
        for shares, claims in (
            (held, [one <= rate for one in adjusted(probabilities)]),
            (each, [one <= rate for one in probabilities]),
        ):
            shares.append(sum(claims[different:]) / max(sum(claims), 1))
        found += sum(one <= rate for one in adjusted(probabilities)[:different])
    assert np.mean(held) <= rate < np.mean(each)
    assert found >= 0.9 * 150 * different
