"""What a block does besides its transactions: system calls, withdrawals, rewards, requests."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from contend.evm import Environment, State
from contend.evm.accounts import Account, accounts_of, new_state
from contend.evm.drivers import block_operations
from contend.evm.drivers.block_operations import (
    BlockOperationError,
    Operations,
    Uncle,
    Withdrawal,
    operate_after,
    operate_before,
    requests_hash,
)
from contend.evm.drivers.system_calls import CONTRACTS, SYSTEM, SystemCaller
from contend.evm.errors import STATUS_INVALID, STATUS_SUCCESS
from contend.evm.forks import FORKS
from contend.evm.receipts import ReceiptTable

NONE = ReceiptTable(1, 1 << 12).collect(0)
MINER, OTHER = b"\xa1" * 20, b"\xb2" * 20
# The first word that it is given, stored at the block's number; and with a word of requests as its answer.
KEEPER = bytes.fromhex("5f35435500")
ASKER = bytes.fromhex("7f" + "11" * 32 + "5f52" + "6020" + "5f" + "f3")
FAILING = bytes.fromhex("fe")
# Stores 70,000 transient slots, more than a machine of the usual size has entries for, and then their number.
CROWDED = bytes.fromhex("5f5b60010180805d8062011170116001575f5500")


def environment(fork: str, number: int = 100) -> Environment:
    return Environment(number=number, coinbase=MINER, fork=fork, base_fee=7)


def with_code(**contracts: bytes) -> State:
    state = State()
    for name, code in contracts.items():
        state.set_code(CONTRACTS[name], code)
    return state


def test_roots_are_told_to_contracts_before_the_first_transaction() -> None:
    told = Operations(parent_hash=b"\1" * 32, beacon_root=b"\2" * 32)
    state, caller = with_code(beacon_roots=KEEPER, history=KEEPER), SystemCaller()
    operate_before(caller, state, environment("Prague"), FORKS["Prague"], told)
    assert state.storage(CONTRACTS["history"], 100) == int.from_bytes(told.parent_hash, "big")
    assert state.storage(CONTRACTS["beacon_roots"], 100) == int.from_bytes(told.beacon_root, "big")
    assert state.nonce(SYSTEM) == state.balance(SYSTEM) == state.balance(MINER) == 0
    other = with_code(beacon_roots=KEEPER, history=KEEPER)
    operate_before(caller, other, environment("Cancun"), FORKS["Cancun"], told)
    assert not other.storage(CONTRACTS["history"], 100)
    # Where there is no contract there is nothing to call.
    operate_before(caller, State(), environment("Prague"), FORKS["Prague"], told)


def test_a_call_that_does_not_fit_is_made_again_with_more_room() -> None:
    seen: list[int] = []
    state = with_code(beacon_roots=CROWDED)
    caller = SystemCaller(lambda machine: seen.append(int(machine.header["entry_count"])))
    operate_before(caller, state, environment("Cancun"), FORKS["Cancun"], Operations())
    assert state.storage(CONTRACTS["beacon_roots"], 0) == 70_000
    assert len(seen) == 1
    assert seen[0] > 70_000


def test_withdrawals_and_rewards_are_paid() -> None:
    paid: list[tuple[bytes, int]] = []

    def after(fork: str, operations: Operations) -> State:
        state = State()
        state.set_balance(MINER, 5)
        found = operate_after(
            SystemCaller(), state, environment(fork), FORKS[fork], operations, NONE, lambda *one: paid.append(one)
        )
        assert found is None
        return state

    twice = Operations(withdrawals=(Withdrawal(0, 0, MINER, 3), Withdrawal(1, 0, OTHER, 0), Withdrawal(2, 0, MINER, 4)))
    assert after("Shanghai", twice).balance(MINER) == 5 + 7 * 10**9
    assert paid == [(MINER, 3 * 10**9), (OTHER, 0), (MINER, 4 * 10**9)]
    # A fork that has none pays none.
    assert after("Paris", twice).balance(MINER) == 5
    ether = 10**18
    mined = after("London", Operations(uncles=(Uncle(OTHER, 98),)))
    assert mined.balance(MINER) == 5 + 2 * ether + ether // 16
    assert mined.balance(OTHER) == 2 * ether * 6 // 8


def test_requests_are_hashed_by_type_without_empty_ones() -> None:
    state = with_code(withdrawal_requests=ASKER, consolidation_requests=b"\0")
    found = operate_after(SystemCaller(), state, environment("Prague"), FORKS["Prague"], Operations(), NONE)
    one = hashlib.sha256(b"\1" + b"\x11" * 32).digest()
    assert found == hashlib.sha256(one).digest() == requests_hash([b"", b"\x11" * 32, b""])


@pytest.mark.parametrize(
    ("contracts", "reason"),
    [
        ({"withdrawal_requests": ASKER}, block_operations.NO_CONTRACT),
        ({"withdrawal_requests": FAILING, "consolidation_requests": ASKER}, block_operations.CALL_FAILED),
    ],
)
def test_a_block_that_cannot_ask_is_wrong(contracts: dict[str, bytes], reason: str) -> None:
    state = with_code(**contracts)
    with pytest.raises(BlockOperationError) as raised:
        operate_after(SystemCaller(), state, environment("Osaka"), FORKS["Osaka"], Operations(), NONE)
    assert raised.value.reason == reason


STORED = b"\xc3" * 20
ACCOUNTS = {
    "nothing but storage": (Account(storage={1: 2, 1 << 255: 3}), True),
    "a balance": (Account(1, storage={1: 2}), False),
    "a nonce": (Account(0, 1, storage={1: 2}), False),
    "code": (Account(0, 0, b"\x00", {1: 2}), False),
}


@pytest.mark.parametrize("wei", [0, 5])
@pytest.mark.parametrize("name", ACCOUNTS)
def test_who_has_nothing_but_storage_is_deleted_by_a_withdrawal_of_nothing(name: str, wei: int) -> None:
    """EIP-161: who is empty is deleted when it is touched; an account with storage is empty, too (EIP-7523)."""
    account, is_empty = ACCOUNTS[name]
    # Another one's storage, in the same slots, stays.
    state = new_state({STORED: account, OTHER: Account(storage={1: 2})})
    before = accounts_of(state)
    paid = Operations(withdrawals=(Withdrawal(0, 0, STORED, wei),))
    operate_after(SystemCaller(), state, environment("Shanghai"), FORKS["Shanghai"], paid, NONE)
    if wei:
        left = {**before, STORED: replace(account, balance=account.balance + wei * 10**9)}
    else:
        left = {address: one for address, one in before.items() if address != STORED or not is_empty}
    assert accounts_of(state) == left
    # What comes to be there begins without storage, and a contract can be created.
    if is_empty and not wei:
        assert state.storage(STORED, 1) == state.storage(STORED, 1 << 255) == 0


@pytest.mark.parametrize("executed", [True, False])
def test_a_transaction_that_pays_nothing_touches_the_beneficiary(executed: bool) -> None:
    state = new_state({MINER: Account(storage={1: 2})})
    receipts = replace(NONE, status=np.full(1, STATUS_SUCCESS if executed else STATUS_INVALID, np.uint8))
    operate_after(SystemCaller(), state, environment("Shanghai"), FORKS["Shanghai"], Operations(), receipts)
    assert bool(accounts_of(state)) == (not executed)
