"""A few lines of assembler, so that contracts made to go wrong can be read."""

from __future__ import annotations

from contend.evm import opcodes

_NUMBERS = {name: number for number, name in opcodes.NAMES.items()}


def assemble(source: str) -> bytes:
    """Bytecode of a program: opcode names; numbers and ``:label`` are pushed, ``label:`` is a jump destination.

    Numbers are pushed with as few bytes as they need; labels always with two.
    """
    code, labels, uses = bytearray(), {}, []
    for token in source.split():
        if token.endswith(":"):
            labels[token[:-1]] = len(code)
            code.append(opcodes.JUMPDEST)
        elif token.startswith(":"):
            uses.append((len(code) + 1, token[1:]))
            code += bytes((opcodes.PUSH1 + 1, 0, 0))
        elif token[0].isdigit():
            value = int(token, 0)
            size = (value.bit_length() + 7) // 8
            code.append(opcodes.PUSH0 + size)
            code += value.to_bytes(size, "big")
        else:
            code.append(_NUMBERS[token])
    for at, label in uses:
        code[at : at + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)
