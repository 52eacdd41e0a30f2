"""Workloads from TOML files: artifacts of three tools, every distribution, and complaints in one line.

Foundry's and Hardhat's artifacts in ``solidity/`` are as these tools wrote them; their compilers come as no wheel, so
that they are not compiled anew here. Vyper's is. The layouts of all three are also tried with the bytecode of one
token, which must then make the same blocks.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contend.evm import Block
from contend.strategies.serial import Serial
from contend.workloads import PluginError, Scenario, Workload, get, resolve_dials
from contend.workloads.contract_file import artifacts
from contend.workloads.contracts.abi import CONTRACTS, decode_words, load

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "token.toml"
TOKEN = load("token")

FOUNDRY: dict[str, Any] = {
    "abi": TOKEN.abi,
    "bytecode": {"object": TOKEN.bytecode, "sourceMap": "", "linkReferences": {}},
    "deployedBytecode": {"object": TOKEN.runtime, "sourceMap": "", "linkReferences": {}},
    "methodIdentifiers": {signature: selector[2:] for signature, selector in TOKEN.methods.items()},
    "id": 0,
}
HARDHAT: dict[str, Any] = {
    "_format": "hh-sol-artifact-1",
    "contractName": "Token",
    "sourceName": "contracts/Token.sol",
    "abi": TOKEN.abi,
    "bytecode": TOKEN.bytecode,
    "deployedBytecode": TOKEN.runtime,
    "linkReferences": {},
    "deployedLinkReferences": {},
}
COMBINED: dict[str, Any] = {
    "contracts/Token.vy": {"abi": TOKEN.abi, "bytecode": TOKEN.bytecode, "bytecode_runtime": TOKEN.runtime},
    "version": "0.4.3",
}
STRUCT = {"type": "tuple", "components": [{"type": "fixed128x18"}]}
FILE = """
[accounts]
count = 40

[contracts.gold]
artifact = "token.json"
arguments = ["Gold", "GLD", 18, "10**24"]

[[setup]]
contract = "gold"
method = "transfer"
each = "account"
arguments = [{ sender = true }, "10**20"]

[[calls]]
contract = "gold"
method = "transfer"
gas = 80_000
arguments = [{ account = "uniform" }, 5]

[[invariants]]
contract = "gold"
sum = "balanceOf"
equals = "totalSupply"
"""


def written(folder: Path, text: str, artifact: Any = HARDHAT) -> str:
    (folder / "token.json").write_text(json.dumps(artifact))
    path = folder / "own.toml"
    path.write_text(text)
    return str(path)


def executed(path: str, size: int = 200, seed: int = 1, blocks: int = 1) -> tuple[Workload, Scenario, list[int]]:
    kind = get(path)
    workload = kind()
    scenario = workload.build(resolve_dials(kind), seed, size, blocks)
    with Serial() as serial:
        status = [
            int(one) for block in scenario.blocks for one in serial.execute(block, scenario.genesis, 1).receipts.status
        ]
    return workload, scenario, status


@pytest.mark.parametrize(("tool", "artifact"), [("foundry", FOUNDRY), ("hardhat", HARDHAT), ("vyper", COMBINED)])
def test_artifacts_of_each_tool_make_the_same_blocks(tmp_path: Path, tool: str, artifact: dict[str, Any]) -> None:
    path = written(tmp_path, FILE, artifact)
    assert artifacts.read_artifact(tmp_path / "token.json").tool == tool
    workload, scenario, status = executed(path, blocks=2)
    assert status == [1] * 400
    assert workload.check(scenario, scenario.genesis) == []
    assert scenario.blocks[0].digest == "03d606fea070f4cac6864be2dbaeea2a"


def test_what_vyper_writes_itself(tmp_path: Path) -> None:
    vyper = pytest.importorskip("vyper.cli.vyper_compile", reason="the Vyper compiler is not installed (extra 'test')")
    compiled = vyper.compile_files([str(CONTRACTS / "token.vy")], ["combined_json"], paths=[str(CONTRACTS)])
    # As the compiler's command line prints it.
    sources = {str(source): entry for source, entry in compiled.items() if source != "version"}
    path = written(tmp_path, FILE, sources)
    workload, scenario, status = executed(path)
    assert set(status) == {1}
    assert workload.check(scenario, scenario.genesis) == []


POINTS = """
[accounts]
count = 30

