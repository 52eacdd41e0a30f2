"""What a list has to name: EIP-7928's rules, one small transaction each."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contend.evm import Block, Environment, Transaction
from contend.evm.access_list import AccountChanges, access_list_content, access_list_of, encode
from contend.evm.accounts import Account, new_state
from contend.evm.state import State
from tests.evm.assembly import assemble, call, push

SENDER, CONTRACT, OTHER = (bytes([number]) * 20 for number in (0x11, 0x22, 0x33))
COINBASE, PRECOMPILE = bytes([0xCB]) * 20, bytes(19) + b"\4"
PRICE, ETHER = 10, 10**18
ENVIRONMENT = Environment(base_fee=7, coinbase=COINBASE)
TO_OTHER = push(int.from_bytes(OTHER, "big"), 20)


def world(code: bytes = b"", other: bytes = b"", storage: Mapping[int, int] | None = None, balance: int = 5) -> State:
    return new_state(
        {
            SENDER: Account(balance=ETHER),
            CONTRACT: Account(balance=balance, nonce=1, code=code, storage=dict(storage or {})),
            **({OTHER: Account(balance=9, nonce=1, code=other)} if other else {}),
        }
    )


def listed(
    state: State, *transactions: Transaction, environment: Environment = ENVIRONMENT
) -> dict[bytes, AccountChanges]:
    """Accounts of a block's list, which both makers agree on."""
    block, digest = Block(environment, transactions), state.digest()
    content = access_list_content(block, state)
    content.check(len(block))
    assert access_list_of(block, state) == encode(content)
    assert state.digest() == digest
    return {account.address: account for account in content}


def transaction(
    nonce: int = 0, to: bytes | None = CONTRACT, gas: int = 200_000, value: int = 0, tip: int = 3, data: bytes = b""
) -> Transaction:
    return Transaction(SENDER, to, nonce, gas, value, data, PRICE, tip)


def run(code: bytes, other: bytes = b"", gas: int = 200_000, **known: object) -> dict[bytes, AccountChanges]:
    return listed(world(code, other, **known), transaction(gas=gas))  # type: ignore[arg-type]  # as `world` takes them


def test_a_payment_changes_sender_recipient_and_beneficiary() -> None:
    found = listed(world(), transaction(to=OTHER, value=7), transaction(1, to=OTHER, value=8))
    cost = 21_000 * PRICE
    assert found == {
        SENDER: AccountChanges(
            SENDER,
            balance_changes=((1, ETHER - cost - 7), (2, ETHER - 2 * cost - 15)),
            nonce_changes=((1, 1), (2, 2)),
            readers=found[SENDER].readers,
        ),
        OTHER: AccountChanges(OTHER, balance_changes=((1, 7), (2, 15)), readers=found[OTHER].readers),
        COINBASE: AccountChanges(COINBASE, balance_changes=((1, 63_000), (2, 126_000))),
    }


def test_a_payment_of_nothing_names_its_recipient() -> None:
    found = listed(world(), transaction(to=OTHER, tip=0))
    assert set(found) == {SENDER, OTHER, COINBASE}
    assert not found[OTHER].entries
    assert not found[COINBASE].entries, "no fee: named, and nothing changed"


def test_the_beneficiary_as_sender_is_listed_with_its_own_fee() -> None:
    environment = Environment(base_fee=7, coinbase=SENDER)
    found = listed(world(), transaction(to=OTHER, value=7), environment=environment)
    assert found[SENDER].balance_changes == ((1, ETHER - 21_000 * 7 - 7),)


def test_who_reads_the_beneficiary_is_a_reader_though_its_fee_changes_it() -> None:
    code = push(int.from_bytes(COINBASE, "big"), 20) + assemble("BALANCE", "STOP")
    found = listed(world(code), transaction(to=OTHER, value=1), transaction(1), transaction(2, to=COINBASE, value=1))
    assert [index for index, _ in found[COINBASE].balance_changes] == [1, 2, 3]
    assert found[COINBASE].readers.balance == (2,)


