"""The beneficiary as sender, reader, contract and victim: its balance depends on all transactions before."""

from __future__ import annotations

from dataclasses import replace

from contend.evm import errors
from contend.evm.accounts import Account
from contend.evm.block import Authorization
from contend.evm.drivers.genesis import contract_address
from contend.harness.verify.schedule_fuzzer.destroying_blocks import PHOENIX
from tests.cases.destroyed_accounts import DESTROY, WITH_PHOENIX, destroy
from tests.cases.public_case import (
    ALICE,
    BASE_FEE,
    BOB,
    CAROL,
    COINBASE,
    COUNTER,
    COUNTER_SOURCE,
    DAVE,
    ETHER,
    EVE,
    PRICE,
    RICH,
    TIP,
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
    word,
)

EARNED = TIP * TRANSFER
WATCHER = bytes([0xC4]) * 20
# What one of the two contracts below uses that write a balance down.
WATCH = TRANSFER + 140 + 2 + 100 + 2 + 3 + 22_100
WATCH_ITSELF = TRANSFER + 140 + 5 + 2 + 3 + 22_100


@public_case
def beneficiary_sends() -> PublicCase:
    """pevm#188: its own transactions move its nonce, and pay their tips to itself."""
    acts = (
        send(ALICE, 0, DAVE),
        send(COINBASE, 0, DAVE, value=1),
        send(COINBASE, 1, DAVE, value=1),
        send(COINBASE, 1, DAVE, value=1),
        send(BOB, 0, COINBASE, value=7),
    )
    left = ETHER + 4 * EARNED - 2 * (PRICE * TRANSFER + 1) + 7
    return PublicCase(
        {**RICH, COINBASE: Account(ETHER)},
        (block(*acts),),
        (1, 1, 1, 2, 1),
        {COINBASE: Now(left, 2), DAVE: Now(ETHER + 2)},
        errors={3: errors.NONCE_MISMATCH},
    )


@public_case
def beneficiary_spends_what_it_has_just_earned() -> PublicCase:
    """pevm#345, pevm#355: an account that has tips only is refused while they do not suffice, and then sends."""
    acts = (
        send(COINBASE, 0, EVE, gas=TRANSFER),
        send(ALICE, 0, EVE),
        send(BOB, 0, EVE),
        send(CAROL, 0, EVE),
        send(COINBASE, 0, EVE, gas=TRANSFER),
        send(DAVE, 0, EVE),
        send(COINBASE, 0, EVE, value=4 * EARNED - PRICE * TRANSFER, gas=TRANSFER),
    )
    return PublicCase(
        RICH,
        (block(*acts),),
        (2, 1, 1, 1, 2, 1, 1),
        {COINBASE: Now(EARNED, 1), EVE: Now(42_000, 0)},
        errors={0: errors.INSUFFICIENT_FUNDS, 4: errors.INSUFFICIENT_FUNDS},
    )


@public_case
def beneficiary_is_read() -> PublicCase:
    """besu#7296: BALANCE of COINBASE has all tips of the transactions before, and its reader waits for them."""
    watcher = contract("COINBASE BALANCE 0 CALLDATALOAD SSTORE STOP")
    acts = (
        send(ALICE, 0, DAVE),
        send(BOB, 0, WATCHER, word(1)),
        send(CAROL, 0, DAVE),
        send(DAVE, 0, WATCHER, word(2)),
        send(ALICE, 1, DAVE),
    )
    second = 2 * EARNED + TIP * WATCH
    return PublicCase(
        {**RICH, WATCHER: watcher},
        (block(*acts),),
        (1,) * 5,
        {WATCHER: Now(storage={1: EARNED, 2: second}), COINBASE: Now(3 * EARNED + 2 * TIP * WATCH, 0)},
        gas={1: WATCH, 3: WATCH},
    )


@public_case
def beneficiary_is_a_contract_that_looks_at_itself() -> PublicCase:
    """besu#7296, by SELFBALANCE: the beneficiary's code sees its tips, and the value that its caller has brought."""
    itself = contract("SELFBALANCE 0 CALLDATALOAD SSTORE STOP")
    acts = (
        send(ALICE, 0, WATCHER, word(1)),
        send(BOB, 0, WATCHER, word(2), value=4),
        send(CAROL, 0, DAVE),
        send(DAVE, 0, WATCHER, word(3)),
    )
    each = TIP * WATCH_ITSELF
    # At first there is nothing to be seen, and nothing is stored where nothing was: 2,200 instead of 22,100.
    first = each - TIP * (22_100 - 2_200)
    third = first + each + 4 + EARNED
    return PublicCase(
        {**RICH, WATCHER: itself},
        (block(*acts, coinbase=WATCHER),),
        (1,) * 4,
        {WATCHER: Now(third + each, 1, storage={2: first + 4, 3: third})},
        gas={0: WATCH_ITSELF - 22_100 + 2_200, 1: WATCH_ITSELF},
    )


@public_case
def beneficiary_is_destroyed() -> PublicCase:
    """nethermind#9803, C: the tip of the transaction that destroys the beneficiary is burned with it."""
    made = block(destroy(ALICE), fork="Shanghai", coinbase=PHOENIX)
    return PublicCase(
        WITH_PHOENIX, (made,), (1,), {PHOENIX: None, ALICE: Now(ETHER - PRICE * DESTROY, 1)}, gas={0: DESTROY}
    )


