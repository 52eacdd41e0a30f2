"""Recent hashes: whatever is kept or displaced, the hash is that of the 64 bytes, and no run finds another's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm import Block
from contend.evm.block_image import BlockImage
from contend.evm.crypto.keccak import keccak256
from contend.evm.layout import MACHINE, RECENT_HASH, RECENT_HASHES
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.vm.machine import Machine
from contend.evm.vm.recent_hashes import PAIR_BYTES, hash_of_pair
from tests.evm.runner import FREE, make_state

pytestmark = pytest.mark.bounds


@kernel()
def _hash(machine, address, size, start):  # type: ignore[no-untyped-def]  # a kernel
    return hash_of_pair(machine, view_u8(address, size), start)


class Keeper:
    """A machine of which nothing but its recent hashes is used."""

    def __init__(self) -> None:
        self.state = make_state({})
        self.image = BlockImage(Block(FREE, ()))
        self.machine = Machine(self.image.address, self.state.codes.address)

    def hash(self, pair: bytes, before: int = 0) -> bytes:
        data = np.frombuffer(bytes(before) + pair, np.uint8)
        word = _hash(MACHINE.ref(self.machine.address), data.ctypes.data, len(data), before)
        return b"".join(int(limb).to_bytes(8, "big") for limb in reversed(word))

    @property
    def hits(self) -> int:
        return self.machine.recent_hits

    def begin_run(self) -> None:
        self.machine.attach(self.image.address, self.state.codes.address)


KEEPER = Keeper()
few = st.integers(0, 40).map(lambda number: number.to_bytes(32, "big") + bytes(32))
pairs = few | st.binary(min_size=PAIR_BYTES, max_size=PAIR_BYTES)


@given(st.lists(pairs, min_size=1, max_size=30), st.integers(0, 9))
def test_each_hash_is_that_of_its_bytes(asked: list[bytes], before: int) -> None:
    for pair in asked:
        assert KEEPER.hash(pair, before) == keccak256(pair)


def test_who_shares_a_place_displaces_the_other() -> None:
    """More preimages than places: all are computed, some again, and all are right each time."""
    keeper = Keeper()
    asked = [number.to_bytes(32, "big") + bytes([7]) * 32 for number in range(3 * RECENT_HASHES)]
    for _ in range(2):
        for pair in asked:
            assert keeper.hash(pair) == keccak256(pair)
    assert keeper.hits < RECENT_HASHES


def test_what_was_computed_is_found_again_and_not_in_another_run() -> None:
    keeper, pair = Keeper(), bytes(range(PAIR_BYTES))
    keeper.hash(pair)
    assert keeper.hits == 0
    keeper.hash(pair)
    assert keeper.hits == 1
    keeper.begin_run()
    keeper.hash(pair)
    assert keeper.hits == 1


@pytest.mark.parametrize("byte", range(PAIR_BYTES))
def test_every_byte_tells_two_preimages(byte: int) -> None:
    """Also where the other one has the place: its row is made to be that of the preimage with one byte changed."""
    keeper, pair = Keeper(), bytes(range(PAIR_BYTES))
    other = pair[:byte] + bytes([pair[byte] ^ 0x80]) + pair[byte + 1 :]
    keeper.hash(pair)
    rows = RECENT_HASH.array_at(int(keeper.machine.header["recent_hashes"]), RECENT_HASHES)
    row = rows[rows["generation"] != 0][0]
    rows[:] = row
    rows["preimage"] = np.frombuffer(other, np.uint64)
    assert keeper.hash(pair) == keccak256(pair)
    assert keeper.hits == 0


@given(st.lists(few, min_size=1, max_size=9))
def test_a_machine_that_keeps_none_computes_them(asked: list[bytes]) -> None:
    keeper = Keeper()
    keeper.machine.forget_hashes()
    for pair in asked + asked:
        assert keeper.hash(pair) == keccak256(pair)
    assert keeper.hits == 0
