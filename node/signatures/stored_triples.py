"""Stored triples: keys, messages and signatures, made once by ``python -m tools.signature_triples``.

There is no well-kept library that signs by Falcon, and to sign by SLH-DSA takes half a second. So transactions carry
one of these in turn, by account: what is verified is real, and the message is not the transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

COUNT = 256


class Triple(NamedTuple):
    """A message with its signature, and the key that it is by."""

    key: bytes
    message: bytes
    signature: bytes


@dataclass(frozen=True)
class StoredScheme:
    """A scheme whose triples are stored.

    Attributes
    ----------
    name : str
    key_bytes, signature_bytes : int
    """

    name: str
    key_bytes: int
    signature_bytes: int

    @property
    def file(self) -> Path:
        """Where they are: of each the key, then the signature."""
        return Path(__file__).with_name(f"{self.name}_triples.bin")

    def message_of(self, number: int) -> bytes:
        """Message that is signed in a triple, 32 bytes."""
        return hashlib.sha256(b"%s message %d" % (self.name.encode(), number)).digest()


FALCON512 = StoredScheme("falcon512", 897, 666)
SLHDSA128S = StoredScheme("slhdsa128s", 32, 7856)


@cache
def triples(scheme: StoredScheme) -> tuple[Triple, ...]:
    """All triples of a scheme."""
    data, size = scheme.file.read_bytes(), scheme.key_bytes + scheme.signature_bytes
    parts = (data[at : at + size] for at in range(0, COUNT * size, size))
    split = ((one[: scheme.key_bytes], one[scheme.key_bytes :]) for one in parts)
    return tuple(Triple(key, scheme.message_of(i), signature) for i, (key, signature) in enumerate(split))
