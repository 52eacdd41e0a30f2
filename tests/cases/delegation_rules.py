"""Delegations (EIP-7702) that are made, changed, cleared and used within one block."""

from __future__ import annotations

from contend.evm import errors
from contend.evm.accounts import Account
from contend.evm.block import Authorization
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import contract_address
from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    COUNTER,
    COUNTER_SOURCE,
    DAVE,
    ETHER,
    EVE,
    FRANK,
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
    word,
)

NOBODY = bytes(20)
CREATOR, DRAINER, PEEKER, FAILING = (bytes([0xD0 + number]) * 20 for number in range(4))
WITH_CONTRACTS = {
    **RICH,
    COUNTER: contract(COUNTER_SOURCE),
    # As an authority's code it moves that account's nonce, by which its own next transaction is judged.
    CREATOR: contract("0 0 0 CREATE POP STOP"),
    # Sends all there is to who calls.
    DRAINER: contract("0 0 0 0 SELFBALANCE CALLER GAS CALL POP STOP"),
    # Writes down the first 23 bytes of an account's code, and the code's hash.
    PEEKER: contract(
        "23 0 0 0 CALLDATALOAD EXTCODECOPY 0 MLOAD 32 CALLDATALOAD SSTORE "
        "0 CALLDATALOAD EXTCODEHASH 32 CALLDATALOAD 1 ADD SSTORE STOP"
    ),
    FAILING: contract("0 0 REVERT"),
    WITNESS: contract(WITNESS_SOURCE),
}
# Of a transaction with one authorisation, before its first instruction.
ONE_SIGNED = TRANSFER + 25_000


def delegation(target: bytes) -> bytes:
    return b"\xef\x01\x00" + target


def signed(authority: bytes, target: bytes, nonce: int) -> tuple[Authorization, ...]:
    return (Authorization(authority, target, nonce),)


@public_case
def sponsor_is_its_own_authority() -> PublicCase:
    """grevm#102: its nonce moves by two within one transaction, and the next one has to come with the third."""
    acts = (
        send(ALICE, 0, ALICE, authorizations=signed(ALICE, COUNTER, 1)),
        send(ALICE, 1, BOB, value=1),
        send(ALICE, 2, BOB, value=2),
        send(BOB, 0, ALICE),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1, 2, 1, 1),
        {ALICE: Now(nonce=3, code=delegation(COUNTER), storage={0: 2})},
        errors={1: errors.NONCE_MISMATCH},
    )


@public_case
def code_and_hash_of_an_account_delegated_again() -> PublicCase:
    """bor#2270: code and hash are read from one version, whatever was delegated before and after."""
    acts = (
        send(ALICE, 0, DAVE, authorizations=signed(EVE, COUNTER, 0)),
        send(BOB, 0, PEEKER, word(EVE) + word(10)),
        send(ALICE, 1, DAVE, authorizations=signed(EVE, CREATOR, 1)),
        send(BOB, 1, PEEKER, word(EVE) + word(20)),
        send(ALICE, 2, DAVE, authorizations=signed(EVE, NOBODY, 2)),
        look(CAROL, 0, EVE, 30),
    )
    found = {}
    for slot, target in ((10, COUNTER), (20, CREATOR)):
        code = delegation(target)
        found[slot] = int.from_bytes(code.ljust(32, b"\0"), "big")
        found[slot + 1] = int.from_bytes(keccak256(code), "big")
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1,) * 6,
        {PEEKER: Now(storage=found), WITNESS: Now(storage=seen(b"", 0, 30)), EVE: Now(0, 3, b"")},
    )


@public_case
def delegated_account_creates_a_contract() -> PublicCase:
    """gravity-reth#388: that moves the authority's nonce, so that its own next transaction needs another one."""
    acts = (
        send(ALICE, 0, CAROL, authorizations=signed(BOB, CREATOR, 0)),
        send(ALICE, 1, BOB),
        send(BOB, 1, CAROL, value=1),
        send(BOB, 2, CAROL, value=2),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1, 1, 2, 1),
        {BOB: Now(nonce=3), CAROL: Now(ETHER + 2), contract_address(BOB, 1): Now(0, 1, b"")},
        errors={2: errors.NONCE_MISMATCH},
    )


