"""Values of arguments: written as they are, or as a distribution from which each transaction draws.

=====================================  =====================================================================
``5``, ``"text"``, ``true``, ``[1]``   a constant; integers may also be texts, such as ``"10**18"``
``{ uniform = [low, high] }``          an integer from low to high, both included
``{ zipf = 1.2, n = 100 }``            an integer from 0 to n - 1; 0 is the most frequent
``{ sequence = [a, b, c] }``           these in turn; ``{ sequence = 7 }`` counts 7, 8, 9
``{ account = 3 }``                    the address of account 3
``{ account = "uniform" }``            an account's address, all equally likely but the sender's
``{ account = { zipf = 0.94 } }``      an account's address; ranked in an order of its own
``{ earlier = "sender" }``             who sent an earlier transaction, one of the last ``within`` (100)
``{ sender = true }``                  who sends this transaction
``{ contract = "token" }``             the address of a contract of the file
=====================================  =====================================================================

The integer distributions take ``times`` (a factor) and ``plus`` (added last). Distributions may stand within lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workloads.accounts import Accounts
from workloads.sampling import Stream, Zipf
from workloads.suggest import nearest

KINDS = ("uniform", "zipf", "sequence", "account", "earlier", "sender", "contract")
WITHIN = 100
OPTIONS = {
    "uniform": {"times", "plus"},
    "zipf": {"n", "times", "plus"},
    "sequence": {"times", "plus"},
    "earlier": {"within"},
}

Draw = Callable[[int], Any]


class ValueFileError(ValueError):
    """A value that means nothing, or that its type cannot hold. The message is one line."""


@dataclass
class Surroundings:
    """What values can refer to while a scenario is written.

    Attributes
    ----------
    accounts : Accounts
    count : int
        Accounts that there are.
    size : int
        Transactions of which values are drawn.
    contracts : dict[str, bytes]
        Address by name.
    senders : list[int]
        Who sent the transactions so far, and last the one that is being written.
    stream : callable
        From a name to a random stream.
    """

    accounts: Accounts
    count: int
    size: int
    contracts: dict[str, bytes]
    stream: Callable[[str], Stream]
    senders: list[int] = field(default_factory=list)


def integer(value: Any) -> int:
    """An integer written as one or as a text such as ``"1_000"`` or ``"5 * 10**18"``.

    Raises
    ------
    ValueFileError
        If it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(?:(-?[\d_]+)\s*\*\s*)?10\*\*(\d{1,2})\s*", value)):
        factor, power = int(match[1] or "1"), int(match[2])
        return int(factor * 10**power)
    if isinstance(value, str) and re.fullmatch(r"-?\d[\d_]*|0x[0-9a-fA-F]+", value.strip()):
        return int(value.strip(), 0)
    raise ValueFileError(f"{value!r} is not an integer")


def check(value: Any, type_name: str, contracts: Sequence[str]) -> None:
    """Refuse a value that is no value of an ABI type, and no distribution that gives one.

    Raises
    ------
    ValueFileError
        With what is wrong.
    """
    if type_name.endswith("[]"):
        if not isinstance(value, list):
            raise ValueFileError(f"{value!r} is not a list, as {type_name} needs")
        for item in value:
            check(item, type_name[:-2], contracts)
        return
    if isinstance(value, dict):
        _check_distribution(value, type_name, contracts)
    else:
        _constant(value, type_name)


def _check_distribution(value: Mapping[str, Any], type_name: str, contracts: Sequence[str]) -> None:
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        given = ", ".join(value) or "nothing"
        raise ValueFileError(
            f"{{{given}}}: give exactly one of {', '.join(KINDS)}{nearest(next(iter(value), ''), KINDS)}"
        )
    (kind,), content = kinds, value[kinds[0]]
    if strange := set(value) - {kind} - OPTIONS.get(kind, set()):
        raise ValueFileError(f"{kind}: unknown option {min(strange)!r}")
    gives_address = kind in ("account", "earlier", "sender", "contract")
    if gives_address != (type_name == "address") and kind != "sequence":
        raise ValueFileError(f"{kind} gives {'an address' if gives_address else 'an integer'}, the type is {type_name}")
    if kind in ("uniform", "zipf") and not re.match(r"u?int", type_name):
        raise ValueFileError(f"{kind} gives an integer, the type is {type_name}")
    match kind:
        case "uniform":
            if not isinstance(content, list) or len(content) != 2:
                raise ValueFileError(f"uniform = {content!r}: give [low, high]")
            low, high = map(integer, content)
            if not 0 <= high - low < 1 << 52:
                raise ValueFileError(f"uniform = {content!r}: give low <= high, less than 2**52 apart (see times)")
        case "zipf":
            _exponent(content)
            if not 1 <= integer(value.get("n", 0)) <= 1_000_000:
                raise ValueFileError("zipf: say how many values there are, as in { zipf = 1.2, n = 100 }")
        case "sequence":
            for item in content if isinstance(content, list) else [content]:
                _constant(item, type_name)
            if content == []:
                raise ValueFileError("sequence: is empty")
        case "account":
            if isinstance(content, dict):
                if set(content) != {"zipf"}:
                    raise ValueFileError('account: give a number, "uniform", or { zipf = 0.94 }')
                _exponent(content["zipf"])
            elif content != "uniform" and (not isinstance(content, int) or isinstance(content, bool) or content < 0):
                raise ValueFileError(f'account = {content!r}: give a number, "uniform", or {{ zipf = 0.94 }}')
        case "earlier":
            if content != "sender" or not 1 <= integer(value.get("within", WITHIN)) <= 1_000_000:
                raise ValueFileError('earlier: give { earlier = "sender", within = 100 }')
        case "sender":
            if content is not True:
                raise ValueFileError("sender: give { sender = true }")
        case "contract":
            if content not in contracts:
                raise ValueFileError(f"unknown contract {content!r}{nearest(str(content), contracts)}")
    for option in ("times", "plus"):
        integer(value.get(option, 1))


