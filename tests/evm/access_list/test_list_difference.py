"""First difference of a list from the right one: every mistake by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from contend.evm.access_list import AccessList, AccountChanges, Readers, encode, first_difference
from contend.evm.access_list.difference import (
    MALFORMED,
    MISSING,
    NO_OP,
    READ_AS_WRITE,
    SUPERFLUOUS,
    WRITE_AS_READ,
    WRONG_INDEX,
    WRONG_ORDER,
    WRONG_VALUE,
)

ONE, TWO, THREE = (bytes([number]) * 20 for number in (1, 2, 3))
FIRST = AccountChanges(
    ONE,
    ((1, ((1, 5), (4, 6))), (2, ((2, 7),))),
    (8, 9),
    ((1, 50), (3, 40)),
    ((1, 1),),
    ((2, b"code"),),
    Readers(((8, (1,)), (9, (2, 3))), (2,)),
)
SECOND = AccountChanges(TWO)
RIGHT = AccessList((FIRST, SECOND))
COUNT = 5


def before(address: bytes, kind: str, slot: int) -> int | bytes:
    if kind == "code":
        return b""
    return {"storage": 100 + slot, "balance": 60, "nonce": 0}[kind]


def without(slot: int) -> AccountChanges:
    return replace(FIRST, storage_changes=tuple(one for one in FIRST.storage_changes if one[0] != slot))


def slot_1(*changes: tuple[int, int]) -> AccountChanges:
    return replace(FIRST, storage_changes=((1, changes), FIRST.storage_changes[1]))


@pytest.mark.parametrize(
    ("first", "kind", "text"),
    [
        (without(2), MISSING, "storage[0x2]"),
        (replace(without(2), storage_reads=(2, 8, 9)), WRITE_AS_READ, "storage[0x2], index 2 writes it"),
        (
            replace(FIRST, storage_changes=(*FIRST.storage_changes, (8, ((1, 3),))), storage_reads=(9,)),
            READ_AS_WRITE,
            "storage[0x8], index 1 does not write it",
        ),
        (
            replace(FIRST, storage_changes=(*FIRST.storage_changes, (8, ((1, 108),))), storage_reads=(9,)),
            NO_OP,
            "storage[0x8] at index 1, it was 0x6c before",
        ),
        (replace(FIRST, storage_changes=(*FIRST.storage_changes, (3, ((1, 3),)))), SUPERFLUOUS, "storage[0x3]"),
        (replace(FIRST, storage_reads=(8,)), MISSING, "storage[0x9]: it is read"),
        (replace(FIRST, storage_reads=(8, 9, 10)), SUPERFLUOUS, "storage[0xa]: nobody reads it"),
        (slot_1((1, 5)), MISSING, "storage[0x1] at index 4, it is 0x6"),
        (slot_1((1, 5), (2, 5), (4, 6)), NO_OP, "storage[0x1] at index 2, it was 0x5 before"),
        (slot_1((1, 5), (2, 9), (4, 6)), SUPERFLUOUS, "storage[0x1] at index 2"),
        (slot_1((1, 5), (3, 6)), WRONG_INDEX, "storage[0x1] at index 3, not 4"),
        (slot_1((1, 5), (5, 6)), WRONG_INDEX, "storage[0x1] at index 5, not 4"),
        (slot_1((1, 4), (4, 6)), WRONG_VALUE, "storage[0x1] at index 1, 0x4, not 0x5"),
        (slot_1((4, 6), (1, 5)), WRONG_ORDER, "index 0x1 stands behind 0x4"),
        (slot_1((1, 5), (7, 6)), MALFORMED, "index 7 is not in 0 to 6"),
        (replace(FIRST, balance_changes=((1, 50),)), MISSING, "balance at index 3"),
        (replace(FIRST, balance_changes=((1, 51), (3, 40))), WRONG_VALUE, "balance at index 1, 0x33, not 0x32"),
        (replace(FIRST, balance_changes=((1, 50), (2, 50), (3, 40))), NO_OP, "balance at index 2"),
        (replace(FIRST, nonce_changes=((2, 1),)), WRONG_INDEX, "nonce"),
        (replace(FIRST, nonce_changes=()), MISSING, "nonce at index 1"),
        (replace(FIRST, code_changes=((2, b"other"),)), WRONG_VALUE, "a code of 5 bytes, not a code of 4 bytes"),
    ],
)
def test_a_mistake_is_named(first: AccountChanges, kind: str, text: str) -> None:
    found = first_difference(encode(AccessList((first, SECOND))), RIGHT, COUNT, before)
    assert found is not None
    assert found.kind == kind
    assert text in str(found)
    assert "\n" not in str(found)


def test_accounts_are_missing_and_superfluous() -> None:
    found = first_difference(encode(AccessList((FIRST,))), RIGHT, COUNT)
    assert str(found) == f"missing entry: account 0x{TWO.hex()}"
    found = first_difference(encode(AccessList((FIRST, SECOND, AccountChanges(THREE)))), RIGHT, COUNT)
    assert str(found) == f"superfluous entry: account 0x{THREE.hex()}"
    found = first_difference(encode(AccessList((SECOND, FIRST))), RIGHT, COUNT)
    assert found is not None
    assert found.kind == WRONG_ORDER


def test_the_right_list_is_right() -> None:
    for kind in ("full", "locations", "reads", "indexed"):
        assert first_difference(encode(RIGHT, kind), RIGHT, COUNT, before, kind) is None


@pytest.mark.parametrize(
    ("alter", "kind", "text"),
    [
        (lambda readers: replace(readers, balance=()), MISSING, "balance: index 2 reads it"),
        (lambda readers: replace(readers, nonce=(4,)), SUPERFLUOUS, "nonce: index 4 does not read it"),
        (lambda readers: replace(readers, slots=((8, (1,)), (9, (2,)))), MISSING, "storage[0x9]: index 3 reads it"),
    ],
)
def test_readers_are_compared_where_the_kind_has_them(
    alter: Callable[[Readers], Readers], kind: str, text: str
) -> None:
    wrong = AccessList((replace(FIRST, readers=alter(FIRST.readers)), SECOND))
    found = first_difference(encode(wrong, "indexed"), RIGHT, COUNT, before, "indexed")
    assert found is not None
    assert found.kind == kind
    assert text in str(found)
    assert first_difference(encode(wrong), RIGHT, COUNT, before) is None