def test_an_invalid_transaction_is_not_there() -> None:
    assert not listed(world(), transaction(5))
    found = listed(world(), transaction(5), transaction(to=OTHER, value=1))
    assert found[SENDER].nonce_changes == ((2, 1),), "what is invalid keeps its index"


def test_writes_have_values_and_what_is_only_loaded_is_a_read() -> None:
    code = assemble(5, 1, "SSTORE", 2, "SLOAD POP", 0, 3, "SSTORE")
    found = run(code, storage={3: 9})[CONTRACT]
    assert found.storage_changes == ((1, ((1, 5),)), (3, ((1, 0),)))
    assert found.storage_reads == (2,)


def test_a_store_that_changes_nothing_is_a_read() -> None:
    code = assemble(9, 1, "SSTORE", 4, 2, "SSTORE", 0, 2, "SSTORE")
    found = run(code, storage={1: 9})[CONTRACT]
    assert found.storage_changes == ()
    assert found.storage_reads == (1, 2)


def test_a_write_that_a_later_transaction_takes_back_is_two_writes() -> None:
    code = assemble("CALLDATASIZE", 1, "SSTORE")
    found = listed(world(code), transaction(data=b"abc"), transaction(1))[CONTRACT]
    assert found.storage_changes == ((1, ((1, 3), (2, 0))),)


def test_a_slot_that_one_reads_and_another_writes_is_a_write() -> None:
    code = assemble("CALLDATASIZE", push(8), "JUMPI", 1, "SLOAD STOP JUMPDEST", 7, 1, "SSTORE")
    assert code[8] == 0x5B
    found = listed(world(code), transaction(), transaction(1, data=b"x"))[CONTRACT]
    assert found.storage_changes == ((1, ((2, 7),)),)
    assert found.storage_reads == ()
    assert found.readers.slots == ((1, (1,)),)


def test_reads_and_touches_survive_a_revert() -> None:
    other = assemble(1, "SLOAD POP", 5, 2, "SSTORE", bytes([0x60, 0x04, 0x31, 0x50]), 0, 0, "REVERT")
    found = run(call("CALL", OTHER) + assemble("STOP"), other)
    assert found[OTHER].storage_reads == (1, 2)
    assert not found[OTHER].storage_changes
    assert PRECOMPILE in found, "its balance was asked for"
    assert not found[PRECOMPILE].entries


@pytest.mark.parametrize("operation", ["BALANCE", "EXTCODESIZE", "EXTCODEHASH"])
def test_an_account_that_is_looked_at_is_named(operation: str) -> None:
    found = run(TO_OTHER + assemble(operation, "STOP"))
    assert not found[OTHER].entries


