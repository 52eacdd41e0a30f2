"""Storage layouts of Solidity: every way in which a variable lies, by the rules of its documentation."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from contend.workloads.contracts.keccak_digest import keccak_digest
from contend.workloads.contracts.storage_classes import common_class
from contend.workloads.contracts.storage_layout import variables_of
from contend.workloads.contracts.storage_variable import LayoutError, StorageVariable


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def hashed(data: bytes) -> int:
    return int.from_bytes(keccak_digest(data), "big")


def plain(label: str, size: int = 32) -> dict[str, Any]:
    return {"encoding": "inplace", "label": label, "numberOfBytes": str(size)}


def mapping(key: str, value: str) -> dict[str, Any]:
    return {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": key, "value": value}


def entry(label: str, slot: int, kind: str, offset: int = 0) -> dict[str, Any]:
    return {"contract": "C.sol:C", "label": label, "offset": offset, "slot": str(slot), "type": kind}


TYPES: dict[str, Any] = {
    "address": plain("address", 20),
    "token": plain("contract IERC20", 20),
    "uint256": plain("uint256"),
    "uint112": plain("uint112", 14),
    "uint32": plain("uint32", 4),
    "uint8": plain("uint8", 1),
    "bool": plain("bool", 1),
    "kind": plain("enum C.Kind", 1),
    "string": {"encoding": "bytes", "label": "string", "numberOfBytes": "32"},
    "order": {
        **plain("struct C.Order", 96),
        "members": [
            entry("seller", 0, "address"),
            entry("open", 0, "bool", 20),
            entry("price", 1, "uint256"),
            entry("left", 2, "uint256"),
        ],
    },
    "book": {**plain("struct C.Book", 64), "members": [entry("best", 0, "uint256"), entry("depth", 1, "by_kind")]},
    "balances": mapping("address", "uint256"),
    "allowances": mapping("address", "balances"),
    "by_kind": mapping("kind", "uint256"),
    "orders": mapping("uint256", "order"),
    "by_name": mapping("string", "uint256"),
    "fixed": {**plain("uint256[3]", 96), "base": "uint256"},
    "numbers": {"encoding": "dynamic_array", "label": "uint256[]", "numberOfBytes": "32", "base": "uint256"},
    "queue": {"encoding": "dynamic_array", "label": "struct C.Order[]", "numberOfBytes": "32", "base": "order"},
    "flags": {"encoding": "dynamic_array", "label": "uint8[]", "numberOfBytes": "32", "base": "uint8"},
}
LAYOUT = {
    "storage": [
        entry("reserve0", 0, "uint112"),
        entry("reserve1", 0, "uint112", 14),
        entry("time", 0, "uint32", 28),
        entry("balances", 1, "balances"),
        entry("allowances", 2, "allowances"),
        entry("orders", 3, "orders"),
        entry("book", 4, "book"),
        entry("fixed", 6, "fixed"),
        entry("numbers", 9, "numbers"),
        entry("queue", 10, "queue"),
        entry("flags", 11, "flags"),
        entry("title", 12, "string"),
        entry("byName", 13, "by_name"),
    ],
    "types": TYPES,
}
VARIABLES = variables_of(LAYOUT, [])


def name_of(slot: int) -> str:
    """Name of a slot outside mappings."""
    (found,) = (one for one in VARIABLES if not one.key_types and 0 <= slot - one.slot < one.slot_count)
    return found.slot_name((), slot - found.slot)


@pytest.mark.parametrize(
    ("slot", "name"),
    [
        (0, "reserve0+reserve1+time"),
        (4, "book.best"),
        (6, "fixed[0]"),
        (8, "fixed[2]"),
        (9, "numbers.length"),
        (hashed(word(9)) + 5, "numbers[5]"),
        (10, "queue.length"),
        (hashed(word(10)) + 3 * 2, "queue[2].seller+open"),
        (hashed(word(10)) + 3 * 2 + 2, "queue[2].left"),
        (hashed(word(11)) + 1, "flags[32..63]"),
        (12, "title"),
        (hashed(word(12)) + 1, "title[1]"),
    ],
)
def test_slots_outside_mappings(slot: int, name: str) -> None:
    assert name_of(slot) == name


def mapped(name: str) -> StorageVariable:
    return next(one for one in VARIABLES if one.key_types and one.name == name)


def test_mappings_have_their_keys_and_members() -> None:
    assert mapped("balances").key_types == ("address",)
    assert mapped("allowances").key_types == ("address", "address")
    assert mapped("book.depth").key_types == ("C.Kind",)
    assert mapped("book.depth").slot == 5
    orders = mapped("orders")
    assert [orders.slot_name(("7",), offset) for offset in range(orders.element_slots)] == [
        "orders[7].seller+open",
        "orders[7].price",
        "orders[7].left",
    ]
    assert all(one.is_key_first for one in VARIABLES if one.key_types)
    # Its keys are hashed as they are, not as words.
    assert not any(one.name == "byName" and one.key_types for one in VARIABLES)


@pytest.mark.parametrize(
    "layout",
    [
        {"storage": [entry("x", -1, "uint256")], "types": TYPES},
        {"storage": [entry("x", 1 << 256, "uint256")], "types": TYPES},
        {"storage": [entry("x", 0, "nothing")], "types": TYPES},
        {"storage": [entry("x", 0, "a")], "types": {"a": {**plain("struct A"), "members": [entry("y", 0, "a")]}}},
        {"storage": [entry("x", 0, "a")], "types": {"a": mapping("b", "a"), "b": plain("uint256")}},
        {
            "storage": [entry("x", 0, "a")],
            "types": {"a": {**plain("struct A"), "members": [entry("y", 0, "b"), *[entry("z", 0, "a")] * 9]}}
            | {"b": mapping("c", "c"), "c": {**plain("string"), "encoding": "bytes"}},
        },
        {"storage": None, "types": {}},
        {"storage": []},
        [],
        1,
    ],
)
def test_layouts_that_no_compiler_writes_are_refused(layout: Any) -> None:
    if layout == []:
        layout = [1]
    with pytest.raises(LayoutError, match="is not one of solc or Vyper"):
        variables_of(layout, [])


def test_a_struct_within_itself_is_refused_whatever_the_limit_of_recursion_is() -> None:
    # A library had raised it to a hundred thousand, and the walk overflowed the process's stack.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200_000)
    types = {"a": {**plain("struct A"), "members": [entry("y", 0, "a")]}}
    try:
        with pytest.raises(LayoutError, match="is not one of solc or Vyper"):
            variables_of({"storage": [entry("x", 0, "a")], "types": types}, [])
    finally:
        sys.setrecursionlimit(limit)


def test_a_contract_without_variables_or_layout_has_none() -> None:
    assert variables_of({"storage": [], "types": None}, []) == ()
    assert variables_of(None, []) == ()
    assert variables_of({}, []) == ()


def test_common_names_say_their_class() -> None:
    assert common_class("_balances", True) == "token balance"
    assert common_class("_allowances", True) == "allowance"
    assert common_class("reserve0+reserve1+time", False) == "pool reserve"
    assert common_class("_totalSupply", False) == "counter"
    assert common_class("owner", False) is None
    assert common_class("totalSupply", True) is None


def test_the_examples_have_layouts() -> None:
    path = Path(__file__).parents[3] / "docs" / "examples" / "solidity" / "contracts.json"
    for contracts in json.loads(path.read_text())["contracts"].values():
        for name, compiled in contracts.items():
            assert bool(variables_of(compiled["storageLayout"], compiled["abi"])) == (name != "Roots")
