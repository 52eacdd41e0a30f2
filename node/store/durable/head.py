"""Head of a store: which block its records are of, written with them in one transaction.

It says what the file is, too: whoever opens a store reads the head first, and leaves alone what has none, another
version's or one that does not add up.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from contend.node.store.base import StoreError

MAGIC = b"contend\x01state"
VERSION = 1
_CHECK_BYTES = 8
# Version first and apart, so that a later one can be told from damage.
_BEGIN = struct.Struct(">13sI")
_REST = struct.Struct(">QQ32s16s16sQQQ")


@dataclass(frozen=True)
class Head:
    """What a store is at.

    Attributes
    ----------
    chain : int
        Number of the chain.
    block : int
        Number of the last block whose changes are in the records; 0 for what the store was made of.
    root : bytes
        32 bytes: the state root after it; zeros where none was computed.
    made_of : bytes
        16 bytes: digest of what it was made of, such as the settings of a generator.
    began_with : bytes
        16 bytes: digest of the records that a run has laid over that, as block 1; zeros where no run has.
    accounts, slots, codes : int
        How many records of each kind there are.
    """

    chain: int = 1
    block: int = 0
    root: bytes = bytes(32)
    made_of: bytes = bytes(16)
    began_with: bytes = bytes(16)
    accounts: int = 0
    slots: int = 0
    codes: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many records there are, by kind."""
        return {"accounts": self.accounts, "slots": self.slots, "codes": self.codes}

    def encode(self) -> bytes:
        """As bytes, with a checksum at the end."""
        body = _BEGIN.pack(MAGIC, VERSION) + _REST.pack(
            self.chain,
            self.block,
            self.root,
            self.made_of,
            self.began_with,
            self.accounts,
            self.slots,
            self.codes,
        )
        return body + _checksum(body)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest()


def decode_head(data: bytes | None, what: str) -> Head:
    """Read a head.

    Parameters
    ----------
    data : bytes or None
        None where the database has nothing in its place.
    what : str
        For messages: the path.

    Raises
    ------
    StoreError
        If it is none, of a later version, or damaged.
    """
    if data is None or data[: len(MAGIC)] != MAGIC:
        raise StoreError(f"{what}: an MDBX database, but none that Contend has made")
    if len(data) < _BEGIN.size:
        raise StoreError(f"{what}: its head is damaged")
    version = _BEGIN.unpack_from(data)[1]
    if version > VERSION:
        raise StoreError(f"{what}: format {version} of a later Contend; this one reads format {VERSION}")
    body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if version != VERSION or len(body) != _BEGIN.size + _REST.size or check != _checksum(body):
        raise StoreError(f"{what}: its head is damaged")
    return Head(*_REST.unpack_from(body, _BEGIN.size))
