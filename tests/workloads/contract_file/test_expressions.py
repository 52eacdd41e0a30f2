"""Integer expressions: what they give, and what they refuse before it takes time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.workloads.contract_file.expressions import MOST_BITS, integer
from contend.workloads.contract_file.refusal import ValueSpecError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (7, 7),
        ("1_000", 1_000),
        ("0xff", 255),
        ("-5", -5),
        ("2**256-1", 2**256 - 1),
        ("(1 << 255) - 1", 2**255 - 1),
        ("5 * 10**18", 5 * 10**18),
        ("7 // 2 % 2", 1),
        ("1024 >> 3", 128),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("1 ether", 10**18),
        ("1.5 ether + 2 gwei", 15 * 10**17 + 2 * 10**9),
        ("30 days", 30 * 86_400),
        ("1e18", 10**18),
        ("2.5e3", 2_500),
    ],
)
def test_expressions_give_what_they_say(text: int | str, value: int) -> None:
    assert integer(text) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("five", "is not an integer: write 7"),
        ("", "is not an integer"),
        ("1.5", "is not an integer"),
        ("1 2", "is not an integer"),
        ("1 ethr", "is not an integer"),
        ("2 < 3", "is not an integer"),
        ("(" * 90 + "1", "is not an integer"),
        ("__import__('os')", "is not an integer"),
        ("7(7)", "write 7"),
        ("9**9**9", "larger than 1024 bits"),
        ("1 << 10**9", "larger than 1024 bits"),
        ("1 << 1024", "larger than 1024 bits"),
        ("2**600 * 2**600", "larger than 1024 bits"),
        ("1e999", "is not an integer"),
        ("1 // 0", "division by zero"),
        ("2 % 0", "division by zero"),
        ("2 ** -1", "is negative"),
        ("1 >> -1", "is negative"),
        ("1" + " + 1" * 60, "is too long"),
        (1 << 5_000, "larger than 1024 bits"),
        (True, "True is not an integer"),
        (1.5, "1.5 is not an integer"),
        (None, "None is not an integer"),
    ],
)
def test_what_is_no_integer_or_none_that_is_meant_is_refused(text: object, complaint: str) -> None:
    with pytest.raises(ValueSpecError) as refusal:
        integer(text)
    assert complaint in str(refusal.value)
    assert str(refusal.value).isprintable()


@given(st.text("0123456789+-*/%()<>_xefab. \n", max_size=40) | st.text(max_size=20))
def test_any_text_is_an_integer_of_bounded_size_or_refused(text: str) -> None:
    try:
        value = integer(text)
    except ValueSpecError:
        return
    assert value.bit_length() <= MOST_BITS
