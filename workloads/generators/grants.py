"""Grants: funding requests and contributions with quadratic matching, streams from a treasury, and recurring tasks.

Every contribution moves its project's sums, its round's sum of squares, and the contract's token balance: a round is a
chain of its donors. Claims of an earlier round and all payments of a treasury meet in the balances that they are paid
from. Keepers compete for tasks that have become due, and all but the first come too late. Each organisation has
contracts of its own, as rounds of grants have on Ethereum, so that its donors wait for each other and not for those of
another one.

Defaults, and where they come from:

- ``donors``, ``donor_zipf``: payment senders of 2022, 0.80.
- ``project_zipf``, ``organisation_zipf``: 1.2, as unequal as the votes of a large organisation (ten voters hold about
  half, 2022).
- ``organisations``, ``rounds``, ``projects`` and the weights: no measurement was at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.block_builder import DAY_BLOCKS
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

HUB = 0
FOUNDATION = "grants foundation"
# The round that is over; those from 1 on are open.
CLOSED = 0
MATCHING = 1_000_000 * UNIT
PER_BLOCK, REWARD = UNIT // 100, UNIT // 10
# Owners of projects and payees of streams are accounts from here downwards.
OWNERS, PAYEES = -20_000, -200_000
OWNER, GOAL, CONTRIBUTIONS, ROOTS, CLAIMED = range(5)
GAS = {"contribute": 210_000, "request": 110_000, "claim": 110_000, "draw": 90_000, "perform": 120_000}


class Grants(Application):
    """Grants: conflicts through rounds' sums, popular projects, the treasury's balance, and tasks that are due."""

    name = "grants"
    summary = "funding rounds with quadratic matching, treasury streams, recurring tasks"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "token", "grants": "grants", "treasury": "treasury"}
    dials = (
        Dial("donors", 20_000, "accounts that contribute and keep tasks", 1, 1_000_000),
        Dial.zipf("donor_zipf", 0.80, "donors"),
        Dial("organisations", 12, "organisations, each with its own rounds and its own treasury", 1, 1_000),
        Dial.zipf("organisation_zipf", 1.2, "organisations"),
        Dial("rounds", 3, "open rounds of each; contributions to one round all conflict", 1, 100),
        Dial("projects", 60, "projects in each open round", 1, 10_000),
        Dial.zipf("project_zipf", 1.2, "projects"),
        Dial.weight("contribute", 0.6, "contributions"),
        Dial.weight("request", 0.05, "new funding requests"),
        Dial.weight("claim", 0.1, "claims of projects of an earlier round"),
        Dial.weight("draw", 0.2, "payees drawing on their streams"),
        Dial.weight("perform", 0.05, "recurring tasks"),
        Dial("rivals", 1.5, "keepers for each task that is due; all but the first come too late", 1.0, 100.0),
        BURST,
    )
    presets = (
        Preset("funding-surge", "the last hour of a round of research grants: nearly all contribute, to one round",
               {"organisations": 1, "rounds": 1, "contribute": 10.0, "project_zipf": 1.6, "burst": "plateau"}),
        Preset("keepers", "upkeep: competing keepers and payees, no round (no measurement at hand)",
               {"contribute": 0.0, "request": 0.0, "claim": 0.0, "perform": 0.5, "draw": 0.5, "rivals": 3.0}),
    )  # fmt: skip

    ends = (
        {"organisations": 1_000, "organisation_zipf": 0.0, "donors": 1_000_000, "donor_zipf": 0.0, "rounds": 1,
         "request": 0.0},
        {"organisations": 12, "organisation_zipf": 5.0, "donors": 20_000, "donor_zipf": 0.8, "rounds": 1,
         "request": 0.0},
    )  # fmt: skip

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        weights = {kind: float(dials[kind]) for kind in GAS}
        if not sum(weights.values()):
            weights["contribute"] = 1.0
        kinds = chain.draw_kinds("kinds", weights)
        actors = chain.draw_ranks("donors", int(dials["donors"]), float(dials["donor_zipf"]))
        rounds, projects = int(dials["rounds"]), int(dials["projects"])
        chosen = chain.draw_below("rounds", rounds)
        popular = chain.draw_ranks("projects", projects, float(dials["project_zipf"]))
        amounts = chain.draw_below("amounts", 10_000)

        organisations = chain.draw_ranks(
            "organisations", int(dials["organisations"]), float(dials["organisation_zipf"])
        )
        funds = _deploy_funds(chain, Counter(organisations), float(dials["rivals"]))
        methods = {name: load("grants").method(name) for name in ("contribute", "request", "claim")}
        methods |= {name: load("treasury").method(name) for name in ("draw", "perform")}
        given: dict[tuple[int, int, int, bytes], None] = {}
        for kind, actor, o, chosen_round, project, part in zip(
            kinds, actors, organisations, chosen, popular, amounts, strict=True
        ):
            amount, fund = (1 + part) * UNIT // 1_000, funds[o]
            match kind:
                case "contribute":
                    donor = builder.accounts[actor]
                    chain.tokens.credit(HUB, donor, amount)
                    chain.tokens.approve(HUB, donor, fund.grants)
                    given[o, 1 + chosen_round, project, donor] = None
                    builder.add(actor, fund.grants, GAS[kind], methods[kind](1 + chosen_round, project, amount))
                case "request":
                    builder.add(actor, fund.grants, GAS[kind], methods[kind](1 + chosen_round, amount))
                case "claim":
                    builder.add(actor, fund.grants, GAS[kind], methods[kind](CLOSED, fund.claims))
                    fund.claims += 1
                case "draw":
                    # A payee draws again when enough others have: at the latest in a later block something is due.
                    stream = fund.draws % fund.payees
                    fund.draws += 1
                    builder.add(PAYEES - fund.first_payee - stream, fund.treasury, GAS[kind], methods[kind](stream))
                case "perform":
                    chain.tokens.credit(HUB, builder.accounts[actor])
                    data = methods[kind](int(fund.performs / fund.rivals))
                    builder.add(actor, fund.treasury, GAS[kind], data)
                    fund.performs += 1
        claimed = 0
        for o, fund in funds.items():
            _open_rounds(chain, o, rounds, projects, fund.claims, OWNERS - claimed)
            _fill_treasury(chain, o, fund)
            claimed += fund.claims
        return {
            "given": tuple(given),
            "rounds": rounds + 1,
            "start": chain.genesis.environment.number,
            "funds": funds,
            "endowed": {o: chain.tokens.balances[HUB][fund.treasury] for o, fund in funds.items()},
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that rounds are sums of their contributions and all money is accounted for. See `Application.verify`.

        In every round the sum of squares is that of its projects' roots; projects of open rounds have what their donors
        gave, and the sum of its roots; the contract holds all that was not claimed. The treasury paid what streams
        and tasks say, and holds the rest.
        """
        found: list[str] = []
        currency = Storage(state, scenario.contracts[f"token {HUB}"], load("token"))
        for o, fund in scenario.notes["funds"].items():
            held = currency.get("balanceOf", fund.grants), currency.get("balanceOf", fund.treasury)
            violations = _grant_violations(scenario.notes, Storage(state, fund.grants, load("grants")), o, held[0])
            treasury = Storage(state, fund.treasury, load("treasury"))
            violations += _treasury_violations(scenario.notes, treasury, o, held[1])
            found += [f"organisation {o}: {line}" for line in violations]
        return found


