"""Stage of the schemes whose triples are stored, in place of transactions that are signed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from contend.evm import Block
from contend.evm.crypto.keccak import keccak256
from contend.evm.runtime.jit import Native
from contend.node.base import StageError
from contend.node.signatures.falcon512 import DEGREE, read_key
from contend.node.signatures.signed_block import SignedBlock
from contend.node.signatures.stage import SenderStage
from contend.node.signatures.stored_triples import COUNT, FALCON512, SLHDSA128S, StoredScheme, Triple, triples
from contend.strategies.clocks import cost_table


class StoredVerification(SenderStage):
    """Verifies signatures of a scheme of which each account has one of the stored triples.

    Parameters
    ----------
    scheme : StoredScheme
    cost_class : int
        Of a verification.
    blocks : sequence of Block
    are_carried : bool
        Whether transactions carry keys; else the keys of accounts are known, and read already.
    """

    def __init__(self, scheme: StoredScheme, cost_class: int, blocks: Sequence[Block], are_carried: bool) -> None:
        numbers = {account: 0 for block in blocks for account in dict.fromkeys(one.sender for one in block)}
        numbers = {account: place % COUNT for place, account in enumerate(numbers)}
        stored = triples(scheme)
        self._known = self.known_keys(stored)
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
        super().__init__(scheme.name, cost_class, signed, registered if are_carried else {})

    @staticmethod
    @abstractmethod
    def known_keys(stored: Sequence[Triple]) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
        """The keys of all triples as the scheme's kernels have them, a row each.

        Raises
        ------
        StageError
            Where a stored key is none.
        """

    @property
    def facts(self) -> dict[str, Any]:
        """Scheme, bytes, and that messages are stored ones; see `Stage.facts`."""
        return {**super().facts, "stored_messages": COUNT}


class FalconVerification(StoredVerification):
    """Verifies signatures of Falcon-512, whose known keys are transformed already; see `StoredVerification`."""

    def __init__(self, blocks: Sequence[Block], are_carried: bool) -> None:
        super().__init__(FALCON512, cost_table.SIGNATURE_FALCON512, blocks, are_carried)

    @staticmethod
    def known_keys(stored: Sequence[Triple]) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
        """Coefficients of the transformed keys; see `StoredVerification.known_keys`."""
        known = np.zeros((len(stored), DEGREE), np.uint64)
        for number, one in enumerate(stored):
            data = np.frombuffer(one.key + bytes(8), np.uint8)
            if not read_key(data, 0, len(one.key), known[number]):
                raise StageError(f"falcon512: stored key {number} is none; make the triples anew")
        return known

    @property
    def step(self) -> Native:
        """What a worker does; see `SenderStage.step`."""
        from contend.node.signatures.falcon512_step import falcon_step

        return falcon_step


class SlhdsaVerification(StoredVerification):
    """Verifies signatures of SLH-DSA-SHA2-128s, whose keys are used as they are; see `StoredVerification`."""

    def __init__(self, blocks: Sequence[Block], are_carried: bool) -> None:
        super().__init__(SLHDSA128S, cost_table.SIGNATURE_SLHDSA128S, blocks, are_carried)

    @staticmethod
    def known_keys(stored: Sequence[Triple]) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
        """Bytes of the keys; see `StoredVerification.known_keys`."""
        return np.frombuffer(b"".join(one.key for one in stored), np.uint8).reshape(len(stored), -1).copy()

    @property
    def step(self) -> Native:
        """What a worker does; see `SenderStage.step`."""
        from contend.node.signatures.slhdsa128s_step import slhdsa_step

        return slhdsa_step
