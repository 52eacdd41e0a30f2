"""The table of precompiled contracts: its inputs are right ones, and every contract has one."""

from __future__ import annotations

from contend.evm import errors
from contend.evm.vm.native_contracts import NATIVES
from contend.evm.vm.precompiles import IDENTITY, PRECOMPILES
from contend.harness.verify.precompile_call import PrecompileCall
from tools.precompiled_contracts import PAGE, Case, cases, table


def test_every_contract_is_called_with_an_input_that_it_takes() -> None:
    found = list(cases())
    # Copying is done in place.
    assert {case.number for case in found} == PRECOMPILES.keys() - {IDENTITY}
    for case in found:
        answer = PrecompileCall(case.number, case.data, in_python=case.number not in NATIVES).answer()
        assert answer.error == errors.NONE, case.name
        assert any(answer.output), case.name


def test_the_page_has_a_row_for_each() -> None:
    page = PAGE.read_text()
    assert all(f"| 0x{case.number:02x} | {case.name} |" in page for case in cases())
    assert table([Case(2, "sha256", b"abc")]).splitlines()[-1].startswith("| 0x02 | sha256 | 72 |")
