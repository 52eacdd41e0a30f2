"""Fields of what is decoded from RLP, strictly: integers without leading zeros, and bytes as many as there are.

Whoever takes more than one encoding for one block takes two blocks with other hashes for the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contend import strict_rlp
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError

BAD_RLP = ("RLP_STRUCTURES_ENCODING", "INCORRECT_BLOCK_FORMAT")


def decoded(data: bytes, what: str) -> Any:
    """What the bytes encode, as nested lists of bytes.

    Raises
    ------
    BlockRefusedError
        If they are not the one encoding of anything, or there are more of them.
    """
    try:
        return strict_rlp.decode(data)
    except strict_rlp.RlpError as error:
        raise BlockRefusedError(f"{what}: {error}", *BAD_RLP) from None


def items(value: Any, what: str, *counts: int) -> Sequence[Any]:
    """A list, of one of these lengths if there are any."""
    if not isinstance(value, (list, tuple)):
        raise BlockRefusedError(f"{what}: bytes, not a list", *BAD_RLP)
    if counts and len(value) not in counts:
        raise BlockRefusedError(f"{what}: {len(value)} items instead of {counts[0]}", *BAD_RLP)
    return value


def octets(value: Any, what: str, *sizes: int) -> bytes:
    """Bytes, as many as one of these sizes if there are any."""
    if not isinstance(value, bytes):
        raise BlockRefusedError(f"{what}: a list, not bytes", *BAD_RLP)
    if sizes and len(value) not in sizes:
        reasons = (*BAD_RLP, f"RLP_INVALID_FIELD_OVERFLOW_{8 * sizes[0]}", "RLP_INVALID_ADDRESS")
        raise BlockRefusedError(f"{what}: {len(value)} bytes instead of {sizes[0]}", *reasons)
    return value


def integer(value: Any, what: str, bits: int = 256) -> int:
    """An integer without leading zeros, of so many bits at most."""
    data = octets(value, what)
    if data[:1] == b"\0":
        raise BlockRefusedError(f"{what}: it begins with zeros", *BAD_RLP, "RLP_LEADING_ZEROS")
    if len(data) * 8 > bits:
        reasons = (*BAD_RLP, f"RLP_INVALID_FIELD_OVERFLOW_{bits}")
        raise BlockRefusedError(f"{what}: more than {bits} bits", *reasons, "RLP_INVALID_VALUE")
    return int.from_bytes(data, "big")
