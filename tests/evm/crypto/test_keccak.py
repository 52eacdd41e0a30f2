"""Keccak-256 against published digests and another implementation."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contend.evm.crypto.keccak import RATE, keccak256

reference = pytest.importorskip("Crypto.Hash.keccak", reason="pycryptodome, which comes with vyper, is not installed")

# Digests that every Ethereum client knows by heart.
KNOWN = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"transfer(address,uint256)": "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b",
    b"Transfer(address,address,uint256)": "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
    b"\x80": "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
}


@pytest.mark.parametrize(("data", "digest"), KNOWN.items())
def test_known_digests(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest


@pytest.mark.bounds
def test_every_length_up_to_three_blocks() -> None:
    for length in range(3 * RATE + 2):
        data = bytes((7 * i + length) & 0xFF for i in range(length))
        assert keccak256(data) == reference.new(data=data, digest_bits=256).digest(), length


@pytest.mark.bounds
@given(st.binary(max_size=1000))
@example(b"\xff" * (RATE - 1))
@example(b"\x00" * RATE)
def test_any_bytes(data: bytes) -> None:
    assert keccak256(data) == reference.new(data=data, digest_bits=256).digest()
