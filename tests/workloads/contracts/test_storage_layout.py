"""Storage layouts of contracts, and the tables of storage classes."""

from __future__ import annotations

import pytest

from contend.workloads import get, names, resolve_dials
from contend.workloads.base import STORAGE_CLASSES
from contend.workloads.contracts.abi import load
from contend.workloads.contracts.compile import DEPLOYED
from contend.workloads.contracts.storage_layout import storage_variables
from contend.workloads.contracts.storage_variable import StorageVariable
from contend.workloads.contracts.vyper_layout import UNKNOWN_ELEMENT_SLOTS


def variable(contract: str, name: str) -> StorageVariable:
    return next(found for found in storage_variables(load(contract)) if found.name == name)


@pytest.mark.parametrize("contract", DEPLOYED)
def test_every_variable_of_the_layout_is_there(contract: str) -> None:
    artifact = load(contract)
    found = {variable.name: variable.slot for variable in storage_variables(artifact)}
    assert found == (artifact.slots if "storage_layout" in artifact.layout else {})


def test_keys_are_listed_from_the_outermost() -> None:
    assert variable("token", "allowance").key_types == ("address", "address")
    assert variable("votes", "checkpoints").key_types == ("address", "uint256")
    assert variable("pool", "packed").key_types == ()


def test_members_of_a_struct_go_by_the_names_of_its_getter() -> None:
    proposals = variable("dao", "proposals")
    assert proposals.element_slots == 5
    assert proposals.slot_name(("3",), 4) == "proposals[3].closed"
    assert variable("market", "listings").slot_name(("collection 1", "7"), 0) == "listings[collection 1][7].seller"


def test_items_of_an_array_go_by_their_number() -> None:
    assert variable("dao", "tallies").slot_name(("1",), 2) == "tallies[1][2]"
    assert variable("token", "name").slot_name((), 1) == "name[1]"
    assert variable("token", "totalSupply").slot_name((), 0) == "totalSupply"


def test_an_element_of_unknown_size_may_have_some_slots() -> None:
    layout = {"storage_layout": {"secrets": {"type": "HashMap[uint256, Secret]", "n_slots": 1, "slot": 2}}}
    artifact = type(load("token"))("hidden", {}, [], {}, layout, "0x", "0x")
    assert storage_variables(artifact) == (StorageVariable("secrets", 2, 1, ("uint256",), UNKNOWN_ELEMENT_SLOTS, ()),)


@pytest.mark.parametrize("name", names())
def test_tables_name_contracts_variables_and_classes_that_exist(name: str) -> None:
    kind = get(name)
    scenario = kind().build(resolve_dials(kind, {}), 1, 60)
    # A mix asks its applications; and some contracts are deployed only where a dial asks for them.
    if name != "mixed":
        assert {contract.partition(" ")[0] for contract in scenario.contracts} <= set(kind.artifacts)
    assert all(kind().artifact(contract) is not None for contract in scenario.contracts)
    assert kind().artifact("something else") is None
    artifacts = DEPLOYED if name == "mixed" else kind.artifacts.values()
    known = {f"{artifact}.{found.name}" for artifact in artifacts for found in storage_variables(load(artifact))}
    assert set(kind.classes) <= known
    assert set(kind.classes.values()) <= set(STORAGE_CLASSES)
