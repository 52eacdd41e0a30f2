"""Outcomes of transactions: the errors that end one, and what an execution can ask of its driver."""

from __future__ import annotations

# What `resume` returns.
DONE, NEED, FAULT = 1, 2, 3
# What the interpreter returns besides: `resume` answers it, so that no driver ever sees it.
COMPUTE = 4

# Errors of frames and transactions. Zero is success.
(
    NONE,
    REVERTED,
    OUT_OF_GAS,
    INVALID_OPCODE,
    INVALID_JUMP,
    STACK_UNDERFLOW,
    STACK_OVERFLOW,
    STATIC_VIOLATION,
    RETURN_DATA_BOUNDS,
    ADDRESS_COLLISION,
    INVALID_CODE,
    CODE_SIZE,
    PRECOMPILE_FAILED,
    # From here on the transaction is invalid: it does nothing, and pays nothing.
    NONCE_MISMATCH,
    NONCE_OVERFLOW,
    INSUFFICIENT_FUNDS,
    INTRINSIC_GAS,
    FEE_BELOW_BASE,
    TIP_ABOVE_FEE,
    SENDER_HAS_CODE,
    GAS_ABOVE_BLOCK,
    GAS_ABOVE_CAP,
    INIT_CODE_SIZE,
    TYPE_BEFORE_FORK,
    BLOB_COUNT,
    BLOB_VERSION,
    BLOB_FEE,
    BLOB_CREATION,
    GAS_ALLOWANCE,
    BLOB_ALLOWANCE,
    AUTHORIZATION_COUNT,
    AUTHORIZATION_CREATION,
    BAD_SIGNATURE,
    # From here on the machine ran out of room: a fault, never a result.
    MEMORY_CAPACITY,
    STACK_CAPACITY,
    ENTRY_CAPACITY,
    JOURNAL_CAPACITY,
    LOG_CAPACITY,
    OUTPUT_CAPACITY,
    CODE_CAPACITY,
    PRECOMPILE_FAULT,
) = range(41)

FIRST_FAULT = MEMORY_CAPACITY

STATUS_FAILED, STATUS_SUCCESS, STATUS_INVALID = 0, 1, 2

_NAMES = (
    "",
    "reverted",
    "out of gas",
    "invalid opcode",
    "invalid jump",
    "stack underflow",
    "stack overflow",
    "write in static call",
    "return data out of bounds",
    "address collision",
    "code begins with 0xef",
    "code size exceeded",
    "precompiled contract failed",
    "nonce mismatch",
    "nonce overflow",
    "insufficient funds",
    "gas limit below intrinsic gas",
    "max fee below base fee",
    "max priority fee above max fee",
    "sender has code",
    "gas limit above the block's",
    "gas limit above a transaction's",
    "init code size exceeded",
    "transaction type before its fork",
    "number of blobs",
    "blob version",
    "max blob fee below blob base fee",
    "blob transaction creates a contract",
    "gas limit above what the block has left",
    "more blobs than the block has left",
    "no authorisation",
    "transaction with authorisations creates a contract",
    "signature of nobody",
    "memory capacity exceeded",
    "stack capacity exceeded",
    "access table capacity exceeded",
    "journal capacity exceeded",
    "log capacity exceeded",
    "output capacity exceeded",
    "code capacity exceeded",
    "a precompiled contract could not be computed",
)


def describe(error: int) -> str | None:
    """Name of an error code, or None for success."""
    return None if error == NONE else _NAMES[error]


class CapacityError(RuntimeError):
    """A fixed-size structure of a run was too small; the run can be repeated with more room."""
