"""Argument values, as they are written and checked: constants, distributions, addresses, signatures.

=====================================  =====================================================================
``5``, ``"text"``, ``true``, ``[1]``   a constant; integers may be expressions, such as ``"2**256 - 1"``
``{ uniform = [low, high] }``          an integer from low to high, both included
``{ zipf = 1.2, n = 100 }``            an integer from 0 to n - 1; 0 is the most frequent
``{ sequence = [a, b, c] }``           these values in turn; ``{ sequence = 7 }`` counts 7, 8, 9
``{ account = 3 }``                    the address of account 3; of a role, ``{ account = "keeper" }``
``{ account = "uniform" }``            an account's address, all equally likely but the sender's
``{ account = { zipf = 0.94 } }``      an account's address; ranked in an order of its own
``{ earlier = "sender" }``             who sent an earlier transaction, one of the last ``within`` (100)
``{ sender = true }``                  who sends this transaction
``{ contract = "token" }``             the address of a contract of the file
``{ signature = "permit" }``           a signature of the call (`signatures`), or its ``part``: v, r or s
``{ argument = "owner" }``             in a message: the call's argument of this name
``{ nonce = 0 }``                      in a message: what its signer has signed so far in this domain, and this
=====================================  =====================================================================

The integer distributions take ``times`` (a factor) and ``plus`` (added last). Values may stand within lists, and a
struct is the list of its members.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from contend.workloads.contract_file.expressions import integer
from contend.workloads.contract_file.refusal import ValueSpecError, plain, shown
from contend.workloads.contracts.abi import list_type, split_types
from contend.workloads.suggest import nearest

DRAWN = ("uniform", "zipf", "sequence", "earlier", "sender")
ADDRESSES = ("account", "earlier", "sender", "contract")
CALLS_ONLY = ("signature",)
MESSAGES_ONLY = ("argument", "nonce")
KINDS = ("uniform", "zipf", "sequence", "account", "earlier", "sender", "contract", *CALLS_ONLY, *MESSAGES_ONLY)
OPTIONS = {
    "uniform": {"times", "plus"},
    "zipf": {"n", "times", "plus"},
    "sequence": {"times", "plus"},
    "earlier": {"within"},
    "signature": {"part"},
}
WITHIN = 100
MOST_ACCOUNTS = 1_000_000
# Of a constant, and of a list: a block has thousands of calls with it.
MOST_BYTES, MOST_ITEMS = 32_768, 1_000
SIGNATURE_PARTS = {"v": ("uint8", "uint256"), "r": ("bytes32", "uint256"), "s": ("bytes32", "uint256"), "": ("bytes",)}


@dataclass(frozen=True)
class Scope:
    """What a value may refer to, where it stands.

    Attributes
    ----------
    contracts, roles, signatures : collection of str
        Names.
    arguments : mapping or None
        In a message, the type of each argument of the call by name; elsewhere None.
    is_constant : bool
        Whether nothing may be drawn: for what is asked or said once.
    """

    contracts: Collection[str] = ()
    roles: Collection[str] = ()
    signatures: Collection[str] = ()
    arguments: Mapping[str, str] | None = None
    is_constant: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of values that may stand here, but for plain constants."""
        refused: set[str] = set(DRAWN) if self.is_constant else set()
        refused |= set() if self.signatures else set(CALLS_ONLY)
        refused |= set() if self.arguments is not None else set(MESSAGES_ONLY)
        return tuple(kind for kind in KINDS if kind not in refused)


def is_integer(type_name: str) -> bool:
    """Whether an ABI type is one of integers."""
    return re.fullmatch(r"u?int\d+", type_name) is not None


def check_value(value: Any, type_name: str, scope: Scope) -> None:
    """Refuse a value that is neither a constant of an ABI type nor stands for such.

    Parameters
    ----------
    value
        As `tomllib` read it.
    type_name : str
        ABI type.
    scope : Scope

    Raises
    ------
    ValueSpecError
        If it is refused.
    """
    if (types := member_types(value, type_name)) is not None:
        for item, item_type in zip(value, types, strict=True):
            check_value(item, item_type, scope)
    elif isinstance(value, dict):
        _check_kind(value, type_name, scope)
    else:
        constant(value, type_name)