@dataclass
class Fund:
    """Contracts of an organisation, and counts of the transactions that were added for it.

    Attributes
    ----------
    grants, treasury : bytes
        Addresses.
    payees : int
        Streams of its treasury.
    first_payee : int
        Number of payees of other organisations before its own.
    rivals : float
        Keepers for each of its tasks.
    claims, draws, performs : int
        Transactions of these kinds.
    """

    grants: bytes
    treasury: bytes
    payees: int
    first_payee: int
    rivals: float
    claims: int = 0
    draws: int = 0
    performs: int = 0

    @property
    def streams(self) -> int:
        """Number of streams that are drawn on."""
        return min(self.draws, self.payees)

    @property
    def tasks(self) -> int:
        """Number of tasks that are performed, and one more."""
        return int(self.performs / self.rivals) + 1


def _deploy_funds(chain: ChainBuilder, sizes: Mapping[int, int], rivals: float) -> dict[int, Fund]:
    """Deploy the contracts of the organisations that have transactions, by index of the organisation."""
    currency, foundation = chain.token(HUB), named_account(FOUNDATION)
    funds, payees = {}, 0
    for o in sorted(sizes):
        grants = chain.deploy(f"grants {o}", "grants", currency)
        treasury = chain.deploy(f"treasury {o}", "treasury", currency, sender=foundation)
        funds[o] = Fund(grants, treasury, 1 + sizes[o] // 4, payees, rivals)
        payees += funds[o].payees
    return funds


def _grant_violations(notes: Mapping[str, Any], grants: Storage, o: int, held: int) -> list[str]:
    """Violations of an organisation's rounds, which hold `held` of the currency."""
    found = []
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for organisation, round_, project, donor in notes["given"]:
        if organisation == o:
            amount = grants.get("given", round_, project, donor)
            total, roots = sums.get((round_, project), (0, 0))
            sums[round_, project] = (total + amount, roots + isqrt(amount))
    owed = 0
    for round_ in range(notes["rounds"]):
        matching, squares = (grants.get("rounds", round_, offset=field) for field in (1, 2))
        total_squares, left = 0, matching
        for project in range(grants.get("projectCounts", round_)):
            contributions, roots, claimed = (
                grants.get("projects", round_, project, offset=field) for field in (CONTRIBUTIONS, ROOTS, CLAIMED)
            )
            total_squares += roots**2
            if round_ != CLOSED and (contributions, roots) != sums.get((round_, project), (0, 0)):
                found.append(f"round {round_}: project {project} has {contributions}, which is not what donors gave")
            if claimed:
                left -= matching * roots**2 // squares if squares else 0
            else:
                owed += contributions
        owed += left
        if total_squares != squares:
            found.append(f"round {round_}: squares add up to {total_squares}, not to {squares}")
    if held != owed:
        found.append(f"grants: hold {held} and owe {owed}")
    return found


def _treasury_violations(notes: Mapping[str, Any], treasury: Storage, o: int, held: int) -> list[str]:
    """Violations of an organisation's treasury, which holds `held` of the currency."""
    found, fund, start = [], notes["funds"][o], notes["start"]
    paid = sum(
        treasury.get("tasks", task, offset=1) * treasury.get("tasks", task, offset=3) for task in range(fund.tasks)
    ) + sum(
        treasury.get("streams", stream, offset=1) * (treasury.get("streams", stream, offset=2) - start)
        for stream in range(fund.streams)
    )
    if treasury.get("paidOut") != paid:
        found.append(f"treasury: paid out {treasury.get('paidOut')}, streams and tasks say {paid}")
    if held != notes["endowed"][o] - paid:
        found.append(f"treasury: holds {held} of {notes['endowed'][o]} after paying {paid}")
    return found


def _open_rounds(chain: ChainBuilder, o: int, rounds: int, projects: int, claims: int, owners: int) -> None:
    """Write one round that ended, with projects to claim, and rounds that are open, with projects to support.

    Projects belong to the accounts from `owners` downwards.
    """
    storage, start = chain.storage(f"grants {o}", "grants"), chain.genesis.environment.number
    grants, total = chain.contracts[f"grants {o}"], 0
    storage.set(rounds + 1, "roundCount")
    for round_ in range(rounds + 1):
        closed = round_ == CLOSED
        storage.set(start + (1 if closed else 4 * DAY_BLOCKS), "rounds", round_)
        storage.set(MATCHING, "rounds", round_, offset=1)
        total += MATCHING
        count, squares = (claims if closed else projects), 0
        storage.set(count, "projectCounts", round_)
        for project in range(count):
            owner = chain.block_builder.accounts[owners - project]
            storage.set(owner, "projects", round_, project)
            storage.set(100 * UNIT, "projects", round_, project, offset=GOAL)
            if closed:
                # As of ten donors who gave the same.
                contributions = (1 + project % 50) * UNIT
                roots = 10 * isqrt(contributions // 10)
                storage.set(contributions, "projects", round_, project, offset=CONTRIBUTIONS)
                storage.set(roots, "projects", round_, project, offset=ROOTS)
                squares, total = squares + roots**2, total + contributions
                chain.tokens.credit(HUB, owner)
        storage.set(squares, "rounds", round_, offset=2)
    chain.tokens.credit(HUB, grants, total)


def _fill_treasury(chain: ChainBuilder, o: int, fund: Fund) -> None:
    """Write streams and tasks, and give the treasury enough for all of them for a week."""
    storage, start = chain.storage(f"treasury {o}", "treasury"), chain.genesis.environment.number
    streams, tasks = fund.streams, fund.tasks
    storage.set(streams, "streamCount")
    for stream in range(streams):
        payee = chain.block_builder.accounts[PAYEES - fund.first_payee - stream]
        fields: tuple[bytes | int, ...] = (payee, PER_BLOCK, start)
        for offset, value in enumerate(fields):
            storage.set(value, "streams", stream, offset=offset)
        chain.tokens.credit(HUB, payee)
    storage.set(tasks, "taskCount")
    for task in range(tasks):
        for offset, value in enumerate((1, REWARD, start, 0)):
            storage.set(value, "tasks", task, offset=offset)
    due = streams * PER_BLOCK * 8 * DAY_BLOCKS + tasks * REWARD * 1_000
    chain.tokens.credit(HUB, fund.treasury, due)
