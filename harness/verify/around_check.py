"""What a block file's header says came of its block, held against what its serial run gave.

The state after the transactions is the serial one under every strategy, or its run has failed; so what the block does
after them is done and looked at once, on the serial state.
"""

from __future__ import annotations

from collections.abc import Iterator

from contend.evm import Block, Receipts, State
from contend.evm.accounts import accounts_of
from contend.evm.drivers.block_operations import BlockOperationError, operate_after
from contend.evm.drivers.system_calls import SystemCaller
from contend.evm.forks import fork_named
from contend.harness.verify.full_receipts import block_bloom, receipts_root
from contend.harness.verify.state_root import state_root
from contend.workloads.around_block import AroundBlock


def around_differences(around: AroundBlock, block: Block, receipts: Receipts, state: State) -> Iterator[str]:
    """Lines for what the header says otherwise.

    Parameters
    ----------
    around : AroundBlock
    block : Block
    receipts : Receipts
        Of the serial run.
    state : State
        After it; left as it is.
    """
    roots = around.roots
    if roots.bloom is not None and block_bloom(receipts) != roots.bloom:
        yield "its logs have another bloom filter than the header's logsBloom"
    if roots.receipts is not None:
        yield from _differs("receiptsRoot", receipts_root(receipts, [one.type for one in block]), roots.receipts)
    if not around.executes:
        return
    fork, after = fork_named(block.environment.fork), state.copy()
    try:
        requests = operate_after(SystemCaller(), after, block.environment, fork, around.operations, receipts)
    except BlockOperationError as error:
        yield f"after its transactions: {error}"
        return
    if requests is not None and roots.requests is not None:
        yield from _differs("requestsHash", requests, roots.requests)
    if around.is_whole and roots.state is not None:
        yield from _differs("stateRoot", state_root(accounts_of(after)), roots.state)


def _differs(name: str, found: bytes, told: bytes) -> Iterator[str]:
    if found != told:
        yield f"{name} 0x{found.hex()}, the header says 0x{told.hex()}"
