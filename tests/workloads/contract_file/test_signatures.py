"""Signatures as values: made of the call's own arguments, by the account that is named, each with the next nonce."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contend.evm.crypto.curves import recover
from contend.strategies.serial import Serial
from contend.workloads import PluginError, Scenario, get, resolve_dials
from contend.workloads.contract_file.typed_data import TypedData, domain_hash, signed_hash
from contend.workloads.contracts.abi import decode_words
from contend.workloads.files.fields import FieldError

ARTIFACT = Path(__file__).parents[3] / "docs" / "examples" / "solidity" / "contracts.json"
PERMIT = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
PARTS = (
    '{ signature = "permit", part = "v" }, { signature = "permit", part = "r" }, { signature = "permit", part = "s" }'
)
CALL = f'[{{ account = "uniform" }}, {{ sender = true }}, {{ uniform = [1, 9] }}, "2**256 - 1", {PARTS}]'
FILE = f"""
[accounts]
count = 8
[contracts.gold]
artifact = "{ARTIFACT}"
contract = "PermitToken"
arguments = ["Gold", "GLD", "10**24"]
[signatures.permit]
type = "{PERMIT}"
domain = {{ name = "Gold", version = "1", chainId = 1, verifyingContract = {{ contract = "gold" }} }}
signer = "owner"
[[setup]]
contract = "gold"
method = "permit"
each = "account"
arguments = [{{ sender = true }}, {{ contract = "gold" }}, 5, "2**256 - 1", {PARTS}]
[[calls]]
contract = "gold"
method = "permit"
arguments = {CALL}
"""


def built(folder: Path, text: str = FILE, seed: int = 1, size: int = 40) -> tuple[Scenario, list[int]]:
    path = folder / "own.toml"
    path.write_text(text)
    kind = get(str(path))
    scenario = kind().build(resolve_dials(kind), seed, size)
    with Serial() as serial:
        status = serial.execute(scenario.blocks[0], scenario.genesis, 1).receipts.status
    return scenario, [int(one) for one in status]


def test_the_contract_accepts_every_permit_that_a_relayer_brings(tmp_path: Path) -> None:
    # The nonces go on from the set-up, one a signer, whoever sends.
    scenario, status = built(tmp_path)
    assert set(status) == {1}
    owners = [decode_words(one.data[4:])[0].to_bytes(20, "big") for one in scenario.blocks[0]]
    assert set(owners) <= set(scenario.accounts.values())
    assert all(one.sender != owner for one, owner in zip(scenario.blocks[0], owners, strict=True))
    assert max(map(owners.count, owners)) > 2


def test_signatures_recover_to_their_signer_over_the_call_s_arguments(tmp_path: Path) -> None:
    scenario, _ = built(tmp_path)
    typed, nonces = TypedData.parse(PERMIT), dict.fromkeys(scenario.accounts.values(), 1)
    domain = domain_hash(
        {"name": "Gold", "version": "1", "chainId": 1, "verifyingContract": scenario.contracts["gold"]}
    )
    for transaction in scenario.blocks[0]:
        owner, spender, value, deadline, v, r, s = decode_words(transaction.data[4:])
        address = owner.to_bytes(20, "big")
        message = {
            "owner": address,
            "spender": spender.to_bytes(20, "big"),
            "value": value,
            "nonce": nonces[address],
            "deadline": deadline,
        }
        nonces[address] += 1
        digest = signed_hash(domain, typed.hash(message))
        assert recover(digest + b"".join(one.to_bytes(32, "big") for one in (v, r, s)))[12:] == address


def test_the_seed_decides_keys_and_bytes(tmp_path: Path) -> None:
    first, again, other = (built(tmp_path, seed=seed, size=5)[0] for seed in (1, 1, 2))
    assert first.blocks[0].digest == again.blocks[0].digest
    assert first.accounts["account 0"] == again.accounts["account 0"] != other.accounts["account 0"]


def test_a_wrong_domain_makes_permits_revert_and_the_set_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"\[\[setup\]\] 1: gold.permit for account 0: reverted \(WrongSigner\)"):
        built(tmp_path, FILE.replace('name = "Gold", version', 'name = "Gld", version'))


def test_members_are_given_drawn_or_arguments_of_the_same_name_also_within_structs(tmp_path: Path) -> None:
    abi = [
        {
            "type": "function",
            "name": "order",
            "inputs": [
                {"name": "buyer", "type": "address"},
                {"name": "amounts", "type": "uint256[]"},
                {"name": "signature", "type": "bytes"},
            ],
        }
    ]
    (tmp_path / "shop.json").write_text(json.dumps({"abi": abi, "bytecode": "0x00"}))
    text = """
