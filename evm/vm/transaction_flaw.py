"""Flaws: why a transaction cannot be executed, as its fields alone show, and the gas that it takes before it begins.

A transaction may have several flaws. The one that is told is the first that the executable specification finds, under
each fork: what the encoding shows, its gas by itself, whether it fits into the block (`evm.vm.admission`), its prices,
its blobs and authorisations, and at last its sender's nonce, balance and code (`evm.vm.transaction`). So flaws of
fields stand on both sides of admission; those behind it are `AFTER_ADMISSION`.
"""

from __future__ import annotations

from collections.abc import Iterator

from contend.evm import errors
from contend.evm.block import Environment, Transaction
from contend.evm.forks import BLOB_GAS, BLOB_HASH_VERSION, Fork
from contend.evm.vm.gas import (
    GAS_ACCESS_LIST_ADDRESS,
    GAS_ACCESS_LIST_STORAGE_KEY,
    GAS_NEW_ACCOUNT,
    GAS_TX_BASE,
    GAS_TX_CREATE,
    GAS_TX_DATA_NON_ZERO,
    GAS_TX_DATA_ZERO,
    TOKENS_OF_NON_ZERO,
)

LAST_NONCE = (1 << 64) - 1
# Flaws that are told only of a transaction that fits into what its block has left.
AFTER_ADMISSION = (
    errors.TIP_ABOVE_FEE,
    errors.FEE_BELOW_BASE,
    errors.BLOB_COUNT,
    errors.BLOB_VERSION,
    errors.BLOB_FEE,
    errors.INSUFFICIENT_FUNDS,
    errors.AUTHORIZATION_COUNT,
)


def gas_beforehand(transaction: Transaction, fork: Fork) -> tuple[int, int]:
    """Gas of a transaction before its first instruction, and the least that it uses whatever it does (EIP-7623).

    Yellow Paper, section 6.2; EIP-2028, 2930, 3860, 7702.
    """
    data = transaction.data
    zeros = data.count(0)
    others = len(data) - zeros
    gas = GAS_TX_BASE + zeros * GAS_TX_DATA_ZERO + others * GAS_TX_DATA_NON_ZERO
    if transaction.to is None:
        gas += GAS_TX_CREATE + fork.init_code_word_gas * ((len(data) + 31) // 32)
    for _, slots in transaction.access_list:
        gas += GAS_ACCESS_LIST_ADDRESS + GAS_ACCESS_LIST_STORAGE_KEY * len(slots)
    gas += GAS_NEW_ACCOUNT * len(transaction.authorizations or ())
    least = GAS_TX_BASE + fork.floor_token_gas * (zeros + others * TOKENS_OF_NON_ZERO) if fork.floor_token_gas else 0
    return gas, least


def flaw_of(transaction: Transaction, environment: Environment, fork: Fork) -> int:
    """The flaw of a transaction's fields that is told, or `NONE`. Whether it fits behind others they do not show."""
    return next(flaws_of(transaction, environment, fork), errors.NONE)


def flaws_of(transaction: Transaction, environment: Environment, fork: Fork) -> Iterator[int]:
    """All flaws of a transaction's fields, in the order in which they are told."""
    delegates, carries = transaction.authorizations is not None, transaction.blob_hashes is not None
    is_declared = transaction.declared_type is not None
    if (
        (is_declared and transaction.type not in fork.transaction_types)
        or (delegates and not fork.delegates)
        or (carries and not fork.max_blobs)
    ):
        yield errors.TYPE_BEFORE_FORK
    if transaction.to is None and carries:
        yield errors.BLOB_CREATION
    if transaction.to is None and delegates:
        yield errors.AUTHORIZATION_CREATION
    yield from _gas_flaws(transaction, environment, fork)
    yield from _later_flaws(transaction, environment, fork)


def _gas_flaws(transaction: Transaction, environment: Environment, fork: Fork) -> Iterator[int]:
    """Flaws that are told before a transaction is admitted."""
    if max(gas_beforehand(transaction, fork)) > transaction.gas_limit:
        yield errors.INTRINSIC_GAS
    if transaction.nonce == LAST_NONCE:
        yield errors.NONCE_OVERFLOW
    if transaction.to is None and fork.init_code_limit is not None and len(transaction.data) > fork.init_code_limit:
        yield errors.INIT_CODE_SIZE
    if fork.gas_cap is not None and transaction.gas_limit > fork.gas_cap:
        yield errors.GAS_ABOVE_CAP
    if transaction.gas_limit > environment.gas_limit:
        yield errors.GAS_ABOVE_BLOCK


def _later_flaws(transaction: Transaction, environment: Environment, fork: Fork) -> Iterator[int]:
    """Flaws of `AFTER_ADMISSION`."""
    hashes = transaction.blob_hashes
    if hashes is not None and len(hashes) > fork.max_blobs:
        yield errors.BLOB_COUNT
    if transaction.max_priority_fee > transaction.max_fee:
        yield errors.TIP_ABOVE_FEE
    if transaction.max_fee < environment.base_fee:
        yield errors.FEE_BELOW_BASE
    if hashes is not None:
        yield from _blob_flaws(transaction, hashes, environment, fork)
    if transaction.authorizations is not None and not transaction.authorizations:
        yield errors.AUTHORIZATION_COUNT


def _blob_flaws(
    transaction: Transaction, hashes: tuple[bytes, ...], environment: Environment, fork: Fork
) -> Iterator[int]:
    if not 1 <= len(hashes) <= fork.blobs_per_transaction:
        yield errors.BLOB_COUNT
    if any(blob_hash[0] != BLOB_HASH_VERSION for blob_hash in hashes):
        yield errors.BLOB_VERSION
    if transaction.max_blob_fee < environment.blob_base_fee:
        yield errors.BLOB_FEE
    if len(hashes) * BLOB_GAS * transaction.max_blob_fee >= 1 << 256:
        yield errors.INSUFFICIENT_FUNDS
