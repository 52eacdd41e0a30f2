"""Paris: blocks are proposed, not mined (EIP-3675), and 0x44 gives the beacon chain's randomness (EIP-4399)."""

from __future__ import annotations

from dataclasses import replace

from contend.evm.forks.london import LONDON

PARIS = replace(LONDON, name="Paris", number=2, proof_of_work=False, block_reward=0)
