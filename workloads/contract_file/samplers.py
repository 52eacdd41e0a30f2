"""Samplers of argument values: functions from a transaction's index to its value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contend.workloads.building.keys import RoleAccounts
from contend.workloads.building.sampling import RandomStream, Zipf
from contend.workloads.contract_file.expressions import integer
from contend.workloads.contract_file.values import WITHIN, constant, exponent, member_types

Sampler = Callable[[int], Any]


@dataclass
class DrawContext:
    """Context of draws: the accounts, contracts and senders that values refer to.

    Attributes
    ----------
    accounts : RoleAccounts
    account_count : int
    draw_count : int
        Number of transactions (or set-up calls) for which values are drawn.
    contracts : dict[str, bytes]
        Address by name.
    stream : callable
        Random stream by name.
    senders : list[int]
        Account indices of the senders of all transactions so far, last of the one that is being generated.
    arguments : dict[str, Any]
        Arguments of the call that is being generated, by name; for messages.
    signed : dict[tuple[bytes, bytes], int]
        Signatures made so far, by domain and signer: a contract counts those of all its methods together.
    signer : list[bytes]
        Signer of the message that is being generated.
    """

    accounts: RoleAccounts
    account_count: int
    draw_count: int
    contracts: dict[str, bytes]
    stream: Callable[[str], RandomStream]
    senders: list[int] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    signed: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    signer: list[bytes] = field(default_factory=list)


def make_sampler(value: Any, type_name: str, name: str, context: DrawContext) -> Sampler:
    """Make the function from a transaction's index to its value, to be called with ascending indices.

    Parameters
    ----------
    value, type_name
        Already checked (`values.check_value`).
    name : str
        Name of the random stream.
    context : DrawContext
    """
    if (types := member_types(value, type_name)) is not None:
        items = [make_sampler(*pair, f"{name}/{i}", context) for i, pair in enumerate(zip(value, types, strict=True))]
        return lambda index: [item(index) for item in items]
    if not isinstance(value, dict):
        always = constant(value, type_name)
        return lambda index: always
    if "sender" in value:
        return lambda index: context.accounts[context.senders[-1]]
    if "contract" in value:
        return lambda index: context.contracts[value["contract"]]
    if "argument" in value:
        return lambda index: context.arguments[value["argument"]]
    if "sequence" in value:
        return _sequence(value, type_name, name, context)
    if "earlier" in value:
        return _earlier(integer(value.get("within", WITHIN)), name, context)
    if "account" in value:
        return _account(value["account"], name, context)
    times, plus = integer(value.get("times", 1)), integer(value.get("plus", 0))
    if "uniform" in value:
        low, high = map(integer, value["uniform"])
        drawn = (context.stream(name).below(high - low + 1, context.draw_count)).tolist()
        return lambda index: (low + drawn[index]) * times + plus
    ranks = Zipf(integer(value["n"]), exponent(value["zipf"])).draw(context.stream(name), context.draw_count).tolist()
    return lambda index: ranks[index] * times + plus


def _sequence(value: Mapping[str, Any], type_name: str, name: str, context: DrawContext) -> Sampler:
    """Sampler of a sequence: the n-th draw gives the n-th value, whatever other calls are between."""
    content = value["sequence"]
    if isinstance(content, list):
        items = itertools.cycle(
            [make_sampler(item, type_name, f"{name}/{i}", context) for i, item in enumerate(content)]
        )
        return lambda index: next(items)(index)
    times, plus, counted = (
        integer(value.get("times", 1)),
        integer(value.get("plus", 0)),
        itertools.count(integer(content)),
    )
    return lambda index: next(counted) * times + plus


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
    """Sampler of accounts' addresses: of one account or role, uniform, or by a Zipf distribution."""
    if isinstance(content, int):
        return lambda index: context.accounts[content]
    if isinstance(content, str) and content in context.accounts.roles:
        return lambda index: context.accounts[context.accounts.roles[content]]
    skew = 0.0 if content == "uniform" else exponent(content["zipf"])
    order = context.stream(f"{name}/ranks").permutation(context.account_count)
    chosen = order[Zipf(context.account_count, skew).draw(context.stream(name), context.draw_count)].tolist()

    def draw(index: int) -> bytes:
        account = chosen[index]
        # Never the sender itself: that would be a transaction without a counterpart.
        return context.accounts[(account + 1) % context.account_count if account == context.senders[-1] else account]

    return draw