[contracts.points]
artifact = "{artifact}"
arguments = ["Loyalty", "10**24"]

[[setup]]
contract = "points"
method = "give"
each = "account"
arguments = [{{ sender = true }}, 10_000]

[[calls]]
contract = "points"
method = "give"
weight = 8
gas = 150_000
arguments = [{{ account = {{ zipf = 1.1 }} }}, {{ uniform = [1, 40] }}]

[[calls]]
contract = "points"
method = "spend"
weight = 2
gas = 80_000
arguments = [{{ sequence = [1, 2, 1_000_000] }}]

[[invariants]]
contract = "points"
sum = "balanceOf"
equals = "total"
"""
SOLIDITY = Path(__file__).parents[1] / "solidity"


@pytest.mark.parametrize("tool", ["foundry", "hardhat"])
def test_what_solidity_s_tools_write_themselves(tmp_path: Path, tool: str) -> None:
    artifact = SOLIDITY / f"{tool}.json"
    assert artifacts.read_artifact(artifact).tool == tool
    path = tmp_path / "points.toml"
    path.write_text(POINTS.format(artifact=artifact))
    workload, scenario, status = executed(str(path), 600)
    kinds = Counter(status)
    # Every third spending asks for more than anybody has, and reverts.
    assert 15 < kinds[0] < 70
    assert kinds[0] + kinds[1] == 600
    assert workload.check(scenario, scenario.genesis) == []
    # Both tools drive one compiler: the same bytes, so the same blocks.
    assert scenario.blocks[0].digest == "0b0401f5e7718ea13e51465c4239d563"


def test_solidity_s_code_does_the_same_on_revm(tmp_path: Path) -> None:
    pytest.importorskip("pyrevm", reason="pyrevm publishes no wheel for this Python or platform")
    from tests.workloads.revm import Revm, differences

    path = tmp_path / "points.toml"
    path.write_text(POINTS.format(artifact=SOLIDITY / "foundry.json"))
    kind = get(str(path))
    scenario = kind().build(resolve_dials(kind), 2, 1_000)
    (block,) = scenario.blocks
    revm = Revm(scenario.genesis, block.environment)
    with Serial() as serial:
        outcome = serial.execute(block, scenario.genesis, 1)
    assert not differences(revm, revm.execute(block), outcome.receipts, scenario.genesis)


def test_the_example_of_the_documentation() -> None:
    workload, scenario, status = executed(str(EXAMPLE), 400)
    assert set(status) == {1}
    assert workload.check(scenario, scenario.genesis) == []
    kinds = Counter(transaction.data[:4] for transaction in scenario.blocks[0])
    transfer, approve = TOKEN.method("transfer").selector, TOKEN.method("approve").selector
    assert kinds[transfer] / 400 == pytest.approx(0.9, abs=0.05)
    assert kinds[transfer] + kinds[approve] == 400
    limits = {transaction.gas_limit for transaction in scenario.blocks[0]}
    assert limits == {65_000, 60_000}


def test_the_documentation_shows_the_example_as_it_is() -> None:
    text = (EXAMPLE.parents[1] / "own-contract.md").read_text()
    assert f"```toml\n{EXAMPLE.read_text()}```" in text


def test_the_seed_decides_and_dials_turn() -> None:
    kind = get(str(EXAMPLE))
    first, again, other = (kind().build(resolve_dials(kind), seed, 50) for seed in (1, 1, 2))
    assert first.blocks[0].digest == again.blocks[0].digest != other.blocks[0].digest
    few = kind().build(resolve_dials(kind, {"accounts": 3, "sender_zipf": 0.0}), 1, 60)
    assert len({transaction.sender for transaction in few.blocks[0]}) == 3


def arguments_of(tmp_path: Path, values: str, method: str = "transfer", size: int = 300) -> list[tuple[int, ...]]:
    text = FILE.replace('[{ account = "uniform" }, 5]', values).replace('"transfer"\ngas', f'"{method}"\ngas')
    _, scenario, _ = executed(written(tmp_path, text), size)
    return [(int.from_bytes(one.sender, "big"), *decode_words(one.data[4:])) for one in scenario.blocks[0]]


def test_integers_are_distributed_as_written(tmp_path: Path) -> None:
    def amounts(value: str) -> list[int]:
        return [amount for _, _, amount in arguments_of(tmp_path, f'[{{ account = "uniform" }}, {value}]')]

    assert set(amounts('"0x10"')) == {16}
    uniform = amounts("{ uniform = [3, 7], times = 10, plus = 1 }")
    assert set(uniform) == {31, 41, 51, 61, 71}
    zipf = Counter(amounts("{ zipf = 1.5, n = 20 }"))
    assert zipf[0] > zipf[3] > 0
    assert max(zipf) < 20
    assert amounts("{ sequence = [1, 2, 3] }")[:5] == [1, 2, 3, 1, 2]
    assert amounts("{ sequence = 7, times = 2 }")[:3] == [14, 16, 18]


def test_accounts_are_distributed_as_written(tmp_path: Path) -> None:
    def targets(value: str) -> list[tuple[int, int]]:
        return [(sender, target) for sender, target, _ in arguments_of(tmp_path, f"[{value}, 5]", "approve")]

    everyone = targets('{ account = "uniform" }')
    assert all(sender != target for sender, target in everyone)
    assert len({target for _, target in everyone}) > 30
    skewed = Counter(target for _, target in targets("{ account = { zipf = 2.0 } }"))
    assert skewed.most_common(1)[0][1] > 100
    assert len({target for _, target in targets("{ account = 3 }")}) == 1
    assert all(sender == target for sender, target in targets("{ sender = true }"))
    assert len({target for _, target in targets('{ contract = "gold" }')}) == 1
    earlier = targets('{ earlier = "sender", within = 1 }')
    assert [target for _, target in earlier[1:]] == [sender for sender, _ in earlier[:-1]]
    assert targets('"0x00000000000000000000000000000000000000aa"')[0][1] == 0xAA


def test_contracts_may_name_those_before_them_and_take_ether(tmp_path: Path) -> None:
    text = """