def member_types(value: Any, type_name: str) -> tuple[str, ...] | None:
    """Types of the members of a list or struct; None for other types, and for what stands for a whole list or struct.

    Raises
    ------
    ValueSpecError
        If the type is one of lists or structs, and the value is none, or of another length.
    """
    nested = list_type(type_name)
    is_struct = type_name.endswith(")")
    if (nested is None and not is_struct) or (isinstance(value, dict) and "argument" in value):
        return None
    if not isinstance(value, list):
        raise ValueSpecError(f"{shown(value)} is not a list, as {type_name} needs")
    if len(value) > MOST_ITEMS:
        raise ValueSpecError(f"a list has {len(value)} values; the most is {MOST_ITEMS}")
    types = split_types(type_name[1:-1]) if nested is None else (nested[0],) * len(value)
    length = len(types) if nested is None or nested[1] is None else nested[1]
    if len(value) != length:
        raise ValueSpecError(f"{shown(value)} has {len(value)} values, {type_name} has {length}")
    return types


def _check_kind(value: Mapping[str, Any], type_name: str, scope: Scope) -> None:
    """Refuse a malformed value of some kind, or one of another type. See `check_value`."""
    kinds = [kind for kind in scope.kinds if kind in value]
    if len(kinds) != 1:
        given = ", ".join(map(plain, value)) or "nothing"
        hint = nearest(next(iter(value), ""), scope.kinds)
        raise ValueSpecError(f"{{{given}}}: give exactly one of {', '.join(scope.kinds)}{hint}")
    (kind,), content = kinds, value[kinds[0]]
    if strange := set(value) - {kind} - OPTIONS.get(kind, set()):
        raise ValueSpecError(f"{kind}: unknown option {shown(min(strange))}")
    if kind in ADDRESSES and type_name != "address":
        raise ValueSpecError(f"{kind} gives an address, the type is {type_name}")
    if kind in ("uniform", "zipf", "nonce") and not is_integer(type_name):
        raise ValueSpecError(f"{kind} gives an integer, the type is {type_name}")
    match kind:
        case "uniform":
            if not isinstance(content, list) or len(content) != 2:
                raise ValueSpecError(f"uniform = {shown(content)}: give [low, high]")
            low, high = map(integer, content)
            if not 0 <= high - low < 1 << 52:
                raise ValueSpecError(f"uniform = {shown(content)}: give low <= high, less than 2**52 apart (see times)")
            _check_ends(value, (low, high), type_name)
        case "zipf":
            exponent(content)
            if not 1 <= (n := integer(value.get("n", 0))) <= MOST_ACCOUNTS:
                raise ValueSpecError("zipf: say how many values there are, as in { zipf = 1.2, n = 100 }")
            _check_ends(value, (0, n - 1), type_name)
        case "sequence":
            _check_sequence(value, type_name, scope)
        case "account":
            _check_account(content, scope)
        case "earlier":
            if content != "sender" or not 1 <= integer(value.get("within", WITHIN)) <= MOST_ACCOUNTS:
                raise ValueSpecError('earlier: give { earlier = "sender", within = 100 }')
        case "sender":
            if content is not True:
                raise ValueSpecError("sender: give { sender = true }")
        case "contract":
            check_name(content, "contract", scope.contracts)
        case "signature":
            _check_part(value, type_name, scope)
        case "nonce":
            constant(content, type_name)
        case "argument":
            known = scope.arguments or {}
            check_name(content, "argument", known)
            if known[content] != type_name:
                raise ValueSpecError(f"argument {content!r} is of type {known[content]}, needed is {type_name}")


