"""Application base class: workloads that can be built alone or side by side with others on one chain."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contend.workloads.base import DialValue, Scenario, Workload
from contend.workloads.building.access_lists import ACCESS_LISTS, add_access_lists
from contend.workloads.building.arrivals import BURST, arrival_times
from contend.workloads.building.block_builder import BlockBuilder, genesis_environment
from contend.workloads.building.chain_builder import ChainBuilder, GenesisTokens
from contend.workloads.building.ether_conservation import EtherConservation
from contend.workloads.building.tokens import supply_violations
from contend.workloads.contracts.storage_classes import storage_classes

if TYPE_CHECKING:
    from contend.evm import State


class Application(Workload):
    """Workload written against a `ChainBuilder`, so that it can share a chain with other applications.

    Contracts, transactions and balances at genesis go through the builder; ether, nonces and shared tokens are then
    checked for the application, and it checks the rest (`verify`).
    """

    def __init_subclass__(cls) -> None:
        """Derive the storage classes of variables from the artifacts, and add the dial that all have."""
        super().__init_subclass__()
        if "dials" in vars(cls):
            cls.dials = (*cls.dials, ACCESS_LISTS)
        cls.classes = storage_classes(cls.artifacts.values())

    @abstractmethod
    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """Deploy contracts, add all transactions of the block builder, and prepare the genesis for them.

        Parameters
        ----------
        chain : ChainBuilder
        dials : mapping
            Complete and already checked.

        Returns
        -------
        dict
            Notes of the scenario, for `verify`.
        """

    @abstractmethod
    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Violations of this application's own invariant, a line each; empty when it holds.

        Parameters
        ----------
        scenario : Scenario
            With this application's own dials, contracts and notes.
        state : State
            After all blocks.
        """

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`."""
        from contend.evm import Genesis

        genesis = Genesis(genesis_environment())
        burst = str(dials.get(BURST.name, BURST.default))
        builder = BlockBuilder(self.name, seed, block_size, blocks, burst)
        chain = ChainBuilder(genesis, builder, GenesisTokens(genesis), seed, self.name)
        notes = self.compose(chain, dials)
        chain.tokens.write_storage()
        builder.fund(genesis)
        kind = str(dials.get(ACCESS_LISTS.name, ACCESS_LISTS.default))
        listed = add_access_lists(kind, genesis.state, builder.build(), chain.stream("access lists"))
        others = (*chain.contracts.values(), *chain.roles.values())
        conserved = {
            "ether": EtherConservation.at_genesis(genesis.state, builder, others),
            "holders": chain.tokens.holdings(),
        }
        return Scenario(
            genesis.state,
            listed,
            dict(dials),
            chain.contracts,
            conserved | notes,
            arrival_times(burst, builder.block_sizes, chain.stream("arrivals")),
            chain.roles,
        )

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Check conservation laws, then the application's own invariant (`verify`). See `Workload.check`."""
        return conservation_violations(scenario, state) + self.verify(scenario, state)


def conservation_violations(scenario: Scenario, state: State) -> list[str]:
    """Violations of conservation laws of every application: of ether, of shared tokens, and of nonces."""
    ether: EtherConservation = scenario.notes["ether"]
    violations = ether.violations(state, scenario.blocks)
    for token, (holders, supply) in scenario.notes["holders"].items():
        violations += supply_violations(state, token, "token", holders, supply)
    return violations
