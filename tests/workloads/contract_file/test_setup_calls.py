"""Who calls: accounts, roles and the deployer, before the blocks and in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from contend.evm import view_call
from contend.strategies.serial import Serial
from contend.workloads import PluginError, Scenario, Workload, get, resolve_dials
from contend.workloads.contracts.abi import decode_words, load
from contend.workloads.files.fields import FieldError

TOKEN = load("token")
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
FILE = f"""
[accounts]
count = 6
roles = ["keeper"]

[contracts.gold]
artifact = "{EXAMPLES}/solidity/contracts.json"
contract = "ERC20"
arguments = ["Gold", "GLD", "10**24"]

[contracts.vault]
artifact = "{EXAMPLES}/solidity/contracts.json"
contract = "Vault"
arguments = [{{ contract = "gold" }}]

[[setup]]
contract = "gold"
method = "transfer"
each = "account"
arguments = [{{ sender = true }}, "10**20"]

[[setup]]
contract = "gold"
method = "transfer"
arguments = [{{ account = "keeper" }}, "10**20"]

[[setup]]
contract = "gold"
method = "approve"
from = "account"
arguments = [{{ contract = "vault" }}, "2**256 - 1"]

[[setup]]
contract = "gold"
method = "approve"
from = "keeper"
arguments = [{{ contract = "vault" }}, 7]

[[calls]]
contract = "vault"
method = "deposit"
arguments = [1_000, {{ sender = true }}]
"""


def built(folder: Path, text: str = FILE, size: int = 60) -> tuple[Workload, Scenario, list[int]]:
    path = folder / "own.toml"
    path.write_text(text)
    kind = get(str(path))
    workload = kind()
    scenario = workload.build(resolve_dials(kind), 1, size)
    with Serial() as serial:
        status = serial.execute(scenario.blocks[0], scenario.genesis, 1).receipts.status
    return workload, scenario, [int(one) for one in status]


def test_each_account_gives_its_own_allowance(tmp_path: Path) -> None:
    _, scenario, _ = built(tmp_path, size=1)
    state, block = scenario.genesis, scenario.blocks[0]
    gold, vault = scenario.contracts["gold"], scenario.contracts["vault"]
    ask = TOKEN.method("allowance")

    def allowance(owner: str) -> int:
        data = ask(scenario.accounts[owner], vault)
        return decode_words(view_call(state, block.environment, gold, data))[0]

    assert [allowance(f"account {number}") for number in range(6)] == [2**256 - 1] * 6
    assert allowance("keeper") == 7
    assert allowance("deployer") == 0


def test_nonces_go_on_after_the_set_up(tmp_path: Path) -> None:
    workload, scenario, status = built(tmp_path)
    assert set(status) == {1}
    first: dict[bytes, int] = {}
    for transaction in scenario.blocks[0]:
        first.setdefault(transaction.sender, transaction.nonce)
    assert set(first.values()) == {1}
    assert workload.check(scenario, scenario.genesis) == []


def test_without_the_allowance_every_deposit_reverts(tmp_path: Path) -> None:
    # What was all that could be said before: the deployer approves, for nobody but itself.
    _, _, status = built(tmp_path, FILE.replace('from = "account"', 'each = "account"'))
    assert set(status) == {0}


@pytest.mark.parametrize("sender", ['"keeper"', '"deployer"', "3"])
def test_a_role_or_one_account_can_send_the_calls(tmp_path: Path, sender: str) -> None:
    call = f'from = {sender}\ncontract = "gold"\nmethod = "approve"\narguments = [{{ contract = "vault" }}, 5]\n'
    text = FILE[: FILE.index("[[calls]]")] + "[[calls]]\n" + call
    workload, scenario, status = built(tmp_path, text)
    who = "account 3" if sender == "3" else sender.strip('"')
    assert Counter(one.sender for one in scenario.blocks[0]) == {scenario.accounts[who]: 60}
    assert set(status) == {1}
    assert workload.check(scenario, scenario.genesis) == []


def test_accounts_have_ether_for_what_they_send_before_the_blocks(tmp_path: Path) -> None:
    artifact = tmp_path / "till.json"
    # Takes any call with any ether.
    artifact.write_text('{"abi": [{"type": "function", "name": "pay", "inputs": []}], "bytecode": "0x00"}')
    text = """
[accounts]
count = 3
ether = 2
[contracts.till]
artifact = "till.json"
[[setup]]
contract = "till"
method = "pay"
from = "account"
value = "1.5 ether"
[[calls]]
contract = "till"
method = "pay"
value = "1 gwei"
"""
    workload, scenario, status = built(tmp_path, text, 20)
    assert set(status) == {1}
    assert scenario.genesis.balance(scenario.contracts["till"]) == 3 * 15 * 10**17 + 20 * 10**9
    assert workload.check(scenario, scenario.genesis) == []
    with pytest.raises(FieldError, match=r"\[\[setup\]\] 1: till.pay for account 0: insufficient funds"):
        built(tmp_path, text.replace("1.5 ether", "3 ether"), 20)


def test_a_set_up_that_reverts_says_where_and_why(tmp_path: Path) -> None:
    text = FILE.replace('{ account = "keeper" }, "10**20"', '{ account = "keeper" }, "10**30"')
    with pytest.raises(FieldError) as refusal:
        built(tmp_path, text)
    complaint = f"workload file {tmp_path}/own.toml: [[setup]] 2: gold.transfer: reverted (InsufficientBalance)"
    assert str(refusal.value) == complaint


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('from = "keeper"', 'from = "keper"', "[[setup]] 4: from = 'keper' (did you mean 'keeper'?): give \"account\""),
        ('from = "keeper"', "from = -1", "from = -1: give"),
        ('from = "keeper"', "from = true", "from = True: give"),
        ('roles = ["keeper"]', 'roles = "keeper"', "[accounts]: roles = 'keeper' is not a list of names"),
        ('roles = ["keeper"]', 'roles = ["keeper", "keeper"]', "'keeper' is not a name of its own"),
        ('roles = ["keeper"]', 'roles = ["deployer"]', "'deployer' is not a name of its own"),
        ('roles = ["keeper"]', 'roles = ["7"]', "'7' is not a name of its own"),
        ('{ account = "keeper" }', '{ account = "boss" }', "account = 'boss': give a number below 1000000"),
        ('{ account = "keeper" }', "{ account = 1_000_000 }", "account = 1000000: give a number below"),
    ],
)
def test_senders_that_there_are_not_are_refused(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in FILE
    with pytest.raises(PluginError) as refusal:
        built(tmp_path, FILE.replace(before, after, 1))
    assert complaint in str(refusal.value)
