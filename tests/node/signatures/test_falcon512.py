"""Falcon-512: the kernels accept what the reference made and refuse everything else, as a plain implementation does."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, word
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import State, errors
from contend.evm.block_image import BlockImage
from contend.harness.verify.oracle.oracle import Oracle
from contend.node.base import BlockRun
from contend.node.registry import node_of
from contend.node.signatures import falcon512
from contend.node.signatures.falcon512 import BOUND, DEGREE, MODULUS
from contend.node.signatures.signed_block import SignedBlock
from contend.node.signatures.stored_stage import FalconVerification
from contend.node.signatures.stored_triples import COUNT, FALCON512, Triple
from contend.node.signatures.stored_triples import triples as stored_triples
from contend.strategies import registry as strategies
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

Integers = np.ndarray[Any, np.dtype[Any]]
TRIPLES = stored_triples(FALCON512)
BLOCK = block_of([Act(SENDERS[i % 4], CONTRACTS["counter"], word(i)) for i in range(12)])


def octets(data: bytes) -> Integers:
    return np.frombuffer(data + bytes(8), np.uint8)


def accepts(one: Triple) -> bool:
    key = np.zeros(DEGREE, np.uint64)
    if not falcon512.read_key(octets(one.key), 0, len(one.key), key):
        return False
    signature, message = octets(one.signature), octets(one.message)
    return bool(falcon512.verify(signature, 0, len(one.signature), message, 0, len(one.message), key))


def hashed(nonce: bytes, message: bytes) -> Integers:
    stream = hashlib.shake_256(nonce + message).digest(8192)
    tries = (int.from_bytes(stream[at : at + 2], "big") for at in range(0, len(stream), 2))
    return np.array([one % MODULUS for one in tries if one < 5 * MODULUS][:DEGREE])


def short_of(data: bytes) -> list[int] | None:
    """Coefficients of s2, bit by bit as the specification says (algorithm 18); None where they are none."""
    bits = "".join(f"{byte:08b}" for byte in data)
    found: list[int] = []
    at = 0
    for _ in range(DEGREE):
        one = bits.find("1", at + 8)
        if one < 0:
            return None
        value = int(bits[at + 1 : at + 8], 2) + 128 * (one - at - 8)
        if value > 2047 or (bits[at] == "1" and value == 0):
            return None
        found.append(-value if bits[at] == "1" else value)
        at = one + 1
    return None if "1" in bits[at:] else found


def plainly_accepts(one: Triple) -> bool:
    """Verification by school multiplication."""
    if len(one.key) != 897 or one.key[0] != 9 or len(one.signature) < 42 or one.signature[0] != 0x39:
        return False
    number = int.from_bytes(one.key[1:], "big")
    key = np.array([number >> 14 * (DEGREE - 1 - i) & 0x3FFF for i in range(DEGREE)])
    short = short_of(one.signature[41:])
    if (key >= MODULUS).any() or short is None:
        return False
    product = np.convolve(np.array(short), key)
    folded = product[:DEGREE].copy()
    folded[: DEGREE - 1] -= product[DEGREE:]
    first = (hashed(one.signature[1:41], one.message) - folded) % MODULUS
    first = np.where(first > MODULUS // 2, first - MODULUS, first)
    return int((first**2).sum() + (np.array(short) ** 2).sum()) <= BOUND


def test_all_triples_of_the_reference_are_accepted() -> None:
    assert len(TRIPLES) == len({one.key for one in TRIPLES}) == COUNT >= 256
    assert all(
        len(one.key) == FALCON512.key_bytes and len(one.signature) == FALCON512.signature_bytes for one in TRIPLES
    )
    assert all(map(accepts, TRIPLES))
    assert all(map(plainly_accepts, TRIPLES[:8]))


def test_no_triple_stands_for_another() -> None:
    for one, other in pairwise(TRIPLES):
        assert not accepts(one._replace(key=other.key))
        assert not accepts(one._replace(message=other.message))
        assert not accepts(one._replace(signature=other.signature))


@settings(max_examples=200, deadline=None)
@given(
    number=st.integers(0, COUNT - 1),
    part=st.sampled_from(Triple._fields),
    place=st.integers(0, 10**6),
    mask=st.integers(1, 255),
)
def test_one_byte_makes_a_forgery(number: int, part: str, place: int, mask: int) -> None:
    one = TRIPLES[number]
    data = bytearray(getattr(one, part))
    data[place % len(data)] ^= mask
    changed = one._replace(**{part: bytes(data)})
    assert accepts(changed) == plainly_accepts(changed) is False


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=700) | st.integers(0, 700).map(bytes), seed=st.integers(0, COUNT - 1))
def test_whatever_bytes_are_read_as_the_specification_says(data: bytes, seed: int) -> None:
    one = TRIPLES[seed]
    changed = one._replace(signature=one.signature[:41] + data)
    assert accepts(changed) == plainly_accepts(changed)


@pytest.mark.parametrize("size", [0, 1, 40, 41, 42, 300, 600])
def test_what_is_cut_off_is_missed(size: int) -> None:
    one = TRIPLES[0]
    assert not accepts(one._replace(signature=one.signature[:size]))
    assert not accepts(one._replace(key=one.key[:size]))
    # Zeros behind it are none of it, however many; anything else is.
    assert accepts(one._replace(signature=one.signature + bytes(size)))
    assert not accepts(one._replace(signature=one.signature + bytes(size) + b"\1"))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_transform_multiplies(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, MODULUS, (2, DEGREE))
    a[random.integers(0, DEGREE)], b[random.integers(0, DEGREE)] = MODULUS - 1, 0
    product = np.convolve(a, b)
    wanted = product[:DEGREE].copy()
    wanted[: DEGREE - 1] -= product[DEGREE:]
    x, y = a.astype(np.uint64), b.astype(np.uint64)
    falcon512.transform(x)
    falcon512.transform(y)
    result = x * y % np.uint64(MODULUS)
    falcon512.transform_back(result)
    assert result.tolist() == (wanted % MODULUS).tolist()
    falcon512.transform_back(x)
    assert x.tolist() == a.tolist()


def found_by(stage: FalconVerification, clock: Clock = WALL) -> tuple[list[bytes], list[int]]:
    run = BlockRun(0, BlockImage(BLOCK), State(), 3, clock)
    stage.make_ready(run)
    stage.work(run)
    rows = run.image.rows["sender"]
    found = [sum(int(limb) << 64 * i for i, limb in enumerate(row)).to_bytes(20, "big") for row in rows]
    return found, run.image.rows["flaw"].tolist()


@pytest.mark.parametrize("are_carried", [True, False])
def test_senders_are_found_and_forgeries_are_of_nobody(are_carried: bool) -> None:
    stage = FalconVerification([BLOCK], are_carried)
    key_bytes = FALCON512.key_bytes * are_carried + 20
    assert stage.facts == {
        "scheme": "falcon512",
        "signature_bytes": 666 * len(BLOCK),
        "key_bytes": key_bytes * len(BLOCK),
        "stored_messages": 256,
    }
    wanted = [one.sender for one in BLOCK]
    for clock in (WALL, VirtualClock()):
        assert found_by(stage, clock) == (wanted, [errors.NONE] * len(BLOCK))
    # The first is signed by another's key, whichever it brings with it.
    own = [TRIPLES[SENDERS.index(account)] for account in wanted]
    own[0] = TRIPLES[3]
    own[5] = own[5]._replace(signature=bytes(666))
    own[6] = own[6]._replace(message=own[7].message)
    keys = [one.key for one in own] if are_carried else []
    known = stage.blocks[0].rows["known_key"].copy()
    stage.blocks[0] = SignedBlock([one.message for one in own], [one.signature for one in own], keys, wanted)
    stage.blocks[0].rows["known_key"] = known
    senders, flaws = found_by(stage)
    assert [i for i, flaw in enumerate(flaws) if flaw == errors.BAD_SIGNATURE] == [0, 5, 6]
    assert all(sender == (bytes(20) if i in (0, 5, 6) else wanted[i]) for i, sender in enumerate(senders))


@pytest.mark.parametrize("name", ["serial", "block_stm", "sharded"])
def test_strategies_execute_what_was_verified(name: str) -> None:
    state = adversarial_state()
    node = node_of({"signatures": "falcon512", "keys": "carried"}, [BLOCK], state, 1)
    before = state.snapshot()
    oracle = Oracle(BLOCK, state, before, Serial(), CONTRACTS)
    with strategies.get(name)() as strategy:
        for clock in (WALL, VirtualClock()):
            strategy.clock = clock
            state.restore(before)
            outcome = node.execute(strategy, BLOCK, state, 2)
            assert oracle.check(outcome, state.changes_since(before)) == []
