"""What fits into a block, and what its receipts say."""

from __future__ import annotations

from dataclasses import replace

from contend.evm import errors
from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ETHER,
    PRICE,
    RICH,
    TRANSFER,
    Now,
    PublicCase,
    block,
    contract,
    public_case,
    send,
)

BURNER, CLEARER, LOGGER, FAILING = (bytes([0xB0 + number]) * 20 for number in range(4))
WITH_CONTRACTS = {
    **RICH,
    BURNER: contract("again: :again JUMP"),
    CLEARER: contract("0 0 SSTORE STOP", storage={0: 1}),
    LOGGER: contract("0 0 LOG0 7 0 0 LOG1 STOP"),
    FAILING: contract("0 0 LOG0 0 0 REVERT"),
}
LOGS = TRANSFER + 2 + 2 + 375 + 3 + 2 + 2 + 750
FAILS = TRANSFER + 2 + 2 + 375 + 2 + 2


@public_case
def limit_above_what_the_block_has_left() -> PublicCase:
    """ethrex#6341, ethrex#6342, sei-chain#3583: who does not fit by its limit is refused, however little it uses."""
    acts = (
        send(ALICE, 0, BURNER, gas=60_000),
        send(BOB, 0, DAVE, gas=50_000),
        send(CAROL, 0, DAVE, gas=40_000),
        send(BOB, 0, DAVE, gas=TRANSFER),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, gas_limit=100_000),),
        (0, 2, 1, 2),
        {BOB: Now(ETHER, 0), CAROL: Now(ETHER - PRICE * TRANSFER, 1)},
        gas={0: 60_000, 1: 0, 2: TRANSFER, 3: 0},
        errors={1: errors.GAS_ALLOWANCE, 3: errors.GAS_ALLOWANCE},
    )


@public_case
def refunds_make_room_in_the_block() -> PublicCase:
    """alloy-rs/evm#322: before Amsterdam a block has what its transactions were charged, refunds taken off."""
    used = TRANSFER + 2 + 2 + 5_000 - 4_800
    acts = (
        send(ALICE, 0, CLEARER, gas=30_000),
        send(BOB, 0, DAVE, gas=100_000 - used + 1),
        send(CAROL, 0, DAVE, gas=100_000 - used),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, gas_limit=100_000),),
        (1, 2, 1),
        {CLEARER: Now(storage={}), BOB: Now(nonce=0), CAROL: Now(nonce=1)},
        gas={0: used, 2: TRANSFER},
        errors={1: errors.GAS_ALLOWANCE},
    )


@public_case
def blobs_are_counted_apart_from_gas() -> PublicCase:
    """reth#22490: two counters; who has too many blobs for what is left is refused, and takes no room from others."""
    hashes = tuple(b"\x01" + bytes([number]) * 31 for number in range(6))
    acts = (
        replace(send(ALICE, 0, DAVE), blob_hashes=hashes[:4], max_blob_fee=1),
        replace(send(BOB, 0, DAVE), blob_hashes=hashes[:3], max_blob_fee=1),
        replace(send(CAROL, 0, DAVE), blob_hashes=hashes[:2], max_blob_fee=1),
        replace(send(BOB, 0, DAVE), blob_hashes=hashes[:1], max_blob_fee=1),
        send(BOB, 0, DAVE),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts),),
        (1, 2, 1, 2, 1),
        {
            ALICE: Now(ETHER - PRICE * TRANSFER - 4 * 131_072, 1),
            BOB: Now(ETHER - PRICE * TRANSFER, 1),
            CAROL: Now(ETHER - PRICE * TRANSFER - 2 * 131_072, 1),
        },
        errors={1: errors.BLOB_ALLOWANCE, 3: errors.BLOB_ALLOWANCE},
    )


@public_case
def places_in_receipts() -> PublicCase:
    """erigon#22110, #22106, #22142, #22504: gas and logs are counted through the block, failures without logs too."""
    acts = (send(ALICE, 0, LOGGER), send(BOB, 0, DAVE), send(CAROL, 0, FAILING), send(DAVE, 0, LOGGER))
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts),),
        (1, 1, 0, 1),
        {DAVE: Now(nonce=1)},
        cumulative_gas=(LOGS, LOGS + TRANSFER, LOGS + TRANSFER + FAILS, 2 * LOGS + TRANSFER + FAILS),
        first_logs=(0, 2, 2, 2),
    )


@public_case
def floor_of_a_failed_transaction() -> PublicCase:
    """sei-chain#3768: the floor of EIP-7623 is used and paid by who fails, and a limit below it is refused."""
    data = b"\x01" * 100
    acts = (
        send(ALICE, 0, FAILING, data),
        send(ALICE, 1, FAILING, data, gas=24_999),
        send(ALICE, 1, FAILING, data, gas=25_000),
        send(ALICE, 2, DAVE, bytes(100)),
    )
    # 100 bytes are 400 tokens, of zeros 100; at sixteen gas a byte the call would have used 22,983.
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (0, 2, 0, 1),
        {ALICE: Now(ETHER - PRICE * (25_000 + 25_000 + 22_000), 3)},
        gas={0: 25_000, 1: 0, 2: 25_000, 3: 22_000},
        errors={0: errors.REVERTED, 1: errors.INTRINSIC_GAS, 2: errors.REVERTED},
    )
