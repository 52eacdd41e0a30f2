"""Refusals: why a block is not accepted, by the names that official tests have for reasons."""

from __future__ import annotations

from contend.evm import errors
from contend.evm.drivers import block_operations


class BlockRefusedError(Exception):
    """A block that breaks a rule.

    Parameters
    ----------
    text : str
        What is wrong, in words.
    reasons : str
        Names in official tests, in front of which stand ``BlockException.`` or ``TransactionException.``: all that the
        rule that is broken may be called there.
    """

    def __init__(self, text: str, *reasons: str) -> None:
        super().__init__(text)
        self.reasons = frozenset(reasons)

    def is_called(self, expected: str) -> bool:
        """Whether one of the reasons that a test gives, alternatives between bars, is that of this refusal."""
        return any(one.strip().rpartition(".")[2] in self.reasons for one in expected.split("|"))


# What official tests call it where a transaction cannot be executed.
OF_TRANSACTIONS = {
    errors.NONCE_MISMATCH: ("NONCE_MISMATCH_TOO_LOW", "NONCE_MISMATCH_TOO_HIGH"),
    errors.NONCE_OVERFLOW: ("NONCE_IS_MAX",),
    errors.INSUFFICIENT_FUNDS: ("INSUFFICIENT_ACCOUNT_FUNDS", "GASPRICE_OVERFLOW"),
    errors.INTRINSIC_GAS: ("INTRINSIC_GAS_TOO_LOW", "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST"),
    errors.FEE_BELOW_BASE: ("INSUFFICIENT_MAX_FEE_PER_GAS",),
    errors.TIP_ABOVE_FEE: ("PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",),
    errors.SENDER_HAS_CODE: ("SENDER_NOT_EOA",),
    errors.GAS_ABOVE_BLOCK: ("GAS_ALLOWANCE_EXCEEDED",),
    errors.GAS_ALLOWANCE: ("GAS_ALLOWANCE_EXCEEDED",),
    errors.GAS_ABOVE_CAP: ("GAS_LIMIT_EXCEEDS_MAXIMUM",),
    errors.INIT_CODE_SIZE: ("INITCODE_SIZE_EXCEEDED",),
    errors.TYPE_BEFORE_FORK: tuple(f"TYPE_{kind}_TX_PRE_FORK" for kind in range(1, 5)),
    errors.BLOB_COUNT: (
        "TYPE_3_TX_ZERO_BLOBS",
        "TYPE_3_TX_BLOB_COUNT_EXCEEDED",
        "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
    ),
    errors.BLOB_ALLOWANCE: ("TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",),
    errors.BLOB_VERSION: ("TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",),
    errors.BLOB_FEE: ("INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",),
    errors.BLOB_CREATION: ("TYPE_3_TX_CONTRACT_CREATION",),
    errors.AUTHORIZATION_COUNT: ("TYPE_4_EMPTY_AUTHORIZATION_LIST",),
    errors.AUTHORIZATION_CREATION: ("TYPE_4_TX_CONTRACT_CREATION",),
}
# And where a block cannot do what it has to besides them.
OF_OPERATIONS = {
    block_operations.NO_CONTRACT: "SYSTEM_CONTRACT_EMPTY",
    block_operations.CALL_FAILED: "SYSTEM_CONTRACT_CALL_FAILED",
    block_operations.DEPOSIT_LAYOUT: "INVALID_DEPOSIT_EVENT_LAYOUT",
}