@public_case
def beneficiary_is_created_and_destroyed_at_once() -> PublicCase:
    """erigon#22057, since Cancun: tips from before go with the balance, its own is burned, the next one is left."""
    made = contract_address(ALICE, 0)
    acts = (send(BOB, 0, DAVE), send(ALICE, 0, None, bytes.fromhex("33ff")), send(CAROL, 0, DAVE))
    return PublicCase(
        RICH,
        (block(*acts, coinbase=made),),
        (1, 1, 1),
        {made: Now(EARNED, 0, b"", {}), ALICE: Now(ETHER - PRICE * 58_036 + EARNED, 1)},
    )


@public_case
def beneficiary_earns_nothing() -> PublicCase:
    """besu#9352: a reward of zero does not make an account (EIP-161), and takes none away."""
    acts = (send(ALICE, 0, DAVE, tip=0), send(BOB, 0, DAVE, tip=0), send(CAROL, 0, COINBASE, tip=0))
    return PublicCase(RICH, (block(*acts),), (1, 1, 1), {COINBASE: None, ALICE: Now(ETHER - 7 * TRANSFER, 1)})


@public_case
def code_hash_of_the_beneficiary() -> PublicCase:
    """erigon#23673, of the beneficiary: whether it is there depends on the tips of all transactions before."""
    acts = (
        send(ALICE, 0, DAVE, tip=0),
        replace(look(BOB, 0, COINBASE, 10), max_fee=BASE_FEE, max_priority_fee=0),
        send(CAROL, 0, DAVE),
        look(BOB, 1, COINBASE, 20),
    )
    found = seen(None, 0, 10) | seen(b"", EARNED, 20)
    world = {**RICH, WITNESS: contract(WITNESS_SOURCE)}
    return PublicCase(world, (block(*acts),), (1,) * 4, {WITNESS: Now(storage=found)})


PAYER = bytes([0xC8]) * 20
WITH_PAYER = {**RICH, PAYER: contract("0 0 0 0 1 COINBASE GAS CALL POP STOP", 10)}
# To an account that is there: nine thousand for the value, of which the callee's stipend comes back.
PAYS = TRANSFER + 4 * 2 + 3 + 2 + 2 + 100 + 9_000 - 2_300 + 2


@public_case
def payment_to_an_absent_beneficiary() -> PublicCase:
    """besu#9352, besu#7296: without a tip the beneficiary is not there, and who pays it makes a new account."""
    acts = (send(ALICE, 0, DAVE, tip=0), send(BOB, 0, PAYER, tip=0), send(CAROL, 0, PAYER, tip=0))
    return PublicCase(WITH_PAYER, (block(*acts),), (1, 1, 1), {COINBASE: Now(2, 0)}, gas={1: PAYS + 25_000, 2: PAYS})


@public_case
def payment_to_a_beneficiary_that_has_earned() -> PublicCase:
    """besu#7296: the tip before has made the account, which its payer does not pay for."""
    acts = (send(ALICE, 0, DAVE), send(BOB, 0, PAYER))
    return PublicCase(WITH_PAYER, (block(*acts),), (1, 1), {COINBASE: Now(EARNED + TIP * PAYS + 1, 0)}, gas={1: PAYS})


WITH_COUNTER = {**RICH, COUNTER: contract(COUNTER_SOURCE)}
SIGNED = (Authorization(EVE, COUNTER, 0),)
DELEGATES = TRANSFER + 25_000


@public_case
def delegation_of_an_absent_beneficiary() -> PublicCase:
    """nethermind#11389, of the beneficiary: without a tip it is not there, and there is no refund."""
    acts = (
        send(ALICE, 0, DAVE, tip=0),
        send(BOB, 0, DAVE, authorizations=SIGNED),
        send(CAROL, 0, EVE),
    )
    return PublicCase(
        WITH_COUNTER,
        (block(*acts, fork="Prague", coinbase=EVE),),
        (1, 1, 1),
        {EVE: Now(nonce=1, code=b"\xef\x01\x00" + COUNTER, storage={0: 1})},
        gas={1: DELEGATES},
    )


@public_case
def delegation_of_a_beneficiary_that_has_earned() -> PublicCase:
    """nethermind#11389, of the beneficiary: the tip before has made the account, and there is a refund."""
    acts = (send(ALICE, 0, DAVE), send(BOB, 0, DAVE, authorizations=SIGNED), send(CAROL, 0, EVE))
    return PublicCase(
        WITH_COUNTER,
        (block(*acts, fork="Prague", coinbase=EVE),),
        (1, 1, 1),
        {EVE: Now(nonce=1, code=b"\xef\x01\x00" + COUNTER, storage={0: 1})},
        gas={1: DELEGATES - DELEGATES // 5},
    )


@public_case
def beneficiary_is_read_while_tips_change() -> PublicCase:
    """besu#7296: what a transaction before pays depends on those before it, so that a sum of tips can be stale."""
    acts = (
        *(send(sender, 0, COUNTER) for sender in (ALICE, BOB, CAROL)),
        send(DAVE, 0, WATCHER, word(1)),
        send(ALICE, 1, WATCHER, word(2)),
    )
    counts = TRANSFER + 2 + 2_100 + 3 + 3 + 2 + 2_900
    first = counts - 2_900 + 20_000
    tips = TIP * (first + 2 * counts)
    world = {**WITH_COUNTER, WATCHER: contract("COINBASE BALANCE 0 CALLDATALOAD SSTORE STOP")}
    return PublicCase(
        world,
        (block(*acts),),
        (1,) * 5,
        {WATCHER: Now(storage={1: tips, 2: tips + TIP * WATCH}), COUNTER: Now(storage={0: 3})},
        gas={0: first, 1: counts, 2: counts, 3: WATCH},
    )
