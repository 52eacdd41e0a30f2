"""Blocks before Cancun in which an account is destroyed, created again at its address, and used: its storage is new."""

from __future__ import annotations

from random import Random

from contend.evm import Block, Environment, State
from contend.evm.crypto.keccak import keccak256
from contend.harness.verify.schedule_fuzzer.adversarial_contracts import (
    CONTRACTS,
    NOBODY,
    SENDERS,
    Act,
    adversarial_state,
    block_of,
    word,
)
from contend.harness.verify.schedule_fuzzer.assembler import assemble

ENVIRONMENT = Environment(fork="Shanghai")
SLOTS = (0, 11, 12)

# With call data it adds one to the slot that they name, and without them it destroys itself.
RUNTIME = assemble("CALLDATASIZE :use JUMPI CALLER SELFDESTRUCT use: 0 CALLDATALOAD DUP1 SLOAD 1 ADD SWAP1 SSTORE STOP")
# Adds one to slot 11, which is empty in a new account, and deploys what follows it.
_HEAD = "11 SLOAD 1 ADD 11 SSTORE {size} {at} 0 CODECOPY {size} 0 RETURN"
_HEAD_SIZE = len(assemble(_HEAD.format(size=len(RUNTIME), at=len(RUNTIME))))
INIT_CODE = assemble(_HEAD.format(size=len(RUNTIME), at=_HEAD_SIZE)) + RUNTIME
# CREATE2 of its call data, without salt.
FACTORY_CODE = assemble("CALLDATASIZE 0 0 CALLDATACOPY 0 CALLDATASIZE 0 CALLVALUE CREATE2 0 MSTORE 32 0 RETURN")
FACTORY = bytes([0xFA]) + bytes(19)
PHOENIX = keccak256(b"\xff" + FACTORY + bytes(32) + keccak256(INIT_CODE))[12:]
DESTROYING_CONTRACTS = {**CONTRACTS, "factory": FACTORY, "phoenix": PHOENIX}


def destroying_state() -> State:
    """As the adversarial state, with a factory, and an account with storage that the factory has made."""
    state = adversarial_state()
    state.set_code(FACTORY, FACTORY_CODE)
    state.set_nonce(FACTORY, 1)
    state.set_code(PHOENIX, RUNTIME)
    state.set_nonce(PHOENIX, 1)
    for slot in SLOTS:
        state.set_storage(PHOENIX, slot, 7)
    return state


def create(sender: bytes) -> Act:
    """Have the account created, which fails while it is there."""
    return Act(sender, FACTORY, INIT_CODE)


def destroy(sender: bytes) -> Act:
    """Have the account destroy itself."""
    return Act(sender, PHOENIX)


def use(sender: bytes, slot: int) -> Act:
    """Have it add one to a slot."""
    return Act(sender, PHOENIX, word(slot))


def draw_destroying_block(random: Random, count: int) -> Block:
    """A block in which the account is mostly used, and often destroyed and created."""
    acts = []
    for _ in range(count):
        sender, drawn = random.choice(SENDERS), random.random()
        if drawn < 0.25:
            acts.append(create(sender))
        elif drawn < 0.45:
            acts.append(destroy(sender))
        elif drawn < 0.85:
            acts.append(use(sender, random.choice(SLOTS)))
        elif drawn < 0.95:
            acts.append(Act(sender, CONTRACTS["counter"]))
        else:
            acts.append(Act(sender, random.choice([PHOENIX, NOBODY]), value=1000))
    return block_of(acts, ENVIRONMENT)
