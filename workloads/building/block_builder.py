"""Block builder: transactions with nonces and fees, gathered into blocks, and the ether that their senders need."""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contend.workloads.building.accounts import Accounts
from contend.workloads.building.arrivals import BLOCK_SECONDS, block_sizes
from contend.workloads.building.sampling import RandomStream

if TYPE_CHECKING:
    from contend.evm import Block, Environment, Genesis, Transaction

GWEI = 10**9
ETHER = 10**18
PLAIN_TRANSFER_GAS = 21_000
DAY_BLOCKS = 7_200
# Priority fees in wei, equally likely; quantiles (10 to 90 %) of the tips in mainnet blocks 19923400 to 19933122.
TIPS = tuple(int(gwei * GWEI) for gwei in (0.1, 0.5, 1, 1.5, 2, 2, 3, 5))


def genesis_environment() -> Environment:
    """Block environment in which the genesis is made: that of a block one day before the first."""
    from contend.evm import Environment

    first = Environment()
    return dataclasses.replace(
        first, number=first.number - DAY_BLOCKS, timestamp=first.timestamp - DAY_BLOCKS * BLOCK_SECONDS
    )


class BlockBuilder:
    """Builder of consecutive blocks, filled one transaction after the other.

    Every transaction gets its sender's next nonce, so that nonces form real chains through all blocks, and a fee as
    wallets set it: a tip, and at most twice the base fee on top.

    Parameters
    ----------
    name : str
        Name of the workload, with which the names of its random streams begin.
    seed, block_size, blocks : int
        As in `Workload.build`.
    burst : str
        Shape of the arrival rate, one of `workloads.building.arrivals.BURSTS`: how transactions spread over the blocks.

    Attributes
    ----------
    accounts : Accounts
        Addresses by account index.
    transaction_count : int
        Transactions in all blocks together.
    block_sizes : list[int]
        Transactions in each block.
    nonces : dict[int, int]
        Next nonce by account index: the number of transactions that the account has sent so far.
    max_cost_wei : dict[int, int]
        Most that an account's transactions so far can cost it (gas limit times fee cap, plus value), by account index.
    """

    def __init__(self, name: str, seed: int, block_size: int, blocks: int, burst: str = "steady") -> None:
        from contend.evm import Environment

        self.accounts = Accounts()
        self.nonces: dict[int, int] = {}
        self.max_cost_wei: dict[int, int] = {}
        self.block_sizes = block_sizes(burst, block_size, blocks)
        self.transaction_count = block_size * blocks
        self._first = Environment()
        self._blocks: list[Block] = []
        self._transactions: list[Transaction] = []
        self._added = 0
        tips = RandomStream(seed, f"{name}/tips").below(len(TIPS), self.transaction_count).tolist()
        self._tips = [TIPS[i] for i in tips]

    @property
    def begins_block(self) -> bool:
        """Whether the next transaction is the first of a block."""
        return not self._transactions

    @property
    def environment(self) -> Environment:
        """Environment of the block that the next transaction goes to."""
        return self.environment_of(len(self._blocks))

    def environment_of(self, block_index: int) -> Environment:
        """Environment of a block by its index, counted from zero."""
        return dataclasses.replace(
            self._first,
            number=self._first.number + block_index,
            timestamp=self._first.timestamp + block_index * BLOCK_SECONDS,
        )

    def add(self, sender: int, to: bytes, gas_limit: int, data: bytes = b"", value: int = 0) -> None:
        """Add the next transaction.

        Parameters
        ----------
        sender : int
            Account index.
        to : bytes
            Address of 20 bytes.
        gas_limit : int
            In gas.
        data : bytes
            Call data.
        value : int
            In wei.
        """
        from contend.evm import Block, Transaction

        nonce = self.nonces.get(sender, 0)
        tip = self._tips[self._added]
        max_fee = 2 * self._first.base_fee + tip
        self.nonces[sender] = nonce + 1
        self.max_cost_wei[sender] = self.max_cost_wei.get(sender, 0) + gas_limit * max_fee + value
        self._transactions.append(Transaction(self.accounts[sender], to, nonce, gas_limit, value, data, max_fee, tip))
        self._added += 1
        if len(self._transactions) == self.block_sizes[len(self._blocks)]:
            self._blocks.append(Block(self.environment, tuple(self._transactions)))
            self._transactions = []

    def build(self) -> list[Block]:
        """Blocks, all of them full.

        Raises
        ------
        RuntimeError
            If fewer than `transaction_count` transactions were added.
        """
        if self._added != self.transaction_count:
            raise RuntimeError(f"{self._added} of {self.transaction_count} transactions were added")
        return self._blocks

    def fund(self, genesis: Genesis) -> None:
        """Give every account in use savings of 0.1 to 10 ether, and senders what their transactions can cost on top."""
        for account in sorted(self.accounts.used):
            savings = (1 + account * 61 % 100) * ETHER // 10
            genesis.fund(self.accounts[account], savings + self.max_cost_wei.get(account, 0))


@dataclass(frozen=True)
class PendingCall:
    """Transaction without nonce and fee, which it gets when it is added to a block.

    Attributes
    ----------
    sender : int
        Account index.
    to : bytes
        Address of 20 bytes.
    gas_limit : int
        In gas.
    data : bytes
        Call data.
    value : int
        In wei.
    """

    sender: int
    to: bytes
    gas_limit: int
    data: bytes
    value: int


class SubBuilder(BlockBuilder):
    """Builder of one application's share of the blocks of another builder, which merges the calls of all shares later.

    The application adds its calls as if it were alone on the chain.

    Parameters
    ----------
    parent : BlockBuilder
        Builder whose accounts and environments are shared.
    block_sizes : list[int]
        Calls of this application in each of the parent's blocks; some may be zero.

    Attributes
    ----------
    calls : list[PendingCall]
        In the order in which they were added.
    """

    def __init__(self, parent: BlockBuilder, block_sizes: list[int]) -> None:
        super().__init__("", 0, 0, 0)
        self.accounts = parent.accounts
        self.block_sizes = block_sizes
        self.transaction_count = sum(block_sizes)
        self.calls: list[PendingCall] = []
        ends = list(itertools.accumulate(block_sizes))
        self._block_of = [bisect_right(ends, index) for index in range(self.transaction_count)]

    @property
    def begins_block(self) -> bool:
        """Whether the next call is the application's first in a block."""
        index = len(self.calls)
        return not index or self._block_of[index] != self._block_of[index - 1]

    @property
    def environment(self) -> Environment:
        """Environment of the block that the next call goes to."""
        index = len(self.calls)
        return self.environment_of(self._block_of[index] if index < self.transaction_count else len(self.block_sizes))

    def add(self, sender: int, to: bytes, gas_limit: int, data: bytes = b"", value: int = 0) -> None:
        """Add the next call. See `BlockBuilder.add`."""
        self.accounts[sender]
        self.calls.append(PendingCall(sender, to, gas_limit, data, value))
