"""Official tests of whole blocks (the ``blockchain_tests`` format): a chain of blocks from a known state.

What a header promises of its transactions is held against what a strategy makes of them: gas used, the root of the
receipts (status, gas, logs, bloom) and the root of the state. What a block does besides its transactions is done here,
as whoever prepares a block for this project's replay does it: the system call of EIP-4788, which notes the parent's
beacon root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contend.evm import Block, Environment, State, Transaction
from contend.evm.accounts import World, new_state
from contend.evm.forks import FORKS, Fork
from contend.harness.verify.full_receipts import receipts_root
from contend.harness.verify.knowledge import BlockKnowledge
from contend.node.state_root.state_trie import StateTrie, moves_slots
from contend.strategies.base import Strategy
from contend.strategies.serial import Serial
from contend.workloads.files.fields import Field
from contend.workloads.files.prestate import read_access_list, read_prestate

# Networks that change their fork on the way, and the timestamp from which the second holds.
TRANSITIONS = {"ShanghaiToCancunAtTime15k": ("Shanghai", "Cancun", 15_000)}
BEACON_ROOTS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
BEACON_ROOTS_KEPT = 8191


@dataclass(frozen=True)
class ExpectedBlock:
    """A block, and what its header says of the result.

    Attributes
    ----------
    beacon_root : int or None
        What the system call of EIP-4788 is given; None before Cancun.
    types : tuple of int
        Types of the transactions (EIP-2718), which their receipts repeat.
    """

    block: Block
    beacon_root: int | None
    types: tuple[int, ...]
    gas_used: int
    receipts_root: bytes
    state_root: bytes


@dataclass(frozen=True)
class BlockTest:
    """A state, and blocks that follow each other from it."""

    name: str
    world: World
    blocks: tuple[ExpectedBlock, ...]


def block_tests_of(content: Field, file: str) -> Iterator[BlockTest]:
    """All tests of a file."""
    for name, one in content.items():
        network = one["network"].text()
        genesis = one["genesisBlockHeader"]
        hashes = {genesis["number"].integer(): genesis["hash"].octets(32)}
        blocks = []
        for block in one["blocks"].elements():
            header = block["blockHeader"]
            blocks.append(_block_of(header, block["transactions"], _fork_of(network, header), dict(hashes)))
            hashes[header["number"].integer()] = header["hash"].octets(32)
        label = name.rpartition("[")[2].rstrip("]") if "[" in name else name
        yield BlockTest(f"{file}:{label}", read_prestate(one["pre"]), tuple(blocks))


def _fork_of(network: str, header: Field) -> Fork:
    before, after, change = TRANSITIONS.get(network, (network, network, 0))
    return FORKS[after if header["timestamp"].integer() >= change else before]


def _block_of(header: Field, transactions: Field, fork: Fork, hashes: dict[int, bytes]) -> ExpectedBlock:
    excess, beacon_root = header.get("excessBlobGas"), header.get("parentBeaconBlockRoot")
    environment = Environment(
        number=header["number"].integer(64),
        timestamp=header["timestamp"].integer(),
        gas_limit=header["gasLimit"].integer(63),
        base_fee=header["baseFeePerGas"].integer(),
        coinbase=header["coinbase"].octets(20),
        prev_randao=header["mixHash"].integer(),
        blob_base_fee=fork.blob_base_fee(0 if excess is None else excess.integer()),
        block_hashes=hashes,
        fork=fork.name,
    )
    listed = transactions.elements()
    return ExpectedBlock(
        Block(environment, tuple(map(_transaction_of, listed)), binding_order=True),
        None if beacon_root is None else beacon_root.integer(),
        tuple(0 if (kind := one.get("type")) is None else kind.integer(7) for one in listed),
        header["gasUsed"].integer(),
        header["receiptTrie"].octets(32),
        header["stateRoot"].octets(32),
    )


def _transaction_of(content: Field) -> Transaction:
    price, to = content.get("gasPrice"), content["to"].text()
    blobs, blob_fee = content.get("blobVersionedHashes"), content.get("maxFeePerBlobGas")
    return Transaction(
        sender=content["sender"].octets(20),
        to=None if to in {"", "0x"} else content["to"].octets(20),
        nonce=content["nonce"].integer(64),
        gas_limit=content["gasLimit"].integer(63),
        value=content["value"].integer(),
        data=content["data"].octets(),
        max_fee=(content["maxFeePerGas"] if price is None else price).integer(),
        max_priority_fee=(content["maxPriorityFeePerGas"] if price is None else price).integer(),
        access_list=read_access_list(content.get("accessList")),
        blob_hashes=None if blobs is None else tuple(blob.octets(32) for blob in blobs.elements()),
        max_blob_fee=0 if blob_fee is None else blob_fee.integer(),
    )


def differences(test: BlockTest, strategy: Strategy, workers: int) -> list[str]:
    """What a strategy makes of a test's blocks otherwise than their headers say: of the first block that differs."""
    state = new_state(test.world)
    trie = StateTrie.of(state)
    for expected in test.blocks:
        before = state.snapshot()
        _note_beacon_root(state, expected)
        strategy.knowledge = BlockKnowledge([expected.block], state, Serial()).of(0, strategy.given)
        receipts = strategy.execute(expected.block, state, workers).receipts
        found = []
        if (gas := int(receipts.gas_used.sum())) != expected.gas_used:
            found.append(f"{gas} gas instead of {expected.gas_used}")
        if receipts_root(receipts, expected.types) != expected.receipts_root:
            errors = [receipts.error(i) for i in range(len(receipts))]
            found.append(f"another root of the receipts ({errors})")
        changes = state.changes_since(before)
        if moves_slots(changes):
            trie = StateTrie.of(state)
        elif trie.update(changes, workers) != StateTrie.of(state).root:
            found.append("another state root of its changes than of the state")
        if trie.root != expected.state_root:
            found.append("another state root")
        if found:
            return [f"block {expected.block.environment.number}: {one}" for one in found]
    return []


def _note_beacon_root(state: State, expected: ExpectedBlock) -> None:
    """Do what the system call of EIP-4788 does, where its contract is: the time, and the root, in a ring of slots."""
    if expected.beacon_root is not None and state.code(BEACON_ROOTS):
        time = expected.block.environment.timestamp
        state.set_storage(BEACON_ROOTS, time % BEACON_ROOTS_KEPT, time)
        state.set_storage(BEACON_ROOTS, time % BEACON_ROOTS_KEPT + BEACON_ROOTS_KEPT, expected.beacon_root)
