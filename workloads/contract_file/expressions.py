"""Integer expressions: ``"2**256 - 1"``, ``"5 * 10**18"``, ``"1.5 ether"``, ``"30 days"``.

An expression is parsed by Python's `ast` and evaluated here, node by node: of the language there are integers, the
operators below and parentheses, and nothing that could call, look up or loop. No intermediate result may be longer than
`MOST_BITS`, which is asked before a power or a shift is computed, so that no text of a few characters takes minutes.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from contend.workloads.contract_file.refusal import ValueSpecError, shown

MOST_BITS = 1_024
MOST_CHARACTERS = 200
UNITS = {
    "wei": 1,
    "gwei": 10**9,
    "ether": 10**18,
    "seconds": 1,
    "minutes": 60,
    "hours": 3_600,
    "days": 86_400,
    "weeks": 604_800,
}
HINT = 'write 7, "10**18", "2**256 - 1", "0xff" or "1.5 ether"'

# A number with its exponent and unit, an operator, a parenthesis. In the order in which they are tried.
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<hex>0[xX][0-9a-fA-F_]+)
        | (?P<digits>\d[\d_]*)(?:\.(?P<fraction>\d+))?(?:[eE](?P<exponent>\d{1,3}))?(?:\s*(?P<unit>[a-z]+))?
        | (?P<operator>\*\*|<<|>>|//|[-+*%()])
    )\s*""",
    re.VERBOSE | re.ASCII,
)
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.Pow: operator.pow,
}


def integer(value: Any) -> int:
    """Integer of a contract file: one as TOML has it, or a text with an expression.

    Raises
    ------
    ValueSpecError
        If it is neither, or too large to be meant.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return _bounded(value)
        except ValueSpecError as error:
            raise ValueSpecError(f"{shown(value)} is {error}") from None
    if not isinstance(value, str):
        raise ValueSpecError(f"{shown(value)} is not an integer: {HINT}")
    if len(value) > MOST_CHARACTERS:
        raise ValueSpecError(f"{shown(value)} is too long: an expression has at most {MOST_CHARACTERS} characters")
    try:
        tree = ast.parse(_in_python(value), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueSpecError(f"{shown(value)} is not an integer: {HINT}") from None
    try:
        return _evaluate(tree.body)
    except ValueSpecError as error:
        raise ValueSpecError(f"{shown(value)}: {error}") from None
    except RecursionError:
        raise ValueSpecError(f"{shown(value)} is nested too deeply") from None


def _in_python(text: str) -> str:
    """An expression whose numbers and units Python reads; what is neither is not let through."""
    at, parts = 0, []
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(text)
        at = found.end()
        parts.append(found["operator"] or str(_number(found)))
    # Numbers side by side are no number.
    return " ".join(parts)


def _number(found: re.Match[str]) -> int:
    if found["hex"]:
        return _bounded(int(found["hex"], 16))
    digits, fraction, exponent = found["digits"].replace("_", ""), found["fraction"] or "", int(found["exponent"] or 0)
    if (unit := found["unit"] or "wei") not in UNITS:
        raise ValueError(unit)
    if exponent * 4 > MOST_BITS:
        raise ValueError(exponent)
    whole, rest = divmod(int(digits + fraction) * 10**exponent * UNITS[unit], 10 ** len(fraction))
    if rest:
        raise ValueError("a fraction is left")
    return _bounded(whole)


def _bounded(value: int) -> int:
    if value.bit_length() > MOST_BITS:
        raise ValueSpecError(f"larger than {MOST_BITS} bits")
    return value


def _evaluate(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand)
        case ast.BinOp(left=first, op=kind, right=second) if type(kind) in _OPERATORS:
            return _bounded(_apply(kind, _evaluate(first), _evaluate(second)))
    raise ValueSpecError(HINT)


def _apply(kind: ast.operator, left: int, right: int) -> int:
    if isinstance(kind, ast.FloorDiv | ast.Mod) and right == 0:
        raise ValueSpecError("division by zero")
    if isinstance(kind, ast.Pow | ast.LShift | ast.RShift) and right < 0:
        raise ValueSpecError("an exponent, or the width of a shift, is negative")
    # Before it is computed. One, zero and minus one stay small whatever the exponent, but who means that?
    grown = left.bit_length() * right if isinstance(kind, ast.Pow) else left.bit_length() + right
    if isinstance(kind, ast.Pow | ast.LShift) and max(grown, right) > 2 * MOST_BITS:
        raise ValueSpecError(f"larger than {MOST_BITS} bits")
    return _OPERATORS[type(kind)](left, right)
