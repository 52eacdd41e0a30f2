"""Contracts that transactions create, under every strategy: made, called, destroyed, made at one address by several."""

from __future__ import annotations

import random

import pytest
from adversarial import ENVIRONMENT, ETHER, GAS_PRICE, SENDERS
from assembler import assemble
from equivalence import Equivalence
from shard_group import ShardGroup

from contend.evm import Block, State, Transaction, errors
from contend.evm.drivers.genesis import contract_address
from contend.strategies.base import Strategy

FACTORY, CHEAP_FACTORY = bytes([0xFA]) + bytes(19), bytes([0xFB]) + bytes(19)
# With input: creates a contract, the salt before its init code, and keeps its address. Without: calls the last one.
_FACTORY = (
    "CALLDATASIZE :create JUMPI 0 0 0 0 0 0 SLOAD GAS CALL 2 SSTORE STOP "
    "create: 32 CALLDATASIZE SUB 32 32 CALLDATACOPY {create} DUP1 0 SSTORE EXTCODEHASH 3 SSTORE 1 SLOAD 1 ADD 1 SSTORE"
)
FACTORY_CODE = assemble(_FACTORY.format(create="0 CALLDATALOAD 32 CALLDATASIZE SUB 32 CALLVALUE CREATE2"))
CHEAP_FACTORY_CODE = assemble(_FACTORY.format(create="32 CALLDATASIZE SUB 32 CALLVALUE CREATE"))


def init_code(runtime: bytes, before: str = "") -> bytes:
    """Init code that returns `runtime`."""
    head = assemble(before)
    at = 64
    tail = assemble(f"{len(runtime)} {at} 0 CODECOPY {len(runtime)} 0 RETURN")
    return (head + tail).ljust(at, b"\0") + runtime


COUNTER = assemble("0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 STOP")
DOOMED = assemble("0 SLOAD 1 ADD 0 SSTORE CALLER SELFDESTRUCT")
CODES = (
    init_code(COUNTER),
    init_code(COUNTER, "7 0 SSTORE"),
    init_code(DOOMED),
    assemble("1 0 SSTORE CALLER SELFDESTRUCT"),
    assemble("1 0 SSTORE 0 0 REVERT"),
    assemble("0xef 0 MSTORE8 1 0 RETURN"),
    b"",
)


def adversarial_state() -> State:
    state = State()
    state.set_code(FACTORY, FACTORY_CODE)
    state.set_code(CHEAP_FACTORY, CHEAP_FACTORY_CODE)
    for factory in (FACTORY, CHEAP_FACTORY):
        state.set_nonce(factory, 1)
    for sender in SENDERS:
        state.set_balance(sender, ETHER)
    return state


def block(seed: int, size: int) -> Block:
    """Creations by factories and by transactions, and calls of what was created before in the same block."""
    draw, nonces = random.Random(seed), dict.fromkeys(SENDERS, 0)
    created: list[bytes] = []
    transactions = []
    for _ in range(size):
        sender = draw.choice(SENDERS)
        to: bytes | None = draw.choice([None, FACTORY, FACTORY, CHEAP_FACTORY, *created[-3:]])
        code = draw.choice(CODES)
        data = code
        if to is None:
            created.append(contract_address(sender, nonces[sender]))
        elif to in (FACTORY, CHEAP_FACTORY):
            data = b"" if draw.random() < 0.4 else draw.randrange(3).to_bytes(32, "big") + code
        else:
            data = b""
        value = draw.choice([0, 0, 5])
        transactions.append(Transaction(sender, to, nonces[sender], 300_000, value, data, GAS_PRICE))
        nonces[sender] += 1
    return Block(ENVIRONMENT, tuple(transactions))


@pytest.mark.bounds
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_contracts_that_a_block_creates(equivalence: Equivalence, strategy: Strategy, workers: int) -> None:
    for seed in range(4):
        outcome = equivalence.check(strategy, block(seed, 80), adversarial_state(), workers, repeat=2)
        assert {errors.describe(int(code)) for code in outcome.receipts.error_codes} >= {None}
        assert int(outcome.receipts.status.sum()) > 20


def test_a_created_contract_has_its_code_in_the_state_afterwards(strategy: Strategy) -> None:
    state, made = adversarial_state(), Transaction(SENDERS[0], None, 0, 300_000, 0, CODES[0], GAS_PRICE)
    calls = [Transaction(SENDERS[i], contract_address(SENDERS[0], 0), 0, 100_000, 0, b"", GAS_PRICE) for i in (1, 2, 3)]
    outcome = strategy.execute(Block(ENVIRONMENT, (made, *calls)), state, 2)
    assert outcome.receipts.status.all()
    address = contract_address(SENDERS[0], 0)
    assert state.code(address) == COUNTER
    # A strategy that serialises in its own order may call it before it is there.
    assert state.storage(address, 0) == 3 or outcome.order is not None


def test_a_second_block_calls_what_the_first_has_created(equivalence: Equivalence, strategy: Strategy) -> None:
    state = adversarial_state()
    made = tuple(Transaction(SENDERS[i], None, 0, 300_000, 0, CODES[i % 2], GAS_PRICE) for i in range(4))
    strategy.execute(Block(ENVIRONMENT, made), state, 2)
    calls = tuple(
        Transaction(SENDERS[i % 4], contract_address(SENDERS[(i + 1) % 4], 0), 1 + i // 4, 100_000, 0, b"", GAS_PRICE)
        for i in range(40)
    )
    outcome = equivalence.check(strategy, Block(ENVIRONMENT, calls), state, 2)
    assert outcome.receipts.status.all()


@pytest.mark.parametrize("shards", [2, 3])
def test_creation_under_random_schedules_of_shards(equivalence: Equivalence, shards: int) -> None:
    for seed in range(6):
        group = ShardGroup(slots=3, seed=seed)
        equivalence.check(group, block(seed, 60), adversarial_state(), shards)
        group.assert_nothing_is_left()


def test_many_workers_create_the_same_code_at_once(equivalence: Equivalence, strategy: Strategy) -> None:
    made = tuple(
        Transaction(SENDERS[i % 4], None, i // 4, 300_000, 0, init_code(bytes([0x5B, i % 5]) * 40), GAS_PRICE)
        for i in range(200)
    )
    equivalence.check(strategy, Block(ENVIRONMENT, made), adversarial_state(), 4, repeat=3)
