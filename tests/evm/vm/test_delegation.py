"""Accounts that delegate to code of others (EIP-7702): who may, what runs, what it costs, what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contend.evm import Environment, Transaction, errors, keccak256
from contend.evm.block import Authorization
from tests.evm.assembly import RETURN_TOP, assemble, call, push
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Runner, free_call, make_state, with_code

PRAGUE = replace(FREE, fork="Prague")
AUTHORITY, OTHER, NOWHERE = bytes.fromhex("a1" * 20), bytes.fromhex("0e" * 20), bytes(20)
BASE = 21_000 + 25_000


def designator(address: bytes) -> bytes:
    return b"\xef\x01\x00" + address


def sign(
    nonce: int = 0, address: bytes = CONTRACT, authority: bytes | None = AUTHORITY, chain_id: int = 1
) -> Authorization:
    return Authorization(authority, address, nonce, chain_id)


def delegating(*authorizations: Authorization, to: bytes = OTHER, nonce: int = 0, value: int = 0) -> Transaction:
    return replace(free_call(to, nonce=nonce, value=value), authorizations=authorizations)


def world_of(code: bytes = b"", /, **authority: int | bytes) -> dict[bytes, Account]:
    world = with_code(code)
    if authority:
        world[AUTHORITY] = Account(**authority)  # type: ignore[arg-type]  # by name
    return world


@pytest.mark.bounds
def test_an_account_delegates_and_its_nonce_moves(runner: Runner) -> None:
    result = runner.run(world_of(balance=7), delegating(sign()), PRAGUE)
    assert result.state.code(AUTHORITY) == designator(CONTRACT)
    assert result.state.nonce(AUTHORITY) == 1
    # It was there, so half of what it cost comes back, as far as a fifth of all.
    assert result.gas_used == BASE - BASE // 5
    assert runner.run(world_of(), delegating(sign()), PRAGUE).gas_used == BASE


@pytest.mark.parametrize(
    ("authorization", "authority"),
    [
        (sign(nonce=1), {}),
        (sign(chain_id=2), {}),
        (sign(authority=None), {}),
        (sign(nonce=2**64 - 1), {"nonce": 2**64 - 1}),
        (sign(), {"nonce": 1}),
        (sign(nonce=1), {"nonce": 1, "code": b"\0"}),
        (sign(nonce=1), {"nonce": 1, "code": designator(OTHER)[:22]}),
        (sign(nonce=1), {"nonce": 1, "code": designator(OTHER) + b"\0"}),
    ],
)
def test_an_authorisation_that_does_not_hold_changes_nothing(
    runner: Runner, authorization: Authorization, authority: dict[str, int | bytes]
) -> None:
    world = world_of(**authority)
    result = runner.run(world, delegating(authorization), PRAGUE)
    assert result.status == errors.STATUS_SUCCESS
    assert result.gas_used == BASE
    assert result.state.code(AUTHORITY) == world.get(AUTHORITY, Account()).code
    assert result.state.nonce(AUTHORITY) == world.get(AUTHORITY, Account()).nonce


def test_the_zero_address_clears_and_any_chain_is_named_by_zero(runner: Runner) -> None:
    world = world_of(nonce=4, code=designator(CONTRACT))
    result = runner.run(world, delegating(sign(4, NOWHERE, chain_id=0)), PRAGUE)
    assert result.state.code(AUTHORITY) == b""
    assert result.state.nonce(AUTHORITY) == 5


def test_the_last_of_several_counts(runner: Runner) -> None:
    several = delegating(sign(0), sign(0, OTHER), sign(1, NOWHERE), sign(2, OTHER))
    result = runner.run(world_of(), several, PRAGUE)
    assert result.state.code(AUTHORITY) == designator(OTHER)
    assert result.state.nonce(AUTHORITY) == 3


def test_who_pays_may_be_who_signs(runner: Runner) -> None:
    own = delegating(sign(1, authority=SENDER), to=SENDER)
    stored = assemble(5, "PUSH0 SSTORE STOP")
    result = runner.run(world_of(stored), own, PRAGUE)
    assert result.state.code(SENDER) == designator(CONTRACT)
    assert result.state.nonce(SENDER) == 2
    assert result.state.storage(SENDER, 0) == 5
    # Its own nonce is counted first: as it was before is not what has to be signed.
    assert runner.run(world_of(), delegating(sign(0, authority=SENDER)), PRAGUE).state.code(SENDER) == b""


def test_delegated_code_runs_as_the_account(runner: Runner) -> None:
    code = assemble("ADDRESS PUSH0 MSTORE CODESIZE", push(32, 1), "MSTORE", push(64, 1), "PUSH0 RETURN")
    result = runner.run(world_of(code), delegating(sign(), to=AUTHORITY), PRAGUE)
    assert result.output == bytes(12) + AUTHORITY + len(code).to_bytes(32, "big")


def test_a_delegation_outlasts_a_transaction_that_fails(runner: Runner) -> None:
    world = world_of(assemble("PUSH0 PUSH0 REVERT"), balance=1)
    result = runner.run(world, delegating(sign(), to=AUTHORITY), PRAGUE)
    assert result.error == "reverted"
    assert result.state.code(AUTHORITY) == designator(CONTRACT)
    # And so does its refund.
    assert result.gas_used == (BASE + 4) - (BASE + 4) // 5


def test_what_others_see_is_the_delegation(runner: Runner) -> None:
    word = push(int.from_bytes(AUTHORITY, "big"), 20)
    looks = assemble(word, "EXTCODESIZE PUSH0 MSTORE", word, "EXTCODEHASH", 32, "MSTORE")
    looks += assemble(push(32, 1), "PUSH0", 64, word, "EXTCODECOPY", 96, "PUSH0 RETURN")
    world = with_code(looks) | {AUTHORITY: Account(nonce=1, code=designator(OTHER))}
    output = runner.run(world, free_call(), PRAGUE).output
    assert output[:32] == (23).to_bytes(32, "big")
    assert output[32:64] == keccak256(designator(OTHER))
    assert output[64:] == designator(OTHER) + bytes(9)


@pytest.mark.parametrize("operation", ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"])
def test_calls_follow_one_hop_and_pay_for_it(runner: Runner, operation: str) -> None:
    twice = call(operation, AUTHORITY) + assemble("POP") + call(operation, AUTHORITY) + RETURN_TOP
    plain = with_code(twice) | {AUTHORITY: Account(nonce=1, code=b"\0")}
    delegated = plain | {AUTHORITY: Account(nonce=1, code=designator(OTHER)), OTHER: Account(nonce=1, code=b"\0")}
    before, after = (runner.run(world, free_call(), PRAGUE) for world in (plain, delegated))
    assert after.gas_used - before.gas_used == 2600 + 100
    assert after.output == (1).to_bytes(32, "big")
    # What it names may name another: that is run as code, and begins with 0xef.
    delegated |= {OTHER: Account(nonce=1, code=designator(CONTRACT))}
    assert runner.run(delegated, free_call(), PRAGUE).output == bytes(32)
    # Itself likewise, and it is warm by then.
    delegated |= {AUTHORITY: Account(nonce=1, code=designator(AUTHORITY))}
    assert runner.run(delegated, free_call(), PRAGUE).output == bytes(32)


@pytest.mark.parametrize("number", [1, 4, 0x11])
def test_a_delegation_to_a_precompiled_contract_runs_nothing(runner: Runner, number: int) -> None:
    named = number.to_bytes(20, "big")
    world = with_code(call("CALL", AUTHORITY) + assemble("RETURNDATASIZE", 1, "ADD") + RETURN_TOP)
    world[AUTHORITY] = Account(nonce=1, code=designator(named))
    result = runner.run(world, free_call(data=b""), PRAGUE)
    assert result.output == (1).to_bytes(32, "big")
    result = runner.run(world, free_call(AUTHORITY, data=b"\1" * 32), PRAGUE)
    assert (result.error, result.output) == (None, b"")


def test_a_delegated_account_may_send_and_create(runner: Runner) -> None:
    world = world_of(assemble("PUSH0 PUSH0 PUSH0 CREATE STOP"))
    world[SENDER] = Account(balance=10**9, nonce=0, code=designator(CONTRACT))
    result = runner.run(world, (free_call(SENDER), free_call(SENDER, nonce=2)), PRAGUE)
    assert result.receipts.status.tolist() == [errors.STATUS_SUCCESS] * 2
    assert result.state.nonce(SENDER) == 4


def test_before_prague_there_are_no_delegations(runner: Runner) -> None:
    cancun = Environment(base_fee=0)
    refused = runner.run(world_of(), delegating(sign()), cancun)
    assert (refused.status, refused.error) == (errors.STATUS_INVALID, "transaction type before its fork")
    world = world_of(assemble("STOP"), nonce=1, code=designator(CONTRACT))
    assert runner.run(world, free_call(AUTHORITY), cancun).error == "invalid opcode"
    world[SENDER] = Account(balance=1, code=designator(CONTRACT))
    assert runner.run(world, free_call(), cancun).error == "sender has code"


def test_what_no_transaction_may_be(runner: Runner) -> None:
    assert runner.run(world_of(), delegating(), PRAGUE).error == "no authorisation"
    creates = replace(delegating(sign()), to=None)
    assert runner.run(world_of(), creates, PRAGUE).error == "transaction with authorisations creates a contract"
    with pytest.raises(ValueError, match="transaction 0: an authorisation has"):
        runner.run(world_of(), delegating(sign(nonce=1 << 64)), PRAGUE)
    with pytest.raises(ValueError, match="transaction 0: an authorisation has"):
        runner.run(world_of(), delegating(sign(address=b"\1")), PRAGUE)


def test_delegations_made_changed_and_cleared_in_one_block(runner: Runner) -> None:
    world = world_of(assemble(1, "PUSH0 SSTORE STOP"))
    world[OTHER] = Account(nonce=1, code=assemble(2, "PUSH0 SSTORE STOP"))
    block = (
        delegating(sign(0), to=AUTHORITY),
        delegating(sign(1, OTHER), to=AUTHORITY, nonce=1),
        delegating(sign(2, NOWHERE), to=AUTHORITY, nonce=2, value=3),
        free_call(AUTHORITY, nonce=3),
    )
    values = []
    for count in range(1, 5):
        result = runner.run(world, block[:count], PRAGUE)
        values.append((result.state.storage(AUTHORITY, 0), result.state.code(AUTHORITY), result.state.nonce(AUTHORITY)))
    assert values == [
        (1, designator(CONTRACT), 1),
        (2, designator(OTHER), 2),
        (2, b"", 3),
        (2, b"", 3),
    ]


@pytest.mark.bounds
@pytest.mark.parametrize(("data", "tokens"), [(b"\1" * 100, 400), (bytes(100), 100), (b"\0\1" * 50, 250)])
def test_call_data_has_a_floor_since_prague(runner: Runner, data: bytes, tokens: int) -> None:
    floor = 21_000 + 10 * tokens
    assert runner.run(with_code(b""), free_call(data=data), FREE).gas_used == 21_000 + 4 * tokens
    assert runner.run(with_code(b""), free_call(data=data, gas_limit=floor), PRAGUE).gas_used == floor
    short = runner.run(with_code(b""), free_call(data=data, gas_limit=floor - 1), PRAGUE)
    assert (short.status, short.error) == (errors.STATUS_INVALID, "gas limit below intrinsic gas")
    # Who uses more than that pays for what he uses, and refunds do not undercut it.
    clearing = with_code(assemble("PUSH0", 1, "SSTORE STOP"), {1: 1})
    used = 21_000 + 4 * tokens + 5_005
    result = runner.run(clearing, free_call(data=data), PRAGUE)
    assert result.gas_used == max(used - min(4_800, used // 5), floor)


def test_states_keep_nothing_of_a_delegation_that_was_cleared() -> None:
    state = make_state({AUTHORITY: Account(nonce=1, code=designator(OTHER))})
    state.set_code(AUTHORITY, b"")
    assert state.code(AUTHORITY) == b""
