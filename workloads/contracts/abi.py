"""Contract artifacts and ABI encoding of calls.

The encoding is the contract ABI's (Solidity documentation, "Contract ABI Specification"): a value of static type lies
in place, in the head; of one that varies in size, the head has where in the tail it begins. A list, or a struct, is a
head and a tail of its own. A method prepares its encoders once, so that generating a block costs about a microsecond a
call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

CONTRACTS = Path(__file__).resolve().parent
WORD = 32

Argument = int | bytes | str | Sequence[Any]
Encoder = Callable[[Any], bytes]


class EncodingError(ValueError):
    """Argument that its ABI type cannot hold."""


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % WORD)


def _unsigned(bits: int) -> Encoder:
    bound = 1 << bits

    def encode(value: int) -> bytes:
        if not 0 <= value < bound:
            raise EncodingError(f"{value} is not a uint{bits}")
        return value.to_bytes(WORD, "big")

    return encode


def _signed(bits: int) -> Encoder:
    bound = 1 << (bits - 1)

    def encode(value: int) -> bytes:
        if not -bound <= value < bound:
            raise EncodingError(f"{value} is not an int{bits}")
        return value.to_bytes(WORD, "big", signed=True)

    return encode


def _address(value: bytes) -> bytes:
    if len(value) != 20:
        raise EncodingError(f"an address has 20 bytes, not {len(value)}")
    return b"\0\0\0\0\0\0\0\0\0\0\0\0" + value


def _fixed_bytes(size: int) -> Encoder:
    def encode(value: bytes) -> bytes:
        if len(value) != size:
            raise EncodingError(f"bytes{size} has {size} bytes, not {len(value)}")
        return _pad(value)

    return encode


def _bytes(value: bytes) -> bytes:
    return len(value).to_bytes(WORD, "big") + _pad(value)


class Part(NamedTuple):
    """Encoder of a type, and the bytes that it takes in the head; None where its encoding goes to the tail."""

    encode: Encoder
    size: int | None


def split_types(text: str) -> tuple[str, ...]:
    """Types that commas separate, but for commas within the parentheses of a struct."""
    found, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(text[begin:at])
            begin = at + 1
    return (*found, text[begin:]) if text else ()


def list_type(type_name: str) -> tuple[str, int | None] | None:
    """Element type of a list, and its length where the type fixes it; None where a type is no list."""
    match = re.fullmatch(r"(.+)\[(\d{0,6})\]", type_name)
    return (match[1], int(match[2]) if match[2] else None) if match else None


def _sequence(parts: Sequence[Part]) -> Encoder:
    """Encoder of values one after the other, each of its own type: the members of a struct, or arguments."""
    if all(part.size is not None for part in parts):
        encoders = tuple(part.encode for part in parts)
        return lambda values: b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])
    head_size = sum(WORD if part.size is None else part.size for part in parts)

    def encode(values: Any) -> bytes:
        head, tail = b"", b""
        for part, value in zip(parts, values, strict=True):
            encoded = part.encode(value)
            if part.size is None:
                head += (head_size + len(tail)).to_bytes(WORD, "big")
                tail += encoded
            else:
                head += encoded
        return head + tail

    return encode


def _list_of(type_name: str, element: Part, length: int | None) -> Part:
    def encode(values: Sequence[Any]) -> bytes:
        if length is not None and len(values) != length:
            raise EncodingError(f"{type_name} has {length} items, not {len(values)}")
        body = _sequence([element] * len(values))(values)
        return body if length is not None else len(values).to_bytes(WORD, "big") + body

    return Part(encode, None if length is None or element.size is None else length * element.size)


def _struct_of(type_name: str, members: Sequence[Part]) -> Part:
    inside = _sequence(members)

    def encode(values: Sequence[Any]) -> bytes:
        if len(values) != len(members):
            raise EncodingError(f"{type_name} has {len(members)} members, not {len(values)}")
        return inside(values)

    sizes = [part.size for part in members if part.size is not None]
    return Part(encode, sum(sizes) if len(sizes) == len(members) else None)


def encoder(type_name: str) -> Part:
    """Encoder of an ABI type by its canonical name; a struct's is its members' types in parentheses.

    Raises
    ------
    EncodingError
        If there is no such type.
    """
    if nested := list_type(type_name):
        return _list_of(type_name, encoder(nested[0]), nested[1])
    if type_name.startswith("(") and type_name.endswith(")"):
        return _struct_of(type_name, [encoder(name) for name in split_types(type_name[1:-1])])
    match = re.fullmatch(r"(u?int|bytes)([1-9]\d{0,2})", type_name)
    if match and match[1] == "bytes" and int(match[2]) <= WORD:
        return Part(_fixed_bytes(int(match[2])), WORD)
    if match and match[1] != "bytes" and int(match[2]) <= 256 and int(match[2]) % 8 == 0:
        return Part((_signed if match[1] == "int" else _unsigned)(int(match[2])), WORD)
    simple: dict[str, Part] = {
        "address": Part(_address, WORD),
        "bool": Part(_unsigned(1), WORD),
        "bytes": Part(_bytes, None),
        "string": Part(lambda text: _bytes(text.encode()), None),
    }
    if type_name not in simple:
        raise EncodingError(f"no encoder for the ABI type {type_name!r}")
    return simple[type_name]


class Method:
    r"""Method of a contract: called with its arguments, it gives call data.

    Parameters
    ----------
    signature : str
        For instance ``transfer(address,uint256)``.
    selector : bytes
        First bytes of the call data: 4, or none for a constructor.

    Examples
    --------
    >>> Method("transfer(address,uint256)", bytes.fromhex("a9059cbb"))(b"\1" * 20, 5).hex()[:8]
    'a9059cbb'
    """

    def __init__(self, signature: str, selector: bytes) -> None:
        self.signature = signature
        self.selector = selector
        self._parts = tuple(map(encoder, split_types(signature[signature.index("(") + 1 : -1])))
        self._encode = _sequence(self._parts)

    def __call__(self, *arguments: Argument) -> bytes:
        """Encode call data: the selector, then the arguments.

        Raises
        ------
        EncodingError
            If the number of arguments is wrong or a type cannot hold one.
        """
        if len(arguments) != len(self._parts):
            raise EncodingError(f"{self.signature} takes {len(self._parts)} arguments, not {len(arguments)}")
        return self.selector + self._encode(arguments)


@dataclass(frozen=True)
class Artifact:
    """Compiled contract, as `workloads.contracts.compile` writes it.

    Attributes
    ----------
    contract : str
    compiler : dict
        Name, version and settings of the compiler.
    abi : list of dict
    methods : dict[str, str]
        Selector, ``0x`` and 8 hexadecimal digits, by signature.
    layout : dict
        Storage layout, as the compiler writes it.
    bytecode, runtime : str
        Creation and runtime code, ``0x`` and hexadecimal digits. Immutables are not part of the latter.
    """

    contract: str
    compiler: dict[str, Any]
    abi: list[dict[str, Any]]
    methods: dict[str, str]
    layout: dict[str, Any]
    bytecode: str
    runtime: str

    def method(self, name: str) -> Method:
        """Method by its name or, where the name is overloaded, of this full signature.

        Raises
        ------
        LookupError
            If there is none, or more than one.
        """
        found = [signature for signature in self.methods if name in (signature, signature.partition("(")[0])]
        if len(found) != 1:
            raise LookupError(f"{self.contract} has {len(found)} methods {name!r}: {', '.join(found) or 'none'}")
        return Method(found[0], bytes.fromhex(self.methods[found[0]][2:]))

    def creation(self, *arguments: Argument) -> bytes:
        """Init code: the creation code and the constructor's encoded arguments."""
        inputs: list[dict[str, Any]] = next(
            (entry["inputs"] for entry in self.abi if entry["type"] == "constructor"), []
        )
        constructor = Method(f"constructor({','.join(entry['type'] for entry in inputs)})", b"")
        return bytes.fromhex(self.bytecode[2:]) + constructor(*arguments)

    @cached_property
    def slots(self) -> dict[str, int]:
        """Storage slot by variable; a variable of an imported module goes by its own name alone."""
        slots: dict[str, int] = {}

        def collect(variables: dict[str, Any]) -> None:
            for name, entry in variables.items():
                if "slot" in entry and "type" in entry:
                    slots[name] = int(entry["slot"])
                else:
                    collect(entry)

        collect(self.layout["storage_layout"])
        return slots


@cache
def load(name: str) -> Artifact:
    """Load the checked-in artifact of a contract.

    Parameters
    ----------
    name : str
        For instance ``token``.
    """
    return Artifact(**json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8")))


def decode_words(output: bytes) -> tuple[int, ...]:
    """Decode output or call data as words of 32 bytes, which are the values where all types are static."""
    return tuple(int.from_bytes(output[start : start + WORD], "big") for start in range(0, len(output), WORD))
