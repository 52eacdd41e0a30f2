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
