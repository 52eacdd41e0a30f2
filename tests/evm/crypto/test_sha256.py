"""SHA-256 against Python's: messages of every length around a block's end, in both ways to do the rounds."""

from __future__ import annotations

import hashlib

import numba
import numpy as np
import pytest

from contend.evm.crypto import sha256
from contend.evm.crypto.sha256_rounds import BLOCK_BYTES, INITIAL, compress, compress_in_words
from contend.evm.runtime.memory_views import address_of_view

LONGEST = 3 * BLOCK_BYTES


@numba.njit
def _hash(message, size, output):  # type: ignore[no-untyped-def]  # a kernel
    sha256.sha256_into(message, size, output)


@pytest.mark.parametrize("size", range(LONGEST + 1))
def test_every_length(size: int) -> None:
    message = np.random.default_rng(size).integers(0, 256, LONGEST + 1, np.uint8)
    output = np.zeros(32, np.uint8)
    _hash(message, size, output)
    assert output.tobytes() == hashlib.sha256(message[:size].tobytes()).digest()


@pytest.mark.parametrize("compression", [compress, compress_in_words], ids=["chosen", "in words"])
def test_both_ways_to_do_the_rounds(compression: object) -> None:
    @numba.njit
    def run(state, message, blocks):  # type: ignore[no-untyped-def]  # a kernel
        compression(address_of_view(state), address_of_view(message), blocks)  # type: ignore[operator]  # an intrinsic

    for blocks in (1, 2, 5):
        message = np.random.default_rng(blocks).integers(0, 256, (blocks * BLOCK_BYTES) - 9, np.uint8).tobytes()
        padded = message + b"\x80" + (8 * len(message)).to_bytes(8, "big")
        state = np.array(INITIAL, np.uint32)
        run(state, np.frombuffer(padded, np.uint8).copy(), blocks)
        assert state.astype(">u4").tobytes() == hashlib.sha256(message).digest()
