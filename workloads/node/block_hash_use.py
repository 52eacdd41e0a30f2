"""Which codes may ask for hashes of earlier blocks: those in which BLOCKHASH can be reached."""

from __future__ import annotations

from collections.abc import Iterable

_BLOCKHASH, _PUSH0, _PUSH32 = 0x40, 0x5F, 0x7F


def may_ask_for_hashes(codes: Iterable[bytes]) -> bool:
    """Whether one of the codes has a BLOCKHASH outside of push data.

    Execution begins at the first byte and jumps to JUMPDEST outside of push data only, so that no other BLOCKHASH is
    ever executed.
    """
    return any(_has_block_hash(code) for code in codes)


def _has_block_hash(code: bytes) -> bool:
    at, end = 0, len(code)
    while at < end:
        instruction = code[at]
        if instruction == _BLOCKHASH:
            return True
        at += instruction - _PUSH0 + 1 if _PUSH0 < instruction <= _PUSH32 else 1
    return False
