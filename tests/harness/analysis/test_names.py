"""Names of locations: right, complete for the built-in workloads, and honest about what is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from contend.evm import Block, Environment, Location, State, Transaction
from contend.evm.drivers.recorder import Recording, record
from contend.evm.state import location_of
from contend.harness.analysis.names import CLASSES, Namer
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.serial import Serial
from contend.workloads import Scenario, Workload, get, names, resolve_dials
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load


@dataclass
class Laid:
    """A workload's block with names for its locations."""

    scenario: Scenario
    recording: Recording
    namer: Namer

    @property
    def touched(self) -> list[Location]:
        return [location_of(self.recording.keys[i]) for i in np.unique(self.recording.locations)]

    def slot(self, contract: str, artifact: str, variable: str, *keys: int | bytes, offset: int = 0) -> Location:
        """The location of a variable, from its name: the other way round."""
        address = self.scenario.contracts[contract]
        storage = Storage(self.scenario.genesis, address, load(artifact))
        return Location(address, "storage", storage.slot(variable, *keys) + offset)


def lay(workload: Workload, scenario: Scenario) -> Laid:
    block, state = scenario.blocks[0], scenario.genesis
    snapshot = state.snapshot()
    with Serial() as serial:
        changes = serial.execute(block, state, 1).changes
    assert changes is not None
    state.restore(snapshot)
    recording = record(block, state, default_costs().table)
    return Laid(scenario, recording, Namer(workload, scenario, block, recording, changes))


@pytest.fixture(scope="module")
def laid() -> dict[str, Laid]:
    found = {}
    for name in names():
        kind = get(name)
        found[name] = lay(kind(), kind().build(resolve_dials(kind, {}), 3, 400))
    return found


# Shares of locations that may stay without a name: an order in the middle of a queue that somebody else's order met.
COMPUTED_KEYS = {"orders": 0.03, "mixed": 0.01}


@pytest.mark.parametrize("name", names())
def test_every_location_that_a_workload_touches_has_a_name(laid: dict[str, Laid], name: str) -> None:
    one = laid[name]
    nameless = [one.namer.name(place) for place in one.touched if not one.namer.is_named(place)]
    assert len(nameless) <= COMPUTED_KEYS.get(name, 0.0) * len(one.touched), nameless[:5]
    assert {one.namer.class_of(place) for place in one.touched} <= set(CLASSES)


def test_names_lead_back_to_their_slots(laid: dict[str, Laid]) -> None:
    swaps = laid["swaps"]
    pool = swaps.scenario.contracts["pool 0"]
    trade = next(t for t in swaps.scenario.blocks[0] if pool in t.data)
    trader, router = trade.sender, swaps.scenario.contracts["router"]
    short = f"0x{trader[:4].hex()}.."
    every = set(swaps.touched)
    token = next(
        name
        for name in swaps.scenario.contracts
        if name.startswith("token") and swaps.slot(name, "token", "allowance", trader, router) in every
    )
    for place, name, kind in (
        (swaps.slot("pool 0", "pool", "packed"), "pool 0.packed", "pool reserve"),
        (swaps.slot("token 1", "token", "balanceOf", pool), "token 1.balanceOf[pool 0]", "token balance"),
        (swaps.slot(token, "token", "allowance", trader, router), f"{token}.allowance[{short}][router]", "allowance"),
        (Location(trader, "nonce", 0), f"{short} nonce", "nonce"),
        (Location(pool, "code", 0), "pool 0 code", "code"),
    ):
        assert place in every, name
        assert swaps.namer.name(place) == name
        assert swaps.namer.class_of(place) == kind


def test_tokens_minted_in_the_block_have_names(laid: dict[str, Laid]) -> None:
    # Their numbers are in no call data: only the counter knows them.
    nft = laid["nft"]
    found = [nft.namer.name(place) for place in nft.touched]
    assert any(name.startswith("collection 0.owners[") for name in found)
    assert nft.namer.name(nft.slot("collection 0", "collection", "totalSupply")) == "collection 0.totalSupply"
    assert nft.namer.class_of(nft.slot("collection 0", "collection", "totalSupply")) == "counter"
    assert nft.namer.name(Location(nft.scenario.accounts["treasury"], "balance", 0)) == "treasury balance"


def test_a_contract_of_another_name_than_its_code_says_both(laid: dict[str, Laid]) -> None:
    dao = laid["dao"]
    foundation = dao.scenario.accounts["foundation"]
    voter = dao.scenario.blocks[0].transactions[0].sender
    place = dao.slot("token", "votes", "checkpoints", voter, 0)
    assert dao.namer.name(place) == f"token (votes).checkpoints[0x{voter[:4].hex()}..][0]"
    assert dao.namer.class_of(dao.slot("dao", "dao", "tallies", 1, offset=1)) == "counter"
    assert dao.namer.name(dao.slot("dao", "dao", "tallies", 1, offset=1)) == "dao.tallies[1][1]"
    assert dao.namer.name(Location(foundation, "nonce", 0)) == "foundation nonce"


class Strange(Workload):
    """Nothing is known about its contract but the name."""

    name = "strange"
    summary = "a contract without a layout"
    dials = ()

    def build(self, dials: object, seed: int, block_size: int, blocks: int = 1) -> Scenario:
        state, sender, contract = State(), bytes([1]) * 20, bytes([2]) * 20
        state.set_balance(sender, 10**20)
        state.set_code(contract, bytes.fromhex("602a600755"))  # stores 42 at 7
        block = Block(Environment(), (Transaction(sender, contract, 0),))
        return Scenario(state, [block], {}, {"vault": contract})

    def check(self, scenario: Scenario, state: State) -> list[str]:
        return []


def test_what_is_not_known_stays_a_number() -> None:
    workload = Strange()
    one = lay(workload, workload.build({}, 0, 1))
    slot = Location(one.scenario.contracts["vault"], "storage", 7)
    assert one.namer.name(slot) == "vault slot 7"
    assert one.namer.class_of(slot) == "other storage"
    assert not one.namer.is_named(slot)
    far = Location(bytes([9]) * 20, "storage", 1 << 255)
    assert one.namer.name(far) == "0x09090909.. slot 0x80000000.."
    beneficiary = Location(one.scenario.blocks[0].environment.coinbase, "balance", 0)
    assert one.namer.name(beneficiary) == "beneficiary balance"
