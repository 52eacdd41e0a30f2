from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.compare.ratio import Pair, paired
from contend.harness.compare.result import percent
from contend.harness.compare.verdict import Rule, Verdict, changes, wasteful
from contend.harness.record.statistics import Interval, ratio_of_medians

SLOWER = Interval(1.10, 1.07, 1.13)
WIDE = Interval(1.10, 0.98, 1.30)
SAME = Interval(1.00, 0.98, 1.02)
FASTER = Interval(0.90, 0.88, 0.93)
RULE = Rule()


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (SLOWER, Verdict.SLOWER),
        (WIDE, Verdict.INCONCLUSIVE),
        (SAME, Verdict.SAME),
        (FASTER, Verdict.FASTER),
        # The effect exceeds the threshold, but its interval does not exclude it.
        (Interval(1.08, 1.05, 1.11), Verdict.INCONCLUSIVE),
        # Beyond any doubt slower, but by less than the threshold.
        (Interval(1.04, 1.039, 1.041), Verdict.SAME),
    ],
)
def test_one_measurement_says_something_only_with_its_whole_interval(ratio: Interval, verdict: Verdict) -> None:
    assert RULE.single(ratio) is verdict


@given(st.floats(0.2, 5.0), st.floats(1.0, 2.0), st.floats(1.0, 2.0), st.floats(0.001, 1.0))
def test_swapping_a_and_b_turns_slower_into_faster(middle: float, up: float, down: float, threshold: float) -> None:
    opposite = {Verdict.SLOWER: Verdict.FASTER, Verdict.FASTER: Verdict.SLOWER}
    rule = Rule(threshold)
    ratio = Interval(middle, middle / down, middle * up)
    ends = (ratio.low, ratio.high)
    if any(abs(end / edge - 1) < 1e-9 for end in ends for edge in (rule.slow, rule.fast)):
        # On the edge, rounding decides.
        return
    swapped = Interval(1 / middle, 1 / ratio.high, 1 / ratio.low)
    found = rule.single(ratio)
    assert rule.single(swapped) is opposite.get(found, found)


@pytest.mark.parametrize(
    ("ratios", "verdict", "more"),
    [
        # What looks slower is measured again before it counts, and so is what noise may hide.
        ([SLOWER], Verdict.INCONCLUSIVE, True),
        ([WIDE], Verdict.INCONCLUSIVE, True),
        ([SAME], Verdict.SAME, False),
        # What says faster is measured again, too; what only looks faster is not.
        ([FASTER], Verdict.INCONCLUSIVE, True),
        ([FASTER, FASTER], Verdict.FASTER, False),
        ([FASTER, SAME], Verdict.INCONCLUSIVE, False),
        ([FASTER, SLOWER], Verdict.INCONCLUSIVE, False),
        ([Interval(0.90, 0.80, 0.99)], Verdict.INCONCLUSIVE, False),
        ([SLOWER, SLOWER], Verdict.SLOWER, False),
        ([SLOWER, SAME], Verdict.INCONCLUSIVE, False),
        ([SLOWER, WIDE], Verdict.INCONCLUSIVE, True),
        ([WIDE, SLOWER], Verdict.INCONCLUSIVE, True),
        ([WIDE, WIDE], Verdict.INCONCLUSIVE, True),
        ([SLOWER, WIDE, SLOWER], Verdict.SLOWER, False),
        ([WIDE, SLOWER, SLOWER], Verdict.SLOWER, False),
        ([WIDE, WIDE, SLOWER, SLOWER], Verdict.SLOWER, False),
        # A further measurement that does not even look slower ends it, and so does a lack of chances.
        ([SLOWER, WIDE, SAME], Verdict.INCONCLUSIVE, False),
        ([WIDE, SLOWER, WIDE], Verdict.INCONCLUSIVE, True),
        ([WIDE, WIDE, WIDE], Verdict.INCONCLUSIVE, False),
        ([WIDE, SLOWER, WIDE, WIDE], Verdict.INCONCLUSIVE, False),
        # Where none said slower, the thorough measurement counts and not the look that called for it.
        ([WIDE, SAME], Verdict.SAME, False),
        ([Interval(1.04, 0.99, 1.09)], Verdict.INCONCLUSIVE, True),
        ([Interval(1.02, 0.97, 1.07)], Verdict.INCONCLUSIVE, False),
        ([WIDE, Interval(1.04, 0.99, 1.09)], Verdict.INCONCLUSIVE, False),
    ],
)
def test_a_cell_is_slower_when_two_independent_measurements_say_so(
    ratios: list[Interval], verdict: Verdict, more: bool
) -> None:
    assert RULE.settle(ratios)[0] is verdict
    assert RULE.unsettled(ratios) is more


