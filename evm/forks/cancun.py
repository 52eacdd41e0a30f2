"""Cancun: blobs (EIP-4844, EIP-7516), transient storage (EIP-1153), MCOPY (EIP-5656), SELFDESTRUCT by EIP-6780."""

from __future__ import annotations

from dataclasses import replace

from contend.evm import opcodes as op
from contend.evm.forks.fork import instructions
from contend.evm.forks.shanghai import SHANGHAI

CANCUN = replace(
    SHANGHAI,
    name="Cancun",
    number=1,
    opcodes={
        **SHANGHAI.opcodes,
        **instructions([op.BLOBHASH], 1, 1, 3),
        **instructions([op.BLOBBASEFEE], 0, 1, 2),
        **instructions([op.TLOAD], 1, 1, 100),
        **instructions([op.TSTORE], 2, 0, 100),
        **instructions([op.MCOPY], 3, 0, 3),
    },
    last_precompile=10,
    destroys_all=False,
    max_blobs=6,
    blob_fee_fraction=3_338_477,
)
