"""Replay: a real block from a file, run from the state that the chain had before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from workloads.base import Dial, DialValue, Scenario, Workload
from workloads.blockfile import BlockFile, ExpectedReceipt, read_block, same_code

if TYPE_CHECKING:
    from evm import Receipts, State
    from evm.accounts import Account

_SHOWN = 5


class Replay(Workload):
    """One block of a file. Seed and block size are the file's own."""

    name = "replay"
    summary = "a real block from a file (--block FILE), checked against its receipts and state"
    dials = (Dial("file", "", "block file; see --block"),)

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`.

        Raises
        ------
        FieldError
            If the file cannot be read or is malformed.
        """
        from evm.accounts import new_state

        file = read_block(str(dials["file"]))
        return Scenario(new_state(file.world), [file.block], dict(dials), notes={"file": file})

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """What the state after the block has otherwise than the file says."""
        from evm.accounts import accounts_of

        file: BlockFile = scenario.notes["file"]
        if file.after is None:
            return []
        return list(islice(_state_differences(file.after, accounts_of(state)), _SHOWN))

    def check_receipts(self, scenario: Scenario, receipts: Receipts) -> list[str]:
        """What the receipts say otherwise than the file does."""
        file: BlockFile = scenario.notes["file"]
        if file.receipts is None:
            return []
        return list(islice(_receipt_differences(file.receipts, receipts), _SHOWN))


def _receipt_differences(expected: tuple[ExpectedReceipt, ...], found: Receipts) -> Iterator[str]:
    for i, one in enumerate(expected):
        status, gas = int(found.status[i]), int(found.gas_used[i])
        reason = found.error(i)
        if one.status is not None and status != one.status:
            yield f"transaction {i}: status {status} ({reason}), the chain says {one.status}"
        elif gas != one.gas_used:
            yield f"transaction {i}: gas {gas} ({reason}), the chain says {one.gas_used}"
        elif one.logs is not None and tuple(found.logs(i)) != one.logs:
            yield f"transaction {i}: its logs are not those of the chain"


def _state_differences(expected: Mapping[bytes, Account], found: Mapping[bytes, Account]) -> Iterator[str]:
    from evm.accounts import Account

    nothing = Account()
    for address in sorted({*expected, *found}):
        right, here = expected.get(address, nothing), found.get(address, nothing)
        for name in ("balance", "nonce"):
            if getattr(right, name) != getattr(here, name):
                yield f"0x{address.hex()} {name}: {getattr(here, name)}, the chain says {getattr(right, name)}"
        if not same_code(right.code, here.code):
            yield f"0x{address.hex()} code: {len(here.code)} bytes, the chain has another"
        for slot in sorted({*right.storage, *here.storage}):
            words = right.storage.get(slot, 0), here.storage.get(slot, 0)
            if words[0] != words[1]:
                yield f"0x{address.hex()} storage[{slot:#x}]: {words[1]:#x}, the chain says {words[0]:#x}"
