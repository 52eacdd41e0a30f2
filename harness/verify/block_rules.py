"""Rules of a block that only its execution shows kept or broken: what a node would refuse, this harness refuses.

- A transaction's gas limit is at most what the block's limit leaves after the gas that those before it have used
  (Yellow Paper, equation 60), and all blobs together are at most as many as the fork allows (EIP-4844).
- Before Cancun an account could be destroyed and created again, with storage that began anew. This version finds the
  slots of the first account in the second one. Until it does better, such a block is refused: equal to a wrong serial
  result is no result. (Since EIP-6780 only an account that the same transaction created is destroyed.)
"""

from __future__ import annotations

import numpy as np

from contend.evm import Block, Receipts, State, errors, layout
from contend.evm.drivers.recorder import Recording
from contend.evm.forks import fork_named
from contend.evm.state import location_of
from contend.harness.errors import RefusedBlockError


class BlockRules:
    """Checks the blocks of a sequence, one after the other."""

    def __init__(self) -> None:
        self._destroyed: set[bytes] = set()

    def check(self, block: Block, before: State, receipts: Receipts, recording: Recording) -> None:
        """Check a block.

        Parameters
        ----------
        block : Block
        before : State
            Before the block.
        receipts : Receipts
            Of the serial run.
        recording : Recording
            Of the same run.

        Raises
        ------
        RefusedBlockError
            At the first transaction that breaks a rule.
        """
        _check_gas(block, receipts)
        _check_blobs(block, receipts)
        if fork_named(block.environment.fork).destroys_all:
            self._check_storage(before, recording)

    def _check_storage(self, before: State, recording: Recording) -> None:
        kinds = recording.kinds
        # Whether an account has code is all that a write of its code changes: it gets some, or it is destroyed.
        has_code: dict[int, bool] = {}
        addresses = [location_of(key).address for key in recording.keys]
        for index in range(len(recording.offsets) - 1):
            ended: set[bytes] = set()
            for entry in range(recording.offsets[index], recording.offsets[index + 1]):
                location = int(recording.locations[entry])
                address = addresses[location]
                if kinds[location] == layout.KIND_STORAGE and address in self._destroyed:
                    raise RefusedBlockError(
                        f"transaction {index} uses the storage of 0x{address.hex()}, an account that was destroyed and "
                        "is created again: this version executes that wrongly, so it refuses the block"
                    )
                if kinds[location] == layout.KIND_CODE and recording.writes[entry]:
                    had = location < before.count and bool(before.values[location].any())
                    if has_code.get(location, had):
                        ended.add(address)
                    has_code[location] = not has_code.get(location, had)
            self._destroyed |= ended


def _executed(receipts: Receipts) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(receipts.status != errors.STATUS_INVALID)


def _check_gas(block: Block, receipts: Receipts) -> None:
    limit, used = block.environment.gas_limit, 0
    for index, executed in enumerate(_executed(receipts)):
        wanted = block.transactions[index].gas_limit
        if executed and wanted > limit - used:
            raise RefusedBlockError(
                f"transaction {index} may use {wanted:,} gas, and the block has {limit - used:,} left of {limit:,}: no "
                "node accepts it"
            )
        used += int(receipts.gas_used[index])


def _check_blobs(block: Block, receipts: Receipts) -> None:
    most, blobs = fork_named(block.environment.fork).max_blobs, 0
    for index, executed in enumerate(_executed(receipts)):
        blobs += len(block.transactions[index].blob_hashes or ()) if executed else 0
        if blobs > most:
            raise RefusedBlockError(
                f"with transaction {index} the block has {blobs} blobs, and one of {block.environment.fork} at most "
                f"{most}: no node accepts it"
            )
