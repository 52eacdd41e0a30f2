"""What `provenance`, `metering` and `gauntlet` promise, asked of the compiled contracts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contend.workloads.building.tokens import UNLIMITED
from tests.workloads.world import ALICE, BOB, CAROL, ZERO, Contract, World, as_int, reverts

WAD = 10**18
DEVICE, SPARE = b"\xde" * 20, b"\xdf" * 20


@pytest.fixture
def chain() -> Contract:
    """BOB has made products 1 and 2 of batch 9; ALICE is the authority, CAROL an inspector."""
    chain = World().deploy("provenance", ALICE)
    for product in (1, 2):
        chain.send(BOB, "produce", product, 9)
    chain.send(ALICE, "certify", CAROL, True)
    return chain


def test_products_pass_from_hand_to_hand(chain: Contract) -> None:
    chain.send(BOB, "ship", 1, CAROL)
    with reverts("provenance: under way"):
        chain.send(BOB, "ship", 1, ALICE)
    with reverts("provenance: not for you"):
        chain.send(ALICE, "receive", 1)
    assert chain.ask("stock", BOB, 9) == (2,)
    chain.send(CAROL, "receive", 1)
    assert chain.ask("stock", BOB, 9) == chain.ask("stock", CAROL, 9) == (1,)
    assert chain.ask("products", 1) == (as_int(CAROL), 0, 9, 1)
    with reverts("provenance: not the custodian"):
        chain.send(BOB, "ship", 1, ALICE)
    for receiver in (BOB, ZERO):
        with reverts("provenance: no receiver"):
            chain.send(BOB, "ship", 2, receiver)


def test_batches_have_one_producer(chain: Contract) -> None:
    with reverts("provenance: product exists"):
        chain.send(BOB, "produce", 1, 9)
    with reverts("provenance: another producer's batch"):
        chain.send(CAROL, "produce", 3, 9)


def test_a_recall_stops_a_batch_where_it_is(chain: Contract) -> None:
    chain.send(BOB, "ship", 1, CAROL)
    with reverts("provenance: not the producer"):
        chain.send(CAROL, "recall", 9)
    chain.send(BOB, "recall", 9)
    with reverts("provenance: recalled"):
        chain.send(CAROL, "receive", 1)
    with reverts("provenance: recalled"):
        chain.send(BOB, "ship", 2, CAROL)
    with reverts("provenance: recalled already"):
        chain.send(ALICE, "recall", 9)


def test_inspections_count_and_failures_stop_a_batch(chain: Contract) -> None:
    with reverts("provenance: not certified"):
        chain.send(BOB, "inspect", 9, True)
    with reverts("provenance: no such batch"):
        chain.send(CAROL, "inspect", 8, True)
    with reverts("provenance: not the authority"):
        chain.send(BOB, "certify", BOB, True)
    chain.send(CAROL, "inspect", 9, True)
    chain.send(CAROL, "inspect", 9, False)
    chain.send(BOB, "ship", 1, CAROL)
    chain.send(CAROL, "inspect", 9, False)
    with reverts("provenance: failed inspection"):
        chain.send(CAROL, "receive", 1)
    assert chain.ask("batches", 9) == (as_int(BOB), 0, 3, 2)


@dataclass
class Network:
    token: Contract
    metering: Contract


@pytest.fixture
def network() -> Network:
    """ALICE governs, CAROL audits, BOB staked ten and runs a device; ALICE prepaid a hundred. Kind 2 costs 3 a unit."""
    world = World()
    token = world.deploy("token", "Gold", "GLD", 18, 1_000 * WAD)
    metering = world.deploy("metering", token.address, ALICE, CAROL, 1)
    world.genesis.fund(DEVICE, WAD)
    token.send(ALICE, "transfer", BOB, 100 * WAD)
    for account in (ALICE, BOB):
        token.send(account, "approve", metering.address, UNLIMITED)
    metering.send(BOB, "stake", 10 * WAD)
    metering.send(BOB, "register", DEVICE, 2)
    metering.send(ALICE, "prepay", 100)
    return Network(token, metering)


def test_reports_move_money_from_customer_to_operator(network: Network) -> None:
    metering = network.metering
    metering.send(DEVICE, "report", ALICE, 20)
    assert metering.ask("prepaid", ALICE) == (40,)
    assert metering.ask("earnings", BOB) == (60,)
    assert metering.ask("delivered", 2) == (20,)
    assert metering.ask("devices", DEVICE) == (as_int(BOB), 2, 20, 1)
    with reverts("metering: customer has not prepaid"):
        metering.send(DEVICE, "report", ALICE, 14)
    metering.send(ALICE, "setRate", 2, 2)
    metering.send(DEVICE, "report", ALICE, 14)
    metering.send(BOB, "claim")
    assert metering.ask("earnings", BOB) == (0,)
    assert network.token.ask("balanceOf", BOB) == (90 * WAD + 88,)
    assert network.token.ask("balanceOf", metering.address) == (10 * WAD + 12,)


def test_who_has_too_little_at_stake_earns_nothing(network: Network) -> None:
    metering = network.metering
    metering.send(CAROL, "slash", BOB, 3 * WAD)
    assert (metering.ask("stakes", BOB), metering.ask("pot")) == ((7 * WAD,), (3 * WAD,))
    with reverts("metering: more than staked"):
        metering.send(BOB, "unstake", 8 * WAD)
    metering.send(BOB, "unstake", 6 * WAD + 1)
    for sender, method, arguments in ((DEVICE, "report", (ALICE, 1)), (BOB, "register", (SPARE, 0))):
        with reverts("metering: stake too small"):
            metering.send(sender, method, *arguments)
    # No more is slashed than there is.
    metering.send(CAROL, "slash", BOB, 5 * WAD)
    assert metering.ask("pot") == (4 * WAD - 1,)


@pytest.mark.parametrize(
    ("sender", "method", "arguments", "reason"),
    [
        (BOB, "slash", (BOB, 1), "metering: not the auditor"),
        (BOB, "setRate", (0, 1), "metering: not the governor"),
        (ALICE, "setRate", (4, 1), "metering: no such kind"),
        (BOB, "register", (SPARE, 4), "metering: no such kind"),
        (BOB, "register", (DEVICE, 0), "metering: device enrolled"),
        (ALICE, "report", (ALICE, 1), "metering: unknown device"),
    ],
)
def test_roles_and_kinds_are_checked(
    network: Network, sender: bytes, method: str, arguments: tuple[int | bytes, ...], reason: str
) -> None:
    with reverts(reason):
        network.metering.send(sender, method, *arguments)


def test_the_gauntlet_reads_and_writes_what_it_says() -> None:
    gauntlet = World().deploy("gauntlet")
    for work in (0, 1, 50):
        gauntlet.send(ALICE, "bump", 4, work)
    assert gauntlet.ask("cells", 4) == (3,)
    gauntlet.send(ALICE, "late", 4, 5, 3)
    assert gauntlet.ask("cells", 5) == (4,)
    gauntlet.send(BOB, "collect", 4, 2, 9, 1)
    assert gauntlet.ask("cells", 9) == (8,)
    gauntlet.send(BOB, "scatter", 4, 3, 1)
    assert [gauntlet.ask("cells", cell)[0] for cell in (4, 5, 6, 7)] == [4, 5, 1, 0]
    with reverts("gauntlet: failed on purpose"):
        gauntlet.send(BOB, "fail", 4, 2)
    assert gauntlet.ask("calls", ALICE) == (4,)
    assert gauntlet.ask("calls", BOB) == (2,)


def test_a_walk_depends_on_the_words_that_it_meets() -> None:
    gauntlet = World().deploy("gauntlet")
    cells = dict.fromkeys(range(11), 0)
    for start in range(40):
        at = start % 11
        for _ in range(5):
            at = (at * 31 + cells[at] + 7) % 11
        cells[at] += 1
        gauntlet.send(ALICE, "walk", start, 5, 11)
        assert gauntlet.ask("cells", at) == (cells[at],)