def test_what_is_called_slower_shows_an_interval_beyond_the_threshold() -> None:
    other = Interval(1.2, 1.06, 1.4)
    _, shown, note = RULE.settle([SLOWER, WIDE, other])
    assert shown == other
    assert note == "slower in 2 of 3 measurements"


def test_what_is_not_shown_to_be_slower_shows_all_that_is_possible() -> None:
    _, shown, note = RULE.settle([SLOWER, SAME])
    assert (shown.low, shown.high) == (0.98, 1.13)
    assert "does not repeat" in note


def test_simulated_time_needs_no_statistics() -> None:
    assert Rule().exact(1_000_000, 1_000_001) is Verdict.SLOWER
    assert Rule().exact(1_000_000, 1_000_000) is Verdict.SAME
    assert Rule().exact(1_000_000, 999_999) is Verdict.FASTER
    assert Rule(virtual_threshold=0.01).exact(1_000_000, 1_009_999) is Verdict.SAME


def test_counters_are_compared_exactly() -> None:
    found = changes({"aborts": 10, "executions": 100}, {"aborts": 11, "executions": 100, "repaired": 1})
    assert found == {"aborts": (10, 11), "repaired": (0, 1)}
    assert wasteful(found)
    assert not wasteful(changes({"aborts": 10}, {"aborts": 9}))
    # Which kind of location caused an abort says nothing about how many there were.
    assert not wasteful(changes({"aborts_nonce": 1, "aborts_balance": 2}, {"aborts_nonce": 2, "aborts_balance": 1}))


def test_classes_of_aborts_are_compared_where_both_versions_tell_them() -> None:
    before, after = {"aborts": 3, "aborts_storage": 3}, {"aborts": 3, "aborts_storage": 3, "aborts_at_counter": 3}
    assert changes(before, after) == changes(after, before) == {}
    other = {"aborts": 3, "aborts_storage": 3, "aborts_at_counter": 2, "aborts_at_allowance": 1}
    assert changes(after, other) == {"aborts_at_counter": (3, 2), "aborts_at_allowance": (0, 1)}
    assert changes({"aborts": 0}, after) == {"aborts": (0, 3), "aborts_storage": (0, 3), "aborts_at_counter": (0, 3)}


def test_what_the_machine_does_to_both_cancels_in_pairs() -> None:
    random = np.random.default_rng(3)
    wandering = np.exp(np.cumsum(random.normal(0, 0.2, 40)))
    pairs = [Pair(wandering[at::2], 1.1 * wandering[at::2]) for at in (0, 1)]
    ratio = paired(pairs)
    assert ratio.low == pytest.approx(1.1)
    assert ratio.high == pytest.approx(1.1)


def test_an_interval_is_never_narrower_than_the_spread_between_pairs() -> None:
    steady = np.ones(50)
    ratio = paired([Pair(steady, 1.02 * steady), Pair(steady, 1.20 * steady)])
    assert ratio.low <= 1.02
    assert ratio.high >= 1.20


def test_the_ratio_of_separate_samples_spans_all_processes() -> None:
    ratio = ratio_of_medians([np.full(5, 2.0), np.full(5, 2.4)], [np.full(5, 1.0), np.full(5, 1.2)])
    assert ratio.low == pytest.approx(2.0 / 1.2)
    assert ratio.high == pytest.approx(2.4)
    with pytest.raises(ValueError, match="at least one sample"):
        ratio_of_medians([np.array([])], [np.ones(3)])


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "0 %"), (1.12, "+12 %"), (0.5, "-50 %"), (3.5, "+250 %"), (1.00004, "+0.0040 %"), (0.987, "-1.3 %")],
)
def test_changes_are_written_as_finely_as_they_are_small(ratio: float, text: str) -> None:
    assert percent(ratio) == text
