"""Payments: plain value transfers and ERC-20 transfers between accounts.

Defaults, and where they come from (public chain data of 2022 unless said otherwise):

- ``accounts``, ``sender_zipf``, ``receiver_zipf``: 51,317 senders with Zipf exponent 0.80, 43,456 receivers with 0.94.
- ``erc20``: six ordinary mainnet blocks between 11743952 and 19933122 hold 234 ERC-20 transfers and 234 plain ones.
- ``tokens``, ``token_zipf``: the 276 ERC-20 transfers of nine mainnet blocks go to 64 tokens, 59 % of them to the first
  and 79 % to the first ten; an exponent of 1.6 gives 47 % and 83 %.
- `NEW_HOLDERS`: 29 % of the USDT and USDC transfers in the six ordinary blocks went to an account without a balance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.block_builder import ETHER, PLAIN_TRANSFER_GAS
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import Zipf, draw_pairs
from contend.workloads.building.tokens import UNIT
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

# What wallets set for an ERC-20 transfer; a first payment to an account uses about 51,000.
TOKEN_TRANSFER_GAS = 65_000
# Token balance of every holder beyond what it will send.
RESERVE = 100 * UNIT
# Accounts per hundred that hold none of a token until they are paid in it.
NEW_HOLDERS = 40


class Payments(Application):
    """Plain and ERC-20 transfers: conflicts through hot senders' nonces and hot receivers' balances."""

    name = "payments"
    summary = "plain and ERC-20 transfers between Zipf-distributed accounts"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "token"}
    dials = (
        Dial("accounts", 50_000, "accounts that send and receive", 2, 1_000_000),
        Dial.zipf("sender_zipf", 0.80, "senders"),
        Dial.zipf("receiver_zipf", 0.94, "receivers"),
        Dial.share("erc20", 0.5, "share of ERC-20 transfers, the rest being plain"),
        Dial("tokens", 64, "ERC-20 tokens", 1, 1_000),
        Dial.zipf("token_zipf", 1.6, "tokens"),
        BURST,
    )
    presets = (
        Preset("average-day", "payments of 2022: senders 0.80, receivers 0.94 (the defaults)",
               {"sender_zipf": 0.80, "receiver_zipf": 0.94}),
        Preset("airdrop", "a token sale's plateau, 7 times the ordinary rate: one token, claimed from few payers",
               {"erc20": 1.0, "tokens": 1, "sender_zipf": 2.0, "receiver_zipf": 0.3, "burst": "plateau"}),
        Preset("viral", "a viral second with 25 times the median: everybody pays one receiver",
               {"receiver_zipf": 2.0, "burst": "viral"}),
    )  # fmt: skip

    ends = (
        {"accounts": 1_000_000, "sender_zipf": 0.0, "receiver_zipf": 0.0, "tokens": 1_000, "token_zipf": 0.0},
        {"accounts": 20_000, "sender_zipf": 3.0, "receiver_zipf": 3.0, "tokens": 64, "token_zipf": 1.6},
    )

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        senders, receivers = draw_pairs(
            chain.seed,
            self.name,
            Zipf(int(dials["accounts"]), float(dials["sender_zipf"])),
            Zipf(int(dials["accounts"]), float(dials["receiver_zipf"])),
            builder.transaction_count,
        )
        kinds = chain.stream("kinds").chance(float(dials["erc20"]), builder.transaction_count)
        chosen = Zipf(int(dials["tokens"]), float(dials["token_zipf"])).draw(
            chain.stream("tokens"), builder.transaction_count
        )
        amounts = chain.stream("amounts").below(10_000, builder.transaction_count)

        tokens = {token: chain.token(token) for token in sorted(set(chosen[kinds].tolist()))}
        transfer = load("token").method("transfer")
        for sender, receiver, is_token, token, amount in zip(
            senders.tolist(), receivers.tolist(), kinds.tolist(), chosen.tolist(), amounts.tolist(), strict=True
        ):
            payee = builder.accounts[receiver]
            if is_token:
                payer, units = builder.accounts[sender], (1 + amount) * UNIT // 100
                balances = chain.tokens.balances[token]
                balances[payer] = (balances.get(payer) or RESERVE) + units
                balances.setdefault(payee, 0 if receiver % 100 < NEW_HOLDERS else RESERVE)
                builder.add(sender, tokens[token], TOKEN_TRANSFER_GAS, transfer(payee, units))
            else:
                builder.add(sender, payee, PLAIN_TRANSFER_GAS, value=(1 + amount) * ETHER // 10_000)
        return {}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check nothing further: ether, nonces and tokens are all that payments move. See `Application.verify`."""
        return []
