"""The ABI encoder, on the examples of the ABI specification and on what it must refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contend.evm import keccak256
from contend.workloads.contracts.abi import CONTRACTS, EncodingError, Method, decode_words, load
from contend.workloads.contracts.compile import DEPLOYED


def method(signature: str) -> Method:
    return Method(signature, keccak256(signature.encode())[:4])


def words(*hexadecimal: str) -> str:
    return "".join(word.rjust(64, "0") for word in hexadecimal)


def text(characters: str) -> str:
    return characters.encode().hex().ljust(64, "0")


def test_static_arguments_as_in_the_specification() -> None:
    assert method("baz(uint32,bool)")(69, True).hex() == "cdcd77c0" + words("45", "1")
    # The specification's bar(bytes3[2]), whose arguments are encoded the same way.
    assert method("bar(bytes3,bytes3)")(b"abc", b"def")[4:].hex() == text("abc") + text("def")


def test_dynamic_arguments_as_in_the_specification() -> None:
    encoded = method("sam(bytes,bool,uint256[])")(b"dave", True, [1, 2, 3])
    expected = words("60", "1", "a0", "4") + text("dave") + words("3", "1", "2", "3")
    assert encoded.hex() == "a5643bf2" + expected
    encoded = method("f(uint256,uint32[],bytes10,bytes)")(0x123, [0x456, 0x789], b"1234567890", b"Hello, world!")
    expected = words("123", "80") + text("1234567890") + words("e0", "2", "456", "789", "d") + text("Hello, world!")
    assert encoded.hex() == "8be65246" + expected


def test_empty_bytes_and_lists_take_one_word() -> None:
    assert method("f(bytes,address[])")(b"", [])[4:].hex() == words("40", "60", "0", "0")


def test_nested_lists_and_structs_as_in_the_specification() -> None:
    # The specification's g(uint256[][],string[]) of ([[1, 2], [3]], ["one", "two", "three"]).
    encoded = method("g(uint256[][],string[])")([[1, 2], [3]], ["one", "two", "three"])
    assert encoded[:4].hex() == "2289b18c"
    lists = words("40", "140", "2", "40", "a0", "2", "1", "2", "1", "3")
    texts = words("3", "60", "a0", "e0", "3") + text("one") + words("3") + text("two") + words("5") + text("three")
    assert encoded[4:].hex() == lists + texts
    # bar(bytes3[2]), whose list has a fixed length and lies in place.
    assert method("bar(bytes3[2])")([b"abc", b"def"]).hex() == "fce353f6" + text("abc") + text("def")
    static = method("f((uint256,bool)[2],uint8)")([(1, True), (2, False)], 3)
    assert static[4:].hex() == words("1", "1", "2", "0", "3")
    varying = method("f((uint256,string),uint8)")((1, "a"), 3)
    assert varying[4:].hex() == words("40", "3", "1", "40", "1") + text("a")


def test_negative_numbers_are_in_twos_complement() -> None:
    assert method("f(int16)")(-1)[4:].hex() == "f" * 64
    assert method("f(int16)")(5)[4:].hex() == words("5")


def test_text_is_encoded_as_utf8() -> None:
    assert method("f(string)")("é")[4:].hex() == words("20", "2") + text("é")


@pytest.mark.parametrize(
    ("signature", "arguments", "complaint"),
    [
        ("f(uint8)", (256,), "256 is not a uint8"),
        ("f(uint256)", (-1,), "-1 is not a uint256"),
        ("f(uint256)", (2**256,), "is not a uint256"),
        ("f(bool)", (2,), "2 is not a uint1"),
        ("f(int8)", (128,), "128 is not an int8"),
        ("f(int8)", (-129,), "-129 is not an int8"),
        ("f(address)", (b"\1" * 19,), "an address has 20 bytes, not 19"),
        ("f(bytes4)", (b"\1\2\3",), "bytes4 has 4 bytes, not 3"),
        ("f(uint256,address)", (1,), "takes 2 arguments, not 1"),
        ("f()", (1,), "takes 0 arguments, not 1"),
        ("f(uint8[2])", ([1],), r"uint8\[2\] has 2 items, not 1"),
        ("f((uint8,bool))", ([1],), r"\(uint8,bool\) has 2 members, not 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(signature: str, arguments: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(EncodingError, match=complaint):
        method(signature)(*arguments)


@pytest.mark.parametrize("type_name", ["tuple", "uint7", "uint264", "bytes33", "(uint256", "uint256[2", "()x"])
def test_types_without_an_encoder_are_named(type_name: str) -> None:
    with pytest.raises(EncodingError, match="no encoder for"):
        Method(f"f({type_name})", b"")


@pytest.mark.parametrize("name", DEPLOYED)
def test_selectors_are_the_hashes_of_the_signatures(name: str) -> None:
    for signature, selector in load(name).methods.items():
        assert selector == "0x" + keccak256(signature.encode())[:4].hex(), signature


def test_methods_are_found_by_name_and_overloads_by_signature() -> None:
    collection = load("collection")
    assert collection.method("ownerOf").signature == "ownerOf(uint256)"
    with pytest.raises(LookupError, match="has 2 methods 'safeTransferFrom'"):
        collection.method("safeTransferFrom")
    assert collection.method("safeTransferFrom(address,address,uint256,bytes)").selector.hex() == "b88d4fde"
    with pytest.raises(LookupError, match="has 0 methods 'burn': none"):
        collection.method("burn")


def test_creation_puts_the_constructor_arguments_behind_the_code() -> None:
    router, pool = load("router"), load("pool")
    assert router.creation().hex() == router.bytecode[2:]
    assert pool.creation(b"\1" * 20, b"\2" * 20).hex() == pool.bytecode[2:] + words("01" * 20, "02" * 20)


def test_slots_reach_into_modules() -> None:
    raw = json.loads((CONTRACTS / "pool.json").read_text())["layout"]["storage_layout"]
    slots = load("pool").slots
    assert slots["balanceOf"] == raw["erc20"]["balanceOf"]["slot"]
    assert slots["packed"] == raw["packed"]["slot"]
    assert len(set(slots.values())) == len(slots)


def test_decode_words() -> None:
    assert decode_words((5).to_bytes(32, "big") + (7).to_bytes(32, "big")) == (5, 7)
    assert decode_words(b"") == ()
