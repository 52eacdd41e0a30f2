"""Flaws: why a transaction cannot be executed, as its fields alone show, and the gas that it takes before it begins.

A transaction may have several flaws. The one that is told is the first that the executable specification finds, under
each fork: what the encoding shows, its gas by itself, whether it fits into the block (`evm.vm.admission`), its prices,
its blobs and authorisations, and at last its sender's nonce, balance and code (`evm.vm.transaction`). So flaws of
fields stand on both sides of admission; those behind it are `AFTER_ADMISSION`.
"""

from __future__ import annotations

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
    """Reason why a transaction's fields make it invalid, or `NONE`; whether it fits behind others is not among them."""
    if transaction.declared_type is not None and transaction.type not in fork.transaction_types:
        return errors.TYPE_BEFORE_FORK
    if transaction.authorizations is not None and not fork.delegates:
        return errors.TYPE_BEFORE_FORK
    if transaction.blob_hashes is not None and not fork.max_blobs:
        return errors.TYPE_BEFORE_FORK
    if transaction.to is None and transaction.blob_hashes is not None:
        return errors.BLOB_CREATION
    if transaction.to is None and transaction.authorizations is not None:
        return errors.AUTHORIZATION_CREATION
    return _gas_flaw(transaction, environment, fork) or _price_flaw(transaction, environment, fork)


def _gas_flaw(transaction: Transaction, environment: Environment, fork: Fork) -> int:
    """Flaws that are told before a transaction is admitted."""
    if max(gas_beforehand(transaction, fork)) > transaction.gas_limit:
        return errors.INTRINSIC_GAS
    if transaction.nonce == LAST_NONCE:
        return errors.NONCE_OVERFLOW
    if transaction.to is None and fork.init_code_limit is not None and len(transaction.data) > fork.init_code_limit:
        return errors.INIT_CODE_SIZE
    if fork.gas_cap is not None and transaction.gas_limit > fork.gas_cap:
        return errors.GAS_ABOVE_CAP
    if transaction.gas_limit > environment.gas_limit:
        return errors.GAS_ABOVE_BLOCK
    return errors.NONE


def _price_flaw(transaction: Transaction, environment: Environment, fork: Fork) -> int:
    """Flaws of `AFTER_ADMISSION`."""
    hashes = transaction.blob_hashes
    if hashes is not None and len(hashes) > fork.max_blobs:
        return errors.BLOB_COUNT
    if transaction.max_priority_fee > transaction.max_fee:
        return errors.TIP_ABOVE_FEE
    if transaction.max_fee < environment.base_fee:
        return errors.FEE_BELOW_BASE
    if hashes is not None:
        return _blob_flaw(transaction, hashes, environment, fork)
    if transaction.authorizations is not None and not transaction.authorizations:
        return errors.AUTHORIZATION_COUNT
    return errors.NONE


def _blob_flaw(transaction: Transaction, hashes: tuple[bytes, ...], environment: Environment, fork: Fork) -> int:
    if not 1 <= len(hashes) <= fork.blobs_per_transaction:
        return errors.BLOB_COUNT
    if any(blob_hash[0] != BLOB_HASH_VERSION for blob_hash in hashes):
        return errors.BLOB_VERSION
    if transaction.max_blob_fee < environment.blob_base_fee:
        return errors.BLOB_FEE
    if len(hashes) * BLOB_GAS * transaction.max_blob_fee >= 1 << 256:
        return errors.INSUFFICIENT_FUNDS
    return errors.NONE
