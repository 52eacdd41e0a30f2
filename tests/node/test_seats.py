"""Workers of a node, divided among its stages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.node.seats import Seats

STATIONS = ("agree", "recover", "execute", "root")


@given(st.lists(st.integers(1, 50), min_size=3, max_size=3), st.integers(3, 1024))
def test_all_workers_are_given_away_by_shares_and_nobody_has_none(shares: list[int], workers: int) -> None:
    seats = Seats.parse(f"split:{','.join(map(str, shares))}")
    found = seats.divide(workers, STATIONS)
    assert found.pop("agree") == workers
    assert sum(found.values()) == workers
    assert min(found.values()) >= 1
    # Nobody who has more workers for its share than another could give one away and still have more.
    per_share = dict(zip(found, shares, strict=True))
    for name, count in found.items():
        if count > 1:
            assert all((count - 1) / per_share[name] <= other / per_share[one] + 1 for one, other in found.items())


def test_a_stage_that_is_not_there_has_no_share() -> None:
    assert Seats.parse("split:1,1,6").divide(4, ("recover", "execute")) == {"recover": 2, "execute": 2}


def test_shared_workers_and_a_single_one_are_everybody_s() -> None:
    assert Seats.parse("shared").divide(5, STATIONS) == dict.fromkeys(STATIONS, 5)
    assert Seats.parse("split:2,1,1").divide(1, STATIONS) == dict.fromkeys(STATIONS, 1)


def test_too_few_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 workers are too few for 3 stages"):
        Seats.parse("split:1,1,1").divide(2, STATIONS)


@pytest.mark.parametrize("text", ["", "both", "split", "split:1,2", "split:1,2,0", "split:1,2,x", "shared:1"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not known: shared, or split:R,E,T"):
        Seats.parse(text)
