"""SLH-DSA-SHA2-128s: the kernels accept what a library has signed, and nothing else, as FIPS 205 says it plainly."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, block_of, word
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import State, errors
from contend.evm.block_image import BlockImage
from contend.node.base import BlockRun
from contend.node.signatures import slhdsa128s
from contend.node.signatures.signed_block import SignedBlock
from contend.node.signatures.stored_stage import SlhdsaVerification
from contend.node.signatures.stored_triples import COUNT, SLHDSA128S, Triple, triples
from contend.strategies.clocks import WALL
from contend.strategies.clocks.virtual import VirtualClock

TRIPLES = triples(SLHDSA128S)
BLOCK = block_of([Act(SENDERS[i % 4], CONTRACTS["counter"], word(i)) for i in range(6)])
N, LAYERS, HEIGHT, FOREST, FOREST_HEIGHT = 16, 7, 9, 14, 12
few = settings(max_examples=20, deadline=None)


def octets(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(data + bytes(8), np.uint8)


def accepts(one: Triple) -> bool:
    signature, message = octets(one.signature), octets(one.message)
    size = len(one.signature)
    return bool(slhdsa128s.verify(signature, size, message, 0, len(one.message), octets(one.key)))


def address(layer: int, tree: int, kind: int, *numbers: int) -> bytes:
    parts = [*numbers, 0, 0, 0][:3]
    return bytes([layer]) + tree.to_bytes(8, "big") + bytes([kind]) + b"".join(one.to_bytes(4, "big") for one in parts)


def root_of(one: Triple) -> bytes:
    """The root that a signature leads to: algorithms 8, 10, 11, 13, 17 and 20 as they are written, by ``hashlib``."""
    seed, signature = one.key[:N], one.signature

    def hashed(where: bytes, *parts: bytes) -> bytes:
        return hashlib.sha256(seed + bytes(64 - N) + where + b"".join(parts)).digest()[:N]

    def up(node: bytes, path: bytes, height: int, number: int, *where: int) -> bytes:
        layer, tree, kind, pair = where
        for level in range(height):
            sibling = path[level * N : (level + 1) * N]
            both = (sibling, node) if number >> level & 1 else (node, sibling)
            node = hashed(address(layer, tree, kind, pair, level + 1, number >> level + 1), *both)
        return node

    inner = hashlib.sha256(signature[:N] + one.key + b"\0\0" + one.message).digest()
    digest = hashlib.sha256(signature[:N] + seed + inner + bytes(4)).digest()[:30]
    tree = int.from_bytes(digest[21:28], "big") % 2**54
    leaf = int.from_bytes(digest[28:30], "big") % 2**9
    picks, at, roots = int.from_bytes(digest[:21], "big"), N, []
    for i in range(FOREST):
        number = (picks >> 12 * (FOREST - 1 - i)) % 4096 + i * 4096
        node = hashed(address(0, tree, 3, leaf, 0, number), signature[at : at + N])
        path = signature[at + N : at + N * (1 + FOREST_HEIGHT)]
        roots.append(up(node, path, FOREST_HEIGHT, number, 0, tree, 3, leaf))
        at += N * (1 + FOREST_HEIGHT)
    node = hashed(address(0, tree, 4, leaf), *roots)
    for layer in range(LAYERS):
        digits = [int(digit, 16) for digit in node.hex()]
        lacks = sum(15 - digit for digit in digits)
        ends = []
        for chain, digit in enumerate([*digits, lacks >> 8, lacks >> 4 & 15, lacks & 15]):
            link = signature[at + chain * N : at + (chain + 1) * N]
            for step in range(digit, 15):
                link = hashed(address(layer, tree, 0, leaf, chain, step), link)
            ends.append(link)
        at += 35 * N
        node = hashed(address(layer, tree, 1, leaf), *ends)
        node = up(node, signature[at : at + HEIGHT * N], HEIGHT, leaf, layer, tree, 2, 0)
        at += HEIGHT * N
        leaf, tree = tree % 2**9, tree >> 9
    return node


@few
@given(number=st.integers(0, COUNT - 1))
def test_what_was_signed_is_accepted_here_and_as_it_is_written(number: int) -> None:
    one = TRIPLES[number]
    assert accepts(one)
    assert root_of(one) == one.key[N:]


@few
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
    assert not accepts(changed)
    assert root_of(changed) != changed.key[N:]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, slhdsa128s.MOST_MESSAGE))
def test_a_root_of_any_signature_is_the_one_that_is_written(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    key, message, signature = random.bytes(N), random.bytes(size), random.bytes(SLHDSA128S.signature_bytes)
    # With the root that a signature of nothing but noise leads to, it is a signature.
    made = Triple(key + bytes(N), message, signature)
    # The root is hashed with the message, so it cannot be chosen afterwards: it is refused here as there.
    assert accepts(made) == (root_of(made) == bytes(N)) is False


@pytest.mark.parametrize("size", [0, 1, 7855, 7857])
def test_a_signature_of_another_size_is_none(size: int) -> None:
    one = TRIPLES[0]
    assert not accepts(one._replace(signature=(one.signature + b"\0")[:size]))
    assert not accepts(one._replace(message=bytes(slhdsa128s.MOST_MESSAGE + 1)))


@pytest.mark.parametrize("are_carried", [True, False])
def test_senders_are_found_and_forgeries_are_of_nobody(are_carried: bool) -> None:
    stage = SlhdsaVerification([BLOCK], are_carried)
    wanted = [one.sender for one in BLOCK]
    own = [TRIPLES[SENDERS.index(account)] for account in wanted]
    own[0] = TRIPLES[3]
    own[2] = own[2]._replace(signature=bytes(SLHDSA128S.signature_bytes))
    own[3] = own[3]._replace(message=own[4].message)
    known = stage.blocks[0].rows["known_key"].copy()
    forged = SignedBlock(
        [one.message for one in own],
        [one.signature for one in own],
        [one.key for one in own] if are_carried else [],
        wanted,
    )
    forged.rows["known_key"] = known
    for blocks, wrong in ((stage.blocks[0], ()), (forged, (0, 2, 3))):
        stage.blocks[0] = blocks
        for clock in (WALL, VirtualClock()):
            run = BlockRun(0, BlockImage(BLOCK), State(), 3, clock)
            stage.make_ready(run)
            stage.work(run)
            flaws = run.image.rows["flaw"].tolist()
            assert [i for i, flaw in enumerate(flaws) if flaw == errors.BAD_SIGNATURE] == list(wrong)
    assert stage.facts["stored_messages"] == COUNT
