"""Osaka: CLZ (EIP-7939), a cap on a transaction's gas (EIP-7825), P256VERIFY (EIP-7951), dearer MODEXP (EIP-7883).

MODEXP's numbers are bounded (EIP-7823), and so is a block in bytes (EIP-7934) and a transaction in blobs (EIP-7594);
the price of a blob has a floor (EIP-7918).
"""

from __future__ import annotations

from dataclasses import replace

from contend.evm import opcodes as op
from contend.evm.forks.fork import instructions
from contend.evm.forks.prague import PRAGUE

OSAKA = replace(
    PRAGUE,
    name="Osaka",
    number=6,
    opcodes={**PRAGUE.opcodes, **instructions([op.CLZ], 1, 1, 5)},
    precompiles=PRAGUE.precompiles | {0x100},
    modexp=7883,
    gas_cap=1 << 24,
    block_bytes=8 << 20,
    blobs_per_transaction=6,
    blob_base_cost=1 << 13,
)