[accounts]
count = 4
[contracts.shop]
artifact = "shop.json"
[signatures.order]
type = "Order(Party party,uint256[] amounts,uint256[] fees,bytes32 salt)Party(address buyer,uint64 nonce)"
domain = { name = "Shop" }
signer = "buyer"
[signatures.order.message]
party = { nonce = { nonce = 7 } }
fees = [1, { uniform = [2, 2] }]
salt = "0x1111111111111111111111111111111111111111111111111111111111111111"
[[calls]]
contract = "shop"
method = "order"
arguments = [{ account = 2 }, [3, 4], { signature = "order" }]
"""
    scenario, status = built(tmp_path, text, size=3)
    assert set(status) == {1}
    typed = TypedData.parse(
        "Order(Party party,uint256[] amounts,uint256[] fees,bytes32 salt)Party(address buyer,uint64 nonce)"
    )
    buyer = scenario.accounts["account 2"]
    for number, transaction in enumerate(scenario.blocks[0]):
        message = {
            "party": {"buyer": buyer, "nonce": 7 + number},
            "amounts": [3, 4],
            "fees": [1, 2],
            "salt": b"\x11" * 32,
        }
        digest = signed_hash(domain_hash({"name": "Shop"}), typed.hash(message))
        place = transaction.data.index((65).to_bytes(32, "big")) + 32
        signature = transaction.data[place : place + 65]
        assert recover(digest + bytes(31) + signature[64:] + signature[:64])[12:] == buyer


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('signer = "owner"', 'signer = "ownr"', "[[setup]] 1: signature permit: signer = 'ownr' is no address"),
        ('signer = "owner"', 'signer = "spender"', "{'contract': 'gold'} is no account of the file"),
        ('signer = "owner"', "signer = 1", "[signatures.permit]: signer = 1: name the argument"),
        ('signer = "owner"', 'message = { ownr = 1 }', "Permit has no member 'ownr' (did you mean 'owner'?)"),
        ('signer = "owner"', 'message = { value = "x" }', "Permit.value: 'x' is not an integer"),
        ('signer = "owner"', 'message = { value = { argument = "owner" } }', "'owner' is of type address"),
        ("uint256 deadline)", "uint256 until)", "Permit.until: no argument of the call has this name"),
        (f'type = "{PERMIT}"', 'type = "Permit"', "[signatures.permit]: type = 'Permit': write it as the contract"),
        (f'type = "{PERMIT}"', "", "[signatures.permit]: type is missing"),
        ('name = "Gold", version', 'nme = "Gold", version', "domain: unknown member 'nme' (did you mean 'name'?)"),
        ("chainId = 1", "chainId = { uniform = [1, 2] }", "domain: chainId: {uniform}: give exactly one of"),
        ('part = "v" }', 'part = "w" }', "part = 'w': give \"v\", \"r\" or \"s\""),
        (', part = "v" }', " }", "a signature is of type bytes, the argument's is uint8"),
        ('{ signature = "permit", part = "v" }', '{ signature = "pernit" }', "signature 'pernit' (did you mean"),
        ('{ signature = "permit", part = "v" }', "{ nonce = 0 }", "give exactly one of"),
    ],
)  # fmt: skip
def test_signatures_that_are_refused(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in FILE
    with pytest.raises(PluginError) as refusal:
        built(tmp_path, FILE.replace(before, after, 1))
    assert complaint in str(refusal.value), str(refusal.value)
    assert str(refusal.value).isprintable()