[accounts]
count = 5
[contracts.gold]
artifact = "token.json"
arguments = ["Gold", "GLD", 18, 1]
[contracts.votes]
artifact = "dao.json"
arguments = [{ contract = "gold" }, 1, 100, 0, 0]
[[calls]]
contract = "votes"
method = "proposalCount"
value = 0
"""
    (tmp_path / "dao.json").write_text((CONTRACTS / "dao.json").read_text())
    workload, scenario, status = executed(written(tmp_path, text), 20)
    assert set(status) == {1}
    assert workload.check(scenario, scenario.genesis) == []


def test_a_broken_invariant_is_found(tmp_path: Path) -> None:
    workload, scenario, _ = executed(written(tmp_path, FILE))
    state, gold = scenario.genesis, scenario.contracts["gold"]
    slot = TOKEN.slots["totalSupply"]
    state.set_storage(gold, slot, state.storage(gold, slot) + 1)
    assert any("balanceOf(address) adds up to" in line for line in workload.check(scenario, state))
    sender = scenario.blocks[0].transactions[0].sender
    state.set_balance(sender, state.balance(sender) + 1)
    state.set_nonce(sender, 0)
    lines = workload.check(scenario, state)
    assert any(line.startswith("ether: ") for line in lines)
    assert any("nonce is 0" in line for line in lines)


def test_a_block_that_did_not_run_is_found(tmp_path: Path) -> None:
    kind = get(written(tmp_path, FILE))
    scenario = kind().build(resolve_dials(kind), 1, 20)
    assert isinstance(scenario.blocks[0], Block)
    assert kind().check(scenario, scenario.genesis)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("[accounts]", "[accounts", "not TOML"),
        ("[accounts]", "[acounts]", "unknown key 'acounts' (did you mean 'accounts'?)"),
        ("count = 40", "count = 0", "[accounts]: count = 0 is out of range"),
        ("count = 40", "zipf = 9", "zipf = 9 is not a number from 0 to 5"),
        ('"token.json"', '"tokn.json"', "[contracts.gold]: artifact"),
        ('"10**24"]', "]", "constructor(string,string,uint8,uint256) takes 4 arguments, given are 3"),
        ("18,", "300,", "argument 3 of constructor(string,string,uint8,uint256): 300 is not a value of uint8"),
        ('"GLD"', "7", "argument 2 of constructor(string,string,uint8,uint256): 7 is not a text"),
        ('method = "transfer"\ngas', 'method = "tranfer"\ngas', "no method 'tranfer' (did you mean 'transfer'?)"),
        ('[[calls]]\ncontract = "gold"', '[[calls]]\ncontract = "gild"', "[[calls]] 1: unknown contract 'gild'"),
        ("gas = 80_000", "gas = 20", "gas = 20 is out of range 21000.."),
        ("gas = 80_000", "weight = 0", "there is no call with a weight"),
        ("gas = 80_000", "weigt = 1", "unknown key 'weigt' (did you mean 'weight'?)"),
        ("gas = 80_000", "value = true", "value: True is not an integer"),
        ('{ account = "uniform" }', '{ acount = "uniform" }', "give exactly one of"),
        ('{ account = "uniform" }', "{ account = -1 }", "account = -1: give a number"),
        ('{ account = "uniform" }', "{ account = { zipf = 7 } }", "the exponent is a number from 0 to 5"),
        ('{ account = "uniform" }', "{ uniform = [1, 2] }", "uniform gives an integer, the type is address"),
        ('{ account = "uniform" }', '"0x12"', "'0x12' has 1 bytes, address has 20"),
        ('{ account = "uniform" }', '"Alice"', "give 0x and hexadecimal digits"),
        ('{ account = "uniform" }', '{ contract = "gild" }', "unknown contract 'gild' (did you mean 'gold'?)"),
        ('{ account = "uniform" }', '{ earlier = "block" }', 'give { earlier = "sender"'),
        (" 5]", " -5]", "-5 is not a value of uint256"),
        (" 5]", ' "five"]', "'five' is not an integer"),
        (" 5]", " { uniform = [9, 1] }]", "give low <= high"),
        (" 5]", " { uniform = 9 }]", "give [low, high]"),
        (" 5]", " { zipf = 1.0 }]", "say how many values there are"),
        (" 5]", " { zipf = 1.0, n = 3, tims = 2 }]", "zipf: unknown option 'tims'"),
        (" 5]", " { sequence = [] }]", "sequence: is empty"),
        (" 5]", " { account = 1 }]", "account gives an address, the type is uint256"),
        ('each = "account"', 'each = "block"', "only each = \"account\" is known"),
        ('equals = "totalSupply"', 'equals = "symbl"', "no method 'symbl'"),
        ('equals = "totalSupply"', 'equals = "balanceOf"', "equals names a method that takes nothing"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_in_one_line_that_names_the_place(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    assert before in FILE
    path = written(tmp_path, FILE.replace(before, after, 1))
    with pytest.raises(PluginError) as refusal:
        get(path)
    assert complaint in str(refusal.value), str(refusal.value)
    assert str(refusal.value).startswith(f"workload file {path}:")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("artifact", "complaint"),
    [
        ([], "not an artifact of Foundry, Hardhat, solc (combined or standard JSON) or Vyper"),
        ({"abi": []}, "has no bytecode; give one of"),
        ({**HARDHAT, "bytecode": "0x"}, "is it an interface or an abstract contract?"),
        ({**HARDHAT, "bytecode": "0x73__$1234567890abcdef1234567890abcdef12$__63"}, "is not linked"),
        ({**HARDHAT, "bytecode": "0xzz"}, "not hexadecimal"),
        ({**HARDHAT, "abi": "none"}, "abi is not a list"),
        ({"a.vy": COMBINED["contracts/Token.vy"], "b.vy": COMBINED["contracts/Token.vy"]}, "has several contracts"),
        ({**HARDHAT, "abi": [{"type": "constructor", "inputs": [STRUCT]}]}, "no encoder for the ABI type 'fixed"),
    ],
)  # fmt: skip
def test_bad_artifacts_are_refused_in_one_line(tmp_path: Path, artifact: Any, complaint: str) -> None:
    with pytest.raises(PluginError) as refusal:
        get(written(tmp_path, FILE, artifact))
    assert complaint in str(refusal.value), str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_one_of_several_contracts_can_be_named(tmp_path: Path) -> None:
    both = {"a.vy": COMBINED["contracts/Token.vy"], "b.vy": COMBINED["contracts/Token.vy"]}
    text = FILE.replace('"token.json"', '"token.json"\ncontract = "b"')
    assert get(written(tmp_path, text, both)).summary == "calls of gold"
    with pytest.raises(PluginError, match="no contract 'c'; it has a, b"):
        get(written(tmp_path, text.replace('"b"', '"c"'), both))


def test_a_file_that_is_not_there_is_one_line() -> None:
    with pytest.raises(PluginError, match=r"workload file nowhere.toml: No such file or directory"):
        get("nowhere.toml")
