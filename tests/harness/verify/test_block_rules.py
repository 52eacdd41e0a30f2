"""Rules of a block that only its execution shows broken: refused, never verified."""

from __future__ import annotations

import pytest

from contend.evm import Block, Environment, Transaction
from contend.evm.accounts import Account, World, new_state
from contend.evm.drivers.recorder import record
from contend.harness.errors import RefusedBlockError
from contend.harness.verify.block_rules import BlockRules
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.serial import Serial

SENDER, TO = b"\xa1" * 20, b"\xb2" * 20
BLOB = (b"\1" + bytes(31),)


def check(block: Block, world: World, rules: BlockRules | None = None) -> None:
    state = new_state(world)
    recording = record(block, state, default_costs().table)
    before = state.copy()
    receipts = Serial().execute(block, state, 1).receipts
    (rules or BlockRules()).check(block, before, receipts, recording)


def payments(count: int, **fields: object) -> tuple[Transaction, ...]:
    return tuple(Transaction(SENDER, TO, nonce, gas_limit=21_000, **fields) for nonce in range(count))  # type: ignore[arg-type]


@pytest.mark.parametrize(("limit", "refused"), [(63_000, None), (62_999, 2), (42_000, 2), (41_999, 1)])
def test_gas_limits_fit_into_what_the_block_has_left(limit: int, refused: int | None) -> None:
    block = Block(Environment(gas_limit=limit), payments(3))
    if refused is None:
        check(block, {SENDER: Account(10**20)})
        return
    with pytest.raises(RefusedBlockError, match=rf"transaction {refused} may use 21,000 gas"):
        check(block, {SENDER: Account(10**20)})


def test_a_transaction_that_is_not_executed_takes_no_room() -> None:
    first, second = payments(2)
    wrong = Transaction(TO, SENDER, 7, gas_limit=21_000)
    check(Block(Environment(gas_limit=42_000), (first, wrong, second)), {SENDER: Account(10**20)})


def test_blobs_are_counted_over_the_block() -> None:
    blobs = {"blob_hashes": BLOB * 3, "max_blob_fee": 10}
    check(Block(Environment(), payments(2, **blobs)), {SENDER: Account(10**20)})
    with pytest.raises(RefusedBlockError, match="with transaction 2 the block has 9 blobs"):
        check(Block(Environment(), payments(3, **blobs)), {SENDER: Account(10**20)})


# Init code that stores the call's value at slot 0 if there is none yet, and deploys: SELFDESTRUCT(0).
DEPLOYED = bytes.fromhex("5fff")
INIT = bytes.fromhex("5f5415600757005b345f55") + bytes.fromhex("615fff5f526002601ef3")
# CREATE2 of its call data with salt 0 and the call's value.
FACTORY = bytes.fromhex("365f5f375f365f34f5") + bytes.fromhex("5f5260205ff3")


def created() -> bytes:
    from contend.evm.crypto.keccak import keccak256

    return keccak256(b"\xff" + TO + bytes(32) + keccak256(INIT))[12:]


def recreation() -> tuple[Transaction, ...]:
    return (
        Transaction(SENDER, TO, 0, value=5, data=INIT),
        Transaction(SENDER, created(), 1),
        Transaction(SENDER, TO, 2, value=6, data=INIT),
    )


def test_a_destroyed_account_that_is_created_again_is_refused_before_cancun() -> None:
    world = {SENDER: Account(10**20), TO: Account(0, 1, FACTORY)}
    with pytest.raises(RefusedBlockError, match=rf"transaction 2 uses the storage of 0x{created().hex()}"):
        check(Block(Environment(fork="Shanghai"), recreation()), world)
    # The same under Cancun destroys nothing.
    check(Block(Environment(fork="Cancun"), recreation()), world)
    check(Block(Environment(fork="Shanghai"), recreation()[:2]), world)


def test_what_a_block_destroyed_is_known_to_the_next() -> None:
    world = {SENDER: Account(10**20), TO: Account(0, 1, FACTORY)}
    rules, first = BlockRules(), recreation()
    check(Block(Environment(fork="Shanghai"), first[:2]), world, rules)
    again = {SENDER: Account(10**20, 2), TO: Account(0, 2, FACTORY)}
    with pytest.raises(RefusedBlockError, match="transaction 0 uses the storage"):
        check(Block(Environment(fork="Shanghai"), first[2:]), again, rules)
