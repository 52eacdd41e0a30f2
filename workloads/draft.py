"""Blocks being written: nonces, fees and environments, and what the senders must own to pay for it all."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from workloads.accounts import Accounts
from workloads.sampling import Stream

if TYPE_CHECKING:
    from evm import Block, Environment, Genesis, Transaction

GWEI = 10**9
ETHER = 10**18
PLAIN_TRANSFER_GAS = 21_000
BLOCK_SECONDS = 12
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

    Attributes
    ----------
    accounts : Accounts
    sent : dict[int, int]
        Transactions so far by account: also the next nonce.
    outlay : dict[int, int]
        The most, in wei, that an account's transactions so far can cost it.
    """

    def __init__(self, name: str, seed: int, block_size: int, blocks: int) -> None:
        from evm import Environment

        self.accounts = Accounts()
        self.sent: dict[int, int] = {}
        self.outlay: dict[int, int] = {}
        self.size = block_size * blocks
        self._block_size = block_size
        self._first = Environment()
        self._blocks: list[Block] = []
        self._transactions: list[Transaction] = []
        self._tips = [TIPS[i] for i in Stream(seed, f"{name}/tips").below(len(TIPS), self.size).tolist()]

    @property
    def begins_block(self) -> bool:
        """Whether the next transaction is the first of a block."""
        return not self._transactions

    @property
    def environment(self) -> Environment:
        """The environment of the block that the next transaction goes to."""
        done = len(self._blocks)
        return dataclasses.replace(
            self._first, number=self._first.number + done, timestamp=self._first.timestamp + done * BLOCK_SECONDS
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
        tip = self._tips[len(self._blocks) * self._block_size + len(self._transactions)]
        max_fee = 2 * self._first.base_fee + tip
        self.sent[sender] = nonce + 1
        self.outlay[sender] = self.outlay.get(sender, 0) + gas_limit * max_fee + value
        self._transactions.append(Transaction(self.accounts[sender], to, nonce, gas_limit, value, data, max_fee, tip))
        if len(self._transactions) == self._block_size:
            self._blocks.append(Block(self.environment, tuple(self._transactions)))
            self._transactions = []

    def finished(self) -> list[Block]:
        """The blocks, all of them full."""
        if self._transactions or len(self._blocks) * self._block_size != self.size:
            raise RuntimeError(f"the draft ends within block {len(self._blocks)}")
        return self._blocks

    def fund(self, genesis: Genesis) -> None:
        """Give every account used some ether, and senders what their transactions can cost on top."""
        for number in sorted(self.accounts.used):
            # Between 0.1 and 10 ether, spread over the numbers.
            savings = (1 + number * 61 % 100) * ETHER // 10
            genesis.fund(self.accounts[number], savings + self.outlay.get(number, 0))
