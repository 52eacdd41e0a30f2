"""Access lists as data: what is encoded comes back, and what breaks a rule is named."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from contend.evm.access_list import (
    FULL,
    INDEXED,
    KINDS,
    LOCATIONS,
    READS,
    AccessList,
    AccessListError,
    AccountChanges,
    Readers,
    decode,
    encode,
    from_json,
    hash_of,
    of_kind,
    to_json,
)
from contend.evm.access_list.difference import as_kind

WORDS = st.integers(0, 2**256 - 1) | st.integers(0, 300)
INDICES = st.integers(0, 9)
ONE = bytes([1]) * 20
TWO = bytes([2]) * 20


def changes(values: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    return st.dictionaries(INDICES, values, max_size=3).map(lambda found: tuple(sorted(found.items())))


@st.composite
def accounts(draw: st.DrawFn, address: bytes) -> AccountChanges:
    slots = draw(st.lists(WORDS, unique=True, max_size=5))
    written = sorted(slots[: len(slots) // 2])
    reads = tuple(sorted(slots[len(slots) // 2 :]))
    some = st.lists(INDICES, unique=True, max_size=3).map(lambda found: tuple(sorted(found)))
    readers = Readers(tuple((slot, draw(some.filter(bool))) for slot in reads), draw(some), draw(some), draw(some))
    return AccountChanges(
        address,
        tuple((slot, draw(changes(WORDS).filter(bool))) for slot in written),
        reads,
        draw(changes(WORDS)),
        draw(changes(st.integers(0, 2**64 - 1))),
        tuple(sorted(draw(st.dictionaries(INDICES, st.binary(max_size=70), max_size=2)).items())),
        readers,
    )


@st.composite
def lists(draw: st.DrawFn) -> AccessList:
    addresses = sorted(draw(st.lists(st.binary(min_size=20, max_size=20), unique=True, max_size=4)))
    return AccessList(tuple(draw(accounts(address)) for address in addresses))


@given(lists(), st.sampled_from(KINDS))
def test_what_is_encoded_comes_back(content: AccessList, kind: str) -> None:
    assert decode(encode(content, kind), kind, 8) == as_kind(content, kind)


@given(lists())
def test_json_says_all_of_a_full_list(content: AccessList) -> None:
    assert encode(from_json(to_json(content))) == encode(content)


@given(lists(), st.sampled_from([LOCATIONS, READS]))
def test_a_full_list_says_what_lesser_kinds_say(content: AccessList, kind: str) -> None:
    assert of_kind(encode(content), kind) == encode(content, kind)


def test_a_full_list_names_no_readers() -> None:
    assert of_kind(encode(AccessList()), INDEXED) is None
    assert of_kind(b"no list", READS) is None
    assert of_kind(b"no list", FULL) == b"no list"


def test_the_empty_list_has_the_hash_that_the_eip_names() -> None:
    assert hash_of(encode(AccessList())).hex() == "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"


@given(lists(), st.data())
def test_damaged_bytes_are_refused_or_mean_something_else(content: AccessList, data: st.DataObject) -> None:
    whole = encode(content)
    at, flip = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    damaged = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    found = None
    with suppress(AccessListError):
        found = decode(damaged)
    assert found is None or encode(found) == damaged


FINE = AccountChanges(ONE, ((1, ((1, 5), (2, 6))),), (2, 3), ((1, 9),), ((1, 1),), ((1, b"x"),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((replace(FINE, address=TWO), FINE), "stands behind .*wrong order"),
        ((FINE, FINE), "twice"),
        ((replace(FINE, address=ONE[:19]),), "20 bytes"),
        ((replace(FINE, storage_reads=(3, 2)),), "storage_reads: slot 0x2 stands behind 0x3"),
        ((replace(FINE, storage_reads=(1,)),), "slot 0x1 stands in storage_changes and in storage_reads"),
        ((replace(FINE, storage_changes=((1, ()),)),), "no change"),
        ((replace(FINE, storage_changes=((1, ((2, 5), (1, 5))),)),), "index 0x1 stands behind 0x2"),
        ((replace(FINE, storage_changes=((2**256, ((1, 5),)),)),), "more than 256 bits"),
        ((replace(FINE, balance_changes=((1, 5), (1, 6))),), "balance_changes: index 0x1 stands there twice"),
        ((replace(FINE, nonce_changes=((1, 2**64),)),), "more than 64 bits"),
        ((replace(FINE, code_changes=((11, b""),)),), "index 11 is not in 0 to 10"),
        ((replace(FINE, readers=Readers(balance=(3, 2))),), "balance readers: index 0x2 stands behind"),
        ((replace(FINE, readers=Readers(((1, ()),))),), "nobody"),
    ],
)
def test_what_breaks_a_rule_is_named(content: tuple[AccountChanges, ...], message: str) -> None:
    AccessList((FINE,)).check(9)
    with pytest.raises(AccessListError, match=message):
        AccessList(content).check(9)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xc1", "not RLP"),
        (rlp.encode(b"x"), "bytes where a list belongs"),
        (rlp.encode([[ONE, [], []]]), "3 items, not 6"),
        (rlp.encode([[ONE, [], [b"\0\1"], [], [], []]]), "leading zero"),
        (rlp.encode([[ONE, [], [b"\1" * 33], [], [], []]]), "33 bytes"),
        (rlp.encode([[ONE, [], [], [[b"\1"]], [], []]]), "balance_changes: 1 items, not 2"),
        (rlp.encode([[ONE[:5], [], [], [], [], []]]), "5 bytes, not 20"),
        (encode(AccessList((FINE,))) + b"\0", "not RLP"),
    ],
)
def test_bytes_that_are_no_list_are_refused(raw: bytes, message: str) -> None:
    with pytest.raises(AccessListError, match=message):
        decode(raw)


def test_addresses_and_slots_are_bounded_by_gas() -> None:
    content = AccessList((FINE,))
    assert content.items == 4
    content.check_size(8000)
    with pytest.raises(AccessListError, match="4 addresses and slots; at 7999 gas at most 3"):
        content.check_size(7999)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [[]],
        [{"address": "0x" + ONE.hex()}],
        [{**to_json(AccessList((FINE,)))[0], "storageReads": ["2"]}],
        [{**to_json(AccessList((FINE,)))[0], "storageReads": [2]}],
        [{**to_json(AccessList((FINE,)))[0], "address": "0xzz"}],
    ],
)
def test_json_that_is_no_list_is_refused(document: object) -> None:
    with pytest.raises(AccessListError):
        from_json(document)
