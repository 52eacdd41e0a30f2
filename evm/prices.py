"""What the protocol charges, in gas, where an instruction or a transaction executes.

The constant part of each instruction's price is in `evm.opcodes`, the prices of precompiled contracts are in
`evm.precompiles`. All of these are the same under Shanghai and Cancun.
"""

from __future__ import annotations

# A transaction (Yellow Paper, appendix G; EIP-2028), and its access list (EIP-2930).
TRANSACTION, ZERO_BYTE, BYTE = 21000, 4, 16
LIST_ADDRESS, LIST_SLOT = 2400, 1900
REFUND_QUOTIENT = 5  # at most this share of the gas used is refunded (EIP-3529)

# The first and any further access to something (EIP-2929).
COLD_SLOT, COLD_ACCOUNT, WARM_ACCESS = 2100, 2600, 100

# Storage (EIP-2200, EIP-2929, EIP-3529).
STORE_SET, STORE_RESET, STORE_STIPEND = 20000, 2900, 2300
CLEAR_REFUND = 4800

# Calls that carry ether.
CALL_VALUE, CALL_NEW_ACCOUNT, CALL_STIPEND = 9000, 25000, 2300

# Creation of contracts; init code by EIP-3860.
CREATION, CODE_BYTE, INIT_CODE_WORD = 32000, 200, 2

# For each word or byte of an operand.
COPY_WORD, KECCAK_WORD, LOG_BYTE, EXP_BYTE = 3, 6, 8, 50