def _exponent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5:
        raise ValueFileError(f"zipf = {value!r}: the exponent is a number from 0 to 5")
    return float(value)


def _constant(value: Any, type_name: str) -> Any:
    """A constant as the encoder takes it."""
    if re.fullmatch(r"u?int\d+", type_name):
        number = integer(value)
        bits, signed = int(re.sub(r"\D", "", type_name)), type_name.startswith("i")
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= number < high:
            raise ValueFileError(f"{number} is not a value of {type_name}")
        return number
    if type_name == "bool":
        if not isinstance(value, bool):
            raise ValueFileError(f"{value!r} is neither true nor false")
        return value
    if type_name == "string":
        if not isinstance(value, str):
            raise ValueFileError(f"{value!r} is not a text")
        return value
    try:
        data = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        data = None
    if not isinstance(value, str) or data is None or not value.startswith("0x"):
        raise ValueFileError(f"{value!r} is not of type {type_name}: give 0x and hexadecimal digits")
    size = 20 if type_name == "address" else int(type_name.removeprefix("bytes") or len(data))
    if len(data) != size:
        raise ValueFileError(f"{value!r} has {len(data)} bytes, {type_name} has {size}")
    return data


def drawing(value: Any, type_name: str, name: str, around: Surroundings) -> Draw:
    """What gives the value for each transaction by its number, in ascending order.

    Parameters
    ----------
    value, type_name
        Already checked.
    name : str
        Of the random stream.
    """
    if type_name.endswith("[]"):
        items = [drawing(item, type_name[:-2], f"{name}/{place}", around) for place, item in enumerate(value)]
        return lambda number: [item(number) for item in items]
    if not isinstance(value, dict):
        constant = _constant(value, type_name)
        return lambda number: constant
    if "sender" in value:
        return lambda number: around.accounts[around.senders[-1]]
    if "contract" in value:
        return lambda number: around.contracts[value["contract"]]
    if "sequence" in value:
        return _sequence(value, type_name)
    if "earlier" in value:
        return _earlier(integer(value.get("within", WITHIN)), name, around)
    if "account" in value:
        return _account(value["account"], name, around)
    times, plus = integer(value.get("times", 1)), integer(value.get("plus", 0))
    if "uniform" in value:
        low, high = map(integer, value["uniform"])
        drawn = (around.stream(name).below(high - low + 1, around.size)).tolist()
        return lambda number: (low + drawn[number]) * times + plus
    ranks = Zipf(integer(value["n"]), _exponent(value["zipf"])).draw(around.stream(name), around.size).tolist()
    return lambda number: ranks[number] * times + plus


def _sequence(value: Mapping[str, Any], type_name: str) -> Draw:
    """Values in turn: the n-th call gives the n-th, whatever stands between the calls."""
    calls = iter(range(1 << 62))
    content = value["sequence"]
    if isinstance(content, list):
        items = [_constant(item, type_name) for item in content]
        return lambda number: items[next(calls) % len(items)]
    start, times, plus = integer(content), integer(value.get("times", 1)), integer(value.get("plus", 0))
    return lambda number: (start + next(calls)) * times + plus


def _earlier(within: int, name: str, around: Surroundings) -> Draw:
    points = around.stream(name).raw(around.size).tolist()

    def draw(number: int) -> bytes:
        # The last of the senders sends this transaction. The first transaction has none before it but itself.
        reach = min(within, len(around.senders) - 1)
        place = len(around.senders) - 2 - points[number] % reach if reach else 0
        return around.accounts[around.senders[place]]

    return draw


def _account(content: Any, name: str, around: Surroundings) -> Draw:
    if isinstance(content, int):
        return lambda number: around.accounts[content]
    exponent = 0.0 if content == "uniform" else _exponent(content["zipf"])
    order = around.stream(f"{name}/ranks").permutation(around.count)
    chosen = order[Zipf(around.count, exponent).draw(around.stream(name), around.size)].tolist()

    def draw(number: int) -> bytes:
        account = chosen[number]
        # Nobody pays itself by chance: that would be a transaction without a counterpart.
        return around.accounts[(account + 1) % around.count if account == around.senders[-1] else account]

    return draw
