"""Cancun: blobs (EIP-4844, EIP-7516), transient storage (EIP-1153), MCOPY (EIP-5656), SELFDESTRUCT by EIP-6780.

A block tells contracts the beacon chain's root (EIP-4788).
"""

from __future__ import annotations

from dataclasses import replace

from contend.evm import opcodes as op
from contend.evm.forks.fork import instructions
from contend.evm.forks.shanghai import SHANGHAI

CANCUN = replace(
    SHANGHAI,
    name="Cancun",
    number=4,
    opcodes={
        **SHANGHAI.opcodes,
        **instructions([op.BLOBHASH], 1, 1, 3),
        **instructions([op.BLOBBASEFEE], 0, 1, 2),
        **instructions([op.TLOAD], 1, 1, 100),
        **instructions([op.TSTORE], 2, 0, 100),
        **instructions([op.MCOPY], 3, 0, 3),
    },
    precompiles=SHANGHAI.precompiles | {10},
    transaction_types=SHANGHAI.transaction_types | {3},
    destroys_all=False,
    target_blobs=3,
    max_blobs=6,
    blobs_per_transaction=6,
    blob_fee_fraction=3_338_477,
    system_calls_before=("beacon_roots",),
)
