"""Artifacts: they are what their sources compile to, and ask nothing of the EVM that it does not have yet."""

from __future__ import annotations

import json

import pytest

from contend.workloads.contracts import compile as compiler
from contend.workloads.contracts.abi import CONTRACTS, load

# Creation inside a contract and the end of one.
FORBIDDEN = {0xF0: "CREATE", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}
PUSH1, PUSH32 = 0x60, 0x7F


def opcodes(code: bytes) -> set[int]:
    found, at = set(), 0
    while at < len(code):
        found.add(code[at])
        at += 1 + (code[at] - PUSH1 + 1 if PUSH1 <= code[at] <= PUSH32 else 0)
    return found


def test_every_deployed_contract_has_its_artifact_and_no_other_is_there() -> None:
    assert sorted(path.stem for path in CONTRACTS.glob("*.json")) == sorted(compiler.DEPLOYED)
    assert all((CONTRACTS / f"{name}.vy").is_file() for name in compiler.DEPLOYED)


@pytest.mark.parametrize("name", compiler.DEPLOYED)
def test_recompiling_gives_the_artifact(name: str) -> None:
    vyper = pytest.importorskip("vyper", reason="the Vyper compiler is not installed (extra 'test')")
    if vyper.__version__ != compiler.VERSION:
        pytest.skip(f"vyper {vyper.__version__} is installed, the artifacts are made with {compiler.VERSION}")
    fresh = compiler.compile_contract(name)
    assert fresh == json.loads((CONTRACTS / f"{name}.json").read_text())
    assert compiler.render(fresh) == (CONTRACTS / f"{name}.json").read_text()


@pytest.mark.parametrize("name", compiler.DEPLOYED)
def test_the_artifact_says_how_it_was_made(name: str) -> None:
    artifact = load(name)
    assert artifact.contract == name
    assert artifact.compiler["version"].startswith(compiler.VERSION)
    assert artifact.compiler["evm_version"] == "cancun"
    assert (CONTRACTS / f"{name}.vy").read_text().startswith(f"#pragma version {compiler.VERSION}\n")
    assert len(artifact.runtime) // 2 - 1 <= 24_576


@pytest.mark.parametrize("name", compiler.DEPLOYED)
def test_no_contract_creates_or_destroys_contracts(name: str) -> None:
    # Read linearly, jump tables included: what is found may be data, what is not found is surely absent.
    found = opcodes(bytes.fromhex(load(name).runtime[2:]))
    assert not {FORBIDDEN[code] for code in FORBIDDEN if code in found}
