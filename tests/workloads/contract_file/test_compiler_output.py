"""Output of compilers: solc's combined and standard JSON say the same as one another, libraries are linked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contend.workloads import PluginError, get, resolve_dials
from contend.workloads.contract_file.artifacts import ExternalArtifact, read_artifact
from contend.workloads.contract_file.refusal import ArtifactError

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
STANDARD: dict[str, Any] = json.loads((EXAMPLES / "solidity" / "contracts.json").read_text())
NAMES = [(file, name) for file, contracts in STANDARD["contracts"].items() for name in contracts]


def combined(as_texts: bool = False) -> dict[str, Any]:
    """The same as ``solc --combined-json abi,bin,storage-layout`` writes it; older ones have JSON in texts."""
    made: Any = json.dumps if as_texts else dict
    made_list: Any = json.dumps if as_texts else list
    return {
        "contracts": {
            f"{file}:{name}": {
                "abi": made_list(STANDARD["contracts"][file][name]["abi"]),
                "bin": STANDARD["contracts"][file][name]["evm"]["bytecode"]["object"],
                "storage-layout": made(STANDARD["contracts"][file][name]["storageLayout"]),
            }
            for file, name in NAMES
        },
        "version": "0.8.30+commit.73712a01.Linux.g++",
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / "contracts.json"
    path.write_text(json.dumps(content))
    return path


def parts(artifact: ExternalArtifact) -> tuple[Any, ...]:
    return artifact.code, artifact.constructor, artifact.parameters, artifact.layout, artifact.libraries


@pytest.mark.parametrize(("file", "name"), NAMES)
def test_all_forms_of_one_compilation_say_the_same(tmp_path: Path, file: str, name: str) -> None:
    standard = read_artifact(EXAMPLES / "solidity" / "contracts.json", name)
    assert standard.tool == "solc"
    entry = STANDARD["contracts"][file][name]
    forms = {
        "combined": combined(),
        "combined, of older compilers": combined(as_texts=True),
        "build-info": {"_format": "hh-sol-build-info-1", "input": {}, "output": STANDARD},
    }
    for form, content in forms.items():
        assert parts(read_artifact(written(tmp_path, content), f"{file}:{name}")) == parts(standard), form
    foundry = {
        "abi": entry["abi"],
        "bytecode": {**entry["evm"]["bytecode"], "object": "0x" + entry["evm"]["bytecode"]["object"]},
        "storageLayout": entry["storageLayout"],
    }
    hardhat = {
        "_format": "hh-sol-artifact-1",
        "abi": entry["abi"],
        "bytecode": "0x" + entry["evm"]["bytecode"]["object"],
        "linkReferences": entry["evm"]["bytecode"]["linkReferences"],
    }
    one = read_artifact(written(tmp_path, foundry))
    assert (one.tool, parts(one)) == ("foundry", parts(standard))
    two = read_artifact(written(tmp_path, hardhat))
    # Hardhat's artifacts have no layout.
    assert (two.tool, two.layout, parts(two)[:3], parts(two)[4]) == (
        "hardhat",
        (),
        parts(standard)[:3],
        parts(standard)[4],
    )


@pytest.mark.parametrize(
    ("content", "name", "complaint"),
    [
        (
            combined(),
            None,
            "has several contracts; add contract = one of ERC20, Pair, Roots, Checkout, PermitToken, Vault",
        ),
        (STANDARD, "Vualt", "no contract 'Vualt' (did you mean 'Vault'?); it has ERC20, Pair, Roots"),
        (
            {"contracts": {"a": {"T": {}, "U": {"evm": {}}}}},
            None,
            "has no bytecode; give one of Foundry, Hardhat, solc",
        ),
        (
            {"contracts": {"a": STANDARD["contracts"]["ERC20.sol"], "b": STANDARD["contracts"]["ERC20.sol"]}},
            "ERC20",
            "has several contracts 'ERC20'; add contract = one of a:ERC20, b:ERC20",
        ),
        ({"contracts": {"a:T": {"abi": "[", "bin": "00"}}}, None, "not JSON within it"),
        ({"contracts": {"a:T": {"abi": [], "bin": ""}}}, None, "is it an interface or an abstract contract?"),
        ({"abi": [], "bytecode": "0x73__lib.sol:Old______________________________63"}, None, "too old to link it here"),
        (
            {"abi": [], "bytecode": "0x00", "storageLayout": {"storage": 1, "types": {}}},
            None,
            "its storage layout is not",
        ),
        ({"abi": [{"type": "function", "name": "a b"}], "bytecode": "0x00"}, None, "a method of the name 'a b'"),
        (
            {"abi": [{"type": "function", "name": "f", "inputs": [1]}], "bytecode": "0x00"},
            None,
            "an input without a type",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, content: Any, name: str | None, complaint: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ArtifactError) as refusal:
        read_artifact(path, name)
    assert complaint in str(refusal.value)
    assert str(refusal.value).startswith(f"artifact {path}: ")


def test_interfaces_beside_one_contract_need_no_choice(tmp_path: Path) -> None:
    content = combined()
    content["contracts"] = {
        "I.sol:IERC20": {"abi": [], "bin": ""},
        "ERC20.sol:ERC20": content["contracts"]["ERC20.sol:ERC20"],
    }
    assert read_artifact(written(tmp_path, content)).constructor == "constructor(string,string,uint256)"


LINKED = f"""
[contracts.gold]
artifact = "{EXAMPLES}/solidity/contracts.json"
contract = "ERC20"
arguments = ["Gold", "GLD", "10**24"]
[contracts.pool]
artifact = "{EXAMPLES}/solidity/contracts.json"
contract = "Pair"
arguments = [{{ contract = "gold" }}, {{ contract = "gold" }}]
LIBRARIES
[contracts.roots]
artifact = "{EXAMPLES}/solidity/contracts.json"
contract = "Roots"
[[calls]]
contract = "gold"
method = "approve"
arguments = [{{ contract = "pool" }}, 1]
"""


@pytest.mark.parametrize(
    ("libraries", "complaint"),
    [
        ("", "[contracts.pool]: library Pair.sol:Roots is not linked: deploy it as a contract of this file"),
        ('libraries = { Rots = "roots" }', "'Rots' is not one that the code needs; those are Pair.sol:Roots"),
        ('libraries = { Roots = "rots" }', "unknown contract 'rots' (did you mean 'roots'?)"),
        ("libraries = 1", "libraries is not a table"),
    ],
)
def test_libraries_that_are_not_there_are_refused(tmp_path: Path, libraries: str, complaint: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(LINKED.replace("LIBRARIES", libraries))
    with pytest.raises(PluginError) as refusal:
        get(str(path))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("name", ["Roots", '"Pair.sol:Roots"'])
def test_code_is_linked_to_a_library_that_is_deployed_later(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(LINKED.replace("LIBRARIES", f'libraries = {{ {name} = "roots" }}'))
    kind = get(str(path))
    scenario = kind().build(resolve_dials(kind, {"accounts": 2}), 1, 3)
    code = scenario.genesis.code(scenario.contracts["pool"])
    assert scenario.contracts["roots"] in code
    assert scenario.genesis.code(scenario.contracts["roots"])