@public_case
def delegated_account_is_drained() -> PublicCase:
    """gravity-reth#389: somebody else takes its balance, and its own transaction behind cannot be paid."""
    acts = (
        send(ALICE, 0, CAROL, authorizations=signed(BOB, DRAINER, 0)),
        send(BOB, 1, CAROL, value=1),
        send(DAVE, 0, BOB),
        send(BOB, 2, CAROL, value=1),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1, 1, 1, 2),
        {BOB: Now(0, 2, delegation(DRAINER)), CAROL: Now(ETHER + 1)},
        errors={3: errors.INSUFFICIENT_FUNDS},
    )


@public_case
def refund_for_an_authority_that_is_there() -> PublicCase:
    """nethermind#11389: who delegates to nobody while it is not there gets no refund, and is there afterwards."""
    acts = (
        send(ALICE, 0, DAVE, authorizations=signed(EVE, NOBODY, 0)),
        send(BOB, 0, DAVE, authorizations=signed(EVE, NOBODY, 1)),
        send(CAROL, 0, FRANK, value=1),
        send(BOB, 1, DAVE, authorizations=signed(FRANK, NOBODY, 0)),
    )
    # The refund of 12,500 is bounded by a fifth.
    refunded = ONE_SIGNED - ONE_SIGNED // 5
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1,) * 4,
        {EVE: Now(0, 2, b""), FRANK: Now(1, 1, b"")},
        gas={0: ONE_SIGNED, 1: refunded, 3: refunded},
    )


@public_case
def chain_of_delegations() -> PublicCase:
    """EIP-7702: one hop is followed; the code of a delegate that delegates is 0xef, which is no instruction."""
    acts = (
        send(ALICE, 0, DAVE, authorizations=signed(FRANK, COUNTER, 0)),
        send(ALICE, 1, DAVE, authorizations=signed(EVE, FRANK, 0)),
        send(BOB, 0, EVE, gas=60_000),
        send(CAROL, 0, FRANK),
        send(ALICE, 2, DAVE, authorizations=signed(EVE, COUNTER, 1)),
        send(BOB, 1, EVE),
    )
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1, 1, 0, 1, 1, 1),
        {EVE: Now(0, 2, delegation(COUNTER), {0: 1}), FRANK: Now(0, 1, delegation(COUNTER), {0: 1})},
        gas={2: 60_000},
        errors={2: errors.INVALID_OPCODE},
    )


@public_case
def delegation_to_itself_and_to_a_precompiled_contract() -> PublicCase:
    """EIP-7702: a loop ends after one hop, and where the protocol computes a delegated account has no code."""
    acts = (
        send(ALICE, 0, DAVE, authorizations=signed(EVE, EVE, 0)),
        send(BOB, 0, EVE, gas=60_000),
        send(ALICE, 1, DAVE, authorizations=signed(EVE, (4).to_bytes(20, "big"), 1)),
        send(BOB, 1, EVE, value=3),
    )
    # The precompiled contract is warm, and nothing is executed.
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts, fork="Prague"),),
        (1, 0, 1, 1),
        {EVE: Now(3, 2, delegation((4).to_bytes(20, "big")))},
        gas={1: 60_000, 3: TRANSFER},
    )


@public_case
def delegation_outlives_its_transaction() -> PublicCase:
    """EIP-7702: authorisations are not taken back when their transaction reverts; refused ones change nothing."""
    wrong = (
        Authorization(FRANK, COUNTER, 0, 7),  # another chain
        Authorization(FRANK, COUNTER, 1),  # another nonce
        Authorization(None, COUNTER, 0),  # nobody has signed
        Authorization(COUNTER, CREATOR, 1),  # an account with code
    )
    acts = (
        send(ALICE, 0, FAILING, authorizations=signed(EVE, COUNTER, 0)),
        send(BOB, 0, EVE),
        send(ALICE, 1, FAILING, authorizations=signed(EVE, NOBODY, 1)),
        send(BOB, 1, EVE),
        send(CAROL, 0, DAVE, authorizations=wrong),
    )
    world = {**WITH_CONTRACTS, FRANK: Account(1)}
    return PublicCase(
        world,
        (block(*acts, fork="Prague"),),
        (0, 1, 0, 1, 1),
        {EVE: Now(0, 2, b"", {0: 1}), FRANK: Now(1, 0, b""), COUNTER: Now(nonce=1, storage={})},
        gas={3: TRANSFER, 4: TRANSFER + 4 * 25_000},
    )
