"""What schedulers and memories of other engines got wrong: chains of conflicts, blocks in a row, declared sets."""

from __future__ import annotations

from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    COUNTER,
    COUNTER_SOURCE,
    DAVE,
    RICH,
    Now,
    PublicCase,
    block,
    contract,
    public_case,
    send,
    word,
)

POINTER, SWITCH = bytes([0xC5]) * 20, bytes([0xC6]) * 20
SENDERS = (ALICE, BOB, CAROL, DAVE)


@public_case
def chain_that_aborts_itself() -> PublicCase:
    """nethermind#9803, C2: each one writes where the last one says, so that who was woken up is aborted once more."""
    pointer = contract("0 SLOAD DUP1 10 ADD DUP1 SLOAD 1 ADD SWAP1 SSTORE 1 ADD 0 SSTORE STOP")
    acts = [send(SENDERS[number % 4], number // 4, POINTER) for number in range(7)]
    found = {0: 7} | {10 + number: 1 for number in range(7)}
    return PublicCase({**RICH, POINTER: pointer}, (block(*acts),), (1,) * 7, {POINTER: Now(storage=found)})


@public_case
def write_that_is_not_repeated() -> PublicCase:
    """aptos-core#14422: an incarnation writes where its successor does not; nothing of it is left, and it ends."""
    # Adds one to slot 0; while that is even, to slot 1 as well, else to slot 2.
    switch = contract(
        "0 SLOAD DUP1 1 ADD 0 SSTORE 1 AND :odd JUMPI 1 SLOAD 1 ADD 1 SSTORE STOP odd: 2 SLOAD 1 ADD 2 SSTORE STOP"
    )
    acts = [send(SENDERS[number % 4], number // 4, SWITCH) for number in range(7)]
    return PublicCase({**RICH, SWITCH: switch}, (block(*acts),), (1,) * 7, {SWITCH: Now(storage={0: 7, 1: 4, 2: 3})})


@public_case
def block_behind_a_block() -> PublicCase:
    """erigon#19891: the second block's transactions read what the first has left, nonces included."""
    world = {**RICH, COUNTER: contract(COUNTER_SOURCE)}
    first = block(*(send(sender, 0, COUNTER) for sender in SENDERS))
    second = block(*(send(sender, 1, COUNTER) for sender in SENDERS), number=20_000_001)
    return PublicCase(world, (first, second), (1,) * 4, {COUNTER: Now(storage={0: 8}), ALICE: Now(nonce=2)})


@public_case
def declared_sets_that_leave_the_conflict_out() -> PublicCase:
    """op-geth#202: declared access lists name other slots, each another one; they cost time and never truth."""
    keyed = contract("0 CALLDATALOAD DUP1 SLOAD 1 ADD SWAP1 SSTORE STOP")
    acts = [
        send(SENDERS[number % 4], number // 4, COUNTER, word(0), access_list=((COUNTER, (100 + number,)),))
        for number in range(7)
    ]
    return PublicCase({**RICH, COUNTER: keyed}, (block(*acts),), (1,) * 7, {COUNTER: Now(storage={0: 7})})
