"""Chain builder: genesis, blocks and shared ERC-20 tokens, as one application or several of them build on them.

A workload that is one application has the chain to itself. In a mix every application has a sub-builder of the blocks,
and all of them share accounts and tokens, so that a payment, a swap and a loan can meet in one balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contend.workloads.building.block_builder import BlockBuilder
from contend.workloads.building.sampling import RandomStream, Zipf, draw_kinds
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNLIMITED, deploy_token
from contend.workloads.contracts.abi import load

if TYPE_CHECKING:
    from contend.evm import Genesis


class GenesisTokens:
    """ERC-20 tokens of a chain by index, deployed when first asked for, with balances and allowances at genesis.

    Parameters
    ----------
    genesis : Genesis

    Attributes
    ----------
    addresses : dict[int, bytes]
        Address by token index.
    balances : dict[int, dict[bytes, int]]
        Balance in token units by token index and holder. Every account that can come to hold a token has an entry, if
        only of zero: conservation is checked over these.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.addresses: dict[int, bytes] = {}
        self.balances: dict[int, dict[bytes, int]] = {}
        self._genesis = genesis
        self._allowances: dict[tuple[int, bytes, bytes], int] = {}

    def __getitem__(self, index: int) -> bytes:
        address = self.addresses.get(index)
        if address is None:
            address = self.addresses[index] = deploy_token(self._genesis, index)
            self.balances[index] = {}
        return address

    def credit(self, index: int, holder: bytes, amount: int = 0) -> None:
        """Add `amount` of a token to what an account or contract holds at genesis; zero makes it a possible holder."""
        balances = self.balances[index]
        balances[holder] = balances.get(holder, 0) + amount

    def approve(self, index: int, owner: bytes, spender: bytes, amount: int = UNLIMITED) -> None:
        """Set the allowance that `spender` has of the owner's token at genesis."""
        self._allowances[index, owner, spender] = amount

    def write_storage(self) -> None:
        """Write balances, supplies and allowances into the genesis. May be repeated after more was credited."""
        state, artifact = self._genesis.state, load("token")
        storages = {index: Storage(state, token, artifact) for index, token in self.addresses.items()}
        for index, balances in self.balances.items():
            for holder, amount in balances.items():
                storages[index].set(amount, "balanceOf", holder)
            storages[index].set(sum(balances.values()), "totalSupply")
        for (index, owner, spender), amount in self._allowances.items():
            storages[index].set(amount, "allowance", owner, spender)

    def holdings(self) -> dict[bytes, tuple[tuple[bytes, ...], int]]:
        """Possible holders and total supply by address of the token, for the check of conservation."""
        return {
            self.addresses[index]: (tuple(balances), sum(balances.values()))
            for index, balances in self.balances.items()
            if balances
        }


@dataclass
class ChainBuilder:
    """Chain under construction, as one application sees it.

    Attributes
    ----------
    genesis : Genesis
        State before the first block.
    block_builder : BlockBuilder
        Takes the application's transactions.
    tokens : GenesisTokens
        Tokens that all applications of the chain share.
    seed : int
    name : str
        Name of the application, with which the names of its random streams begin.
    contracts : dict[str, bytes]
        Address by label of each contract that the application deployed.
    roles : dict[str, bytes]
        Address by role: all accounts that can hold ether though they have no index, and others worth naming.
    """

    genesis: Genesis
    block_builder: BlockBuilder
    tokens: GenesisTokens
    seed: int
    name: str
    contracts: dict[str, bytes] = field(default_factory=dict)
    roles: dict[str, bytes] = field(default_factory=dict)

    def stream(self, purpose: str) -> RandomStream:
        """Random stream of this application, named by what is drawn from it."""
        return RandomStream(self.seed, f"{self.name}/{purpose}")

    def draw_ranks(self, purpose: str, n: int, exponent: float) -> list[int]:
        """Draw a rank below `n` for each transaction from a Zipf distribution, out of the stream of this name."""
        drawn: list[int] = Zipf(n, exponent).draw(self.stream(purpose), self.block_builder.transaction_count).tolist()
        return drawn

    def draw_below(self, purpose: str, bound: int) -> list[int]:
        """Draw a uniform integer below `bound` for each transaction, out of the stream of this name."""
        drawn: list[int] = self.stream(purpose).below(bound, self.block_builder.transaction_count).tolist()
        return drawn

    def draw_chances(self, purpose: str, probability: float) -> list[bool]:
        """Draw for each transaction whether a trial of this probability succeeds, out of the stream of this name."""
        drawn: list[bool] = self.stream(purpose).chance(probability, self.block_builder.transaction_count).tolist()
        return drawn

    def draw_kinds(self, purpose: str, weights: Mapping[str, float]) -> list[str]:
        """Draw a kind of operation for each transaction in proportion to weights, out of the stream of this name."""
        return draw_kinds(self.stream(purpose), weights, self.block_builder.transaction_count)

    def deploy(self, label: str, contract: str, *arguments: int | bytes | str, sender: bytes | None = None) -> bytes:
        """Deploy a contract at genesis and note it under `label`; its address."""
        code = load(contract).creation(*arguments)
        address = self.genesis.deploy(code) if sender is None else self.genesis.deploy(code, sender)
        self.contracts[label] = address
        return address

    def call_keeping_nonce(self, to: bytes, data: bytes, sender: bytes) -> None:
        """Call a contract at genesis, and leave the sender's nonce as it is."""
        nonce = self.genesis.state.nonce(sender)
        self.genesis.call(to, data, sender)
        self.genesis.state.set_nonce(sender, nonce)

    def storage(self, label: str, contract: str) -> Storage:
        """Storage of a contract noted under `label`."""
        return Storage(self.genesis.state, self.contracts[label], load(contract))

    def token(self, index: int) -> bytes:
        """Address of a shared token by its index, noted among the contracts."""
        address = self.tokens[index]
        self.contracts.setdefault(f"token {index}", address)
        return address

    def addresses(self, accounts: Iterable[int]) -> list[bytes]:
        """Addresses of accounts by their indices."""
        return [self.block_builder.accounts[account] for account in accounts]
