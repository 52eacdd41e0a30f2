"""ERC-20 tokens in a genesis: deployed by their init code, balances and allowances written directly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from workloads.abi import load
from workloads.storage import Storage

if TYPE_CHECKING:
    from evm import Genesis, State

UNLIMITED = 2**256 - 1
UNIT = 10**18


def deploy_token(genesis: Genesis, number: int) -> bytes:
    """Deploy an ERC-20 token of 18 decimals that nobody holds yet; its address."""
    return genesis.deploy(load("token").creation(f"Token {number}", f"T{number}", 18, 0))


def endow(genesis: Genesis, token: bytes, balances: Mapping[bytes, int]) -> None:
    """Give holders balances beside what they have none of yet, and raise the total supply by as much.

    Parameters
    ----------
    token : bytes
        Address of a deployed ``token``.
    balances : mapping
        Amount by holder. The holders have no balance yet.
    """
    storage = Storage(genesis.state, token, load("token"))
    for holder, amount in balances.items():
        storage.set(amount, "balanceOf", holder)
    storage.set(storage.get("totalSupply") + sum(balances.values()), "totalSupply")


def supply_violations(state: State, token: bytes, contract: str, holders: Iterable[bytes], supply: int) -> list[str]:
    """Whether a token's supply is what it was and its holders' balances add up to it.

    Parameters
    ----------
    contract : str
        ``token`` or ``votes``.
    holders : iterable of bytes
        Every account and contract that can hold the token.
    supply : int
        At genesis.
    """
    storage = Storage(state, token, load(contract))
    violations = []
    recorded = storage.get("totalSupply")
    if recorded != supply:
        violations.append(f"token 0x{token.hex()}: total supply is {recorded}, was {supply}")
    held = sum(storage.get("balanceOf", holder) for holder in holders)
    if held != recorded:
        violations.append(f"token 0x{token.hex()}: balances add up to {held}, not to the supply of {recorded}")
    return violations
