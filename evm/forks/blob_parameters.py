"""Forks that change nothing but how many blobs there may be, and what they cost (EIP-7892): BPO1 and BPO2."""

from __future__ import annotations

from dataclasses import replace

from contend.evm.forks.osaka import OSAKA

BPO1 = replace(OSAKA, name="BPO1", number=7, target_blobs=10, max_blobs=15, blob_fee_fraction=8_346_193)
BPO2 = replace(BPO1, name="BPO2", number=8, target_blobs=14, max_blobs=21, blob_fee_fraction=11_684_671)
