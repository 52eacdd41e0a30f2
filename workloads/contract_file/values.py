"""Argument values: constants, or distributions from which each transaction draws.

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

from contend.workloads.building.accounts import Accounts
from contend.workloads.building.sampling import RandomStream, Zipf
from contend.workloads.suggest import nearest

KINDS = ("uniform", "zipf", "sequence", "account", "earlier", "sender", "contract")
WITHIN = 100
OPTIONS = {
    "uniform": {"times", "plus"},
    "zipf": {"n", "times", "plus"},
    "sequence": {"times", "plus"},
    "earlier": {"within"},
}

Sampler = Callable[[int], Any]


class ValueSpecError(ValueError):
    """Value that is neither a constant nor a distribution, or that its type cannot hold. The message is one line."""


@dataclass
class DrawContext:
    """Context of draws: the accounts, contracts and senders that values refer to.

    Attributes
    ----------
    accounts : Accounts
    account_count : int
    draw_count : int
        Number of transactions (or set-up calls) for which values are drawn.
    contracts : dict[str, bytes]
        Address by name.
    senders : list[int]
        Account indices of the senders of all transactions so far, last of the one that is being generated.
    stream : callable
        Random stream by name.
    """

    accounts: Accounts
    account_count: int
    draw_count: int
    contracts: dict[str, bytes]
    stream: Callable[[str], RandomStream]
    senders: list[int] = field(default_factory=list)


def integer(value: Any) -> int:
    """Parse an integer, written as one or as a text such as ``"1_000"`` or ``"5 * 10**18"``.

    Raises
    ------
    ValueSpecError
        If it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(?:(-?[\d_]+)\s*\*\s*)?10\*\*(\d{1,2})\s*", value)):
        factor, power = int(match[1] or "1"), int(match[2])
        return int(factor * 10**power)
    if isinstance(value, str) and re.fullmatch(r"-?\d[\d_]*|0x[0-9a-fA-F]+", value.strip()):
        return int(value.strip(), 0)
    raise ValueSpecError(f"{value!r} is not an integer")


def check_value(value: Any, type_name: str, contracts: Sequence[str]) -> None:
    """Refuse a value that is neither a constant of an ABI type nor a distribution of such.

    Parameters
    ----------
    value
        As `tomllib` read it.
    type_name : str
        ABI type.
    contracts : sequence of str
        Names that ``{ contract = ... }`` may give.

    Raises
    ------
    ValueSpecError
        If it is refused.
    """
    if type_name.endswith("[]"):
        if not isinstance(value, list):
            raise ValueSpecError(f"{value!r} is not a list, as {type_name} needs")
        for item in value:
            check_value(item, type_name[:-2], contracts)
        return
    if isinstance(value, dict):
        _check_distribution(value, type_name, contracts)
    else:
        _constant(value, type_name)


def _check_distribution(value: Mapping[str, Any], type_name: str, contracts: Sequence[str]) -> None:
    """Refuse a malformed distribution, or one of another type. See `check_value`."""
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        given = ", ".join(value) or "nothing"
        raise ValueSpecError(
            f"{{{given}}}: give exactly one of {', '.join(KINDS)}{nearest(next(iter(value), ''), KINDS)}"
        )
    (kind,), content = kinds, value[kinds[0]]
    if strange := set(value) - {kind} - OPTIONS.get(kind, set()):
        raise ValueSpecError(f"{kind}: unknown option {min(strange)!r}")
    gives_address = kind in ("account", "earlier", "sender", "contract")
    if gives_address != (type_name == "address") and kind != "sequence":
        raise ValueSpecError(f"{kind} gives {'an address' if gives_address else 'an integer'}, the type is {type_name}")
    if kind in ("uniform", "zipf") and not re.match(r"u?int", type_name):
        raise ValueSpecError(f"{kind} gives an integer, the type is {type_name}")
    match kind:
        case "uniform":
            if not isinstance(content, list) or len(content) != 2:
                raise ValueSpecError(f"uniform = {content!r}: give [low, high]")
            low, high = map(integer, content)
            if not 0 <= high - low < 1 << 52:
                raise ValueSpecError(f"uniform = {content!r}: give low <= high, less than 2**52 apart (see times)")
        case "zipf":
            _exponent(content)
            if not 1 <= integer(value.get("n", 0)) <= 1_000_000:
                raise ValueSpecError("zipf: say how many values there are, as in { zipf = 1.2, n = 100 }")
        case "sequence":
            for item in content if isinstance(content, list) else [content]:
                _constant(item, type_name)
            if content == []:
                raise ValueSpecError("sequence: is empty")
        case "account":
            if isinstance(content, dict):
                if set(content) != {"zipf"}:
                    raise ValueSpecError('account: give a number, "uniform", or { zipf = 0.94 }')
                _exponent(content["zipf"])
            elif content != "uniform" and (not isinstance(content, int) or isinstance(content, bool) or content < 0):
                raise ValueSpecError(f'account = {content!r}: give a number, "uniform", or {{ zipf = 0.94 }}')
        case "earlier":
            if content != "sender" or not 1 <= integer(value.get("within", WITHIN)) <= 1_000_000:
                raise ValueSpecError('earlier: give { earlier = "sender", within = 100 }')
        case "sender":
            if content is not True:
                raise ValueSpecError("sender: give { sender = true }")
        case "contract":
            if content not in contracts:
                raise ValueSpecError(f"unknown contract {content!r}{nearest(str(content), contracts)}")
    for option in ("times", "plus"):
        integer(value.get(option, 1))


