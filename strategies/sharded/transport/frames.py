"""Authenticated frames: messages between two shards over a socket, of which each is known to be the peer's next one.

A frame is a header, a payload and a keyed MAC of both (HMAC-SHA256, RFC 2104; HMAC-SHA-256 of FIPS 198-1). The header
has the payload's length, the direction and the frame's number. Each direction of each connection has a key of its own,
which both ends have derived (`handshake`), so that a frame of another run, of another connection or of the other
direction has a wrong MAC; one that is repeated, left out or put before another has a wrong number. There is no
encryption: whoever listens can read.

The length is looked at first, and bounded: nothing is allocated for a frame that claims to be longer. The MAC is looked
at next, in constant time, and nothing else of a frame is believed before. Payloads are bytes, and nobody unpickles
them. A reader that has refused a frame refuses all that follow: where the next one begins is not known any more.

Nothing here touches a socket: a reader is fed with what has come, in whatever pieces.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

_HEADER = struct.Struct("<IIQ")
_MAC_BYTES = 32
OVERHEAD_BYTES = _HEADER.size + _MAC_BYTES
MAX_PAYLOAD_BYTES = 1 << 20
"""Of a frame; a batch of messages that is longer is sent as several."""
TO_CALLEE, TO_CALLER = range(2)
"""Directions: whoever has made a connection is its caller."""


class FrameError(Exception):
    """What has come is not the peer's next frame. The message is one line, and holds nothing of what has come."""


class FrameWriter:
    """Makes frames of one direction.

    Parameters
    ----------
    key : bytes
        Of this direction of this connection.
    direction : int
    """

    def __init__(self, key: bytes, direction: int) -> None:
        self._key = key
        self._direction = direction
        self._number = 0

    def sealed(self, payload: bytes) -> bytes:
        """Make the next frame.

        Raises
        ------
        ValueError
            If the payload is longer than `MAX_PAYLOAD_BYTES`.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"a payload of {len(payload):,} bytes is longer than {MAX_PAYLOAD_BYTES:,}")
        header = _HEADER.pack(len(payload), self._direction, self._number)
        self._number += 1
        return header + payload + _mac(self._key, header, payload)


class FrameReader:
    """Reads frames of one direction out of a stream.

    Parameters
    ----------
    key : bytes
        Of this direction of this connection.
    direction : int
    """

    def __init__(self, key: bytes, direction: int) -> None:
        self._key = key
        self._direction = direction
        self._number = 0
        self._held = bytearray()
        self._refused: str | None = None

    def feed(self, content: bytes) -> list[bytes]:
        """Take what has come, and give the payloads of the frames that are whole.

        Raises
        ------
        FrameError
            If a frame is not the peer's next one; payloads of frames before it, in the same piece, are lost with it.
        """
        if self._refused is None:
            self._held += content
            payloads = []
            while (payload := self._next()) is not None:
                payloads.append(payload)
            if self._refused is None:
                return payloads
        self._held.clear()
        raise FrameError(self._refused)

    def _next(self) -> bytes | None:
        """The payload of the first frame if it is whole; None where it is not, or is refused."""
        if len(self._held) < _HEADER.size:
            return None
        length, direction, number = _HEADER.unpack_from(self._held)
        if length > MAX_PAYLOAD_BYTES:
            self._refused = f"a frame claims {length:,} bytes, more than {MAX_PAYLOAD_BYTES:,}"
            return None
        end = _HEADER.size + length
        if len(self._held) < end + _MAC_BYTES:
            return None
        header, payload = bytes(self._held[: _HEADER.size]), bytes(self._held[_HEADER.size : end])
        if not hmac.compare_digest(_mac(self._key, header, payload), bytes(self._held[end : end + _MAC_BYTES])):
            self._refused = "a frame has a wrong MAC: of another key or connection, or changed on the way"
        elif direction != self._direction:
            self._refused = "a frame is of the other direction"
        elif number != self._number:
            self._refused = f"frame {number:,} came where frame {self._number:,} was due"
        if self._refused is not None:
            return None
        self._number += 1
        del self._held[: end + _MAC_BYTES]
        return payload


def _mac(key: bytes, header: bytes, payload: bytes) -> bytes:
    made = hmac.new(key, header, hashlib.sha256)
    made.update(payload)
    return made.digest()
