"""Worked examples in ``docs/examples/``: they compile to what lies beside them, run verified, and hold."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from contend.evm.drivers.recorder import record
from contend.evm.state import location_of
from contend.harness.analysis.names import Namer
from contend.harness.testing import Equivalence
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get as get_strategy
from contend.strategies.registry import names
from contend.strategies.serial import Serial
from contend.workloads import Scenario, Workload, get, resolve_dials
from contend.workloads.contract_file.file import KEYS
from contend.workloads.contract_file.values import KINDS as VALUE_KINDS
from tools.docs import solidity

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
ACCOUNTS, BLOCK_SIZE = 40, 200


def test_the_artifact_is_what_the_sources_compile_to(tmp_path: Path) -> None:
    try:
        solidity.install(tmp_path)
    except solidity.CompilerMissing as missing:
        pytest.skip(str(missing))
    output = solidity.compile_examples(tmp_path)
    kept = json.loads(solidity.ARTIFACT.read_text())
    for file, contracts in kept["contracts"].items():
        for name, entry in contracts.items():
            compiled = output["contracts"][file][name]
            assert compiled["evm"]["bytecode"]["object"] == entry["evm"]["bytecode"]["object"], f"{file}:{name}"
    assert solidity.render(output) == solidity.ARTIFACT.read_text()


def test_every_source_pins_the_compiler_and_says_its_license() -> None:
    sources = sorted(solidity.FOLDER.glob("*.sol"))
    assert {path.name for path in sources} == set(json.loads(solidity.ARTIFACT.read_text())["contracts"])
    for path in sources:
        assert path.read_text().startswith(
            f"// SPDX-License-Identifier: Apache-2.0\npragma solidity {solidity.VERSION};\n"
        )


@cache
def built(name: str) -> tuple[Workload, Scenario]:
    kind = get(str(EXAMPLES / f"{name}.toml"))
    workload = kind()
    return workload, workload.build(resolve_dials(kind, {"accounts": ACCOUNTS}), 1, BLOCK_SIZE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strategy", names())
def test_an_example_is_verified_under_every_strategy(name: str, strategy: str) -> None:
    _, scenario = built(name)
    with get_strategy(strategy)() as one:
        one.clock = VirtualClock()
        outcome = Equivalence(scenario.contracts).check(one, scenario.blocks[0], scenario.genesis, 4)
    failed = int((outcome.receipts.status != 1).sum())
    assert failed <= BLOCK_SIZE // 20


@pytest.mark.parametrize("name", NAMES)
def test_an_example_s_invariants_hold_and_notice_a_lost_word(name: str) -> None:
    workload, scenario = built(name)
    state = scenario.genesis
    snapshot = state.snapshot()
    with Serial() as serial:
        changes = serial.execute(scenario.blocks[0], state, 1).changes
    assert workload.check(scenario, state) == []
    assert changes is not None
    # Whatever an invariant sums up, one of these is part of it.
    contracts = set(scenario.contracts.values())
    stored = [place for place, _ in changes if place.kind == "storage" and place.address in contracts]
    assert stored
    noticed = 0
    for place in stored[:20]:
        held = state.storage(place.address, place.slot)
        state.set_storage(place.address, place.slot, held + 1)
        noticed += bool(workload.check(scenario, state))
        state.set_storage(place.address, place.slot, held)
    assert noticed > 5
    state.restore(snapshot)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vault", {"vault.totalSupply", "asset.balanceOf[vault]", "vault.balanceOf[account 0]"}),
        ("amm", {"pool.reserve0+reserve1+lastTrade", "gold.balanceOf[pool]", "silver.allowance[account 0][pool]"}),
        ("permit", {"gold.nonces[account 0]", "checkout.orders", "silver.balanceOf[seller]"}),
        ("token", {"gold.balanceOf[account 0]"}),
    ],
)
def test_an_example_s_slots_have_names(name: str, expected: set[str]) -> None:
    workload, scenario = built(name)
    block, state = scenario.blocks[0], scenario.genesis
    snapshot = state.snapshot()
    with Serial() as serial:
        changes = serial.execute(block, state, 1).changes
    assert changes is not None
    state.restore(snapshot)
    recording = record(block, state, default_costs().table)
    namer = Namer(workload, scenario, block, recording, changes)
    touched = [location_of(recording.keys[i]) for i in np.unique(recording.locations)]
    assert [namer.name(place) for place in touched if not namer.is_named(place)] == []
    found = {namer.name(place): namer.class_of(place) for place in touched}
    assert expected <= set(found)
    for place, kind in found.items():
        if re.search(r"\.balanceOf\[", place):
            assert kind == "token balance"
        if re.search(r"\.allowance\[.*\]\[.*\]", place):
            assert kind == "allowance"
    state.restore(snapshot)


def test_the_page_shows_the_examples_as_they_are() -> None:
    page = (EXAMPLES.parent / "own-contract.md").read_text()
    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    texts = [(EXAMPLES / f"{name}.toml").read_text() for name in NAMES]
    assert len(shown) >= 5
    assert [block for block in shown if not any(block.rstrip() in text for text in texts)] == []
    assert all(f"(examples/{name}.toml)" in page for name in NAMES)


def test_the_page_names_every_key_and_every_kind_of_value() -> None:
    page = (EXAMPLES.parent / "own-contract.md").read_text()
    keys = {key for known in KEYS.values() for key in known}
    assert [key for key in sorted(keys) if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", page)] == []
    assert [kind for kind in VALUE_KINDS if f"{{ {kind} = " not in page] == []


@pytest.mark.parametrize("name", ["amm", "permit", "vault"])
def test_an_example_does_the_same_on_revm(name: str) -> None:
    pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")
    from tests.workloads.revm import Revm, differences

    _, scenario = built(name)
    (block,), state = scenario.blocks, scenario.genesis
    snapshot = state.snapshot()
    revm = Revm(state, block.environment)
    with Serial() as serial:
        outcome = serial.execute(block, state, 1)
    assert not differences(revm, revm.execute(block), outcome.receipts, state)
    state.restore(snapshot)
