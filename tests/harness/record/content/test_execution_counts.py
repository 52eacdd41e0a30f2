"""The sum of executions, on data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.record.content.execution_counts import contradiction, wasted

COUNTS = st.dictionaries(st.sampled_from(["aborts", "wait_restarts", "repairs"]), st.integers(0, 50))


@given(size=st.integers(50, 90), parts=COUNTS, off=st.integers(-40, 40))
def test_a_sum_that_is_off_is_a_contradiction(size: int, parts: dict[str, int], off: int) -> None:
    counters = {"executions": size + sum(parts.values()) + off, **parts}
    found = contradiction(counters, size)
    assert (found is None) == (off == 0)
    if found is not None:
        assert f"{counters['executions']} executions, but {size} transactions" in found
        assert all(f"{count} " in found for count in parts.values())


@given(size=st.integers(0, 90), parts=COUNTS)
def test_without_executions_no_sum_is_claimed(size: int, parts: dict[str, int]) -> None:
    parts.pop("repairs", None)
    assert contradiction(parts, size) is None
    assert wasted(parts, size) == (sum(parts.values()) if parts else None)


@pytest.mark.parametrize(
    ("counters", "located", "words"),
    [
        ({"executions": 21, "repairs": 11}, None, "21 executions, but 10 transactions + 11 repaired"),
        ({"executions": 21, "repairs": 11, "aborts": 0}, None, "0 aborted"),
        ({"repairs": 11}, None, "11 of 10 transactions repaired"),
        ({"deferred": 12}, None, "12 of 10 transactions deferred"),
        ({"aborts": 3, "repairs": 1}, 3, "3 causes of 4 aborted and repaired executions"),
        ({"aborts": 3, "aborts_nonce": 1, "aborts_storage": 1}, None, "2 causes of 3"),
    ],
)
def test_what_cannot_be_is_told_with_its_figures(counters: dict[str, int], located: int | None, words: str) -> None:
    found = contradiction(counters, 10, located)
    assert found is not None
    assert words in found or counters["executions"] == 21
