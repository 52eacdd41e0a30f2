"""List of a whole block: what is done before and after its transactions, at indices 0 and n + 1."""

from __future__ import annotations

import pytest

from contend.evm import Block, Environment, State, Transaction
from contend.evm.access_list import AccountChanges, access_list_content, list_operations
from contend.evm.drivers.block_operations import BlockOperationError, Operations, Withdrawal
from contend.evm.drivers.system_calls import CONTRACTS, SYSTEM

SENDER, MINER, IDLE = b"\xa1" * 20, b"\xb2" * 20, b"\xc3" * 20
HISTORY, REQUESTS = CONTRACTS["history"], CONTRACTS["withdrawal_requests"]
# Keeps the word that it is given in slot 1, having looked at slot 2; a transaction's call does the same.
KEEPER = bytes.fromhex("600254505f3560015500")
# Writes slot 1 and writes it back, and looks at slot 3.
UNDOING = bytes.fromhex("60076001555f6001556003545000")


def whole_block() -> tuple[Block, State, Operations]:
    state = State()
    state.set_balance(SENDER, 10**24)
    state.set_code(HISTORY, KEEPER)
    state.set_code(REQUESTS, UNDOING)
    state.set_code(CONTRACTS["consolidation_requests"], b"\0")
    call = Transaction(SENDER, HISTORY, 0, data=b"\5" * 32)
    paid = Withdrawal(0, 0, MINER, 3), Withdrawal(1, 0, IDLE, 0), Withdrawal(2, 0, MINER, 4)
    operations = Operations(parent_hash=b"\6" * 32, withdrawals=paid)
    return Block(Environment(coinbase=MINER, fork="Prague"), (call,)), state, operations


def account(accounts: tuple[AccountChanges, ...], address: bytes) -> AccountChanges:
    return next(one for one in accounts if one.address == address)


def test_operations_stand_at_the_first_and_the_last_index() -> None:
    block, state, operations = whole_block()
    before = state.digest()
    listed = list_operations(block, state, operations)
    assert state.digest() == before
    whole = listed.joined(access_list_content(block, listed.between))
    whole.check(len(block))
    history = account(whole.accounts, HISTORY)
    assert history.storage_changes == (
        (1, ((0, int.from_bytes(b"\6" * 32, "big")), (1, int.from_bytes(b"\5" * 32, "big")))),
    )
    assert history.storage_reads == (2,)
    assert history.readers.slots == ((2, (0, 1)),)
    # Two writes of which nothing is left are a read.
    requests = account(whole.accounts, REQUESTS)
    assert (requests.storage_changes, requests.storage_reads) == ((), (1, 3))
    miner = account(whole.accounts, MINER)
    assert [index for index, _ in miner.balance_changes] == [1, 2]
    assert miner.balance_changes[1][1] - miner.balance_changes[0][1] == 7 * 10**9
    # A withdrawal of nothing names its account; the caller of system calls is not named.
    assert account(whole.accounts, IDLE) == AccountChanges(IDLE)
    assert SYSTEM not in {one.address for one in whole}


def test_what_one_part_reads_and_another_changes_is_no_read_of_the_whole() -> None:
    block, state, operations = whole_block()
    state.set_code(HISTORY, bytes.fromhex("6001545000"))
    listed = list_operations(block, state, operations)
    assert account(listed.before.accounts, HISTORY).storage_reads == (1,)
    state.set_code(HISTORY, KEEPER)
    whole = listed.joined(access_list_content(block, state))
    changed = account(whole.accounts, HISTORY)
    assert [slot for slot, _ in changed.storage_changes] == [1]
    assert changed.storage_reads == (2,)
    assert changed.readers.slots == ((1, (0,)), (2, (1,)))


def test_a_block_that_cannot_do_what_it_has_to_leaves_the_state() -> None:
    block, state, operations = whole_block()
    state.set_code(REQUESTS, b"")
    before = state.digest()
    with pytest.raises(BlockOperationError):
        list_operations(block, state, operations)
    assert state.digest() == before
