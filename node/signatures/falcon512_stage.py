"""Stage of Falcon-512: stored triples in place of transactions that are signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contend.evm import Block
from contend.evm.crypto.keccak import keccak256
from contend.evm.runtime.jit import Native
from contend.node.base import StageError
from contend.node.signatures.falcon512 import DEGREE, read_key
from contend.node.signatures.falcon512_triples import COUNT, triples
from contend.node.signatures.signed_block import SignedBlock
from contend.node.signatures.stage import SenderStage
from contend.strategies.clocks import cost_table


class FalconVerification(SenderStage):
    """Verifies signatures of Falcon-512: each account has one of the stored triples.

    Parameters
    ----------
    blocks : sequence of Block
    are_carried : bool
        Whether transactions carry keys; else the keys of accounts are known, and transformed already.
    """

    def __init__(self, blocks: Sequence[Block], are_carried: bool) -> None:
        numbers = {account: 0 for block in blocks for account in dict.fromkeys(one.sender for one in block)}
        numbers = {account: place % COUNT for place, account in enumerate(numbers)}
        stored = triples()
        self._known = np.zeros((COUNT, DEGREE), np.uint64)
        for number, one in enumerate(stored):
            data = np.frombuffer(one.key + bytes(8), np.uint8)
            if not read_key(data, 0, len(one.key), self._known[number]):
                raise StageError(f"falcon512: stored key {number} is none; make the triples anew")
        signed = []
        for block in blocks:
            accounts = [one.sender for one in block]
            own = [stored[numbers[account]] for account in accounts]
            messages, signatures = [one.message for one in own], [one.signature for one in own]
            made = SignedBlock(messages, signatures, [one.key for one in own] if are_carried else (), accounts)
            if not are_carried:
                keys = [int(self._known[numbers[account]].ctypes.data) for account in accounts]
                made.rows["known_key"][: len(keys)] = keys
            signed.append(made)
        registered = {account: keccak256(stored[number].key)[12:] for account, number in numbers.items()}
        super().__init__("falcon512", cost_table.SIGNATURE_FALCON512, signed, registered if are_carried else {})

    @property
    def facts(self) -> dict[str, Any]:
        """Scheme, bytes, and that messages are stored ones; see `Stage.facts`."""
        return {**super().facts, "stored_messages": COUNT}

    @property
    def step(self) -> Native:
        """What a worker does; see `SenderStage.step`."""
        from contend.node.signatures.falcon512_step import falcon_step

        return falcon_step
