"""Applications: workloads that can be built alone or side by side with others on one chain."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workloads.arrivals import BURST, arrival_times
from workloads.base import DialValue, Scenario, Workload
from workloads.draft import Draft, genesis_environment
from workloads.ether import EtherBook
from workloads.labels import classes_of
from workloads.site import Site, Tokens
from workloads.tokens import supply_violations

if TYPE_CHECKING:
    from evm import State


class Application(Workload):
    """A workload written against a `Site`, so that it can share a chain.

    What it deploys, writes and endows goes through the site; ether, nonces and shared tokens are then checked for it,
    and it checks the rest.
    """

    def __init_subclass__(cls) -> None:
        """Classes of variables follow from the artifacts."""
        super().__init_subclass__()
        cls.classes = classes_of(cls.artifacts.values())

    @abstractmethod
    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """Deploy contracts, write ``site.draft.size`` transactions, and prepare the genesis for them.

        Returns
        -------
        dict
            What `verify` needs again.
        """

    @abstractmethod
    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """What `state`, after all blocks, violates of this application's own invariant.

        Parameters
        ----------
        scenario : Scenario
            With this application's own dials, contracts and notes.
        """

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`."""
        from evm import Genesis

        genesis = Genesis(genesis_environment())
        burst = str(dials.get(BURST.name, BURST.default))
        draft = Draft(self.name, seed, block_size, blocks, burst)
        site = Site(genesis, draft, Tokens(genesis), seed, self.name)
        notes = self.compose(site, dials)
        site.tokens.settle()
        draft.fund(genesis)
        holders = (*site.contracts.values(), *site.roles.values())
        common = {"ether": EtherBook.open(genesis.state, draft, holders), "holders": site.tokens.books()}
        arrivals = arrival_times(burst, draft.sizes, site.stream("arrivals"))
        finished, named = draft.finished(), site.roles
        return Scenario(genesis.state, finished, dict(dials), site.contracts, common | notes, arrivals, named)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Ether, nonces and shared tokens, then the application's own invariant (`verify`). See `Workload.check`."""
        return common_violations(scenario, state) + self.verify(scenario, state)


def common_violations(scenario: Scenario, state: State) -> list[str]:
    """What holds for every application: ether and shared tokens are conserved, and every nonce is used."""
    ether: EtherBook = scenario.notes["ether"]
    violations = ether.violations(state, scenario.blocks)
    for token, (holders, supply) in scenario.notes["holders"].items():
        violations += supply_violations(state, token, "token", holders, supply)
    return violations
