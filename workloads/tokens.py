"""ERC-20 tokens: how they are deployed, and what must hold for them afterwards."""

from __future__ import annotations

from collections.abc import Iterable
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
