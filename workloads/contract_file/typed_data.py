"""Typed data: hashes that wallets sign (EIP-712).

A type is written as the EIP's `encodeType` writes it, which is the text that a contract hashes for its type hash, and
so stands in its source: ``Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)``. Structs
that it refers to follow in alphabetical order.

The hash of a struct is that of its type's hash and of its members, a word each: what is shorter than a word as the ABI
has it, bytes and texts hashed, a list as the hash of its elements' words, a struct as its own hash. What is signed is
``keccak(0x1901, hash of the domain, hash of the message)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contend.workloads.contract_file.refusal import ValueSpecError, shown
from contend.workloads.contracts.abi import EncodingError, encoder, list_type
from contend.workloads.contracts.keccak_digest import keccak_digest

DOMAIN = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
EXAMPLE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
_STRUCT = re.compile(r"([A-Za-z_$][\w$]*)\(([^()]*)\)")
_MEMBER = re.compile(r"([A-Za-z_$][\w$]*(?:\[\d*\])*) ([A-Za-z_$][\w$]*)")
_MOST_CHARACTERS = 2_000


def _element(type_name: str) -> str:
    """Type of the elements of a list, of whatever depth; of what is no list, the type itself."""
    return type_name.partition("[")[0]


@dataclass(frozen=True)
class TypedData:
    """Type of messages.

    Attributes
    ----------
    name : str
        Of the struct that is signed.
    structs : dict
        Type by member, by the struct's name; of `name` first.
    """

    name: str
    structs: Mapping[str, Mapping[str, str]]

    @classmethod
    def parse(cls, text: str) -> TypedData:
        """Parse what `encodeType` gives.

        Raises
        ------
        ValueSpecError
            If it is malformed, or names a type that there is not, or one within itself.
        """
        structs: dict[str, dict[str, str]] = {}
        at = 0
        while at < len(text) <= _MOST_CHARACTERS and (found := _STRUCT.match(text, at)):
            at = found.end()
            members = [_MEMBER.fullmatch(one.strip()) for one in found[2].split(",")] if found[2].strip() else []
            named = {one[2]: one[1] for one in members if one is not None}
            if len(named) != len(members) or found[1] in structs:
                raise ValueSpecError(f"type = {shown(text)}: a member or struct is malformed or there twice")
            structs[found[1]] = named
        if at != len(text) or not structs:
            raise ValueSpecError(f'type = {shown(text)}: write it as the contract hashes it, for instance "{EXAMPLE}"')
        parsed = cls(next(iter(structs)), structs)
        parsed._check()
        return parsed

    def _check(self) -> None:
        for struct, members in self.structs.items():
            if struct in self._referred(struct):
                raise ValueSpecError(f"type: {struct} is within itself")
            for type_name in members.values():
                # Of a list of structs, the lists remain to be checked.
                element = _element(type_name)
                is_known = element in self.structs
                try:
                    encoder("bool" + type_name.removeprefix(element) if is_known else type_name)
                except EncodingError:
                    raise ValueSpecError(
                        f"type: {struct} has a member of the unknown type {shown(type_name)}"
                    ) from None

    @cached_property
    def _type_hashes(self) -> dict[str, bytes]:
        return {name: keccak_digest(self._encoded_type(name).encode()) for name in self.structs}

    def _encoded_type(self, struct: str) -> str:
        others = sorted(self._referred(struct))
        return "".join(
            f"{name}({','.join(f'{kind} {member}' for member, kind in self.structs[name].items())})"
            for name in (struct, *others)
        )

    def _referred(self, struct: str) -> set[str]:
        """Structs within a struct, at any depth; with itself if it is one of them."""
        found: set[str] = set()
        left = [struct]
        while left:
            elements = {_element(type_name) for type_name in self.structs[left.pop()].values()}
            new = (elements & self.structs.keys()) - found
            found |= new
            left += new
        return found

    def hash(self, message: Mapping[str, Any]) -> bytes:
        """Hash of a message: values by member, those of structs as mappings too."""
        return self._hash_struct(self.name, message)

    def _hash_struct(self, struct: str, message: Mapping[str, Any]) -> bytes:
        members = self.structs[struct].items()
        return keccak_digest(
            self._type_hashes[struct] + b"".join(self._word(kind, message[name]) for name, kind in members)
        )

    def _word(self, type_name: str, value: Any) -> bytes:
        if nested := list_type(type_name):
            return keccak_digest(b"".join(self._word(nested[0], item) for item in value))
        if type_name in self.structs:
            return self._hash_struct(type_name, value)
        if type_name in ("bytes", "string"):
            return keccak_digest(value.encode() if isinstance(value, str) else value)
        return encoder(type_name).encode(value)


def domain_hash(domain: Mapping[str, Any]) -> bytes:
    """Domain separator: the hash of those members of the domain that there are."""
    members = {name: kind for name, kind in DOMAIN.items() if name in domain}
    return TypedData("EIP712Domain", {"EIP712Domain": members}).hash(domain)


def signed_hash(domain: bytes, message: bytes) -> bytes:
    """Hash that is signed, of a domain's and a message's."""
    return keccak_digest(b"\x19\x01" + domain + message)
