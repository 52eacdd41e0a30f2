"""Output of the block fuzzer: blocks that differ, and what was in those that were run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from contend.harness.record.atomic_write import write_json
from contend.harness.verify.block_fuzzer.block_campaign import BlockTally, FailingBlock
from contend.harness.verify.block_fuzzer.block_case import BlockCase, sizes
from contend.harness.verify.evm_fuzzer.shrink import assembly

MOST_LINES = 8
# What every campaign says it had, none of it too; in this order.
NAMED = (
    "succeeded", "failed", "CREATE", "CREATE2", "contracts deployed", "SELFDESTRUCT", "destroyed", "destroyed again",
    "delegations made", "delegations changed", "delegations cleared", "precompiled contracts", "SSTORE", "BALANCE",
    "EXTCODEHASH", "logs", "blobs", "withdrawals", "requests", "blocks refused",
)  # fmt: skip


def failure_lines(failure: FailingBlock, folder: Path) -> Iterator[str]:
    """What a failing block is, in lines; it is written to a file of the folder."""
    case = failure.case
    yield f"block {failure.seed} differs (contend fuzz-blocks --blocks 1 --seed {failure.seed} --fork {case.fork}):"
    for line in failure.differences[:MOST_LINES]:
        yield f"  {line}"
    if len(failure.differences) > MOST_LINES:
        yield f"  and {len(failure.differences) - MOST_LINES} more"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case.fork}-{failure.seed}.json"
    write_json(path, failure.small.as_json())
    if not failure.again:
        yield f"  it did not differ again when run alone: contend fuzz-blocks --replay {path}"
        return
    told = ", ".join(f"{count} {name}" for name, count in sizes(failure.small).items())
    yield f"  made small to {told}: contend fuzz-blocks --replay {path}"


def tally_lines(tally: BlockTally) -> Iterator[str]:
    """What was in the blocks, in lines."""
    yield "in them: " + ", ".join(f"{tally.seen[name]:,} {name}" for name in NAMED)
    if tally.refused:
        told = ", ".join(f"{count:,} {reason}" for reason, count in tally.refused.most_common())
        yield f"refused: {told}"


def closing_line(tally: BlockTally) -> str:
    """The line that a campaign ends with."""
    failed = len(tally.failures)
    verdict = f"{failed} differ from the specification" if failed else "no difference"
    if not tally.blocks:
        return "0 blocks: nothing was compared"
    refused = sum(tally.refused.values())
    return f"{tally.blocks:,} blocks, {tally.transactions:,} transactions, {refused:,} refused, {verdict}"


def case_lines(case: BlockCase) -> Iterator[str]:
    """A case so that it can be read: the block, each transaction, each account with its code."""
    yield (
        f"{case.fork}: beneficiary 0x{case.coinbase.hex()}, gas limit {case.gas_limit:,}, base fee {case.base_fee}, "
        f"excess blob gas {case.excess_blob_gas:,}"
    )
    for place, one in enumerate(case.transactions):
        to = "creates" if one.to is None else f"to 0x{one.to.hex()}"
        yield (
            f"transaction {place}: type {one.type} from 0x{one.sender.hex()} nonce {one.nonce} {to}, value "
            f"{one.value}, gas {one.gas_limit}, data 0x{one.data.hex()[:128]}{'...' if len(one.data) > 64 else ''}"
        )
        for each in one.authorizations or ():
            signer = "nobody" if each.authority is None else f"0x{each.authority.hex()}"
            yield f"  {signer} delegates to 0x{each.address.hex()}, nonce {each.nonce}, chain {each.chain_id}"
    for paid in case.withdrawals:
        yield f"withdrawal of {paid.gwei} Gwei to 0x{paid.address.hex()}"
    for address, account in case.world.items():
        slots = "".join(f", slot {slot:#x} = {word:#x}" for slot, word in account.storage.items())
        yield f"account 0x{address.hex()}: {account.balance} wei, nonce {account.nonce}{slots}"
        yield from assembly(account.code)
