"""Revert reasons, of what contracts really return and of what they could."""

from __future__ import annotations

import pytest

from contend.workloads.contracts.abi import Method
from contend.workloads.contracts.keccak_digest import keccak_digest
from contend.workloads.contracts.revert_reason import declared_errors, revert_reason

ERROR, PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")
ABI = [{"type": "error", "name": "TooLittle", "inputs": [{"type": "uint256"}, {"type": "uint256"}]}]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", ""),
        (Method("Error(string)", ERROR)("not yours"), "not yours"),
        (Method("Error(string)", ERROR)("a\nb" + "x" * 200), "a?b" + "x" * 77),
        (Method("Panic(uint256)", PANIC)(0x11), "arithmetic over- or underflow"),
        (Method("Panic(uint256)", PANIC)(0x99), "panic 0x99"),
        (Method("TooLittle(uint256,uint256)", keccak_digest(b"TooLittle(uint256,uint256)")[:4])(1, 2), "TooLittle"),
        (b"\1\2\3\4\5", "0x01020304.."),
        (ERROR, "0x08c379a0.."),
    ],
)
def test_reasons(output: bytes, reason: str) -> None:
    assert revert_reason(output, declared_errors(ABI)) == reason


def test_a_text_whose_length_is_nonsense_is_shown_as_far_as_it_goes() -> None:
    text = revert_reason(ERROR + b"\0" * 31 + b"\x20" + b"\xff" * 32 + b"abc", {})
    assert text == "abc"
