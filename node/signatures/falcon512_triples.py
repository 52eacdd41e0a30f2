"""Stored triples of Falcon-512: keys, messages and signatures, made once by ``python -m tools.falcon_triples``.

There is no well-kept library that signs by Falcon, so transactions carry one of these in turn, by account: what is
verified is real, and the message is not the transaction.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("falcon512_triples.bin")
COUNT = 256
KEY_BYTES, SIGNATURE_BYTES = 897, 666


class Triple(NamedTuple):
    """A message with its signature, and the key that it is by."""

    key: bytes
    message: bytes
    signature: bytes


def message_of(number: int) -> bytes:
    """Message that is signed in a triple, 32 bytes."""
    return hashlib.sha256(b"falcon512 message %d" % number).digest()


@cache
def triples() -> tuple[Triple, ...]:
    """All of them."""
    data, size = FILE.read_bytes(), KEY_BYTES + SIGNATURE_BYTES
    parts = (data[at : at + size] for at in range(0, COUNT * size, size))
    return tuple(Triple(one[:KEY_BYTES], message_of(i), one[KEY_BYTES:]) for i, one in enumerate(parts))
