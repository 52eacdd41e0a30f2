"""Checked reading of JSON: numbers, bytes and objects as JSON-RPC writes them, and no other way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.workloads.files.fields import Field, FieldError, RangeError, load
from contend.workloads.files.prestate import read_prestate, read_storage


@given(number=st.integers(0, 2**256 - 1))
def test_integers_in_all_ways_that_are_written(number: int) -> None:
    for value in (number, hex(number)):
        assert Field("f", value).strictly().integer() == Field("f", value).integer() == number
    assert Field("f", f"0x{number:064x}").strictly().word() == Field("f", hex(number)).strictly().word() == number
    assert Field("f", str(number)).strictly().decimal(256) == number
    for value in (f"0x0{number:x}", f"0x{number:064X}", f"0x:bigint {number:#x}"):
        assert Field("f", value).integer() == number
        with pytest.raises(FieldError, match="without zeros in front"):
            Field("f", value).strictly().integer()


@given(text=st.text(max_size=8) | st.from_regex(r"[0xa-fA-F_ +.-]{1,9}", fullmatch=True))
def test_any_other_text_is_refused(text: str) -> None:
    digits = text.removeprefix("0x")
    right = text != digits and digits and set(digits) <= set("0123456789abcdef") and digits == f"{int(digits, 16):x}"
    if right:
        assert Field("f", text).strictly().integer() == int(digits, 16)
        return
    for read in (Field("f", text).strictly().integer, Field("f", text).strictly().word):
        with pytest.raises(FieldError):
            read()


NONE = ["0x52_08", "1_0", "0X10", "+1", "-1", " 1", "1 ", "0x 1", "1e3", "", "x", 1.0, True, None, [],
        "\N{ARABIC-INDIC DIGIT ONE}", "0x\N{FULLWIDTH DIGIT ONE}", "0x:bigint  0x1", "1" * 5000, "0x1\n"]  # fmt: skip


@pytest.mark.parametrize("value", NONE)
def test_what_python_would_take_for_an_integer_is_refused(value: Any) -> None:
    for field in (Field("f", value).strictly(), Field("f", value)):
        with pytest.raises(FieldError, match=r"^f: .* is not an integer of at most 64 bits") as caught:
            field.integer(64)
        assert not isinstance(caught.value, RangeError)


@pytest.mark.parametrize("text", ["-0", "1.0", "1e3", "-1"])
def test_a_number_of_json_has_digits_and_nothing_else(text: str) -> None:
    with pytest.raises(FieldError, match="is not an integer"):
        load("f.json", text).integer()


def test_a_number_that_is_too_large_is_told_from_what_is_none() -> None:
    for field in (Field("f", "0x1" + "0" * 64).strictly(), Field("f", "0x:bigint 0x1" + "0" * 64)):
        with pytest.raises(RangeError, match="at most 256 bits"):
            field.integer()


@pytest.mark.parametrize("value", ["0x1 1", "11 22", "0xg0", "0x0_0", "0X00", "\N{FULLWIDTH DIGIT ONE}1", 7, None])
def test_what_python_would_take_for_bytes_is_refused(value: Any) -> None:
    for field in (Field("f", value).strictly(), Field("f", value)):
        with pytest.raises(FieldError, match="is not bytes in hexadecimal"):
            field.octets()


def test_only_official_tests_leave_out_what_bytes_begin_with() -> None:
    for value in ("11", "0x1"):
        assert Field("f", value).octets() == bytes([int(value, 16)])
        with pytest.raises(FieldError, match="two digits for each byte"):
            Field("f", value).strictly().octets()


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"x": {"b": 1, "c": 2, "b": 3}}]'])
def test_a_name_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match=r"^f\.json: .* two members with the name '[ab]'"):
        load("f.json", text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_what_is_no_json_number_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match="is no number"):
        load("f.json", text)


def test_one_account_or_slot_under_two_names_is_refused() -> None:
    address = "ab" * 20
    with pytest.raises(FieldError, match=f"0x{address} stands twice"):
        read_prestate(Field("pre", {f"0x{address}": {}, f"0x{address.upper()}": {}}))
    with pytest.raises(FieldError, match="0x1 stands twice"):
        read_storage(Field("storage", {"0x1": "0x2", "0x" + "1".zfill(64): "0x2"}))
