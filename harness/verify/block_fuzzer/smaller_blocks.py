"""Making a failing block small: fewer transactions, fewer accounts, less code (Zeller and Hildebrandt, TSE 2002).

Where a transaction is left out, the later ones of its sender may fail for their nonce alone, and with them what was
wrong; so each block is also tried with those nonces closed up. Nothing else is repaired: a smaller block that no longer
fails is not taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from contend.evm import Transaction
from contend.evm.accounts import Account
from contend.harness.verify.block_fuzzer.block_case import BlockCase
from contend.harness.verify.evm_fuzzer.shrink import instructions, smaller_lists


def small_block(case: BlockCase, fails: Callable[[BlockCase], bool], seconds: float) -> BlockCase:
    """The smallest block that still fails, as far as single steps lead within the time."""
    ends = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for candidates in (_fewer_transactions, _fewer_accounts, _plainer_transactions, _less_code):
            again = True
            while again:
                again = False
                for candidate in candidates(case):
                    if time.monotonic() > ends:
                        return case
                    if fails(candidate):
                        case, again, smaller = candidate, True, True
                        break
    return case


def _fewer_transactions(case: BlockCase) -> Iterator[BlockCase]:
    everything = list(enumerate(case.transactions))
    for kept in smaller_lists(everything):
        places = {place for place, _ in kept}
        dropped = [one for place, one in everything if place not in places]
        yield replace(case, transactions=tuple(one for _, one in kept))
        yield replace(case, transactions=tuple(_closed_up(one, dropped) for _, one in kept))
    if case.withdrawals:
        yield replace(case, withdrawals=())


def _closed_up(one: Transaction, dropped: list[Transaction]) -> Transaction:
    """A transaction without the gaps that others of its sender have left; they were of lower nonces."""
    gap = sum(other.sender == one.sender and other.nonce < one.nonce for other in dropped)
    return replace(one, nonce=one.nonce - gap)


def _with_account(case: BlockCase, address: bytes, account: Account | None) -> BlockCase:
    world = {other: one for other, one in case.world.items() if other != address}
    if account is not None:
        world[address] = account
    return replace(case, world=world)


def _fewer_accounts(case: BlockCase) -> Iterator[BlockCase]:
    for address, account in case.world.items():
        yield _with_account(case, address, None)
        if account.storage:
            yield _with_account(case, address, replace(account, storage={}))
        for slot in account.storage if len(account.storage) > 1 else ():
            fewer = {other: word for other, word in account.storage.items() if other != slot}
            yield _with_account(case, address, replace(account, storage=fewer))


def _plainer_transactions(case: BlockCase) -> Iterator[BlockCase]:
    for place, one in enumerate(case.transactions):
        if one.access_list:
            yield case.with_transaction(place, access_list=())
        for fewer in smaller_lists(list(one.authorizations or ())):
            yield case.with_transaction(place, authorizations=tuple(fewer))
        if one.value:
            yield case.with_transaction(place, value=0)
        for size in (0, len(one.data) // 2, len(one.data) - 1):
            if 0 <= size < len(one.data):
                yield case.with_transaction(place, data=one.data[:size])


def _less_code(case: BlockCase) -> Iterator[BlockCase]:
    for address, account in case.world.items():
        for parts in smaller_lists(instructions(account.code)):
            yield _with_account(case, address, replace(account, code=b"".join(parts)))
