"""Replay: a real block from a file, on the prestate that the chain had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from contend.workloads.around_block import AroundBlock
from contend.workloads.base import Dial, DialValue, Scenario, Workload
from contend.workloads.files.block_file import BlockFile, ExpectedReceipt, read_block, same_code

if TYPE_CHECKING:
    from contend.evm import Receipts, State
    from contend.evm.accounts import Account

_MAX_DIFFERENCES = 5


class Replay(Workload):
    """Block of a file; seed and block size do not matter."""

    name = "replay"
    summary = "a real block from a file (--block PATH), checked against its receipts and state"
    dials = (Dial("file", "", "block file; see --block"),)

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`.

        Raises
        ------
        FieldError
            If the file cannot be read or is malformed.
        """
        return scenario_of(read_block(str(dials["file"])), dials)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Differences of the state after the block from the file's, at most 5. See `Workload.check`."""
        from contend.evm.accounts import accounts_of

        file: BlockFile = scenario.notes["file"]
        if file.poststate is None:
            return []
        return list(islice(_state_differences(file.poststate, accounts_of(state)), _MAX_DIFFERENCES))

    def check_receipts(self, scenario: Scenario, receipts: Receipts) -> list[str]:
        """Differences of the receipts from the file's, at most 5. See `Workload.check_receipts`."""
        file: BlockFile = scenario.notes["file"]
        if file.receipts is None:
            return []
        return list(islice(_receipt_differences(file.receipts, receipts), _MAX_DIFFERENCES))


def scenario_of(file: BlockFile, dials: Mapping[str, DialValue]) -> Scenario:
    """Scenario of a block file."""
    from contend.evm.accounts import new_state

    state = new_state(file.prestate)
    around = _begun(file, state)
    listed = [_list_of_transactions(file, around)]
    return Scenario(state, [file.block], dict(dials), notes={"file": file}, access_lists=listed, around=around)


def _begun(file: BlockFile, state: State) -> AroundBlock:
    """Do what the block does before its transactions, where the file's state is before it."""
    from contend.evm.drivers.block_operations import operate_before
    from contend.evm.drivers.system_calls import SystemCaller
    from contend.evm.forks import fork_named

    around, environment, before = file.around, file.block.environment, None
    if around.is_before:
        before = state.copy()
        operate_before(SystemCaller(), state, environment, fork_named(environment.fork), around.operations)
    return AroundBlock(around.operations, around.executes, before, around.is_whole, around.roots, file.access_list)


def _list_of_transactions(file: BlockFile, around: AroundBlock) -> bytes | None:
    """The list that came with the block, without what it has of operations where it is right.

    Strategies execute transactions, and would find nothing of the rest. A list that is wrong stays as it is: whoever is
    given it refuses it.
    """
    from contend.evm.access_list import access_list_content, encode, list_operations
    from contend.evm.drivers.block_operations import BlockOperationError

    if file.access_list is None or around.before is None:
        return file.access_list
    state = around.before.copy()
    try:
        operations = list_operations(file.block, state, around.operations)
    except BlockOperationError:
        return file.access_list
    own = access_list_content(file.block, operations.between)
    return encode(own) if file.access_list == encode(operations.joined(own)) else file.access_list


def _receipt_differences(expected: tuple[ExpectedReceipt, ...], found: Receipts) -> Iterator[str]:
    """Lines for the transactions whose receipts differ."""
    for i, receipt in enumerate(expected):
        status, gas = int(found.status[i]), int(found.gas_used[i])
        reason = found.error(i)
        if receipt.status is not None and status != receipt.status:
            yield f"transaction {i}: status {status} ({reason}), the chain says {receipt.status}"
        elif gas != receipt.gas_used:
            yield f"transaction {i}: gas {gas} ({reason}), the chain says {receipt.gas_used}"
        elif receipt.logs is not None and tuple(found.logs(i)) != receipt.logs:
            yield f"transaction {i}: its logs are not those of the chain"


def _state_differences(expected: Mapping[bytes, Account], found: Mapping[bytes, Account]) -> Iterator[str]:
    """Lines for the fields of accounts that differ."""
    from contend.evm.accounts import Account

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
