"""Delegations made, changed and cleared within one block (EIP-7702), under every strategy."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from adversarial import ENVIRONMENT, ETHER, GAS_PRICE, SENDERS
from assembler import assemble
from equivalence import Equivalence
from shard_group import ShardGroup

from contend.evm import Block, State, Transaction
from contend.evm.block import Authorization
from contend.strategies.base import Strategy

PRAGUE = replace(ENVIRONMENT, fork="Prague")
NOBODY = bytes(20)
# Some authorities never send; the senders sign for others, and for themselves.
AUTHORITIES = (*(bytes([0xA0 + i]) * 20 for i in range(3)), *SENDERS)
COUNTER, CREATOR, READER, CALLER = (bytes([0xC0 + i]) + bytes(19) for i in range(4))
CODES = {
    COUNTER: assemble("0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 STOP"),
    # As an authority's code it moves that account's nonce, by which its own next transaction is judged.
    CREATOR: assemble("0 0 0 CREATE 1 SSTORE STOP"),
    READER: assemble("0 CALLDATALOAD DUP1 EXTCODEHASH 2 SSTORE EXTCODESIZE 3 SSTORE STOP"),
    CALLER: assemble("0 0 0 0 0 0 CALLDATALOAD GAS CALL 4 SSTORE STOP"),
}


def delegating_state() -> State:
    state = State()
    for address, code in CODES.items():
        state.set_code(address, code)
        state.set_nonce(address, 1)
    for sender in SENDERS:
        state.set_balance(sender, ETHER)
    return state


def block(seed: int, size: int) -> Block:
    """Transactions that delegate, and that call, read, or send as who has delegated.

    Nonces are guessed as if all went well. Where a delegated account has created something the guess is wrong, and the
    transaction, or the authorisation, is refused: that too must be as in serial.
    """
    draw = random.Random(seed)
    nonces = dict.fromkeys(AUTHORITIES, 0)
    transactions = []
    for _ in range(size):
        sender = draw.choice(SENDERS)
        nonce = nonces[sender]
        nonces[sender] += 1
        signed: list[Authorization] = []
        for _ in range(draw.choice([0, 0, 1, 1, 2])):
            authority = draw.choice(AUTHORITIES)
            skew = draw.choice([0, 0, 0, 1])
            target = draw.choice([*CODES, *CODES, NOBODY, draw.choice(AUTHORITIES), (4).to_bytes(20, "big")])
            signed.append(Authorization(authority, target, nonces[authority] + skew, draw.choice([0, 1, 1, 7])))
            nonces[authority] += skew == 0 and signed[-1].chain_id != 7
        data = bytes(12) + draw.choice(AUTHORITIES)
        to = draw.choice([*AUTHORITIES, *CODES])
        transaction = Transaction(sender, to, nonce, 300_000, draw.choice([0, 0, 3]), data, GAS_PRICE)
        transactions.append(replace(transaction, authorizations=tuple(signed)) if signed else transaction)
    return Block(PRAGUE, tuple(transactions))


@pytest.mark.bounds
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_blocks_of_delegations(equivalence: Equivalence, strategy: Strategy, workers: int) -> None:
    for seed in range(3):
        outcome = equivalence.check(strategy, block(seed, 60), delegating_state(), workers, repeat=2)
        assert int(outcome.receipts.status.sum()) > 20


def test_delegations_under_random_schedules_of_shards(equivalence: Equivalence) -> None:
    for seed in range(4):
        group = ShardGroup(slots=3, seed=seed)
        equivalence.check(group, block(seed, 40), delegating_state(), 2)
        group.assert_nothing_is_left()


def test_every_reader_of_a_delegated_account_sees_the_last_delegation(strategy: Strategy) -> None:
    # One authority is sent through all codes in turn, and called after each.
    authority, transactions = AUTHORITIES[0], []
    for turn, target in enumerate((COUNTER, NOBODY, COUNTER, CREATOR, COUNTER)):
        nonce = turn + (2 if turn == 4 else 0)  # it has created twice by then
        signed = (Authorization(authority, target, nonce),)
        plain = Transaction(SENDERS[0], SENDERS[1], turn, 300_000, 0, b"", GAS_PRICE)
        transactions.append(replace(plain, authorizations=signed))
        transactions += [Transaction(SENDERS[i], authority, turn, 300_000, 0, b"", GAS_PRICE) for i in (1, 2)]
    state = delegating_state()
    outcome = strategy.execute(Block(PRAGUE, tuple(transactions)), state, 3)
    if outcome.order is None:
        assert outcome.receipts.status.all()
        assert state.storage(authority, 0) == 6
        assert state.nonce(authority) == 5 + 2
        assert state.code(authority) == b"\xef\x01\x00" + COUNTER
