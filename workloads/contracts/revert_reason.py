"""Revert reasons: what a contract returned when it gave up, as text.

Solidity's and Vyper's ``require`` and ``assert`` encode a text as ``Error(string)``, checked arithmetic and the like a
number as ``Panic(uint256)``; errors that a contract declares itself are in its interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contend.workloads.contracts.keccak_digest import keccak_digest

_ERROR, _PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")
_SELECTOR, _WORD, _MOST_CHARACTERS = 4, 32, 80
# Solidity documentation, "Panic via assert and Error via require".
_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic over- or underflow",
    0x12: "division by zero",
    0x21: "not a value of the enum",
    0x22: "malformed bytes in storage",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "too much memory",
    0x51: "call of an internal function that is not set",
}


def declared_errors(abi: Iterable[Mapping[str, Any]]) -> dict[bytes, str]:
    """Name by selector of the errors that an interface declares."""
    found = {}
    for item in abi:
        if isinstance(item, dict) and item.get("type") == "error":
            types = ",".join(str(one.get("type")) for one in item.get("inputs", []))
            name = str(item.get("name"))
            found[keccak_digest(f"{name}({types})".encode())[:_SELECTOR]] = name
    return found


def revert_reason(output: bytes, declared: Mapping[bytes, str]) -> str:
    """Reason in what a transaction or call returned when it reverted; the empty text where it gave none.

    Parameters
    ----------
    output : bytes
    declared : mapping
        Name by selector of errors that contracts declare (`declared_errors`).
    """
    selector, rest = output[:_SELECTOR], output[_SELECTOR:]
    if selector == _ERROR and len(rest) >= 2 * _WORD:
        size = int.from_bytes(rest[_WORD : 2 * _WORD], "big")
        text = rest[2 * _WORD : 2 * _WORD + min(size, _MOST_CHARACTERS)].decode(errors="replace")
        return "".join(character if character.isprintable() else "?" for character in text)
    if selector == _PANIC and len(rest) == _WORD:
        code = int.from_bytes(rest, "big")
        return _PANICS.get(code, f"panic 0x{code:x}")
    if selector in declared:
        return declared[selector]
    return f"0x{output[:_SELECTOR].hex()}.." if output else ""
