"""DAO: token-weighted votes of many voters on few proposals.

Voters hold a governance token with delegated votes, each delegated to itself at genesis, and vote once on a proposal;
the organisation asks the token for the votes that they had when voting began. Beside the votes, holders transfer the
token and delegate anew, which moves checkpoints but no vote that is being counted.

Each proposal takes its voters in an order of its own and no voter twice. When every voter has voted on every proposal,
the remaining votes are written as transfers and delegations instead.

Defaults, and where they come from (public chain data of 2022 unless said otherwise):

- ``voters``, ``weight_zipf``: ten voters hold 45 to 58 % of a large DAO's votes; with 10,000 voters an exponent of 1.2
  gives the first ten 52 %.
- ``proposals``, ``proposal_zipf``, ``other``: no measurement was at hand. A few proposals are open at a time, the most
  disputed of them draws most votes, and while a vote closes little else happens to the token.
- ``execute``: off, so that blocks are those of earlier versions.
- `SUPPORT`: most votes are in favour.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import gcd
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.block_builder import DAY_BLOCKS, ETHER
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import RandomStream, Zipf
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT, supply_violations
from contend.workloads.contracts.abi import Method, load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import Genesis, State

SUPPLY = 1_000_000_000 * UNIT
# The foundation deploys, proposes, and keeps what is not distributed to voters: 40 % and roundings.
DISTRIBUTED = SUPPLY // 10 * 6
FOUNDATION = "foundation"
BLOCK_BITS = 32
VOTING_DELAY, VOTING_PERIOD = 1, 3 * DAY_BLOCKS
# 0 against, 1 for, 2 abstain; each draw equally likely.
SUPPORT = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 2)
VOTE_GAS = 110_000
TRANSFER_GAS = 180_000
DELEGATE_GAS = 200_000
EXECUTE_GAS = 140_000
# Proposals that were decided before have numbers from here on.
FIRST_DECIDED = 1_000_001


class Dao(Application):
    """Votes: conflicts through proposals' tallies, and nonces of voters who vote on several proposals."""

    name = "dao"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "votes", "dao": "dao"}
    summary = "token-weighted votes of many voters on few proposals"
    dials = (
        Dial("voters", 10_000, "accounts with voting tokens", 2, 1_000_000),
        Dial("weight_zipf", 1.2, "Zipf exponent of voters' weights; 0 gives all the same", 0.0, 5.0),
        Dial("proposals", 4, "open proposals", 1, 1_000),
        Dial.zipf("proposal_zipf", 1.0, "proposals' shares of the votes"),
        Dial.share("other", 0.1, "share of transfers and delegations of the governance token"),
        Dial.share("execute", 0.0, "share of executions of proposals that have won: payments of the treasury"),
        BURST,
    )
    presets = (
        Preset("last-hour", "one disputed proposal closes: ten voters hold half of the votes (2022), all vote on it",
               {"proposals": 1, "other": 0.02}),
        Preset("executing", "decided proposals are paid out while others are voted on (no measurement at hand)",
               {"execute": 0.3}),
    )  # fmt: skip

    ends = (
        {"proposals": 1_000, "proposal_zipf": 0.0, "other": 0.0},
        {"proposals": 20, "proposal_zipf": 5.0, "other": 0.0},
    )

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder, genesis, foundation = chain.block_builder, chain.genesis, named_account(FOUNDATION)
        token = chain.deploy("token", "votes", "Governance", "GOV", SUPPLY, sender=foundation)
        dao = chain.deploy(
            "dao", "dao", token, VOTING_DELAY, VOTING_PERIOD, SUPPLY // 1_000, SUPPLY // 25, sender=foundation
        )
        weights = _weights(int(dials["voters"]), float(dials["weight_zipf"]))
        ballots, involved, executed = _add_transactions(chain, dials, weights)

        held = _distribute(genesis, {builder.accounts[voter]: weights[voter] for voter in involved}, token)
        propose = load("dao").method("propose")
        for proposal in range(1, int(dials["proposals"]) + 1):
            grantee = named_account(f"grantee {proposal}")
            genesis.call(dao, propose(grantee, ETHER, b"", f"Grant {proposal}"), foundation)
        chain.roles[FOUNDATION] = foundation
        chain.roles |= {f"grantee {proposal}": named_account(f"grantee {proposal}") for proposal in executed}
        _write_decided(chain, executed)
        return {"weights": held, "ballots": ballots, "executed": executed}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that tallies equal the votes cast and the token is conserved. See `Application.verify`.

        Every vote of these blocks is recorded with the weight that its voter had when voting began; a proposal's
        tallies are the sums of those; the token's balances add up to its supply, and so do its delegated votes.
        """
        weights: dict[bytes, int] = scenario.notes["weights"]
        token = scenario.contracts["token"]
        violations = supply_violations(state, token, "votes", weights, SUPPLY)
        votes = Storage(state, token, load("votes"))
        delegated = sum(_current_votes(votes, account) for account in weights)
        if delegated != SUPPLY:
            violations.append(f"token 0x{token.hex()}: delegated votes add up to {delegated}, not to {SUPPLY}")
        dao = Storage(state, scenario.contracts["dao"], load("dao"))
        for proposal, voters in scenario.notes["ballots"].items():
            violations += _ballot_violations(dao, proposal, voters, weights)
        for proposal in scenario.notes["executed"]:
            closed, paid = dao.get("proposals", proposal, offset=4), state.balance(named_account(f"grantee {proposal}"))
            if (closed, paid) != (1, ETHER):
                violations.append(f"proposal {proposal}: closed as {closed}, its grantee has {paid} wei, not {ETHER}")
        return violations


def _weights(voters: int, exponent: float) -> list[int]:
    """Tokens by voter: Zipf-distributed shares of `DISTRIBUTED`, rounded down."""
    shares = Zipf(voters, exponent).weights
    total = int(shares.sum())
    return [DISTRIBUTED * share // total for share in shares.tolist()]


def _draw_votes(chain: ChainBuilder, dials: Mapping[str, DialValue]) -> list[tuple[int, int] | None]:
    """Draw for each transaction a proposal, counted from 1, and its voter; None where it is no vote."""
    voters, proposals = int(dials["voters"]), int(dials["proposals"])
    chosen = chain.draw_ranks("proposals", proposals, float(dials["proposal_zipf"]))
    other = chain.draw_chances("kinds", float(dials["other"]))
    orders: dict[int, tuple[int, int]] = {}
    turns = [0] * proposals
    # Proposals on which some have not voted; when the one drawn is exhausted, the next of them takes the vote.
    unfinished = list(range(proposals))
    votes: list[tuple[int, int] | None] = []
    for proposal, is_other in zip(chosen, other, strict=True):
        if is_other or not unfinished:
            votes.append(None)
            continue
        if turns[proposal] == voters:
            proposal = unfinished[bisect_left(unfinished, proposal) % len(unfinished)]
        if proposal not in orders:
            orders[proposal] = _draw_order(chain.stream(f"voters of {proposal}"), voters)
        first, step = orders[proposal]
        votes.append((proposal + 1, (first + step * turns[proposal]) % voters))
        turns[proposal] += 1
        if turns[proposal] == voters:
            unfinished.remove(proposal)
    return votes


def _draw_order(stream: RandomStream, voters: int) -> tuple[int, int]:
    """Draw a first voter and a step that, taken again and again modulo `voters`, visits every voter once."""
    first = int(stream.below(voters, 1)[0])
    while True:
        step = 1 + int(stream.below(voters, 1)[0])
        if gcd(step, voters) == 1:
            return first, step


def _add_transactions(
    chain: ChainBuilder, dials: Mapping[str, DialValue], weights: list[int]
) -> tuple[dict[int, list[bytes]], list[int], list[int]]:
    """Add all transactions; the voters by proposal, every account that takes part, and proposals executed."""
    builder, token, dao = chain.block_builder, chain.contracts["token"], chain.contracts["dao"]
    cast, transfer = load("dao").method("castVote(uint256,uint8)"), load("votes").method("transfer")
    delegate = load("votes").method("delegate")
    supports = chain.draw_below("supports", len(SUPPORT))
    holders = chain.draw_below("holders", len(weights))
    steps = chain.draw_below("receivers", len(weights) - 1)
    delegations = chain.draw_chances("delegations", 0.5)
    parts = chain.draw_below("amounts", 1_000)
    ballots: dict[int, list[bytes]] = {}
    involved: dict[int, None] = {}
    executes = chain.draw_chances("executions", float(dials["execute"]))
    execute, executed = load("dao").method("execute"), list[int]()
    for i, vote in enumerate(_draw_votes(chain, dials)):
        holder = holders[i]
        if executes[i]:
            executed.append(FIRST_DECIDED + len(executed))
            grantee = named_account(f"grantee {executed[-1]}")
            builder.add(holder, dao, EXECUTE_GAS, execute(executed[-1], grantee, ETHER, b""))
            continue
        receiver = (holder + 1 + steps[i]) % len(weights)
        involved[receiver] = None
        involved[holder if vote is None else vote[1]] = None
        other = builder.accounts[receiver]
        if vote is not None:
            proposal, voter = vote
            builder.add(voter, dao, VOTE_GAS, cast(proposal, SUPPORT[supports[i]]))
            ballots.setdefault(proposal, []).append(builder.accounts[voter])
        elif delegations[i]:
            builder.add(holder, token, DELEGATE_GAS, delegate(other))
        else:
            # At most a ten-millionth of what the holder has: no number of transfers in a block takes it all.
            amount = weights[holder] * (1 + parts[i]) // 10**10
            builder.add(holder, token, TRANSFER_GAS, transfer(other, amount))
    return ballots, list(involved), executed


def _distribute(genesis: Genesis, held: dict[bytes, int], token: bytes) -> dict[bytes, int]:
    """Write the weight of every account that takes part, delegated to itself; balance by holder, with the foundation.

    Accounts that take no part would never be read; the foundation keeps theirs.
    """
    held[named_account(FOUNDATION)] = SUPPLY - sum(held.values())
    storage = Storage(genesis.state, token, load("votes"))
    # Votes count at a proposal's start only if they were there before it.
    since = genesis.environment.number - DAY_BLOCKS
    for holder, weight in held.items():
        storage.set(weight, "balanceOf", holder)
        storage.set(holder, "delegates", holder)
        storage.set(1, "numCheckpoints", holder)
        storage.set(since | weight << BLOCK_BITS, "checkpoints", holder, 0)
    return held


def _write_decided(chain: ChainBuilder, proposals: list[int]) -> None:
    """Write proposals that have won, each to pay one ether to a grantee of its own, and give the treasury that much."""
    if not proposals:
        return
    from contend.evm import keccak256

    storage, now = chain.storage("dao", "dao"), chain.genesis.environment.number
    action = Method("action(address,uint256,bytes)", b"")
    for proposal in proposals:
        hashed = keccak256(action(named_account(f"grantee {proposal}"), ETHER, b""))
        fields = (int.from_bytes(named_account(FOUNDATION), "big"), int.from_bytes(hashed, "big"), now - 2, now - 1, 0)
        for offset, value in enumerate(fields):
            storage.set(value, "proposals", proposal, offset=offset)
        storage.set(SUPPLY // 10, "tallies", proposal, offset=1)
    chain.genesis.fund(chain.contracts["dao"], ETHER * len(proposals))


def _current_votes(votes: Storage, account: bytes) -> int:
    """Votes delegated to an account, by its last checkpoint."""
    count = votes.get("numCheckpoints", account)
    return votes.get("checkpoints", account, count - 1) >> BLOCK_BITS if count else 0


def _ballot_violations(dao: Storage, proposal: int, voters: list[bytes], weights: Mapping[bytes, int]) -> list[str]:
    """Violations of one proposal: receipts of its voters, and tallies that are their sums."""
    name, found, sums = f"proposal {proposal}", [], [0, 0, 0]
    for voter in voters:
        receipt = dao.get("receipts", proposal, voter)
        support, votes = receipt >> 8 & 0xFF, receipt >> 16
        if receipt & 0xFF != 1 or support > 2 or votes != weights[voter]:
            found.append(f"{name}: 0x{voter.hex()} has no valid receipt for {weights[voter]} votes: {receipt:#x}")
        else:
            sums[support] += votes
    tally = [dao.get("tallies", proposal, offset=support) for support in range(3)]
    if tally != sums:
        found.append(f"{name}: tally is {tally}, the votes add up to {sums}")
    return found
