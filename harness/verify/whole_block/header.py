"""Headers of blocks, and what a block says of itself, as they are hashed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp

from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import Fork
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.rlp_fields import BAD_RLP, integer, items, octets


@dataclass(frozen=True)
class Header:
    """Header of a block (Yellow Paper, section 4.4); None for what its fork does not have."""

    hash: bytes
    parent_hash: bytes
    uncles_hash: bytes
    coinbase: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes
    mix_hash: bytes
    nonce: bytes
    base_fee: int | None = None
    withdrawals_root: bytes | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    beacon_root: bytes | None = None
    requests_hash: bytes | None = None

    @property
    def field_count(self) -> int:
        """How many fields it has."""
        later = (self.base_fee, self.withdrawals_root, self.blob_gas_used, self.excess_blob_gas, self.beacon_root)
        return 15 + sum(field is not None for field in (*later, self.requests_hash))


def field_count(fork: Fork) -> int:
    """Fields of a header under a fork."""
    return 15 + fork.has_base_fee + fork.withdrawals + 3 * bool(fork.max_blobs) + bool(fork.requests)


def header_of(value: Any, fork: Fork | None = None, what: str = "header") -> Header:
    """Read a header from decoded RLP.

    Parameters
    ----------
    fork : Fork or None
        That must have just these fields; None for a header that is trusted.

    Raises
    ------
    BlockRefusedError
        If it is malformed, or of another fork.
    """
    fields = items(value, what)
    wanted = {field_count(fork)} if fork is not None else {15, 16, 17, 20, 21}
    if len(fields) not in wanted:
        raise BlockRefusedError(f"{what}: {len(fields)} fields, not {min(wanted)}", *BAD_RLP)
    more = list(fields[15:]) + [None] * (21 - len(fields))

    def optional_word(place: int, name: str) -> bytes | None:
        return None if more[place] is None else octets(more[place], f"{what}: {name}", 32)

    def optional_integer(place: int, name: str, bits: int) -> int | None:
        return None if more[place] is None else integer(more[place], f"{what}: {name}", bits)

    return Header(
        hash=keccak256(bytes(rlp.encode(list(fields)))),
        parent_hash=octets(fields[0], f"{what}: parent hash", 32),
        uncles_hash=octets(fields[1], f"{what}: hash of uncles", 32),
        coinbase=octets(fields[2], f"{what}: beneficiary", 20),
        state_root=octets(fields[3], f"{what}: state root", 32),
        transactions_root=octets(fields[4], f"{what}: root of transactions", 32),
        receipts_root=octets(fields[5], f"{what}: root of receipts", 32),
        bloom=octets(fields[6], f"{what}: bloom filter", 256),
        difficulty=integer(fields[7], f"{what}: difficulty"),
        number=integer(fields[8], f"{what}: number", 64),
        gas_limit=integer(fields[9], f"{what}: gas limit", 64),
        gas_used=integer(fields[10], f"{what}: gas used", 64),
        timestamp=integer(fields[11], f"{what}: time", 64),
        extra_data=octets(fields[12], f"{what}: extra data"),
        mix_hash=octets(fields[13], f"{what}: mix hash", 32),
        nonce=octets(fields[14], f"{what}: nonce", 8),
        base_fee=optional_integer(0, "base fee", 256),
        withdrawals_root=optional_word(1, "root of withdrawals"),
        blob_gas_used=optional_integer(2, "blob gas used", 64),
        excess_blob_gas=optional_integer(3, "excess blob gas", 64),
        beacon_root=optional_word(4, "beacon root"),
        requests_hash=optional_word(5, "hash of requests"),
    )
