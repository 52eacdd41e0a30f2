"""Stablecoins: transfers that pay a fee to one account and ask a blocklist, and an issuer that mints and blocks.

Every transfer reads the terms of the fee and whether its parties are blocked; few transactions write those. With a fee,
every transfer also writes the collector's balance, so all transfers of a coin are one chain: the worst that one line of
a token's code can do to parallel execution.

Defaults, and where they come from:

- ``accounts``, ``sender_zipf``, ``receiver_zipf``: payments of 2022: senders 0.80, receivers 0.94.
- ``fee_bps``: off, as the large coin that has such a fee keeps it at zero.
- ``coins``, ``coin_zipf``, ``pulls``, ``redeem``: no measurement was at hand.
- ``issuer``, ``blocked``: no measurement was at hand; both are rare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import Zipf, draw_pairs
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNLIMITED, supply_violations
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

ISSUER = -2
CENT = 10**4
RESERVE = 100 * 10**6
SUPPLY_SEED = "stablecoin treasury"
GAS = {"transfer": 90_000, "pull": 110_000, "redeem": 60_000, "mint": 75_000, "block": 65_000, "fee": 45_000}


class Stablecoin(Application):
    """Stablecoin: conflicts through the fee account, hot parties' balances, and the issuer's rare changes of terms."""

    name = "stablecoin"
    summary = "stablecoin transfers with a fee on transfer and a blocklist"
    artifacts: ClassVar[Mapping[str, str]] = {"coin": "stablecoin"}
    dials = (
        Dial("coins", 2, "stablecoins", 1, 100),
        Dial.zipf("coin_zipf", 0.5, "coins"),
        Dial("accounts", 30_000, "accounts that send and receive", 2, 1_000_000),
        Dial.zipf("sender_zipf", 0.80, "senders"),
        Dial.zipf("receiver_zipf", 0.94, "receivers"),
        Dial(
            "fee_bps",
            0,
            "fee on transfers, in hundredths of a percent; above 0 all transfers of a coin conflict",
            0,
            20,
        ),
        Dial.share("pulls", 0.15, "share of transfers made by a spender with an allowance"),
        Dial.share("redeem", 0.02, "share of redemptions"),
        Dial.share("issuer", 0.01, "share of the issuer's mints, changes of the blocklist and of the fee"),
        Dial.share("blocked", 0.002, "share of accounts that are blocked; their transfers revert"),
        BURST,
    )
    presets = (
        Preset("fee", "one coin whose fee is switched on: every transfer writes the collector's balance",
               {"coins": 1, "fee_bps": 5}),
    )  # fmt: skip

    ends = (
        {"coins": 100, "accounts": 1_000_000, "sender_zipf": 0.0, "receiver_zipf": 0.0},
        {"coins": 1, "accounts": 20_000, "sender_zipf": 3.0, "receiver_zipf": 3.0},
    )

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder, count = chain.block_builder, chain.block_builder.transaction_count
        size = int(dials["accounts"])
        senders, receivers = draw_pairs(
            chain.seed,
            self.name,
            Zipf(size, float(dials["sender_zipf"])),
            Zipf(size, float(dials["receiver_zipf"])),
            count,
        )
        pulls, redeem, issuer = float(dials["pulls"]), float(dials["redeem"]), float(dials["issuer"])
        transfers = max(0.0, 1.0 - redeem - issuer)
        weights = {
            "transfer": transfers * (1.0 - pulls),
            "pull": transfers * pulls,
            "redeem": redeem,
            "mint": issuer * 0.5,
            "block": issuer * 0.45,
            "fee": issuer * 0.05,
        }
        kinds = chain.draw_kinds("kinds", weights)
        coins = chain.draw_ranks("coins", int(dials["coins"]), float(dials["coin_zipf"]))
        amounts = chain.draw_below("amounts", 100_000)
        out = chain.stream("blocked").chance(float(dials["blocked"]), size).tolist()
        basis = int(dials["fee_bps"])

        collector = named_account("fee collector")
        addresses = {
            coin: chain.deploy(
                f"coin {coin}", "stablecoin", f"Coin {coin}", f"USD{coin}", builder.accounts[ISSUER], collector, basis
            )
            for coin in sorted(set(coins))
        }
        methods = {name: load("stablecoin").method(name) for name in ("transfer", "transferFrom", "redeem", "mint")}
        block, fee = load("stablecoin").method("setBlocked"), load("stablecoin").method("setFee")
        held: dict[int, dict[bytes, int]] = {coin: {collector: 0} for coin in addresses}
        allowed: list[tuple[int, bytes, bytes]] = []
        changed: set[bytes] = set()
        for kind, coin, sender, receiver, part in zip(
            kinds, coins, senders.tolist(), receivers.tolist(), amounts, strict=True
        ):
            payer, payee, amount = builder.accounts[sender], builder.accounts[receiver], (1 + part) * CENT
            balances = held[coin]
            balances[payee] = balances.get(payee, 0)
            match kind:
                case "transfer" | "redeem":
                    balances[payer] = (balances.get(payer) or RESERVE) + amount
                    data = methods[kind](payee, amount) if kind == "transfer" else methods[kind](amount)
                    builder.add(sender, addresses[coin], GAS[kind], data)
                case "pull":
                    # The payee collects what the payer allowed it.
                    balances[payer] = (balances.get(payer) or RESERVE) + amount
                    allowed.append((coin, payer, payee))
                    builder.add(receiver, addresses[coin], GAS[kind], methods["transferFrom"](payer, payee, amount))
                case "mint":
                    builder.add(ISSUER, addresses[coin], GAS[kind], methods["mint"](payee, amount))
                case "block":
                    # An account that seldom receives; half of the time it is unblocked instead.
                    target = builder.accounts[part % size]
                    changed.add(target)
                    builder.add(ISSUER, addresses[coin], GAS[kind], block(target, bool(part & 1)))
                case "fee":
                    builder.add(ISSUER, addresses[coin], GAS[kind], fee(basis, (40 + part % 20) * 10**6))
        expected = {}
        for coin, balances in held.items():
            storage = chain.storage(f"coin {coin}", "stablecoin")
            for holder, balance in balances.items():
                storage.set(balance, "balanceOf", holder)
            storage.set(sum(balances.values()), "totalSupply")
            blocked = [address for a, address in builder.accounts.used.items() if 0 <= a < size and out[a]]
            for address in blocked:
                storage.set(1, "isBlocked", address)
            frozen = {a: balances[a] for a in blocked if a in balances and a not in changed}
            expected[addresses[coin]] = (tuple(balances), frozen)
        for coin, payer, payee in allowed:
            chain.storage(f"coin {coin}", "stablecoin").set(UNLIMITED, "allowance", payer, payee)
        chain.roles |= {"fee collector": collector, "issuer": builder.accounts[ISSUER]}
        return {"coins": expected}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that balances add up to the supply and blocked accounts kept theirs. See `Application.verify`."""
        found = []
        for coin, (holders, frozen) in scenario.notes["coins"].items():
            storage = Storage(state, coin, load("stablecoin"))
            found += supply_violations(state, coin, "stablecoin", holders, storage.get("totalSupply"))
            for account, balance in frozen.items():
                if storage.get("balanceOf", account) != balance:
                    now = storage.get("balanceOf", account)
                    found.append(f"coin 0x{coin.hex()}: blocked 0x{account.hex()} had {balance}, has {now}")
        return found