def check_name(name: Any, what: str, known: Collection[str]) -> None:
    """Refuse a name that is not among those known."""
    if not isinstance(name, str) or name not in known:
        listed = ", ".join(map(plain, known)) or "none"
        hint = nearest(name, known) if isinstance(name, str) else ""
        raise ValueSpecError(f"unknown {what} {shown(name)}{hint}; known are {listed}")


def _check_ends(value: Mapping[str, Any], ends: tuple[int, int], type_name: str) -> None:
    """Refuse a distribution whose least or greatest value the type cannot hold."""
    for end in ends:
        constant(end * integer(value.get("times", 1)) + integer(value.get("plus", 0)), type_name)


def _check_sequence(value: Mapping[str, Any], type_name: str, scope: Scope) -> None:
    content = value["sequence"]
    if not isinstance(content, list):
        if not is_integer(type_name):
            raise ValueSpecError(f"sequence = {shown(content)} counts integers, the type is {type_name}: give a list")
        first = integer(content)
        _check_ends(value, (first, first), type_name)
        return
    if content == [] or len(value) > 1:
        raise ValueSpecError("sequence: is empty" if content == [] else "sequence: a list takes no times and no plus")
    for item in content:
        check_value(item, type_name, scope)


def _check_account(content: Any, scope: Scope) -> None:
    if isinstance(content, str) and content in scope.roles:
        return
    if isinstance(content, int) and not isinstance(content, bool) and 0 <= content < MOST_ACCOUNTS:
        return
    if not scope.is_constant and content == "uniform":
        return
    if not scope.is_constant and isinstance(content, dict) and set(content) == {"zipf"}:
        exponent(content["zipf"])
        return
    drawn = "" if scope.is_constant else '"uniform", { zipf = 0.94 }, '
    raise ValueSpecError(
        f"account = {shown(content)}: give a number below {MOST_ACCOUNTS}, {drawn}or one of {', '.join(scope.roles)}"
    )


def _check_part(value: Mapping[str, Any], type_name: str, scope: Scope) -> None:
    check_name(value["signature"], "signature", scope.signatures)
    part = value.get("part", "")
    if not isinstance(part, str) or part not in SIGNATURE_PARTS:
        raise ValueSpecError(f'part = {shown(part)}: give "v", "r" or "s", or none for all 65 bytes')
    if type_name not in SIGNATURE_PARTS[part]:
        what = f"part {part} of a signature" if part else "a signature"
        raise ValueSpecError(f"{what} is of type {SIGNATURE_PARTS[part][0]}, the argument's is {type_name}")


def exponent(value: Any) -> float:
    """Zipf exponent, from 0 to 5."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5:
        raise ValueSpecError(f"zipf = {shown(value)}: the exponent is a number from 0 to 5")
    return float(value)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise ValueSpecError(f"a value has {size} bytes; the most is {MOST_BYTES}")


def constant(value: Any, type_name: str) -> Any:
    """Constant of an ABI type, as the encoder takes it."""
    if is_integer(type_name):
        number = integer(value)
        bits, signed = int(re.sub(r"\D", "", type_name)), type_name.startswith("i")
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= number < high:
            raise ValueSpecError(f"{shown(number)} is not a value of {type_name}")
        return number
    if type_name == "bool":
        if not isinstance(value, bool):
            raise ValueSpecError(f"{shown(value)} is neither true nor false")
        return value
    if type_name == "string":
        if not isinstance(value, str):
            raise ValueSpecError(f"{shown(value)} is not a text")
        _check_size(len(value.encode()))
        return value
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) and value.startswith("0x") else None
    except ValueError:
        data = None
    if data is None:
        raise ValueSpecError(f"{shown(value)} is not of type {type_name}: give 0x and hexadecimal digits")
    _check_size(len(data))
    size = 20 if type_name == "address" else int(type_name.removeprefix("bytes") or len(data))
    if len(data) != size:
        raise ValueSpecError(f"{shown(value)} has {len(data)} bytes, {type_name} has {size}")
    return data
