"""Reads of accounts that are not there, not yet there, or no longer there."""

from __future__ import annotations

from contend.evm import errors
from contend.evm.accounts import Account
from contend.harness.verify.schedule_fuzzer.destroying_blocks import PHOENIX, RUNTIME
from tests.cases.destroyed_accounts import WITH_FACTORY, create, destroy, use
from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ETHER,
    EVE,
    FRANK,
    PRICE,
    RICH,
    TRANSFER,
    WITNESS,
    WITNESS_SOURCE,
    Now,
    PublicCase,
    block,
    contract,
    look,
    public_case,
    seen,
    send,
)

WITH_WITNESS = {**RICH, WITNESS: contract(WITNESS_SOURCE)}


@public_case
def code_hash_of_absent_and_emptied_accounts() -> PublicCase:
    """erigon#23673, erigon#24030: EXTCODEHASH is 0 of who is not there, and the hash of nothing of who has a nonce."""
    world = {**WITH_WITNESS, FRANK: Account(PRICE * TRANSFER + 5)}
    acts = (
        look(ALICE, 0, EVE, 10),
        send(BOB, 0, EVE),
        look(ALICE, 1, EVE, 20),
        send(BOB, 1, EVE, value=1),
        look(CAROL, 0, EVE, 30),
        send(FRANK, 0, DAVE, value=5, gas=TRANSFER),
        look(CAROL, 1, FRANK, 40),
    )
    found = seen(None, 0, 10) | seen(None, 0, 20) | seen(b"", 1, 30) | seen(b"", 0, 40)
    return PublicCase(
        world,
        (block(*acts),),
        (1,) * 7,
        {WITNESS: Now(storage=found), EVE: Now(1, 0), FRANK: Now(0, 1), DAVE: Now(ETHER + 5)},
    )


@public_case
def reads_of_an_account_that_comes_and_goes() -> PublicCase:
    """erigon#22190, bor#2210: what was read of an account that is not there is a read, and creation makes it stale."""
    world = {**WITH_FACTORY, WITNESS: contract(WITNESS_SOURCE)}
    acts = (
        look(ALICE, 0, PHOENIX, 10),
        create(BOB),
        look(ALICE, 1, PHOENIX, 20),
        destroy(BOB, 1),
        look(CAROL, 0, PHOENIX, 30),
        create(DAVE),
        look(CAROL, 1, PHOENIX, 40),
    )
    found = seen(None, 0, 10) | seen(RUNTIME, 0, 20) | seen(None, 0, 30) | seen(RUNTIME, 0, 40)
    return PublicCase(world, (block(*acts, fork="Shanghai"),), (1,) * 7, {WITNESS: Now(storage=found)})


@public_case
def calls_before_and_after_creation() -> PublicCase:
    """geth#33743: a call of who is not there does nothing, one of the same account later finds code and slots."""
    acts = (use(ALICE, 11), create(BOB), use(CAROL, 11), use(DAVE, 12))
    return PublicCase(
        WITH_FACTORY,
        (block(*acts),),
        (1,) * 4,
        {PHOENIX: Now(0, 1, RUNTIME, {11: 2, 12: 1})},
        gas={0: TRANSFER + 31 * 4 + 16},
    )


@public_case
def sender_that_is_not_there_yet() -> PublicCase:
    """erigon#22190, of balance and nonce: who has nothing is refused, and sends as soon as somebody has paid."""
    acts = (
        send(EVE, 0, BOB, value=1),
        send(ALICE, 0, EVE, value=2 * PRICE * TRANSFER),
        send(EVE, 0, BOB, gas=TRANSFER),
        send(EVE, 0, BOB, gas=TRANSFER),
        send(EVE, 1, BOB, gas=TRANSFER),
        send(EVE, 2, BOB, gas=TRANSFER),
    )
    return PublicCase(
        RICH,
        (block(*acts),),
        (2, 1, 1, 2, 1, 2),
        {EVE: Now(0, 2), BOB: Now(ETHER, 0)},
        errors={0: errors.INSUFFICIENT_FUNDS, 3: errors.NONCE_MISMATCH, 5: errors.INSUFFICIENT_FUNDS},
    )
