"""Accounts with storage but neither nonce nor code (EIP-7610), with and without a balance, under every strategy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adversarial import ENVIRONMENT, ETHER, GAS_PRICE, SENDERS
from assembler import assemble
from equivalence import Equivalence

from contend.evm import Block, Transaction, errors
from contend.evm.accounts import Account, World, accounts_of, new_state
from contend.evm.block import Authorization
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import contract_address
from contend.strategies.base import Strategy
from contend.strategies.serial import Serial
from tests.cases.specification import Specification

FIRST, SECOND, THIRD, FOURTH = SENDERS[:4]
FACTORY, COUNTER, WITNESS, AUTHORITY = (bytes([0xF0 + number]) * 20 for number in range(4))
INIT_CODE = assemble("1 0 SSTORE STOP")
# Where a transaction and CREATE2 would create, and an account that signs a delegation.
BY_NONCE, BY_SALT = (
    contract_address(FIRST, 1),
    keccak256(b"\xff" + FACTORY + bytes(32) + keccak256(INIT_CODE))[12:],
)
STORAGE = {0: 5, 9: 9}
CODES = {
    FACTORY: "CALLDATASIZE 0 0 CALLDATACOPY 0 CALLDATASIZE 0 0 CREATE2 0 SSTORE STOP",
    COUNTER: "0 SLOAD 1 ADD 0 SSTORE STOP",
    WITNESS: "0 CALLDATALOAD EXTCODEHASH 32 CALLDATALOAD SSTORE STOP",
}


def world(balance: int) -> World:
    stored = dict.fromkeys((BY_NONCE, BY_SALT, AUTHORITY), Account(balance, storage=STORAGE))
    contracts = {address: Account(0, 1, assemble(source)) for address, source in CODES.items()}
    return {**dict.fromkeys(SENDERS, Account(ETHER)), **contracts, **stored}


def block() -> Block:
    def send(sender: bytes, nonce: int, to: bytes | None, data: bytes = b"", value: int = 0) -> Transaction:
        # A collision takes all but a 64th of it.
        return Transaction(sender, to, nonce, 2_000_000, value, data, GAS_PRICE)

    def look(sender: bytes, nonce: int, at: bytes, slot: int) -> Transaction:
        return send(sender, nonce, WITNESS, bytes(12) + at + slot.to_bytes(32, "big"))

    delegating = replace(send(SECOND, 0, COUNTER), authorizations=(Authorization(AUTHORITY, COUNTER, 0, 0),))
    acts = (
        look(FIRST, 0, BY_NONCE, 1),
        send(FIRST, 1, None, INIT_CODE),
        send(FOURTH, 0, FACTORY, INIT_CODE),
        delegating,
        send(THIRD, 0, AUTHORITY),
        send(FOURTH, 1, BY_NONCE, value=1),
        look(FIRST, 2, BY_NONCE, 2),
        send(THIRD, 1, AUTHORITY),
        send(FOURTH, 2, FACTORY, INIT_CODE),
        look(SECOND, 1, BY_SALT, 3),
    )
    return Block(replace(ENVIRONMENT, fork="Prague"), acts, binding_order=True)


@pytest.mark.parametrize("balance", [0, 7])
def test_nothing_is_created_there_and_a_delegate_finds_the_storage(balance: int) -> None:
    state = new_state(world(balance))
    receipts = Serial().execute(block(), state, 1).receipts
    assert receipts.status.tolist() == [1, 0] + [1] * 8
    assert int(receipts.error_codes[1]) == errors.ADDRESS_COLLISION
    left, nothing = accounts_of(state), int.from_bytes(keccak256(b""), "big")
    assert left[BY_NONCE] == Account(balance + 1, storage=STORAGE)
    assert left[BY_SALT] == Account(balance, storage=STORAGE)
    assert left[AUTHORITY].storage == {**STORAGE, 0: 7}
    # EXTCODEHASH takes who has nothing but storage for nobody (EIP-1052).
    seen = {1: nothing, 2: nothing, 3: nothing} if balance else {2: nothing}
    assert left[WITNESS].storage == seen


@pytest.mark.parametrize("balance", [0, 7])
def test_the_executable_specification_says_the_same(balance: int) -> None:
    specification, state = Specification("Prague", world(balance)), new_state(world(balance))
    statuses, used, _ = specification.execute(block())
    receipts = Serial().execute(block(), state, 1).receipts
    assert (list(statuses), list(used)) == (receipts.status.tolist(), receipts.gas_used.tolist())
    assert specification.left() == accounts_of(state)


@pytest.mark.parametrize("balance", [0, 7])
def test_every_strategy_finds_it(equivalence: Equivalence, strategy: Strategy, balance: int) -> None:
    for workers in (1, 3):
        equivalence.check(strategy, block(), new_state(world(balance)), workers, repeat=2)
