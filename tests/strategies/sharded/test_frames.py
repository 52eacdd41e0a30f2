"""Frames and handshake: what the peer sent arrives, in whatever pieces; everything else is refused."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.strategies.sharded.transport.frames import (
    MAX_PAYLOAD_BYTES,
    TO_CALLEE,
    FrameError,
    FrameReader,
    FrameWriter,
)
from contend.strategies.sharded.transport.handshake import HELLO_BYTES, Callee, Caller, HandshakeError, RunKey

KEY = bytes(range(32))
payloads = st.lists(st.binary(max_size=40), min_size=1, max_size=6)


def frames(contents: Sequence[bytes], key: bytes = KEY, direction: int = TO_CALLEE) -> list[bytes]:
    writer = FrameWriter(key, direction)
    return [writer.sealed(content) for content in contents]


def reader() -> FrameReader:
    return FrameReader(KEY, TO_CALLEE)


@given(contents=payloads, cuts=st.lists(st.integers(0, 600), max_size=8))
def test_what_was_sent_arrives_in_whatever_pieces(contents: list[bytes], cuts: list[int]) -> None:
    stream, one = b"".join(frames(contents)), reader()
    ends = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    arrived = [payload for a, b in itertools.pairwise(ends) for payload in one.feed(stream[a:b])]
    assert arrived == contents


@given(contents=payloads, place=st.integers(0), mask=st.integers(1, 255))
def test_no_changed_byte_is_ever_taken(contents: list[bytes], place: int, mask: int) -> None:
    made = [bytearray(frame) for frame in frames(contents)]
    changed = made[place % len(made)]
    changed[place // len(made) % len(changed)] ^= mask
    one, arrived = reader(), list[bytes]()
    # A length that has grown makes it wait, and then take all that follows for one frame, with a wrong MAC.
    with suppress(FrameError):
        for frame in made:
            arrived += one.feed(bytes(frame))
    assert arrived == contents[: len(arrived)]
    assert len(arrived) <= place % len(made)


@given(noise=st.binary(min_size=1, max_size=400))
def test_random_bytes_are_never_a_frame(noise: bytes) -> None:
    one, refused = reader(), False
    try:
        assert one.feed(noise) == []
    except FrameError:
        refused = True
    # Once refused, always refused: where the next frame begins is not known any more.
    if refused:
        with pytest.raises(FrameError):
            one.feed(frames([b"x"])[0])


@given(contents=st.lists(st.binary(max_size=20), min_size=2, max_size=6), order=st.permutations(range(6)))
def test_frames_that_are_repeated_reordered_or_left_out_are_refused(contents: list[bytes], order: list[int]) -> None:
    made = frames(contents)
    sent = [place for place in order if place < len(made)][: len(made)]
    arrived, one = list[bytes](), reader()
    wanted = next((at for at, place in enumerate(sent) if at != place), len(sent))
    for place in sent[:wanted]:
        arrived += one.feed(made[place])
    assert arrived == contents[:wanted]
    late = made[sent[wanted]] if wanted < len(sent) else made[0]
    with pytest.raises(FrameError, match=r"frame \d+ came where frame \d+ was due"):
        one.feed(late)


@pytest.mark.parametrize(
    ("key", "direction", "refusal"),
    [(bytes(32), TO_CALLEE, "wrong MAC"), (KEY, 1 - TO_CALLEE, "other direction")],
)
def test_another_key_or_direction_is_refused(key: bytes, direction: int, refusal: str) -> None:
    with pytest.raises(FrameError, match=refusal):
        reader().feed(frames([b"x"], key, direction)[0])


def test_a_length_is_refused_before_anything_of_the_frame_has_come() -> None:
    with pytest.raises(FrameError, match="claims 1,048,577 bytes"):
        reader().feed(struct.pack("<IIQ", MAX_PAYLOAD_BYTES + 1, TO_CALLEE, 0))
    with pytest.raises(ValueError, match="longer than"):
        FrameWriter(KEY, TO_CALLEE).sealed(bytes(MAX_PAYLOAD_BYTES + 1))


def test_both_ends_have_each_other_s_frames_after_a_handshake() -> None:
    key = RunKey()
    caller, callee = Caller(key, 2, 1), Callee(key, 1, 4)
    proof, writes, reads = caller.proof(callee.answer(caller.hello()))
    answers, hears = callee.accept(proof)
    assert callee.peer == 2
    assert hears.feed(writes.sealed(b"there")) == [b"there"]
    assert reads.feed(answers.sealed(b"back")) == [b"back"]
    # A frame cannot be sent back to whoever made it.
    with pytest.raises(FrameError, match="wrong MAC"):
        reads.feed(writes.sealed(b"there"))
    assert key.secret.hex() not in f"{key!r}{vars(caller)!r}"


def test_whoever_has_another_key_is_refused_by_both_ends() -> None:
    ours, other = RunKey(), RunKey()
    caller, callee = Caller(ours, 2, 1), Callee(other, 1, 4)
    with pytest.raises(HandshakeError, match="whoever answered"):
        caller.proof(callee.answer(caller.hello()))
    stranger, callee = Caller(other, 2, 1), Callee(ours, 1, 4)
    answer = callee.answer(stranger.hello())
    with pytest.raises(HandshakeError, match="whoever calls"):
        callee.accept(other.mac(b"caller", stranger.hello() + answer[:32]))


def test_a_recorded_handshake_is_worth_nothing_the_next_time() -> None:
    key = RunKey()
    caller, callee = Caller(key, 0, 1), Callee(key, 1, 2)
    answer = callee.answer(caller.hello())
    proof, _, _ = caller.proof(answer)
    again = Callee(key, 1, 2)
    again.answer(caller.hello())
    with pytest.raises(HandshakeError):
        again.accept(proof)
    with pytest.raises(HandshakeError):
        Caller(key, 0, 1).proof(answer)
    # Nor is the callee's own answer a caller's proof.
    mirror = Callee(key, 1, 2)
    with pytest.raises(HandshakeError):
        mirror.accept(mirror.answer(caller.hello())[32:])


@given(hello=st.binary(max_size=2 * HELLO_BYTES), proof=st.binary(max_size=64))
def test_random_bytes_are_no_handshake(hello: bytes, proof: bytes) -> None:
    callee = Callee(RunKey(), 1, 4)
    with pytest.raises(HandshakeError):  # noqa: PT012 (the first or the second)
        callee.answer(hello)
        callee.accept(proof)
