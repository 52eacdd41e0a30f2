"""Storage classes: the role that each storage variable of this package's contracts plays in conflicts."""

from __future__ import annotations

from collections.abc import Iterable

# One of `workloads.base.STORAGE_CLASSES` by ``artifact.variable``; what is not named is other storage.
CLASS_BY_VARIABLE = {
    "token.balanceOf": "token balance",
    "token.allowance": "allowance",
    "pool.packed": "pool reserve",
    "pool.balanceOf": "token balance",
    "pool.totalSupply": "counter",
    "collection.totalSupply": "counter",
    "collection.balanceOf": "token balance",
    "collection.approvals": "allowance",
    "collection.isApprovedForAll": "allowance",
    "bazaar.volume": "counter",
    "votes.balanceOf": "token balance",
    "votes.allowance": "allowance",
    "votes.numCheckpoints": "counter",
    "dao.proposalCount": "counter",
    "dao.tallies": "counter",
    "lending.markets": "pool reserve",
    "lending.collateral": "token balance",
    "lending.supplyShares": "token balance",
    "lending.borrowShares": "token balance",
    "orderbook.baseOf": "token balance",
    "orderbook.quoteOf": "token balance",
    "orderbook.depth": "pool reserve",
    "orderbook.heads": "counter",
    "orderbook.tails": "counter",
    "stablecoin.balanceOf": "token balance",
    "stablecoin.allowance": "allowance",
    "items.balanceOf": "token balance",
    "items.totalSupply": "counter",
    "items.isApprovedForAll": "allowance",
    "game.worldDamage": "counter",
    "game.questsDone": "counter",
    "grants.rounds": "counter",
    "grants.projects": "counter",
    "treasury.paidOut": "counter",
    "provenance.stock": "counter",
    "metering.delivered": "counter",
    "metering.earnings": "token balance",
    "metering.prepaid": "token balance",
    "gauntlet.cells": "counter",
}


def storage_classes(artifacts: Iterable[str]) -> dict[str, str]:
    """Storage class by ``artifact.variable`` for the variables of these artifacts."""
    wanted = set(artifacts)
    return {variable: name for variable, name in CLASS_BY_VARIABLE.items() if variable.partition(".")[0] in wanted}


# Names that widespread libraries (OpenZeppelin, Solmate, Solady, Uniswap) give to variables, in lower case and without
# underscores before them; whether they are mappings.
_COMMON = {
    "token balance": ({"balanceof", "balances", "shares", "ownedtokenscount"}, True),
    "allowance": (
        {"allowance", "allowances", "allowed", "approvals", "isapprovedforall", "operatorapprovals", "tokenapprovals"},
        True,
    ),
    "counter": (
        {"totalsupply", "totalshares", "totalassets", "nexttokenid", "currentindex", "count", "counter"},
        False,
    ),
    "pool reserve": ({"reserve", "reserves", "reserve0", "reserve1", "liquidity", "slot0"}, False),
}


def common_class(variable: str, is_mapping: bool) -> str | None:
    """Storage class of a variable with a name that widespread libraries use; None for other names.

    Parameters
    ----------
    variable : str
        Variables that share a slot are joined by ``+``.
    is_mapping : bool
    """
    names = {name.rpartition(".")[2].lstrip("_").lower() for name in variable.split("+")}
    for name, (known, of_mappings) in _COMMON.items():
        if names & known and is_mapping == of_mappings:
            return name
    return None
