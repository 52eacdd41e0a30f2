"""Admission: whether a transaction fits into what its block has left, by its limit and not by its use.

A transaction's gas limit is at most the block's limit less the gas that those before it have used (Yellow Paper,
equation 60), and its blobs are at most those that the fork allows a block less those of the transactions before it
(EIP-4844). One that does not fit has no effect, and takes no room from those behind it. In a block of a chain there is
none.
"""

from __future__ import annotations

from contend.evm import errors
from contend.evm.layout import BLOCK
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import fits_u64
from contend.evm.vm.transaction_flaw import AFTER_ADMISSION

_AFTER_ADMISSION = tuple(I(flaw) for flaw in AFTER_ADMISSION)
MOST_GAS = I((1 << 63) - 1)


@kernel(inline=True)
def _gas_limit(block):
    limit = block.gas_limit
    return I(limit[0]) if fits_u64(limit) and limit[0] <= U(MOST_GAS) else MOST_GAS


@kernel(inline=True)
def _is_told_before(flaw):
    """Whether a flaw of a transaction's fields is told before it is asked for room."""
    told_later = flaw == errors.NONE
    for one in _AFTER_ADMISSION:
        told_later |= flaw == one
    return not told_later


@kernel()
def admission_error(machine, transaction):
    """Why the machine's transaction does not fit behind those before it, or `NONE`; likewise if a flaw comes first."""
    block = BLOCK.at(machine.block)
    if transaction.flaw != errors.NONE and _is_told_before(transaction.flaw):
        return I(errors.NONE)
    if transaction.gas_limit > _gas_limit(block) - machine.gas_before:
        return I(errors.GAS_ALLOWANCE)
    if transaction.blobs > 0 and transaction.blobs > block.max_blobs - machine.blobs_before:
        return I(errors.BLOB_ALLOWANCE)
    return I(errors.NONE)


@kernel(inline=True)
def count_admitted(machine, transaction):
    """Count what the machine's transaction, which has ended, has taken of the block."""
    machine.gas_before += machine.gas_used
    if machine.status != errors.STATUS_INVALID:
        machine.blobs_before += transaction.blobs
