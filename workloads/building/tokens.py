"""ERC-20 tokens: deployment, and conservation of their supply."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load

if TYPE_CHECKING:
    from contend.evm import Genesis, State

UNLIMITED = 2**256 - 1
UNIT = 10**18


def deploy_token(genesis: Genesis, index: int) -> bytes:
    """Deploy an ERC-20 token of 18 decimals that nobody holds yet; its address."""
    return genesis.deploy(load("token").creation(f"Token {index}", f"T{index}", 18, 0))


def supply_violations(state: State, token: bytes, contract: str, holders: Iterable[bytes], supply: int) -> list[str]:
    """Violations: a token's supply is not what it was, or its holders' balances do not add up to it.

    Parameters
    ----------
    state : State
        After all blocks.
    token : bytes
        Address of 20 bytes.
    contract : str
        Name of the token's artifact, for instance ``token`` or ``votes``.
    holders : iterable of bytes
        Every account and contract that can hold the token.
    supply : int
        Total supply at genesis, in token units.
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
