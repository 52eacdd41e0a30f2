"""Mixed: a chain's day. All applications on one chain, with shared accounts and tokens.

The hub token that payments move is the one that pools, lenders, order books, grants and meters hold, and account 7 of
the payments is account 7 of the swaps: balances and nonces carry conflicts from one application to the next. Accounts
that are busy in one application are busy in all.

Defaults, and where they come from: six ordinary mainnet blocks hold 468 plain and ERC-20 transfers, nine hold 117 swaps
(see those workloads), so payments lead and swaps follow. The other weights are guesses; no measurement was at hand.
``skew`` scales every application's Zipf exponents, whose sources they name themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario, Workload
from contend.workloads.building.access_lists import ACCESS_LISTS, add_access_lists
from contend.workloads.building.arrivals import BURST, arrival_times
from contend.workloads.building.block_builder import BlockBuilder, SubBuilder, genesis_environment
from contend.workloads.building.chain_builder import ChainBuilder, GenesisTokens
from contend.workloads.building.ether_conservation import EtherConservation
from contend.workloads.building.sampling import RandomStream, draw_kinds
from contend.workloads.contracts.storage_classes import CLASS_BY_VARIABLE
from contend.workloads.generators.application import Application, conservation_violations
from contend.workloads.generators.dao import Dao
from contend.workloads.generators.game import Game
from contend.workloads.generators.grants import Grants
from contend.workloads.generators.lending import Lending
from contend.workloads.generators.metering import Metering
from contend.workloads.generators.nft import Nft
from contend.workloads.generators.orders import Orders
from contend.workloads.generators.payments import Payments
from contend.workloads.generators.stablecoin import Stablecoin
from contend.workloads.generators.supply import Supply
from contend.workloads.generators.swaps import Swaps

if TYPE_CHECKING:
    from contend.evm import State, Transaction
    from contend.workloads.contracts.abi import Artifact

# Weight by application; each is also a dial.
WEIGHTS: dict[type[Application], float] = {
    Payments: 0.35,
    Swaps: 0.20,
    Stablecoin: 0.10,
    Nft: 0.08,
    Lending: 0.07,
    Orders: 0.05,
    Game: 0.05,
    Metering: 0.04,
    Supply: 0.03,
    Grants: 0.02,
    Dao: 0.01,
}
APPLICATIONS = {application.name: application for application in WEIGHTS}
NAMES = tuple(APPLICATIONS)


class Mixed(Workload):
    """Mixed: the conflicts of all applications, and those between them through shared tokens and accounts."""

    name = "mixed"
    summary = "a chain's day: all applications at once, with shared accounts and tokens"
    dials = (
        *(Dial.weight(application.name, weight, application.name) for application, weight in WEIGHTS.items()),
        Dial("skew", 1.0, "factor on all Zipf exponents; 0 makes everything uniform", 0.0, 5.0),
        BURST,
        ACCESS_LISTS,
    )
    presets = (
        Preset("defi", "decentralised finance only: swaps, lending, order books, stablecoins",
               {**dict.fromkeys(NAMES, 0.0), "swaps": 0.5, "lending": 0.2, "orders": 0.15, "stablecoin": 0.15}),
        Preset("burst", "everything more unequal, as pairs are on the burstiest days of 2022 (1.60 for 1.23)",
               {"skew": 1.3}),
    )  # fmt: skip

    ends = ({"skew": 0.0}, {"skew": 3.0})
    classes: ClassVar[Mapping[str, str]] = CLASS_BY_VARIABLE

    def artifact(self, contract: str) -> Artifact | None:
        """Artifact of a contract by its label, which begins with the name of its application."""
        application, _, label = contract.partition(" ")
        return APPLICATIONS[application]().artifact(label) if application in APPLICATIONS else None

    def computed_keys(self, transaction: Transaction) -> Iterator[tuple[int, ...]]:
        """Computed keys of all applications: a transaction does not name its own. See `Workload.computed_keys`."""
        for application in WEIGHTS:
            yield from application().computed_keys(transaction)

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`."""
        from contend.evm import Genesis

        genesis = Genesis(genesis_environment())
        burst = str(dials[BURST.name])
        builder = BlockBuilder(self.name, seed, block_size, blocks, burst)
        ends = [0, *itertools.accumulate(builder.block_sizes)]
        tokens = GenesisTokens(genesis)
        weights = {name: float(dials[name]) for name in NAMES}
        if not sum(weights.values()):
            weights = {"payments": 1.0}
        kinds = draw_kinds(RandomStream(seed, "mixed/kinds"), weights, builder.transaction_count)
        parts: dict[str, Scenario] = {}
        sub_builders: dict[str, SubBuilder] = {}
        roles: dict[str, bytes] = {}
        for name in dict.fromkeys(sorted(kinds, key=NAMES.index)):
            application = APPLICATIONS[name]()
            sizes = [kinds[first:last].count(name) for first, last in itertools.pairwise(ends)]
            sub_builders[name] = SubBuilder(builder, sizes)
            chain = ChainBuilder(genesis, sub_builders[name], tokens, seed, name)
            values = {dial.name: _skewed(dial, float(dials["skew"])) for dial in application.dials}
            notes = application.compose(chain, values)
            roles |= chain.roles
            parts[name] = Scenario(genesis.state, [], values, chain.contracts, notes)
        tokens.write_storage()
        calls = {name: iter(sub_builder.calls) for name, sub_builder in sub_builders.items()}
        for name in kinds:
            call = next(calls[name])
            builder.add(call.sender, call.to, call.gas_limit, call.data, call.value)
        builder.fund(genesis)
        contracts = {
            f"{name} {label}": address for name, part in parts.items() for label, address in part.contracts.items()
        }
        lists = RandomStream(seed, "mixed/access lists")
        finished = add_access_lists(str(dials[ACCESS_LISTS.name]), genesis.state, builder.build(), lists)
        for part in parts.values():
            part.blocks = finished
        ether = EtherConservation.at_genesis(genesis.state, builder, (*contracts.values(), *roles.values()))
        notes = {"ether": ether, "holders": tokens.holdings(), "parts": parts}
        arrivals = arrival_times(burst, builder.block_sizes, RandomStream(seed, "mixed/arrivals"))
        return Scenario(genesis.state, finished, dict(dials), contracts, notes, arrivals, roles)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Check ether, nonces, shared tokens, and every application's own invariant. See `Workload.check`."""
        violations = conservation_violations(scenario, state)
        for name, part in scenario.notes["parts"].items():
            violations += [f"{name}: {line}" for line in APPLICATIONS[name]().verify(part, state)]
        return violations


def _skewed(dial: Dial, skew: float) -> DialValue:
    """Value of an application's dial in the mix: the default, of a Zipf exponent times `skew`."""
    if not dial.name.endswith("zipf"):
        return dial.default
    return min(float(dial.default) * skew, float(dial.high or 0.0))