@pytest.mark.parametrize("operation", ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"])
def test_who_is_called_is_named_and_precompiles_are_too(operation: str) -> None:
    for target in (OTHER, PRECOMPILE):
        found = run(call(operation, target) + assemble("STOP"))
        assert not found[target].entries


def test_a_list_of_the_transactions_own_names_nobody() -> None:
    one = Transaction(SENDER, CONTRACT, 0, 200_000, 0, b"", PRICE, 3, ((OTHER, (1, 2)),))
    assert set(listed(world(), one)) == {SENDER, CONTRACT, COINBASE}


# A push costs 3, a cold account 2,600.
@pytest.mark.parametrize(("gas", "is_named"), [(21_003 + 2599, False), (21_003 + 2600, True)])
def test_who_cannot_be_paid_for_is_not_named(gas: int, is_named: bool) -> None:
    assert (OTHER in run(TO_OTHER + assemble("EXTCODESIZE", "STOP"), gas=gas)) is is_named
    assert (OTHER in run(TO_OTHER + assemble("BALANCE", "STOP"), gas=gas)) is is_named


@pytest.mark.parametrize("value", [0, 1])
def test_a_call_names_whom_access_transfer_and_memory_can_be_paid_for(value: int) -> None:
    # All pushes cost 3, and PUSH0 2; the return window of 64 bytes costs 6, a transfer 9,000, and a new account, which
    # comes after the access, 25,000 more.
    code = assemble(64, 32, 0, 0, value) + TO_OTHER + assemble(1, "CALL", "STOP")
    pushes = 3 + 3 + 2 + 2 + (3 if value else 2) + 3 + 3
    needed = 21_000 + pushes + 2600 + (9000 if value else 0) + 9
    assert OTHER not in run(code, gas=needed - 1)
    assert OTHER in run(code, gas=needed)


def test_copying_code_names_whom_memory_can_be_paid_for() -> None:
    code = assemble(32, 0, 0) + TO_OTHER + assemble("EXTCODECOPY", "STOP")
    needed = 21_000 + 3 + 2 + 2 + 3 + 2600 + 3 + 3
    assert OTHER not in run(code, gas=needed - 1)
    assert OTHER in run(code, gas=needed)


def test_a_store_below_the_sentry_reads_nothing_and_one_that_is_too_dear_reads() -> None:
    code = assemble(1, 1, "SSTORE", "STOP")
    assert run(code, gas=21_006 + 2300)[CONTRACT].storage_reads == ()
    assert run(code, gas=21_006 + 2301)[CONTRACT].storage_reads == (1,)


def test_a_load_that_cannot_be_paid_for_reads_nothing() -> None:
    code = assemble(1, "SLOAD", "STOP")
    assert run(code, gas=21_003 + 2099)[CONTRACT].storage_reads == ()
    assert run(code, gas=21_003 + 2100)[CONTRACT].storage_reads == (1,)
    state, slots = world(code), ((CONTRACT, (1,)),)
    dear = 21_003 + 2400 + 1900
    for gas, reads in ((dear + 99, ()), (dear + 100, (1,))):
        one = Transaction(SENDER, CONTRACT, 0, gas, 0, b"", PRICE, 3, slots)
        assert listed(state, one)[CONTRACT].storage_reads == reads


def test_a_created_contract_has_code_and_nonce() -> None:
    deployed = assemble("STOP")
    init = assemble(push(deployed[0], 1), 0, "MSTORE8", 1, 0, "RETURN")
    found = listed(world(), transaction(to=None, data=init))
    (created,) = set(found) - {SENDER, COINBASE}
    assert found[created].code_changes == ((1, deployed),)
    assert found[created].nonce_changes == ((1, 1),)
    assert found[created].balance_changes == ()


def test_a_creation_that_fails_names_its_address() -> None:
    found = listed(world(), transaction(to=None, data=assemble("INVALID"), value=1))
    (created,) = set(found) - {SENDER, COINBASE}
    assert not found[created].entries
    inner = assemble(0, 0, "MSTORE8", 1, 0, 0, "CREATE", "STOP")
    found = run(inner)
    assert len(found) == 4
    assert found[CONTRACT].nonce_changes == ((1, 2),)


def test_a_contract_that_ends_in_the_transaction_that_made_it_has_no_changes() -> None:
    init = assemble(5, 1, "SSTORE") + TO_OTHER + assemble("SELFDESTRUCT")
    found = listed(world(), transaction(to=None, data=init, value=7))
    (created,) = set(found) - {SENDER, COINBASE, OTHER}
    assert found[created].storage_reads == (1,)
    assert found[created].entries == 1
    assert found[OTHER].balance_changes == ((1, 7),)


def test_selfdestruct_moves_the_balance() -> None:
    found = run(TO_OTHER + assemble("SELFDESTRUCT"), balance=5)
    assert found[CONTRACT].balance_changes == ((1, 0),)
    assert found[OTHER].balance_changes == ((1, 5),)


def test_transient_storage_is_not_listed() -> None:
    found = run(assemble(5, 1, "TSTORE", 1, "TLOAD", "STOP"))
    assert found[CONTRACT].items == 1
