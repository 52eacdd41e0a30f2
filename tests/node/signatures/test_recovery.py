"""Recovery: execution sees whoever signed, under every strategy and clock; forgeries are transactions of nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from adversarial import CONTRACTS, ENVIRONMENT, NOBODY, POOR, SENDERS, Act, adversarial_state, block_of, word
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("coincurve", reason="libsecp256k1 comes with coincurve")

from contend.evm import Block, State, errors
from contend.evm.block import Signature
from contend.evm.block_image import BlockImage
from contend.evm.crypto.curves import SECP256K1_ORDER, recover
from contend.evm.crypto.keccak import keccak256
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.node.base import BlockRun, StageError
from contend.node.signatures.making import make
from contend.node.signatures.secp256k1_signer import Secp256k1Signer
from contend.node.signatures.signed_block import SignedBlock, registry_of
from contend.node.signatures.signing_payload import signing_payload
from contend.node.signatures.stage import Recovery
from contend.node.whole_node import Node
from contend.strategies import registry as strategies
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

WORLD = adversarial_state()
TARGET = 5


def mixed(count: int = 24) -> Block:
    names = ("counter", "keyed", "chaser", "reader")
    return block_of([Act(SENDERS[i % 4], CONTRACTS[names[i // 4 % 4]], word(11 + i % 2)) for i in range(count)])


BLOCK = mixed()


def senders_of(stage: Recovery, block: Block, workers: int = 1, clock: Clock = WALL) -> tuple[list[bytes], list[int]]:
    """Senders that the stage has found, and the flaws."""
    run = BlockRun(0, BlockImage(block), State(), workers, clock)
    stage.make_ready(run)
    assert not run.image.rows["sender"].any()
    stage.work(run)
    found = [
        sum(int(limb) << 64 * i for i, limb in enumerate(row)).to_bytes(20, "big") for row in run.image.rows["sender"]
    ]
    return found, run.image.rows["flaw"].tolist()


def signed_again(stage: Recovery, payloads: list[bytes], signatures: list[bytes]) -> None:
    stage.blocks[0] = SignedBlock(payloads, signatures)


def parts(stage: Recovery, block: Block) -> tuple[list[bytes], list[bytes]]:
    """Payloads and signatures as the stage has them."""
    signed = stage.blocks[0]
    data, rows = signed.signatures.tobytes(), signed.rows[: len(block)]
    payloads = [signing_payload(one, block.environment.chain_id) for one in block]
    return payloads, [data[row["signature_at"] :][: row["signature_size"]] for row in rows]


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 40), seed=st.integers(0, 2**63 - 1), workers=st.integers(1, 4), sizes=st.integers(0, 300))
def test_every_sender_is_found(count: int, seed: int, workers: int, sizes: int) -> None:
    acts = [Act(SENDERS[i % 4] if i % 7 else POOR, NOBODY, bytes([i]) * (sizes * i % 311)) for i in range(count)]
    block = block_of(acts)
    stage = Recovery([block], seed)
    wanted = [one.sender for one in block]
    for clock in (WALL, VirtualClock(), Schedule(seed % 1000)):
        assert senders_of(stage, block, workers, clock) == (wanted, BlockImage(block).rows["flaw"].tolist())


def test_keys_are_recovered_as_the_other_implementation_recovers_them() -> None:
    stage = Recovery([BLOCK], 3)
    registered = {account: key for key, account in _accounts(3).items()}
    for one, payload, signature in zip(BLOCK, *parts(stage, BLOCK), strict=True):
        v = (27 + signature[64]).to_bytes(32, "big")
        assert recover(keccak256(payload) + v + signature[:64])[12:] == registered[one.sender]


def _accounts(seed: int) -> dict[bytes, bytes]:
    signer = Secp256k1Signer(seed)
    for one in BLOCK:
        signer.sign(one.sender, b"")
    return signer.accounts()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _with(signature: bytes, r: int | None = None, s: int | None = None, v: int | None = None) -> bytes:
    numbers = _number(signature[:32]) if r is None else r, _number(signature[32:64]) if s is None else s
    return b"".join(one.to_bytes(32, "big") for one in numbers) + bytes([signature[64] if v is None else v])


N = SECP256K1_ORDER
# What is done to a signature; and whether nobody's key can have made it, whatever the message.
FORGERIES: dict[str, tuple[Callable[[bytes], bytes], bool]] = {
    "another r": (lambda one: _with(one, r=_number(one[:32]) ^ 1), False),
    "another s": (lambda one: _with(one, s=_number(one[32:64]) ^ 1), False),
    "the other point": (lambda one: _with(one, v=one[64] ^ 1), False),
    "the higher s": (lambda one: _with(one, s=N - _number(one[32:64]), v=one[64] ^ 1), True),
    "no r": (lambda one: _with(one, r=0), True),
    "no s": (lambda one: _with(one, s=0), True),
    "r beyond the order": (lambda one: _with(one, r=N), True),
    "s beyond the order": (lambda one: _with(one, s=2**256 - 1), True),
    "a point of neither": (lambda one: _with(one, v=2), True),
    "27": (lambda one: _with(one, v=27), True),
    "zeros": (lambda one: bytes(65), True),
    "one byte less": (lambda one: one[:64], True),
    "one byte more": (lambda one: one + b"\0", True),
    "nothing": (lambda one: b"", True),
}


def judged(node: Node, strategy: Strategy, clock: Clock, block: Block, as_if: Block, workers: int) -> Outcome:
    """Execute a block and hold it against the serial run of another."""
    state = WORLD.copy()
    snapshot = state.snapshot()
    serial = Serial()
    oracle = Oracle(as_if, state, snapshot, serial, CONTRACTS)
    strategy.clock = clock
    strategy.knowledge = BlockKnowledge([as_if], state, serial).of(0, strategy.given)
    state.restore(snapshot)
    outcome = node.execute(strategy, block, state, workers)
    assert oracle.check(outcome, state.changes_since(snapshot)) == []
    return outcome


def without(block: Block, index: int) -> Block:
    """The same block, but one transaction is of an account that has nothing."""
    changed = list(block.transactions)
    changed[index] = replace(changed[index], sender=NOBODY, nonce=0)
    return Block(block.environment, tuple(changed))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_signature_makes_its_transaction_invalid(name: str) -> None:
    forge, is_nobodys = FORGERIES[name]
    stage = Recovery([BLOCK], 1)
    payloads, signatures = parts(stage, BLOCK)
    signatures[TARGET] = forge(signatures[TARGET])
    signed_again(stage, payloads, signatures)
    serial = Serial()
    for _ in range(2):
        outcome = judged(Node({"signatures": stage}), serial, WALL, BLOCK, without(BLOCK, TARGET), 1)
        assert outcome.receipts.status[TARGET] == errors.STATUS_INVALID
        # The same account's next transaction comes out of turn, and only that of it is wrong.
        assert outcome.receipts.error(TARGET + 4) == "nonce mismatch"
        assert (outcome.receipts.error(TARGET) == "signature of nobody") == is_nobodys
    # Nothing of it is left for a block that is right.
    signed_again(stage, *parts(Recovery([BLOCK], 1), BLOCK))
    judged(Node({"signatures": stage}), serial, WALL, BLOCK, BLOCK, 1)


def test_a_signature_is_of_one_message_only() -> None:
    stage = Recovery([BLOCK], 1)
    payloads, signatures = parts(stage, BLOCK)
    # Both are of one account: neither may stand for the other.
    signatures[0], signatures[4] = signatures[4], signatures[0]
    signed_again(stage, payloads, signatures)
    found, flaws = senders_of(stage, BLOCK)
    wanted = [one.sender for one in BLOCK]
    assert [i for i, one in enumerate(found) if one != wanted[i]] == [0, 4]
    assert not {found[0], found[4]} & {*SENDERS, POOR, NOBODY, bytes(20)}
    assert not any(flaws)


@pytest.mark.parametrize("name", strategies.built_in(variants=True))
def test_every_strategy_executes_for_whoever_signed(name: str) -> None:
    """Some transactions forged, some signed by somebody else: execution is that of what was signed."""
    kind: Any = strategies.get(name)
    block, signer = mixed(40), Secp256k1Signer(1)
    chain_id = block.environment.chain_id
    payloads = [signing_payload(one, chain_id) for one in block]
    signatures = [signer.sign(one.sender, each) for one, each in zip(block, payloads, strict=True)]
    as_if = block
    for index in (3, 17, 18):
        signatures[index] = bytes(65)
        as_if = without(as_if, index)
    # Of the accounts that send, one has signed another's.
    signatures[22] = signer.sign(SENDERS[3], payloads[22])
    changed = list(as_if.transactions)
    changed[22] = replace(changed[22], sender=SENDERS[3])
    as_if = Block(as_if.environment, tuple(changed))
    stage = Recovery([block], 1)
    signed_again(stage, payloads, signatures)
    clocks: list[Clock] = [WALL] if "virtual" not in kind.clocks else [WALL, VirtualClock()]
    for clock in clocks:
        with kind() as strategy:
            for _ in range(2):
                outcome = judged(Node({"signatures": stage}), strategy, clock, block, as_if, 2)
            assert next(iter(outcome.phases)) == "recover"
            assert outcome.phases["recover"] > 0
            assert outcome.receipts.error(3) == "signature of nobody"


@pytest.mark.parametrize("name", ["serial", "block_stm", "bal", "sharded_ordered"])
def test_what_is_forged_takes_no_room_in_a_block_that_is_full(name: str) -> None:
    kind: Any = strategies.get(name)
    # Room for ten limits at a time, less what has been used.
    block = Block(replace(ENVIRONMENT, gas_limit=400_000), mixed(30).transactions)
    stage = Recovery([block], 1)
    payloads, signatures = parts(stage, block)
    as_if = block
    for index in (1, 2, 9):
        signatures[index] = bytes(65)
        as_if = without(as_if, index)
    signed_again(stage, payloads, signatures)
    with kind() as strategy:
        outcome = judged(Node({"signatures": stage}), strategy, WALL, block, as_if, 2)
    told = {outcome.receipts.error(index) for index in range(len(block))}
    assert {"signature of nobody", "gas limit above what the block has left"} <= told


def test_simulated_workers_share_the_work() -> None:
    stage, costs = Recovery([BLOCK], 1), VirtualClock().costs
    took = {}
    for workers in (1, 2, 8, 100):
        clock = VirtualClock()
        senders_of(stage, BLOCK, workers, clock)
        took[workers] = clock.picoseconds
        assert round(clock.busy * 1e12) == took[1]
    assert took[8] * 8 <= took[1] * 1.1
    assert took[100] >= int(1000 * costs.nanoseconds["signature"])
    assert took[1] > took[2] > took[8] > took[100]


@settings(max_examples=60, deadline=None)
@given(keys=st.sets(st.integers(0, 2**160 - 1) | st.integers(0, 40).map(lambda high: high << 64 | 5), max_size=40))
def test_accounts_are_found_by_their_keys(keys: set[int]) -> None:
    accounts = {key.to_bytes(20, "big"): (key ^ 1).to_bytes(20, "big") for key in keys}
    table = registry_of(accounts)
    assert int(table["is_used"].sum()) == len(accounts)
    assert not len(table) & (len(table) - 1)
    for key, account in accounts.items():
        words = np.frombuffer(key[::-1] + bytes(4), np.uint64)
        place = int(words[0]) & (len(table) - 1)
        while table[place]["key"].tolist() != words.tolist():
            assert table[place]["is_used"]
            place = (place + 1) & (len(table) - 1)
        assert table[place]["account"].tolist() == np.frombuffer(account[::-1] + bytes(4), np.uint64).tolist()


def own_signatures(block: Block, seed: int = 9) -> tuple[Block, State]:
    """A block that comes with signatures, whose accounts are those of the keys; and a state that has them."""
    signer, state = Secp256k1Signer(seed), adversarial_state()
    for one in block:
        signer.sign(one.sender, b"")
    moved = {account: key for key, account in signer.accounts().items()}
    signed = []
    for one in block:
        signature = signer.sign(one.sender, signing_payload(one, block.environment.chain_id))
        numbers = Signature(signature[64], _number(signature[:32]), _number(signature[32:64]))
        signed.append(replace(one, sender=moved[one.sender], signature=numbers))
    for address in moved.values():
        state.set_balance(address, 10**18)
    return Block(block.environment, tuple(signed)), state


def test_a_block_that_came_with_signatures_keeps_them() -> None:
    block, state = own_signatures(BLOCK)
    stage = make({"signatures": "secp256k1"}, [block], state, 1)
    assert isinstance(stage, Recovery)
    assert senders_of(stage, block)[0] == [one.sender for one in block]


def test_a_signature_that_came_and_is_somebody_else_s_is_refused() -> None:
    block, state = own_signatures(BLOCK)
    wrong = list(block.transactions)
    wrong[2] = replace(wrong[2], sender=SENDERS[0])
    with pytest.raises(StageError, match=rf"block {ENVIRONMENT.number}: transaction 2: its signature is of 0x"):
        make({"signatures": "secp256k1"}, [Block(block.environment, tuple(wrong))], state, 1)
    wrong[2] = replace(block.transactions[2], signature=Signature(0, 0, 1))
    with pytest.raises(StageError, match="transaction 2: its signature is nobody's"):
        make({"signatures": "secp256k1"}, [Block(block.environment, tuple(wrong))], state, 1)
    wrong[2] = replace(block.transactions[2], signature=None)
    with pytest.raises(StageError, match="transaction 2 has no signature, others have"):
        make({"signatures": "secp256k1"}, [Block(block.environment, tuple(wrong))], state, 1)
