"""Blocks being written: nonces, fees and environments, and what the senders must own to pay for it all."""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workloads.accounts import Accounts
from workloads.arrivals import BLOCK_SECONDS, block_sizes
from workloads.sampling import Stream

if TYPE_CHECKING:
    from evm import Block, Environment, Genesis, Transaction

GWEI = 10**9
ETHER = 10**18
PLAIN_TRANSFER_GAS = 21_000
DAY_BLOCKS = 7_200
# Priority fees in wei, equally likely; quantiles (10 to 90 %) of the tips in mainnet blocks 19923400 to 19933122.
TIPS = tuple(int(gwei * GWEI) for gwei in (0.1, 0.5, 1, 1.5, 2, 2, 3, 5))


def genesis_environment() -> Environment:
    """What contracts see while they are deployed: a block one day before the first."""
    from evm import Environment

    first = Environment()
    return dataclasses.replace(
        first, number=first.number - DAY_BLOCKS, timestamp=first.timestamp - DAY_BLOCKS * BLOCK_SECONDS
    )


class Draft:
    """Blocks being written, one transaction after the other.

    Every transaction gets its sender's next nonce, so that nonces form real chains through all blocks, and a fee as
    wallets set it: a tip, and at most twice the base fee on top.

    Parameters
    ----------
    name : str
        Of the workload: names its random streams.
    seed, block_size, blocks : int
        As in `Workload.build`.
    burst : str
        How transactions spread over the blocks (`workloads.arrivals`).

    Attributes
    ----------
    accounts : Accounts
    size : int
        Transactions in all blocks together.
    sizes : list[int]
        Transactions in each block.
    sent : dict[int, int]
        Transactions so far by account: also the next nonce.
    outlay : dict[int, int]
        The most, in wei, that an account's transactions so far can cost it.
    """

    def __init__(self, name: str, seed: int, block_size: int, blocks: int, burst: str = "steady") -> None:
        from evm import Environment

        self.accounts = Accounts()
        self.sent: dict[int, int] = {}
        self.outlay: dict[int, int] = {}
        self.sizes = block_sizes(burst, block_size, blocks)
        self.size = block_size * blocks
        self._first = Environment()
        self._blocks: list[Block] = []
        self._transactions: list[Transaction] = []
        self._written = 0
        self._tips = [TIPS[i] for i in Stream(seed, f"{name}/tips").below(len(TIPS), self.size).tolist()]

    @property
    def begins_block(self) -> bool:
        """Whether the next transaction is the first of a block."""
        return not self._transactions

    @property
    def environment(self) -> Environment:
        """The environment of the block that the next transaction goes to."""
        return self.environment_of(len(self._blocks))

    def environment_of(self, block: int) -> Environment:
        """The environment of a block, counted from zero."""
        return dataclasses.replace(
            self._first, number=self._first.number + block, timestamp=self._first.timestamp + block * BLOCK_SECONDS
        )

    def add(self, sender: int, to: bytes, gas_limit: int, data: bytes = b"", value: int = 0) -> None:
        """Write the next transaction.

        Parameters
        ----------
        sender : int
            Account number.
        to : bytes
            20 bytes.
        """
        from evm import Block, Transaction

        nonce = self.sent.get(sender, 0)
        tip = self._tips[self._written]
        max_fee = 2 * self._first.base_fee + tip
        self.sent[sender] = nonce + 1
        self.outlay[sender] = self.outlay.get(sender, 0) + gas_limit * max_fee + value
        self._transactions.append(Transaction(self.accounts[sender], to, nonce, gas_limit, value, data, max_fee, tip))
        self._written += 1
        if len(self._transactions) == self.sizes[len(self._blocks)]:
            self._blocks.append(Block(self.environment, tuple(self._transactions)))
            self._transactions = []

    def finished(self) -> list[Block]:
        """The blocks, all of them full."""
        if self._written != self.size:
            raise RuntimeError(f"the draft ends within block {len(self._blocks)}")
        return self._blocks

    def fund(self, genesis: Genesis) -> None:
        """Give every account used some ether, and senders what their transactions can cost on top."""
        for number in sorted(self.accounts.used):
            # Between 0.1 and 10 ether, spread over the numbers.
            savings = (1 + number * 61 % 100) * ETHER // 10
            genesis.fund(self.accounts[number], savings + self.outlay.get(number, 0))


@dataclass(frozen=True)
class Call:
    """A transaction before it has a nonce and a fee."""

    sender: int
    to: bytes
    gas_limit: int
    data: bytes
    value: int


class Lane(Draft):
    """One application's share of the blocks of a draft: it writes as if it were alone, and its calls are merged later.

    Parameters
    ----------
    draft : Draft
        Whose accounts and environments it shares.
    sizes : list[int]
        Transactions of this lane in each of the draft's blocks; some may be empty.

    Attributes
    ----------
    calls : list[Call]
        In the order in which they were written.
    """

    def __init__(self, draft: Draft, sizes: list[int]) -> None:
        super().__init__("", 0, 0, 0)
        self.accounts = draft.accounts
        self.sizes = sizes
        self.size = sum(sizes)
        self.calls: list[Call] = []
        ends = list(itertools.accumulate(sizes))
        self._block_of = [bisect_right(ends, place) for place in range(self.size)]

    @property
    def begins_block(self) -> bool:
        """Whether the next call is this lane's first in a block."""
        place = len(self.calls)
        return not place or self._block_of[place] != self._block_of[place - 1]

    @property
    def environment(self) -> Environment:
        """The environment of the block that the next call goes to."""
        return self.environment_of(self._block_of[len(self.calls)] if len(self.calls) < self.size else len(self.sizes))

    def add(self, sender: int, to: bytes, gas_limit: int, data: bytes = b"", value: int = 0) -> None:
        """Write the next call."""
        self.accounts[sender]
        self.calls.append(Call(sender, to, gas_limit, data, value))
