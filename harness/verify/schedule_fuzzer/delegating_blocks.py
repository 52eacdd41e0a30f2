"""Blocks of Prague in which accounts delegate, delegate again, and stop, while others call them and read their code."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from contend.evm import Block, Environment, State, Transaction
from contend.evm.block import Authorization
from contend.harness.verify.schedule_fuzzer.adversarial_contracts import (
    CONTRACTS,
    GAS_PRICE,
    SENDERS,
    adversarial_state,
    word,
)
from contend.harness.verify.schedule_fuzzer.assembler import assemble

ENVIRONMENT = Environment(fork="Prague")
NO_DELEGATE = bytes(20)
# Some authorities never send; the senders sign for each other, and for themselves.
AUTHORITIES = (*(bytes([0xAE, number]) + bytes(18) for number in range(2)), *SENDERS[:3])

# Writes down hash and size of the code of the account in its first argument.
CODE_READER = bytes([0xCD]) + bytes(19)
# As an authority's code it moves that account's nonce, by which its own next transaction is judged.
CREATOR = bytes([0xCE]) + bytes(19)
_CODES = {
    CODE_READER: assemble("0 CALLDATALOAD DUP1 EXTCODEHASH 2 SSTORE EXTCODESIZE 3 SSTORE STOP"),
    CREATOR: assemble("0 0 0 CREATE 1 SSTORE STOP"),
}
DELEGATING_CONTRACTS = {**CONTRACTS, "code_reader": CODE_READER, "creator": CREATOR}
# Whose code is delegated to: of contracts, of the protocol, of who may delegate himself, of nobody.
_TARGETS = (CONTRACTS["counter"], CONTRACTS["counter"], CONTRACTS["chaser"], CREATOR, (4).to_bytes(20, "big"))


def delegating_state() -> State:
    """As the adversarial state, with two contracts more."""
    state = adversarial_state()
    for address, code in _CODES.items():
        state.set_code(address, code)
        state.set_nonce(address, 1)
    return state


def _sign(random: Random, nonces: dict[bytes, int]) -> Authorization:
    """An authorisation, mostly a good one."""
    authority = random.choice(AUTHORITIES)
    target = random.choice([*_TARGETS, NO_DELEGATE, random.choice(AUTHORITIES)])
    skew, chain = random.choice([0] * 9 + [1]), random.choice([0, 1, 1, 1, 7])
    made = Authorization(authority, target, nonces[authority] + skew, chain)
    nonces[authority] += skew == 0 and chain != 7
    return made


def draw_delegating_block(random: Random, count: int) -> Block:
    """A block in which a few accounts delegate, and are called and looked at.

    Nonces are guessed as if all went well. Where a delegated account has created something the guess is wrong, and the
    transaction, or the authorisation, is refused: that too must be as in serial.
    """
    nonces = dict.fromkeys((*AUTHORITIES, *SENDERS), 0)
    transactions = []
    for _ in range(count):
        sender, drawn = random.choice(SENDERS), random.random()
        nonce = nonces[sender]
        nonces[sender] += 1
        signed = tuple(_sign(random, nonces) for _ in range(random.choice([1, 1, 2]))) if drawn < 0.4 else None
        to = random.choice([*AUTHORITIES, *AUTHORITIES, CODE_READER, CONTRACTS["caller"], CONTRACTS["counter"]])
        data = word(random.choice(AUTHORITIES))
        value = random.choice([0, 0, 0, 1000])
        plain = Transaction(sender, to, nonce, 300_000, value, data, GAS_PRICE)
        transactions.append(replace(plain, authorizations=signed))
    return Block(ENVIRONMENT, tuple(transactions))
