"""What holds for ether and nonces after any valid block, whatever its transactions do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workloads.draft import PLAIN_TRANSFER_GAS, Draft

if TYPE_CHECKING:
    from evm import Block, State


@dataclass(frozen=True)
class EtherBook:
    """What genesis held, kept because a run alters that state in place.

    Attributes
    ----------
    holders : tuple[bytes, ...]
        Every address that can hold ether, the beneficiary included.
    total : int
        Wei that they held together.
    nonces : dict[bytes, int]
        Nonce by sender after all blocks.
    """

    holders: tuple[bytes, ...]
    total: int
    nonces: dict[bytes, int]

    @classmethod
    def open(cls, state: State, draft: Draft, contracts: Iterable[bytes]) -> EtherBook:
        """Write down a finished genesis."""
        holders = tuple(dict.fromkeys([*draft.accounts.used.values(), *contracts, draft.environment.coinbase]))
        nonces = {draft.accounts[number]: count for number, count in draft.sent.items()}
        return cls(holders, sum(state.balance(holder) for holder in holders), nonces)

    def violations(self, state: State, blocks: list[Block]) -> list[str]:
        """Whether only the base fee of a possible amount of gas left the world, and every nonce was used.

        Tips and values only change hands. What is burned is the base fee times the gas used: a multiple of the base
        fee, for at least the intrinsic gas of every transaction and at most all the gas that they may use.
        """
        found = []
        burned = self.total - sum(state.balance(holder) for holder in self.holders)
        base_fee = blocks[0].environment.base_fee
        least = PLAIN_TRANSFER_GAS * sum(len(block) for block in blocks)
        most = sum(transaction.gas_limit for block in blocks for transaction in block)
        gas, rest = divmod(burned, base_fee)
        if rest or not least <= gas <= most:
            found.append(
                f"ether: {burned} wei left the world, which is not the base fee of {base_fee} for {least} to {most} gas"
            )
        for sender, count in self.nonces.items():
            if state.nonce(sender) != count:
                found.append(f"account 0x{sender.hex()}: nonce is {state.nonce(sender)} after {count} transactions")
        return found