def _exponent(value: Any) -> float:
    """Zipf exponent, from 0 to 5."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5:
        raise ValueSpecError(f"zipf = {value!r}: the exponent is a number from 0 to 5")
    return float(value)


def _constant(value: Any, type_name: str) -> Any:
    """Constant of an ABI type, as the encoder takes it."""
    if re.fullmatch(r"u?int\d+", type_name):
        number = integer(value)
        bits, signed = int(re.sub(r"\D", "", type_name)), type_name.startswith("i")
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= number < high:
            raise ValueSpecError(f"{number} is not a value of {type_name}")
        return number
    if type_name == "bool":
        if not isinstance(value, bool):
            raise ValueSpecError(f"{value!r} is neither true nor false")
        return value
    if type_name == "string":
        if not isinstance(value, str):
            raise ValueSpecError(f"{value!r} is not a text")
        return value
    try:
        data = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        data = None
    if not isinstance(value, str) or data is None or not value.startswith("0x"):
        raise ValueSpecError(f"{value!r} is not of type {type_name}: give 0x and hexadecimal digits")
    size = 20 if type_name == "address" else int(type_name.removeprefix("bytes") or len(data))
    if len(data) != size:
        raise ValueSpecError(f"{value!r} has {len(data)} bytes, {type_name} has {size}")
    return data


def make_sampler(value: Any, type_name: str, name: str, context: DrawContext) -> Sampler:
    """Make the function from a transaction's index to its value, to be called with ascending indices.

    Parameters
    ----------
    value, type_name
        Already checked (`check_value`).
    name : str
        Name of the random stream.
    context : DrawContext
    """
    if type_name.endswith("[]"):
        items = [make_sampler(item, type_name[:-2], f"{name}/{i}", context) for i, item in enumerate(value)]
        return lambda index: [item(index) for item in items]
    if not isinstance(value, dict):
        constant = _constant(value, type_name)
        return lambda index: constant
    if "sender" in value:
        return lambda index: context.accounts[context.senders[-1]]
    if "contract" in value:
        return lambda index: context.contracts[value["contract"]]
    if "sequence" in value:
        return _sequence(value, type_name)
    if "earlier" in value:
        return _earlier(integer(value.get("within", WITHIN)), name, context)
    if "account" in value:
        return _account(value["account"], name, context)
    times, plus = integer(value.get("times", 1)), integer(value.get("plus", 0))
    if "uniform" in value:
        low, high = map(integer, value["uniform"])
        drawn = (context.stream(name).below(high - low + 1, context.draw_count)).tolist()
        return lambda index: (low + drawn[index]) * times + plus
    ranks = Zipf(integer(value["n"]), _exponent(value["zipf"])).draw(context.stream(name), context.draw_count).tolist()
    return lambda index: ranks[index] * times + plus


def _sequence(value: Mapping[str, Any], type_name: str) -> Sampler:
    """Sampler of a sequence: the n-th draw gives the n-th value, whatever other calls are between."""
    calls = iter(range(1 << 62))
    content = value["sequence"]
    if isinstance(content, list):
        items = [_constant(item, type_name) for item in content]
        return lambda index: items[next(calls) % len(items)]
    start, times, plus = integer(content), integer(value.get("times", 1)), integer(value.get("plus", 0))
    return lambda index: (start + next(calls)) * times + plus


def _earlier(within: int, name: str, context: DrawContext) -> Sampler:
    """Sampler of the sender of one of the last `within` transactions."""
    points = context.stream(name).raw(context.draw_count).tolist()

    def draw(index: int) -> bytes:
        # The last of the senders sends this transaction. The first transaction has none before it but itself.
        reach = min(within, len(context.senders) - 1)
        position = len(context.senders) - 2 - points[index] % reach if reach else 0
        return context.accounts[context.senders[position]]

    return draw


def _account(content: Any, name: str, context: DrawContext) -> Sampler:
    """Sampler of accounts' addresses: of one account, uniform, or by a Zipf distribution."""
    if isinstance(content, int):
        return lambda index: context.accounts[content]
    exponent = 0.0 if content == "uniform" else _exponent(content["zipf"])
    order = context.stream(f"{name}/ranks").permutation(context.account_count)
    chosen = order[Zipf(context.account_count, exponent).draw(context.stream(name), context.draw_count)].tolist()

    def draw(index: int) -> bytes:
        account = chosen[index]
        # Never the sender itself: that would be a transaction without a counterpart.
        return context.accounts[(account + 1) % context.account_count if account == context.senders[-1] else account]

    return draw
