"""Prague: accounts that delegate (EIP-7702), a floor of call data's gas (EIP-7623), BLS12-381 (EIP-2537), more blobs.

More blobs are EIP-7691. A block keeps its parent's hash in a contract (EIP-2935), and gathers requests for the
consensus layer (EIP-7685): deposits (EIP-6110), withdrawals (EIP-7002) and consolidations (EIP-7251).
"""

from __future__ import annotations

from dataclasses import replace

from contend.evm.forks.cancun import CANCUN

PRAGUE = replace(
    CANCUN,
    name="Prague",
    number=5,
    precompiles=CANCUN.precompiles | set(range(0x0B, 0x12)),
    transaction_types=CANCUN.transaction_types | {4},
    floor_token_gas=10,
    delegates=True,
    target_blobs=6,
    max_blobs=9,
    blobs_per_transaction=9,
    blob_fee_fraction=5_007_716,
    system_calls_before=(*CANCUN.system_calls_before, "history"),
    system_calls_after=("withdrawal_requests", "consolidation_requests"),
    requests=("deposits", "withdrawals", "consolidations"),
)
