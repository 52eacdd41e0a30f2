"""Typed data: the hashes of EIP-712's own example, and types that are refused."""

from __future__ import annotations

import pytest

from contend.workloads.contract_file.refusal import ValueSpecError
from contend.workloads.contract_file.typed_data import TypedData, domain_hash, signed_hash
from contend.workloads.contracts.keccak_digest import keccak_digest

MAIL = "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
COW = {"name": "Cow", "wallet": bytes.fromhex("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")}
BOB = {"name": "Bob", "wallet": bytes.fromhex("bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")}


def test_the_example_of_the_proposal() -> None:
    domain = domain_hash(
        {
            "name": "Ether Mail",
            "version": "1",
            "chainId": 1,
            "verifyingContract": bytes.fromhex("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"),
        }
    )
    assert domain.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    message = TypedData.parse(MAIL).hash({"from": COW, "to": BOB, "contents": "Hello, Bob!"})
    assert message.hex() == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    assert signed_hash(domain, message).hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


def test_lists_are_hashed_as_the_words_of_their_items() -> None:
    typed = TypedData.parse("Many(uint8[] numbers,Person[2] people)Person(string name,address wallet)")
    person = TypedData.parse("Person(string name,address wallet)")
    type_hash = keccak_digest(b"Many(uint8[] numbers,Person[2] people)Person(string name,address wallet)")
    numbers = keccak_digest((1).to_bytes(32, "big") + (2).to_bytes(32, "big"))
    people = keccak_digest(person.hash(COW) + person.hash(BOB))
    assert typed.hash({"numbers": [1, 2], "people": [COW, BOB]}) == keccak_digest(type_hash + numbers + people)


def test_structs_that_are_referred_to_follow_in_alphabetical_order() -> None:
    # Whatever the order in the file: a contract hashes the proposal's.
    told = TypedData.parse("A(C c,B b)C(uint8 x)B(uint8 y)")
    assert told.hash({"c": {"x": 1}, "b": {"y": 2}}) == TypedData.parse("A(C c,B b)B(uint8 y)C(uint8 x)").hash(
        {"c": {"x": 1}, "b": {"y": 2}}
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "write it as the contract hashes it"),
        ("Permit", "write it as the contract hashes it"),
        ("Permit(address owner", "write it as the contract hashes it"),
        ("Permit(address)", "malformed or there twice"),
        ("Permit(address a,address a)", "malformed or there twice"),
        ("A(uint8 a)A(uint8 a)", "malformed or there twice"),
        ("A(B b)", "A has a member of the unknown type 'B'"),
        ("A(uint7 b)", "unknown type 'uint7'"),
        ("A(B b)B(A a)", "A is within itself"),
        ("A(A[] a)", "A is within itself"),
        ("A(uint8 a)" + " " * 3_000, "write it as the contract hashes it"),
    ],
)
def test_types_that_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueSpecError) as refusal:
        TypedData.parse(text)
    assert complaint in str(refusal.value)


def test_structs_that_refer_to_each_other_many_times_take_no_time() -> None:
    # Two to the power of a hundred ways through them.
    structs = "".join(f"S{i}(S{i + 1} a,S{i + 1} b)" for i in range(80)) + "S80(uint8 a)"
    assert TypedData.parse(structs).name == "S0"
