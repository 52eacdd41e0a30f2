"""Keccak in lanes against the scalar one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm.crypto.keccak import RATE, keccak256
from contend.evm.runtime.jit import kernel
from contend.node.state_root.keccak_lanes import LANES, hash_lanes, lane_hasher, lanes_for

hash_2, hash_4, hash_8 = lane_hasher(2), lane_hasher(4), lane_hasher(8)


@kernel()
def hash_in_2(messages, stride, blocks, hashes):  # type: ignore[no-untyped-def]
    hash_2(messages, stride, blocks, hashes)


@kernel()
def hash_in_4(messages, stride, blocks, hashes):  # type: ignore[no-untyped-def]
    hash_4(messages, stride, blocks, hashes)


@kernel()
def hash_in_8(messages, stride, blocks, hashes):  # type: ignore[no-untyped-def]
    hash_8(messages, stride, blocks, hashes)


def hashed(hasher: Callable[..., None], messages: list[bytes]) -> list[bytes]:
    """Hashes of messages of equally many blocks."""
    blocks = len(messages[0]) // RATE + 1
    stride = blocks * RATE + 16
    room = np.zeros(len(messages) * stride, np.uint8)
    for lane, message in enumerate(messages):
        place = room[lane * stride :]
        place[: len(message)] = np.frombuffer(message, np.uint8)
        place[len(message)] ^= 1
        place[blocks * RATE - 1] ^= 0x80
    hashes = np.zeros((len(messages), 4), np.uint64)
    hasher(room.ctypes.data, stride, blocks, hashes.ctypes.data)
    return [row.tobytes() for row in hashes]


def any_messages(lanes: int) -> st.SearchStrategy[list[bytes]]:
    """As many messages as lanes, of any lengths of one number of blocks."""
    return st.integers(0, 3).flatmap(
        lambda full: st.lists(
            st.binary(min_size=full * RATE, max_size=full * RATE + RATE - 1), min_size=lanes, max_size=lanes
        )
    )


@given(st.data())
@pytest.mark.parametrize(("lanes", "hasher"), [(2, hash_in_2), (4, hash_in_4), (8, hash_in_8), (LANES, hash_lanes)])
def test_every_lane_has_the_hash_of_its_message(lanes: int, hasher: Any, data: st.DataObject) -> None:
    messages = data.draw(any_messages(lanes))
    assert hashed(hasher, messages) == [keccak256(message) for message in messages]


def test_registers_decide_how_many_lanes_there_are() -> None:
    assert lanes_for({"sse2", "avx2", "avx512f"}) == 8
    assert lanes_for({"sse2", "avx2"}) == 4
    assert lanes_for({"neon"}) == lanes_for(()) == 2
