"""Shanghai: PUSH0 (EIP-3855), a warm beneficiary (EIP-3651), priced init code (EIP-3860), withdrawals (EIP-4895)."""

from __future__ import annotations

from dataclasses import replace

from contend.evm import opcodes as op
from contend.evm.forks.fork import instructions
from contend.evm.forks.paris import PARIS

SHANGHAI = replace(
    PARIS,
    name="Shanghai",
    number=3,
    opcodes={**PARIS.opcodes, **instructions([op.PUSH0], 0, 1, 2)},
    init_code_limit=49_152,
    init_code_word_gas=2,
    warm_beneficiary=True,
    withdrawals=True,
)
