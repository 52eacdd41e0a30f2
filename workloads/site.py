"""Where applications are built: a genesis, a draft, and the tokens that they share.

A workload that is one application has the site to itself. In a mix every application has a lane of the draft, and all
of them share accounts and tokens, so that a payment, a swap and a loan can meet in one balance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workloads.abi import load
from workloads.draft import Draft
from workloads.sampling import Stream
from workloads.storage import Storage
from workloads.tokens import UNLIMITED, deploy_token

if TYPE_CHECKING:
    from evm import Genesis


class Tokens:
    """The ERC-20 tokens of a site by number, deployed when first asked for, and who holds them at genesis.

    Parameters
    ----------
    genesis : Genesis

    Attributes
    ----------
    addresses : dict[int, bytes]
        Token by number.
    balances : dict[int, dict[bytes, int]]
        By token and holder. Whoever can come to hold a token has an entry, if only of zero: conservation is checked
        over these.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.addresses: dict[int, bytes] = {}
        self.balances: dict[int, dict[bytes, int]] = {}
        self._genesis = genesis
        self._allowances: dict[tuple[int, bytes, bytes], int] = {}

    def __getitem__(self, number: int) -> bytes:
        address = self.addresses.get(number)
        if address is None:
            address = self.addresses[number] = deploy_token(self._genesis, number)
            self.balances[number] = {}
        return address

    def give(self, number: int, holder: bytes, amount: int = 0) -> None:
        """Let an account or contract hold `amount` more of a token at genesis."""
        held = self.balances[number]
        held[holder] = held.get(holder, 0) + amount

    def allow(self, number: int, owner: bytes, spender: bytes, amount: int = UNLIMITED) -> None:
        """Let `spender` take this much of the owner's token."""
        self._allowances[number, owner, spender] = amount

    def settle(self) -> None:
        """Write balances and allowances into the genesis. May be repeated after more was given."""
        state, artifact = self._genesis.state, load("token")
        storages = {number: Storage(state, token, artifact) for number, token in self.addresses.items()}
        for number, held in self.balances.items():
            for holder, amount in held.items():
                storages[number].set(amount, "balanceOf", holder)
            storages[number].set(sum(held.values()), "totalSupply")
        for (number, owner, spender), amount in self._allowances.items():
            storages[number].set(amount, "allowance", owner, spender)

    def books(self) -> dict[bytes, tuple[tuple[bytes, ...], int]]:
        """Holders and supply by address of the token, for the check afterwards."""
        return {
            self.addresses[number]: (tuple(held), sum(held.values())) for number, held in self.balances.items() if held
        }


@dataclass
class Site:
    """What an application is given to build on.

    Attributes
    ----------
    genesis : Genesis
    draft : Draft
        Takes the application's transactions.
    tokens : Tokens
    seed : int
    name : str
        Of the application: begins the names of its random streams.
    contracts : dict[str, bytes]
        Address by name of what the application deployed.
    roles : dict[str, bytes]
        Accounts with a role by its name: all that can hold ether though they have no number, and others worth naming.
    """

    genesis: Genesis
    draft: Draft
    tokens: Tokens
    seed: int
    name: str
    contracts: dict[str, bytes] = field(default_factory=dict)
    roles: dict[str, bytes] = field(default_factory=dict)

    def stream(self, what: str) -> Stream:
        """A random stream of this application."""
        return Stream(self.seed, f"{self.name}/{what}")

    def deploy(self, label: str, contract: str, *arguments: int | bytes | str, sender: bytes | None = None) -> bytes:
        """Deploy a contract and note it under `label`; its address."""
        code = load(contract).creation(*arguments)
        address = self.genesis.deploy(code) if sender is None else self.genesis.deploy(code, sender)
        self.contracts[label] = address
        return address

    def call(self, to: bytes, data: bytes, sender: bytes) -> None:
        """Call a contract while the genesis is made, and leave the sender's nonce as it is."""
        nonce = self.genesis.state.nonce(sender)
        self.genesis.call(to, data, sender)
        self.genesis.state.set_nonce(sender, nonce)

    def storage(self, label: str, contract: str) -> Storage:
        """Storage of a contract noted under `label`."""
        return Storage(self.genesis.state, self.contracts[label], load(contract))

    def token(self, number: int) -> bytes:
        """Address of a shared token, noted among the contracts."""
        address = self.tokens[number]
        self.contracts.setdefault(f"token {number}", address)
        return address

    def accounts(self, numbers: Iterable[int]) -> list[bytes]:
        """Addresses of accounts."""
        return [self.draft.accounts[number] for number in numbers]
