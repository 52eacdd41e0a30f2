"""Contract artifacts and ABI encoding of calls.

The encoding is the contract ABI's (Solidity documentation, "Contract ABI Specification") for the types that the
contracts here take: integers, addresses, booleans, fixed bytes, bytes, strings, and lists of those that do not vary in
size. A method prepares its encoders once, so that generating a block costs about a microsecond a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

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


def _list_of(element: Encoder) -> Encoder:
    def encode(values: Sequence[Any]) -> bytes:
        return len(values).to_bytes(WORD, "big") + b"".join(map(element, values))

    return encode


def _encoder(type_name: str) -> tuple[Encoder, bool]:
    """Encoder of an ABI type, and whether its encoding goes to the tail."""
    if type_name.endswith("[]"):
        element, dynamic = _encoder(type_name[:-2])
        if dynamic:
            raise EncodingError(f"no encoder for {type_name}: its elements vary in size")
        return _list_of(element), True
    if match := re.fullmatch(r"uint(\d+)", type_name):
        return _unsigned(int(match[1])), False
    if match := re.fullmatch(r"int(\d+)", type_name):
        return _signed(int(match[1])), False
    if match := re.fullmatch(r"bytes(\d+)", type_name):
        return _fixed_bytes(int(match[1])), False
    simple: dict[str, tuple[Encoder, bool]] = {
        "address": (_address, False),
        "bool": (_unsigned(1), False),
        "bytes": (_bytes, True),
        "string": (lambda text: _bytes(text.encode()), True),
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
        types = signature[signature.index("(") + 1 : -1]
        self._encoders = tuple(_encoder(name) for name in types.split(",")) if types else ()
        self._static = tuple(encoder for encoder, dynamic in self._encoders if not dynamic)
        self._is_static = len(self._static) == len(self._encoders)

    def __call__(self, *arguments: Argument) -> bytes:
        """Encode call data: the selector, then the arguments.

        Raises
        ------
        EncodingError
            If the number of arguments is wrong or a type cannot hold one.
        """
        if len(arguments) != len(self._encoders):
            raise EncodingError(f"{self.signature} takes {len(self._encoders)} arguments, not {len(arguments)}")
        if self._is_static:
            return self.selector + b"".join(
                [encode(value) for encode, value in zip(self._static, arguments, strict=True)]
            )
        head, tail = [], b""
        for (encode, dynamic), value in zip(self._encoders, arguments, strict=True):
            encoded = encode(value)
            if dynamic:
                head.append((WORD * len(arguments) + len(tail)).to_bytes(WORD, "big"))
                tail += encoded
            else:
                head.append(encoded)
        return self.selector + b"".join(head) + tail


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
