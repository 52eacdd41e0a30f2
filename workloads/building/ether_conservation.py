"""Conservation of ether and use of nonces: what holds after any valid block, whatever its transactions do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contend.workloads.building.block_builder import PLAIN_TRANSFER_GAS, BlockBuilder

if TYPE_CHECKING:
    from contend.evm import Block, State


@dataclass(frozen=True)
class EtherConservation:
    """Ether and nonces that follow from a genesis and its blocks, kept because a run alters that state in place.

    Attributes
    ----------
    holders : tuple[bytes, ...]
        Every address that can hold ether, the beneficiary included.
    total_wei : int
        What they held together at genesis.
    nonces : dict[bytes, int]
        Nonce by sender after all blocks.
    """

    holders: tuple[bytes, ...]
    total_wei: int
    nonces: dict[bytes, int]

    @classmethod
    def at_genesis(cls, state: State, builder: BlockBuilder, others: Iterable[bytes]) -> EtherConservation:
        """Sum up a finished genesis.

        Parameters
        ----------
        state : State
            At genesis.
        builder : BlockBuilder
            Holds all transactions.
        others : iterable of bytes
            Addresses that can hold ether beside the builder's accounts.
        """
        holders = tuple(dict.fromkeys([*builder.accounts.used.values(), *others, builder.environment.coinbase]))
        return cls(holders, sum(state.balance(holder) for holder in holders), nonces_by_sender(builder))

    def violations(self, state: State, blocks: list[Block]) -> list[str]:
        """Violations: anything but the base fee of a possible amount of gas was burned, or a nonce was not used.

        Tips and values only change hands. What is burned is the base fee times the gas used: a multiple of the base
        fee, for at least the intrinsic gas of every transaction and at most all the gas that they may use.
        """
        found = []
        burned = self.total_wei - sum(state.balance(holder) for holder in self.holders)
        base_fee = blocks[0].environment.base_fee
        least = PLAIN_TRANSFER_GAS * sum(len(block) for block in blocks)
        most = sum(transaction.gas_limit for block in blocks for transaction in block)
        gas, rest = divmod(burned, base_fee)
        if rest or not least <= gas <= most:
            found.append(
                f"ether: {burned} wei left the world, which is not the base fee of {base_fee} for {least} to {most} gas"
            )
        return found + nonce_violations(state, self.nonces)


def nonces_by_sender(builder: BlockBuilder) -> dict[bytes, int]:
    """Nonce by address of each sender after all blocks."""
    return {builder.accounts[account]: nonce for account, nonce in builder.nonces.items()}


def nonce_violations(state: State, nonces: dict[bytes, int]) -> list[str]:
    """Violations: senders whose nonce is not the number of their transactions."""
    return [
        f"account 0x{sender.hex()}: nonce is {state.nonce(sender)} after {count} transactions"
        for sender, count in nonces.items()
        if state.nonce(sender) != count
    ]
