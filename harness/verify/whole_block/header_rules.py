"""Rules of a header, held against its parent's: what can be said of a block before it is executed.

Yellow Paper, section 4.4.4; EIP-1559 (base fee), EIP-3675 (no work since Paris), EIP-4844 and EIP-7918 (blobs).
"""

from __future__ import annotations

from contend.evm.forks import BLOB_GAS, Fork
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.header import Header

LEAST_GAS_LIMIT, GAS_LIMIT_QUOTIENT, MOST_GAS_LIMIT = 5_000, 1_024, (1 << 63) - 1
ELASTICITY, BASE_FEE_QUOTIENT, FIRST_BASE_FEE = 2, 8, 10**9
MOST_EXTRA_DATA = 32
NO_UNCLES_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
LEAST_DIFFICULTY, DIFFICULTY_QUOTIENT, MOST_STEPS_DOWN = 131_072, 2_048, 99
# By how many blocks the difficulty bomb was put off (EIP-2384; EIP-3554).
BOMB_DELAY = {"Berlin": 9_000_000, "London": 9_700_000}


def _refuse_if(broken: bool, text: str, *reasons: str) -> None:
    if broken:
        raise BlockRefusedError(text, *reasons)


def check_header(header: Header, parent: Header, fork: Fork, parent_fork: Fork) -> None:
    """Hold a header against its parent's.

    Raises
    ------
    BlockRefusedError
        At the first rule that is broken.
    """
    _refuse_if(
        header.number != parent.number + 1, f"number {header.number} behind {parent.number}", "INVALID_BLOCK_NUMBER"
    )
    _refuse_if(
        header.timestamp <= parent.timestamp,
        f"time {header.timestamp}, of the parent {parent.timestamp}",
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
    )
    _refuse_if(
        len(header.extra_data) > MOST_EXTRA_DATA, f"{len(header.extra_data)} bytes of extra data", "EXTRA_DATA_TOO_BIG"
    )
    _check_gas(header, parent, fork, parent_fork)
    if fork.proof_of_work:
        _refuse_if(
            header.difficulty != difficulty(header, parent, fork),
            f"difficulty {header.difficulty}",
            "INVALID_DIFFICULTY",
        )
    else:
        _check_no_work(header)
    if fork.max_blobs:
        _check_blobs(header, parent, fork)


def _check_gas(header: Header, parent: Header, fork: Fork, parent_fork: Fork) -> None:
    limit = header.gas_limit
    _refuse_if(limit > MOST_GAS_LIMIT, f"gas limit {limit}", "GASLIMIT_TOO_BIG", "INVALID_GASLIMIT")
    _refuse_if(
        header.gas_used > limit,
        f"{header.gas_used} gas used of {limit}",
        "GAS_USED_OVERFLOW",
        "INVALID_GAS_USED_ABOVE_LIMIT",
    )
    is_first = fork.has_base_fee and not parent_fork.has_base_fee
    before = parent.gas_limit * (ELASTICITY if is_first else 1)
    moved = abs(limit - before)
    _refuse_if(
        moved >= before // GAS_LIMIT_QUOTIENT or limit < LEAST_GAS_LIMIT,
        f"gas limit {limit} behind {before}",
        "INVALID_GASLIMIT",
    )
    if fork.has_base_fee:
        right = FIRST_BASE_FEE if is_first else base_fee(parent)
        _refuse_if(
            header.base_fee != right, f"base fee {header.base_fee} instead of {right}", "INVALID_BASEFEE_PER_GAS"
        )


def base_fee(parent: Header) -> int:
    """Base fee of the block behind one (EIP-1559)."""
    fee, target = parent.base_fee or 0, parent.gas_limit // ELASTICITY
    if parent.gas_used == target:
        return fee
    if parent.gas_used > target:
        return fee + max(fee * (parent.gas_used - target) // target // BASE_FEE_QUOTIENT, 1)
    return fee - fee * (target - parent.gas_used) // target // BASE_FEE_QUOTIENT


def _check_no_work(header: Header) -> None:
    _refuse_if(header.difficulty != 0, f"difficulty {header.difficulty}", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS")
    _refuse_if(
        header.uncles_hash != NO_UNCLES_HASH,
        "it has uncles",
        "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS",
        "INVALID_UNCLES_HASH",
    )
    _refuse_if(
        header.nonce != bytes(8), "its nonce is not zero", "INVALID_NONCE", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS"
    )


def _check_blobs(header: Header, parent: Header, fork: Fork) -> None:
    used = header.blob_gas_used or 0
    _refuse_if(
        used > fork.max_blobs * BLOB_GAS or used % BLOB_GAS != 0,
        f"blob gas {used}",
        "INCORRECT_BLOB_GAS_USED",
        "BLOB_GAS_USED_ABOVE_LIMIT",
        "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
    )
    right = fork.excess_blob_gas(parent.excess_blob_gas or 0, parent.blob_gas_used or 0, parent.base_fee or 0)
    _refuse_if(
        header.excess_blob_gas != right,
        f"excess blob gas {header.excess_blob_gas} instead of {right}",
        "INCORRECT_EXCESS_BLOB_GAS",
    )


def difficulty(header: Header, parent: Header, fork: Fork) -> int:
    """Difficulty of a block that is mined behind another (EIP-100; the bomb as EIP-2384 and EIP-3554 put it off)."""
    uncles = 2 if parent.uncles_hash != NO_UNCLES_HASH else 1
    steps = max(uncles - (header.timestamp - parent.timestamp) // 9, -MOST_STEPS_DOWN)
    found = parent.difficulty + parent.difficulty // DIFFICULTY_QUOTIENT * steps
    period = max(header.number - BOMB_DELAY[fork.name], 0) // 100_000 - 2
    return max(found + (1 << period if period >= 0 else 0), LEAST_DIFFICULTY)
