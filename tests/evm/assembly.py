"""Bytecode by hand: the little that tests of single instructions need."""

from __future__ import annotations

from contend.evm import opcodes as op

NUMBERS = {name: number for number, name in op.NAMES.items()}


def push(value: int, width: int | None = None) -> bytes:
    """The shortest PUSH of a value, or one of this width."""
    width = (value.bit_length() + 7) // 8 if width is None else width
    return bytes([op.PUSH0 + width]) + value.to_bytes(width, "big")


def assemble(*parts: str | int | bytes) -> bytes:
    """Instructions by name, integers as pushes, bytes as they are.

    A string may name several instructions: ``assemble(1, 2, "ADD PUSH0 MSTORE")``.
    """
    code = b""
    for part in parts:
        if isinstance(part, bytes):
            code += part
        elif isinstance(part, int):
            code += push(part)
        else:
            code += bytes(NUMBERS[name] for name in part.split())
    return code


RETURN_TOP = assemble("PUSH0 MSTORE", 32, "PUSH0 RETURN")


def call(
    operation: str, to: bytes, gas: int | None = None, value: int = 0, data: tuple[int, int] = (0, 0),
    into: tuple[int, int] = (0, 0),
) -> bytes:  # fmt: skip
    """A call of `to`, with call data and return window as (offset, size), and all gas unless told."""
    parts: list[str | int | bytes] = [into[1], into[0], data[1], data[0]]
    if operation in ("CALL", "CALLCODE"):
        parts.append(value)
    parts += [push(int.from_bytes(to, "big"), 20), "GAS" if gas is None else gas, operation]
    return assemble(*parts)
