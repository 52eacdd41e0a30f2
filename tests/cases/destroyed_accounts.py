"""Accounts that are destroyed, and created again, within one block."""

from __future__ import annotations

from contend.evm import Transaction
from contend.evm.accounts import Account
from contend.evm.drivers.genesis import contract_address
from contend.harness.verify.schedule_fuzzer.destroying_blocks import FACTORY, FACTORY_CODE, INIT_CODE, PHOENIX, RUNTIME
from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ETHER,
    PRICE,
    RICH,
    TIP,
    TRANSFER,
    Now,
    PublicCase,
    block,
    contract,
    public_case,
    send,
    word,
)

# The phoenix adds one to the slot that its call data name, and without call data it destroys itself in favour of who
# calls; its constructor adds one to slot 11.
WITH_FACTORY = {**RICH, FACTORY: Account(0, 1, FACTORY_CODE)}
OLD = Account(0, 1, RUNTIME, {0: 7, 11: 7, 12: 7})
WITH_PHOENIX = {**WITH_FACTORY, PHOENIX: OLD}
NOBODY_THERE = Now(nonce=0, code=b"", storage={})
# What the phoenix uses: to add to a slot that has a word already, to one that has none, and to destroy itself.
USE = TRANSFER + 140 + 2 + 3 + 10 + 1 + 2 + 3 + 3 + 2_100 + 3 + 3 + 3 + 2_900
FIRST_USE = USE - 2_900 + 20_000
DESTROY = TRANSFER + 2 + 3 + 10 + 2 + 5_000


def create(sender: bytes, nonce: int = 0) -> Transaction:
    return send(sender, nonce, FACTORY, INIT_CODE)


def destroy(sender: bytes, nonce: int = 0) -> Transaction:
    return send(sender, nonce, PHOENIX)


def use(sender: bytes, slot: int, nonce: int = 0) -> Transaction:
    return send(sender, nonce, PHOENIX, word(slot))


@public_case
def tip_after_the_beneficiary_was_destroyed() -> PublicCase:
    """erigon#22057: tips before its destruction go with the balance, the destroyer's is burned, later ones are left."""
    made = block(use(ALICE, 12), destroy(BOB), send(CAROL, 0, DAVE), fork="Shanghai", coinbase=PHOENIX)
    return PublicCase(
        WITH_PHOENIX,
        (made,),
        (1, 1, 1),
        {
            PHOENIX: Now(TIP * TRANSFER, 0, b"", {}),
            BOB: Now(ETHER - PRICE * DESTROY + TIP * USE),
        },
        gas={0: USE, 1: DESTROY, 2: TRANSFER},
    )


@public_case
def transfer_to_a_destroyed_account() -> PublicCase:
    """erigon#23206: deployed, destroyed, and sent something: an account with a balance, and nonce 0 instead of 1."""
    made = block(create(ALICE), destroy(BOB), send(CAROL, 0, PHOENIX, value=5), fork="Shanghai")
    return PublicCase(WITH_FACTORY, (made,), (1, 1, 1), {PHOENIX: Now(5, 0, b"", {}), FACTORY: Now(nonce=2)})


@public_case
def slots_of_an_account_created_again() -> PublicCase:
    """erigon#23020, erigon#23025, grevm#62: none of the old slots are read, the new ones are kept, and it ends."""
    acts = (destroy(ALICE), create(BOB), use(CAROL, 11), use(DAVE, 12), use(ALICE, 12, 1))
    made = block(*acts, fork="Shanghai")
    return PublicCase(WITH_PHOENIX, (made,), (1,) * 5, {PHOENIX: Now(0, 1, RUNTIME, {11: 2, 12: 2})})


TWICE = bytes([0xC3]) * 20


@public_case
def destroyed_twice_in_one_transaction() -> PublicCase:
    """erigon#21136: the second call still finds the code, and what it brings goes on; a later call finds nobody."""
    call = f"0 0 0 0 {{}} 0x{PHOENIX.hex()} GAS CALL POP "
    twice = contract(call.format(3) + call.format(2) + "STOP", 10)
    world = {**WITH_PHOENIX, PHOENIX: Account(5, 1, RUNTIME, {0: 7}), TWICE: twice}
    made = block(send(ALICE, 0, TWICE), destroy(BOB), use(CAROL, 0), fork="Shanghai")
    return PublicCase(world, (made,), (1, 1, 1), {PHOENIX: None, TWICE: Now(15)}, gas={1: TRANSFER, 2: TRANSFER + 128})


@public_case
def collision_of_two_creations() -> PublicCase:
    """erigon#21136: the second CREATE2 of an address fails inside, moves its creator's nonce, and changes nothing."""
    made = block(create(ALICE), create(BOB), use(CAROL, 11))
    return PublicCase(
        WITH_FACTORY, (made,), (1, 1, 1), {PHOENIX: Now(0, 1, RUNTIME, {11: 2}), FACTORY: Now(nonce=3)}, gas={2: USE}
    )


@public_case
def price_of_a_store_after_destruction() -> PublicCase:
    """nethermind#11424: the original value of a slot is that of the new account, so that a store costs 20,000."""
    made = block(use(DAVE, 12), destroy(ALICE), create(BOB), use(CAROL, 12), fork="Shanghai")
    return PublicCase(
        WITH_PHOENIX, (made,), (1,) * 4, {PHOENIX: Now(storage={11: 1, 12: 1})}, gas={0: USE, 1: DESTROY, 3: FIRST_USE}
    )


@public_case
def created_destroyed_and_created() -> PublicCase:
    """metis-sdk#208: CREATE2, SELFDESTRUCT and CREATE2 in consecutive transactions."""
    made = block(create(ALICE), destroy(BOB), create(CAROL), fork="Shanghai")
    return PublicCase(WITH_FACTORY, (made,), (1, 1, 1), {PHOENIX: Now(0, 1, RUNTIME, {11: 1}), FACTORY: Now(nonce=3)})


@public_case
def transfer_to_what_was_created_and_destroyed_at_once() -> PublicCase:
    """erigon#23967: an account that lived within one transaction, also since Cancun, has nonce 0 when it is paid."""
    gone = contract_address(ALICE, 0)
    # CALLER SELFDESTRUCT, as init code.
    made = block(send(ALICE, 0, None, bytes.fromhex("33ff"), value=5), send(BOB, 0, gone, value=9))
    return PublicCase(
        RICH,
        (made,),
        (1, 1),
        {gone: Now(9, 0, b"", {}), ALICE: Now(ETHER - PRICE * 58_036, 1)},
        gas={0: 53_000 + 2 + 32 + 2 + 5_000, 1: TRANSFER},
    )


@public_case
def many_transfers_to_a_destroyed_account() -> PublicCase:
    """pevm#219, pevm#224: credits that are kept apart are added to nothing, not to the balance from before."""
    world = {**WITH_FACTORY, PHOENIX: Account(100, 1, RUNTIME, {0: 7})}
    acts = (
        destroy(BOB),
        send(CAROL, 0, PHOENIX, value=5),
        send(ALICE, 0, PHOENIX, value=6),
        send(DAVE, 0, PHOENIX),
        send(CAROL, 1, PHOENIX, value=7),
    )
    made = block(*acts, fork="Shanghai")
    return PublicCase(world, (made,), (1,) * 5, {PHOENIX: Now(18, 0, b"", {}), BOB: Now(ETHER + 100 - PRICE * DESTROY)})
