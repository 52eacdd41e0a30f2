"""Admission of transactions to a block where a strategy executes them side by side.

Whether a transaction fits into what its block has left depends on the gas that all before it have used
(`evm.vm.admission`), and nobody knows that before they have been executed. In a block of a chain all fit. So a strategy
takes that for granted, executes the block, and then adds up, in the block's order. Where a transaction did not fit, it
is marked as refused and the block is executed once more, from the state before it.

One such round need not be the last: what is behind a refused transaction may now use other gas. But the first
transaction whose mark was wrong is marked rightly by a round, since what those before it did stands; so every round
settles at least one more, and the result is the serial one.

Most blocks promise less gas than they have; for them nothing is added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import errors
from contend.evm.block_image import BlockImage
from contend.evm.receipts import Receipts
from contend.evm.vm.transaction_flaw import AFTER_ADMISSION

Mask = npt.NDArray[np.bool_]
_MOST_GAS = 2**63 - 1


class Admission:
    """Which transactions of a block are refused.

    Parameters
    ----------
    image : BlockImage
        Its rows get the flaws of those that are.
    """

    def __init__(self, image: BlockImage) -> None:
        self._image = image
        self._rows = image.rows
        self._take(image.flaws)
        self._gas = min(image.block.environment.gas_limit, _MOST_GAS)
        self._blobs = image.max_blobs
        self.matters = image.limits_matter()

    def forget(self) -> None:
        """Take all transactions as admitted: a run learns nothing from the one before."""
        if self._flaws is not self._image.flaws:
            self._take(self._image.flaws)
        self._rows["flaw"] = self._flaws

    def _take(self, flaws: npt.NDArray[np.int64]) -> None:
        self._flaws = flaws
        # Whether it fits is asked of each that has no flaw, or one that is told only if it does.
        self._admissible = np.isin(flaws, (errors.NONE, *AFTER_ADMISSION))

    def settle(self, receipts: Receipts) -> bool:
        """Mark who is refused, given what an execution used; whether that is what it was executed with.

        Parameters
        ----------
        receipts : Receipts
            By the block's order.
        """
        flaws = self._flaws_found(receipts.status, receipts.gas_used)
        is_settled = bool(np.array_equal(flaws, self._rows["flaw"]))
        self._rows["flaw"] = flaws
        return is_settled

    def is_settled(self, status: npt.NDArray[Any], gas_used: npt.NDArray[Any]) -> bool:
        """Whether `settle` would find nothing to mark otherwise: whether this round is the last one. Marks nobody.

        Parameters
        ----------
        status, gas_used : ndarray of integers, shape (n,)
            Of each transaction's receipt.
        """
        return not self.matters or bool(np.array_equal(self._flaws_found(status, gas_used), self._rows["flaw"]))

    def _flaws_found(self, status: npt.NDArray[Any], gas_used: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """What is wrong with each transaction, given what an execution used."""
        rows = self._rows
        executed = status != errors.STATUS_INVALID
        used = gas_used.astype(np.int64)
        blobs = np.where(executed, rows["blobs"], 0)
        no_gas = self._admissible & (rows["gas_limit"] > self._gas - (np.cumsum(used) - used))
        no_blobs = self._admissible & (rows["blobs"] > 0) & (rows["blobs"] > self._blobs - (np.cumsum(blobs) - blobs))
        return np.where(no_gas, errors.GAS_ALLOWANCE, np.where(no_blobs, errors.BLOB_ALLOWANCE, self._flaws))
