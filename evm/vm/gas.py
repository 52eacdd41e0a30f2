"""Gas: what the protocol charges for operands, accesses and transactions, by the names of the reference specification.

Everything here is the same under all forks that `evm.forks` knows. The constant part of each instruction is in a fork's
opcode table, since forks add instructions; what precompiled contracts take is in `evm.vm.precompiles`. A number that a
fork changes (refunds, init code) is in `evm.forks`, and reaches kernels by `evm.layout.RULES`.
"""

from __future__ import annotations

from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal, is_zero

# A transaction (Yellow Paper, appendix G; EIP-2028), and its access list (EIP-2930).
GAS_TX_BASE, GAS_TX_DATA_ZERO, GAS_TX_DATA_NON_ZERO, GAS_TX_CREATE = 21000, 4, 16, 32000
GAS_ACCESS_LIST_ADDRESS, GAS_ACCESS_LIST_STORAGE_KEY = 2400, 1900
# An authorisation costs what a new account does; what it costs where the account was there (EIP-7702).
GAS_TX_AUTHORIZATION = 12500
# Tokens of a byte of call data that is not zero, of which each has a least gas (EIP-7623).
TOKENS_OF_NON_ZERO = 4

# The first and any further access to something (EIP-2929).
GAS_COLD_SLOAD, GAS_COLD_ACCOUNT_ACCESS, GAS_WARM_ACCESS = 2100, 2600, 100

# Storage (EIP-2200, EIP-2929, EIP-3529).
GAS_STORAGE_SET, GAS_STORAGE_RESET, GAS_STORAGE_SENTRY = 20000, 2900, 2300

# Calls that carry ether, and accounts that come to be.
GAS_CALL_VALUE, GAS_NEW_ACCOUNT, GAS_CALL_STIPEND = 9000, 25000, 2300

# Creation of contracts.
GAS_CODE_DEPOSIT_BYTE = 200

# Memory that grows: by the word, and the square of its words over the quotient.
GAS_MEMORY_WORD, MEMORY_QUOTIENT = 3, 512

# For each word or byte of an operand.
GAS_COPY_WORD, GAS_KECCAK256_WORD, GAS_LOG_DATA_BYTE, GAS_EXPONENT_BYTE = 3, 6, 8, 50


@kernel(inline=True)
def store_gas_of(original, current, new, clear_refund):
    """Gas of SSTORE without the cold surcharge, and the change of the refund (EIP-2200, 2929 and 3529)."""
    if equal(current, new):
        return GAS_WARM_ACCESS, 0
    if equal(original, current):
        if is_zero(original):
            return GAS_STORAGE_SET, 0
        return GAS_STORAGE_RESET, clear_refund if is_zero(new) else 0
    refund = 0
    if not is_zero(original):
        if is_zero(current):
            refund -= clear_refund
        elif is_zero(new):
            refund += clear_refund
    if equal(original, new):
        refund += (GAS_STORAGE_SET if is_zero(original) else GAS_STORAGE_RESET) - GAS_WARM_ACCESS
    return GAS_WARM_ACCESS, refund
