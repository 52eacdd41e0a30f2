"""Why a transaction is not executed: our reasons by the names that the specification has for them."""

from __future__ import annotations

from contend.evm import errors

# Where it has several, they depend on the fork; an empty recipient of a typed transaction it cannot decode.
_NAMES = {
    errors.NONCE_MISMATCH: {"NonceMismatchError"},
    errors.NONCE_OVERFLOW: {"NonceOverflowError"},
    errors.INSUFFICIENT_FUNDS: {"InsufficientBalanceError"},
    errors.INTRINSIC_GAS: {"InsufficientTransactionGasError"},
    errors.FEE_BELOW_BASE: {"InsufficientMaxFeePerGasError", "InvalidBlock"},
    errors.TIP_ABOVE_FEE: {"PriorityFeeGreaterThanMaxFeeError"},
    errors.SENDER_HAS_CODE: {"InvalidSenderError"},
    errors.GAS_ABOVE_BLOCK: {"GasUsedExceedsLimitError"},
    errors.GAS_ALLOWANCE: {"GasUsedExceedsLimitError"},
    errors.GAS_ABOVE_CAP: {"TransactionGasLimitExceededError"},
    errors.INIT_CODE_SIZE: {"InitCodeTooLargeError"},
    errors.TYPE_BEFORE_FORK: {"TransactionTypeError"},
    errors.BLOB_COUNT: {"NoBlobDataError", "BlobCountExceededError", "BlobGasLimitExceededError"},
    errors.BLOB_ALLOWANCE: {"BlobGasLimitExceededError"},
    errors.BLOB_VERSION: {"InvalidBlobVersionedHashError"},
    errors.BLOB_FEE: {"InsufficientMaxFeePerBlobGasError"},
    errors.BLOB_CREATION: {"TransactionTypeContractCreationError", "DecodingError"},
    errors.AUTHORIZATION_CREATION: {"TransactionTypeContractCreationError", "DecodingError"},
    errors.AUTHORIZATION_COUNT: {"EmptyAuthorizationListError"},
}
_BY_TEXT = {errors.describe(code): names for code, names in _NAMES.items()}


def is_same_reason(here: str, there: str) -> bool:
    """Whether our reason, in words, is the specification's, by the name of its exception."""
    return there in _BY_TEXT.get(here, ())
