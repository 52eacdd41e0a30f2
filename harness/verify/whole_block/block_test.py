"""Official tests of whole blocks (the ``blockchain_tests`` format): a chain of blocks, valid and invalid, by their RLP.

The rest of such a file repeats in JSON what the RLP says, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contend.evm.accounts import World
from contend.harness.verify.state_root import state_root
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.chain import Accepted, Chain
from contend.harness.verify.whole_block.contender_check import ContenderCheck, SerialResult
from contend.harness.verify.whole_block.fork_schedule import ForkSchedule, schedule_of
from contend.workloads.files.fields import Field
from contend.workloads.files.prestate import read_prestate


@dataclass(frozen=True)
class GivenBlock:
    """A block of a test: its RLP, and why it is to be refused, if it is."""

    data: bytes
    exception: str | None


@dataclass(frozen=True)
class BlockTest:
    """A test.

    Attributes
    ----------
    name : str
    network : str
        By which the schedule of its forks is called.
    world : mapping
        Accounts of the genesis block.
    genesis : bytes
        That block in RLP.
    blocks : tuple of GivenBlock
    last_hash : bytes
        Of the block that the chain ends with.
    post : mapping or None
        Accounts after it.
    chain_id : int
    """

    name: str
    network: str
    world: World
    genesis: bytes
    blocks: tuple[GivenBlock, ...]
    last_hash: bytes
    post: World | None
    chain_id: int = 1

    @property
    def schedule(self) -> ForkSchedule | None:
        """Schedule of its forks; None where one is not there."""
        return schedule_of(self.network)


@dataclass
class Verdict:
    """What came of a test: what is wrong, and which blocks were refused for another reason than the test's."""

    wrong: str | None = None
    otherwise: list[str] = field(default_factory=list)


def test_of(name: str, content: Field, file: str) -> BlockTest:
    """Read one test of a file.

    Raises
    ------
    FieldError
        If it is malformed.
    """
    post, config = content.get("postState"), content.get("config")
    label = name.rpartition("::")[2] if "::" in name else name
    chain_id = None if config is None else config.get("chainid")
    return BlockTest(
        f"{Path(file).stem}:{label}",
        content["network"].text(),
        read_prestate(content["pre"]),
        content["genesisRLP"].octets(),
        tuple(map(_given, content["blocks"].elements())),
        content["lastblockhash"].octets(32),
        None if post is None else read_prestate(post),
        1 if chain_id is None else chain_id.integer(64),
    )


def _given(content: Field) -> GivenBlock:
    exception = content.get("expectException")
    return GivenBlock(content["rlp"].octets(), None if exception is None else exception.text())


def run_test(test: BlockTest, contenders: Sequence[ContenderCheck]) -> Verdict:
    """Run a test: each block serially, and where it is valid by every contender.

    Parameters
    ----------
    test : BlockTest
        Whose forks are there.
    contenders : sequence of ContenderCheck
    """
    schedule, found = test.schedule, Verdict()
    assert schedule is not None
    try:
        chain = Chain(test.world, test.genesis, schedule, test.chain_id)
    # One test that cannot be executed is one failure among the others.
    except Exception as error:
        return Verdict(f"genesis: {type(error).__name__}: {error}")
    if state_root(chain.blocks[chain.genesis.hash].world(chain.state)) != chain.genesis.state_root:
        return Verdict("genesis: another state root")
    for place, given in enumerate(test.blocks):
        accepted = None
        try:
            accepted = chain.accept(given.data)
        except BlockRefusedError as error:
            if given.exception is None:
                return Verdict(f"block {place}: refused: {error}")
            if not error.is_called(given.exception):
                found.otherwise.append(f"block {place}: {error}; the test says {given.exception}")
            continue
        # One test that cannot be executed is one failure among the others.
        except Exception as error:
            return Verdict(f"block {place}: {type(error).__name__}: {error}")
        if given.exception is not None:
            return Verdict(f"block {place}: accepted, must be refused for {given.exception}")
        wrong = _first_difference(chain, accepted, contenders)
        if wrong is not None:
            return Verdict(f"block {place}: {wrong}")
    found.wrong = _end(test, chain)
    return found


def _first_difference(chain: Chain, accepted: Accepted, contenders: Sequence[ContenderCheck]) -> str | None:
    if not contenders or not accepted.block:
        return None
    serial = SerialResult(chain, accepted)
    for contender in contenders:
        wrong = contender.difference(serial)
        if wrong is not None:
            return f"{contender.title}: {wrong}"
    return None


def _end(test: BlockTest, chain: Chain) -> str | None:
    """What is wrong with the state of the last block."""
    last = chain.blocks.get(test.last_hash)
    if last is None:
        return f"the chain does not have its last block, 0x{test.last_hash.hex()}"
    if test.post is None:
        return None
    chain.state.restore(last.after)
    here, right = last.world(chain.state), test.post
    for address in sorted({*here, *right}):
        if here.get(address) != right.get(address):
            return f"0x{address.hex()}: {here.get(address)}, the test says {right.get(address)}"
    return None
