"""Handshake: two shards show each other that they have the run's key, and derive the keys of their connection.

Mutual challenge and response. Each end draws a nonce, and shows a MAC under the run's key of both nonces, both shards'
numbers and its own part; so a recorded answer is worth nothing later, and none can be sent back to whoever made it. The
callee shows first: a caller that has reached somebody else learns so before it has shown anything.

    caller -> callee    numbers of both, the caller's nonce
    callee -> caller    the callee's nonce, MAC(key, "callee", transcript)
    caller -> callee    MAC(key, "caller", transcript)

The key of each direction is a MAC of the same transcript for a purpose of its own (a key derivation as in HKDF, RFC
5869, whose extraction a uniform key does not need). All messages have a fixed length, and no step is taken twice.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct

from contend.strategies.sharded.transport.frames import TO_CALLEE, TO_CALLER, FrameReader, FrameWriter

KEY_BYTES = NONCE_BYTES = MAC_BYTES = 32
_SHARDS = struct.Struct("<II")
HELLO_BYTES = _SHARDS.size + NONCE_BYTES
ANSWER_BYTES = NONCE_BYTES + MAC_BYTES
PROOF_BYTES = MAC_BYTES


class HandshakeError(Exception):
    """The peer is not one of this run. The message is one line, and holds nothing of what has come."""


class RunKey:
    """Key of a run: 256 random bits, which its text never shows.

    Parameters
    ----------
    key : bytes, optional
        Drawn by default.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self.secret = secrets.token_bytes(KEY_BYTES) if key is None else key
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")

    def __repr__(self) -> str:
        return "RunKey(...)"

    def mac(self, purpose: bytes, transcript: bytes) -> bytes:
        """MAC of a transcript for one purpose."""
        return hmac.new(self.secret, b"contend " + purpose + b"\0" + transcript, hashlib.sha256).digest()


class Caller:
    """The end that has made a connection.

    Parameters
    ----------
    key : RunKey
    shard, peer : int
        Its own number, and that of the shard that it calls.
    """

    def __init__(self, key: RunKey, shard: int, peer: int) -> None:
        self._key = key
        self._hello = _SHARDS.pack(shard, peer) + secrets.token_bytes(NONCE_BYTES)

    def hello(self) -> bytes:
        """Say who calls whom, and challenge."""
        return self._hello

    def proof(self, answer: bytes) -> tuple[bytes, FrameWriter, FrameReader]:
        """Judge the callee's answer, and show the key in turn; with that, the ends of both directions.

        Raises
        ------
        HandshakeError
            If the callee has not the run's key.
        """
        if len(answer) != ANSWER_BYTES:
            raise HandshakeError("an answer has a wrong length")
        transcript = self._hello + answer[:NONCE_BYTES]
        if not hmac.compare_digest(self._key.mac(b"callee", transcript), answer[NONCE_BYTES:]):
            raise HandshakeError("whoever answered does not have the key of this run")
        there, back = _keys(self._key, transcript)
        return self._key.mac(b"caller", transcript), FrameWriter(there, TO_CALLEE), FrameReader(back, TO_CALLER)


class Callee:
    """The end that was called.

    Parameters
    ----------
    key : RunKey
    shard, shards : int
        Its own number, and how many there are.
    """

    def __init__(self, key: RunKey, shard: int, shards: int) -> None:
        self._key = key
        self._shard = shard
        self._shards = shards
        self._transcript: bytes | None = None
        self.peer = -1

    def answer(self, hello: bytes) -> bytes:
        """Answer the caller's challenge with a proof, and challenge in turn.

        Raises
        ------
        HandshakeError
            If it is no hello, or is meant for another shard.
        """
        if len(hello) != HELLO_BYTES or self._transcript is not None:
            raise HandshakeError("a hello has a wrong length, or comes twice")
        caller, callee = _SHARDS.unpack_from(hello)
        if callee != self._shard or not caller < self._shards or caller == callee:
            raise HandshakeError("a hello is not for this shard, or of none that there is")
        nonce = secrets.token_bytes(NONCE_BYTES)
        self.peer, self._transcript = caller, hello + nonce
        return nonce + self._key.mac(b"callee", self._transcript)

    def accept(self, proof: bytes) -> tuple[FrameWriter, FrameReader]:
        """Judge the caller's proof; the ends of both directions.

        Raises
        ------
        HandshakeError
            If the caller has not the run's key.
        """
        transcript, self._transcript = self._transcript, b""
        if not transcript or not hmac.compare_digest(self._key.mac(b"caller", transcript), proof):
            raise HandshakeError("whoever calls does not have the key of this run")
        there, back = _keys(self._key, transcript)
        return FrameWriter(back, TO_CALLER), FrameReader(there, TO_CALLEE)


def _keys(key: RunKey, transcript: bytes) -> tuple[bytes, bytes]:
    """Keys of the frames to the callee, and of those to the caller."""
    return key.mac(b"frames to callee", transcript), key.mac(b"frames to caller", transcript)
