"""London: a base fee (EIP-1559, EIP-3198), smaller refunds (EIP-3529), no new code with 0xef in front (EIP-3541)."""

from __future__ import annotations

from dataclasses import replace

from contend.evm import opcodes as op
from contend.evm.forks.berlin import BERLIN
from contend.evm.forks.fork import instructions

LONDON = replace(
    BERLIN,
    name="London",
    number=1,
    opcodes={**BERLIN.opcodes, **instructions([op.BASEFEE], 0, 1, 2)},
    transaction_types=BERLIN.transaction_types | {2},
    has_base_fee=True,
    refund_quotient=5,
    clear_refund=4_800,
    destroy_refund=0,
    forbids_ef=True,
)
