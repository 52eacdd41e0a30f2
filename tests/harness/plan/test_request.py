from __future__ import annotations

from typing import Any

import pytest

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import parse_dials, parse_names, parse_workers
from contend.harness.plan.request import Request


def test_names_are_split_and_kept_once() -> None:
    assert parse_names("a, b,a") == ("a", "b")
    assert parse_names("all") == ("all",)


def test_workers_are_split_and_kept_once() -> None:
    assert parse_workers("1, 2,2") == (1, 2)


def test_dials_are_read_as_numbers_where_they_are() -> None:
    read = parse_dials(["pools=1", "zipf=1.5", "mode = fast", "swaps.pools=2"])
    assert read == {"pools": 1, "zipf": 1.5, "mode": "fast", "swaps.pools": 2}
    assert isinstance(read["pools"], int)


@pytest.mark.parametrize("setting", ["pools", "=1", "pools=", "="])
def test_a_setting_without_name_or_value_is_refused(setting: str) -> None:
    with pytest.raises(BadInputError, match="dial=value"):
        parse_dials([setting])


@pytest.mark.parametrize("text", ["", "1,x", "1.5", "one"])
def test_workers_that_are_no_whole_numbers_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="workers"):
        parse_workers(text)


def test_a_list_of_commas_names_nothing() -> None:
    with pytest.raises(BadInputError, match="names nothing"):
        parse_names(",")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workers", ()),
        ("workers", (0,)),
        ("workers", (1, -2)),
        ("workers", (1.5,)),
        ("workers", (True,)),
        ("workers", (100_000,)),
        ("block_size", 0),
        ("block_size", 10**9),
        ("repeat", 0),
        ("seed", -1),
        ("processes", 0),
        ("timeout", 0.0),
        ("timeout", float("nan")),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(BadInputError) as caught:
        Request(**{field: value})
    assert str(caught.value).startswith(field.replace("_", " "))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3_600), ("1h30m", 5_400), ("2m0.5s", 120.5)]
)
def test_a_length_of_time_is_read_with_its_units(text: str, seconds: float) -> None:
    assert Request(time_budget=text).time_budget == Request(time_budget=seconds).time_budget == seconds


@pytest.mark.parametrize("value", ["", "m", "5 m", "1d", "-5", "5m1h", 0, -1, float("nan"), float("inf"), True])
def test_what_is_no_length_of_time_is_refused(value: Any) -> None:
    with pytest.raises(BadInputError, match=r"^time budget: "):
        Request(time_budget=value)


def test_cores_are_numbers_and_ranges_each_once() -> None:
    assert Request(affinity="8,0-3,2").affinity == Request(affinity=[8, 3, 2, 1, 0]).affinity == (0, 1, 2, 3, 8)
    assert Request(affinity=1).affinity == (1,)
    assert Request().affinity == ()


@pytest.mark.parametrize("value", ["", "a", "1-", "-1", "0-9999999", [-1], [0.5], [True], 5_000])
def test_what_is_no_core_is_refused(value: Any) -> None:
    with pytest.raises(BadInputError, match=r"^affinity: "):
        Request(affinity=value)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"network": "rack"}, "network: networks are simulated; add --clock virtual"),
        ({"costs": "c.json"}, "costs: a cost table is for the virtual clock; add --clock virtual"),
        ({"affinity": [0], "clock": "virtual"}, "affinity: simulated workers run on no core in particular"),
    ],
)
def test_an_option_of_the_other_clock_is_refused_with_a_hint(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInputError, match=f"^{complaint}"):
        Request(**wrong)
