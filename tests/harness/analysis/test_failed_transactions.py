"""Failed transactions of a block, as ``contend explain`` counts them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from contend.evm import Block, Environment, State, Transaction
from contend.harness.analysis.explain import Explainer
from contend.harness.analysis.failed_transactions import failures
from contend.harness.plan.request import Request
from contend.harness.present.tables.explain_tables import print_explanation
from contend.strategies.serial import Serial
from contend.workloads import Scenario, get

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def without_approvals(folder: Path) -> str:
    """The example of a vault, as it was before accounts could approve for themselves: the deployer does it."""
    text = (EXAMPLES / "vault.toml").read_text().replace("solidity/", f"{EXAMPLES}/solidity/")
    deposit = text.index('[[setup]]\ncontract = "vault"')
    text = text[:deposit] + text[text.index("[[calls]]") :]
    path = folder / "vault.toml"
    path.write_text(text.replace('from = "account"', 'each = "account"'))
    return str(path)


@pytest.mark.parametrize("width", [80, 200])
def test_a_set_up_that_lacks_approvals_is_seen_before_anything_else(tmp_path: Path, width: int) -> None:
    request = Request(
        workloads=(without_approvals(tmp_path),),
        strategies=("serial",),
        workers=(8,),
        dials={"accounts": 20},
        block_size=100,
        clock="virtual",
    )
    found = Explainer(request).run()
    by_method = {one["method"]: one for one in found["failures"]}
    assert set(by_method) == {"vault.deposit", "vault.redeem"}
    deposit, redeem = by_method["vault.deposit"], by_method["vault.redeem"]
    assert deposit["failed"] == deposit["calls"] > redeem["failed"] == redeem["calls"] > 0
    assert deposit["reasons"] == {"reverted: InsufficientAllowance": deposit["calls"]}
    assert redeem["reasons"] == {"reverted: InsufficientBalance": redeem["calls"]}
    assert [one["method"] for one in found["failures"]] == ["vault.deposit", "vault.redeem"]
    written = io.StringIO()
    print_explanation(Console(file=written, width=width), found)
    text = written.getvalue()
    count = deposit["failed"] + redeem["failed"]
    assert f"Failed transactions, by method: {count} of 100 ({count}%)" in text
    assert text.index("Failed transactions") < text.index("Dependencies")
    table = [line.rstrip() for line in text.splitlines()]
    shown = (EXAMPLES.parent / "own-contract.md").read_text().splitlines()
    begin = shown.index("Failed transactions, by method: 76 of 100 (76%)")
    for line in shown[begin : begin + 6]:
        assert line in table or set(line) <= {" ", "─"}


def test_what_has_no_name_is_a_number_and_what_succeeds_is_not_told() -> None:
    state, sender = State(), bytes([1]) * 20
    # Reverts with an error of Solidity's, of which nobody knows the contract; takes anything; runs out of gas.
    panics, takes, loops = (bytes([number]) * 20 for number in (2, 3, 4))
    state.set_balance(sender, 10**20)
    state.set_code(panics, bytes.fromhex("634e487b7160e01b5f52601160045260245ffd"))
    state.set_code(takes, bytes.fromhex("00"))
    state.set_code(loops, bytes.fromhex("5b5f56"))
    calls = [(panics, b"\xaa\xbb\xcc\xdd\xee"), (takes, b""), (loops, b""), (panics, b"")]
    block = Block(
        Environment(),
        tuple(Transaction(sender, to, nonce, 50_000, data=data) for nonce, (to, data) in enumerate(calls)),
    )
    scenario = Scenario(state, [block], {}, {"market": panics})
    with Serial() as serial:
        receipts = serial.execute(block, state, 1).receipts
    found = failures(get("payments")(), scenario, block, receipts)
    assert found == [
        {
            "method": "0x04040404.., no data",
            "calls": 1,
            "failed": 1,
            "reasons": {"out of gas": 1},
        },
        {
            "method": "market, no data",
            "calls": 1,
            "failed": 1,
            "reasons": {"reverted: arithmetic over- or underflow": 1},
        },
        {
            "method": "market.0xaabbccdd",
            "calls": 1,
            "failed": 1,
            "reasons": {"reverted: arithmetic over- or underflow": 1},
        },
    ]
