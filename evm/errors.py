"""How a transaction can end, and what an execution can ask of its driver."""

from __future__ import annotations

from evm import opcodes

# What `resume` returns.
DONE, NEED, FAULT = 1, 2, 3

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
    NONCE_OVERFLOW,
    # From here on the transaction is invalid: it does nothing, and pays nothing.
    NONCE_MISMATCH,
    INSUFFICIENT_FUNDS,
    INTRINSIC_GAS,
    FEE_BELOW_BASE,
    TIP_ABOVE_FEE,
    SENDER_HAS_CODE,
    # From here on Contend cannot tell what the transaction does; the opcode or precompile number is in the high bits.
    UNSUPPORTED_OPCODE,
    UNSUPPORTED_PRECOMPILE,
    UNSUPPORTED_CREATION,
    # From here on the machine ran out of room: a fault, never a result.
    MEMORY_CAPACITY,
    STACK_CAPACITY,
    ENTRY_CAPACITY,
    JOURNAL_CAPACITY,
    LOG_CAPACITY,
    OUTPUT_CAPACITY,
) = range(25)

DETAIL_SHIFT = 8
FIRST_INVALID, FIRST_UNSUPPORTED, FIRST_FAULT = NONCE_MISMATCH, UNSUPPORTED_OPCODE, MEMORY_CAPACITY

STATUS_FAILED, STATUS_SUCCESS, STATUS_INVALID, STATUS_UNSUPPORTED = 0, 1, 2, 3

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
    "nonce overflow",
    "nonce mismatch",
    "insufficient funds",
    "gas limit below intrinsic gas",
    "max fee below base fee",
    "max priority fee above max fee",
    "sender has code",
    "unsupported: ",
    "unsupported: precompile ",
    "unsupported: contract creation inside a block",
    "memory capacity exceeded",
    "stack capacity exceeded",
    "access table capacity exceeded",
    "journal capacity exceeded",
    "log capacity exceeded",
    "output capacity exceeded",
)


def describe(error: int) -> str | None:
    """Name of an error code, or None for success."""
    kind, detail = error & 0xFF, error >> DETAIL_SHIFT
    if kind == NONE:
        return None
    if kind == UNSUPPORTED_OPCODE:
        return _NAMES[kind] + opcodes.NAMES.get(detail, hex(detail))
    if kind == UNSUPPORTED_PRECOMPILE:
        return _NAMES[kind] + hex(detail)
    return _NAMES[kind]


class CapacityError(RuntimeError):
    """A fixed-size structure of a run was too small; the run can be repeated with more room."""
