"""Access lists with one thing wrong, by name, for those that must refuse them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import ClassVar

from contend.evm import Block, State
from contend.evm.access_list import AccessList, AccountChanges, decode, encode
from contend.strategies.bal.strategy import Bal
from contend.strategies.base import Outcome

Damage = Callable[[AccountChanges, Random], AccountChanges | None]


def _of_slot(
    account: AccountChanges, random: Random, change: Callable[[list[tuple[int, int]]], None]
) -> AccountChanges:
    slots = list(account.storage_changes)
    place = random.randrange(len(slots))
    slot, changes = slots[place]
    altered = list(changes)
    change(altered)
    slots[place] = slot, tuple(altered)
    return replace(account, storage_changes=tuple(slots))


def wrong_value(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot has another word after one of its changes."""
    if not account.storage_changes:
        return None

    def change(changes: list[tuple[int, int]]) -> None:
        place = random.randrange(len(changes))
        changes[place] = changes[place][0], changes[place][1] ^ 1

    return _of_slot(account, random, change)


def wrong_balance(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A balance is one wei more."""
    if not account.balance_changes:
        return None
    changes = list(account.balance_changes)
    place = random.randrange(len(changes))
    changes[place] = changes[place][0], changes[place][1] + 1
    return replace(account, balance_changes=tuple(changes))


def wrong_nonce(account: AccountChanges, random: Random) -> AccountChanges | None:
    """The last nonce is one more."""
    if not account.nonce_changes:
        return None
    *before, (index, nonce) = account.nonce_changes
    return replace(account, nonce_changes=(*before, (index, nonce + 1)))


def wrong_index(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot's last change stands one transaction later."""
    if not account.storage_changes:
        return None

    def change(changes: list[tuple[int, int]]) -> None:
        changes[-1] = changes[-1][0] + 1, changes[-1][1]

    return _of_slot(account, random, change)


def kept_no_op(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot's last word is written once more."""
    if not account.storage_changes:
        return None
    return _of_slot(account, random, lambda changes: changes.append((changes[-1][0] + 1, changes[-1][1])))


def missing_change(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot is not named."""
    if not account.storage_changes:
        return None
    slots = list(account.storage_changes)
    del slots[random.randrange(len(slots))]
    return replace(account, storage_changes=tuple(slots))


def missing_balance(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A change of the balance is not named."""
    if not account.balance_changes:
        return None
    changes = list(account.balance_changes)
    del changes[random.randrange(len(changes))]
    return replace(account, balance_changes=tuple(changes))


def superfluous_change(account: AccountChanges, random: Random) -> AccountChanges:
    """A slot changes that nobody touches."""
    slots = sorted([*account.storage_changes, (random.getrandbits(255), ((1, 5),))])
    return replace(account, storage_changes=tuple(slots))


def missing_read(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot that is read is not named."""
    if not account.storage_reads:
        return None
    reads = list(account.storage_reads)
    del reads[random.randrange(len(reads))]
    return replace(account, storage_reads=tuple(reads))


def superfluous_read(account: AccountChanges, random: Random) -> AccountChanges:
    """A slot is named that nobody reads."""
    return replace(account, storage_reads=tuple(sorted({*account.storage_reads, random.getrandbits(255)})))


def write_called_read(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot that changes is named as one that is only read."""
    if not account.storage_changes:
        return None
    slots = list(account.storage_changes)
    slot, _ = slots.pop(random.randrange(len(slots)))
    reads = tuple(sorted({*account.storage_reads, slot}))
    return replace(account, storage_changes=tuple(slots), storage_reads=reads)


def read_called_write(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot that is only read is named with a change."""
    if not account.storage_reads:
        return None
    reads = list(account.storage_reads)
    slot = reads.pop(random.randrange(len(reads)))
    slots = tuple(sorted([*account.storage_changes, (slot, ((1, 5),))]))
    return replace(account, storage_changes=slots, storage_reads=tuple(reads))


def slots_in_wrong_order(account: AccountChanges, random: Random) -> AccountChanges | None:
    """Two slots have changed places."""
    if len(account.storage_changes) < 2:
        return None
    return replace(account, storage_changes=account.storage_changes[::-1])


def slot_named_twice(account: AccountChanges, random: Random) -> AccountChanges | None:
    """A slot stands among the changes and among the reads."""
    if not account.storage_changes:
        return None
    slot = random.choice(account.storage_changes)[0]
    return replace(account, storage_reads=tuple(sorted({*account.storage_reads, slot})))


# What each damage of an account may be called.
DAMAGES: dict[Damage, tuple[str, ...]] = {
    wrong_value: ("wrong value", "kept no-op"),
    wrong_balance: ("wrong value",),
    wrong_nonce: ("wrong value",),
    wrong_index: ("wrong index", "malformed"),
    kept_no_op: ("kept no-op", "malformed", "wrong value"),
    missing_change: ("missing entry",),
    missing_balance: ("missing entry",),
    superfluous_change: ("superfluous entry", "kept no-op"),
    missing_read: ("missing entry",),
    superfluous_read: ("superfluous entry",),
    write_called_read: ("write called a read",),
    read_called_write: ("read called a write", "kept no-op"),
    slots_in_wrong_order: ("wrong order",),
    slot_named_twice: ("wrong order",),
}


def damaged(data: bytes, damage: Damage, random: Random) -> bytes | None:
    """A list with one of its accounts damaged; None where no account can be damaged so."""
    accounts = list(decode(data))
    for place in random.sample(range(len(accounts)), len(accounts)):
        found = damage(accounts[place], random)
        if found is not None:
            accounts[place] = found
            return encode(AccessList(tuple(accounts)))
    return None


def without_account(data: bytes, random: Random) -> bytes:
    """A list that does not name one of its accounts."""
    accounts = list(decode(data))
    del accounts[random.randrange(len(accounts))]
    return encode(AccessList(tuple(accounts)))


def with_account(data: bytes, random: Random) -> bytes:
    """A list that names an account that nobody touches."""
    added = AccountChanges(random.randbytes(20))
    return encode(AccessList(tuple(sorted([*decode(data), added], key=lambda account: account.address))))


def with_accounts_swapped(data: bytes, random: Random) -> bytes:
    """A list of which the first two accounts have changed places."""
    first, second, *rest = decode(data)
    return encode(AccessList((second, first, *rest)))


class LyingList(Bal):
    """`bal` with a list in which a slot's first change, or a balance's if no slot changes, is one off."""

    name: ClassVar[str] = "lying_list"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute with another list than the one that came."""
        came = self.knowledge
        self.knowledge = replace(came, access_list=with_a_lie(came.access_list or b""))
        try:
            return super().execute(block, state, workers)
        finally:
            self.knowledge = came


def with_a_lie(data: bytes) -> bytes:
    """The list with one value one off."""
    accounts = list(decode(data))
    for place, account in enumerate(accounts):
        if account.storage_changes:
            (slot, ((index, word), *later)), *others = account.storage_changes
            changes = ((slot, ((index, word ^ 1), *later)), *others)
            accounts[place] = replace(account, storage_changes=changes)
            return encode(AccessList(tuple(accounts)))
    for place, account in enumerate(accounts):
        if account.balance_changes:
            (index, balance), *rest = account.balance_changes
            accounts[place] = replace(account, balance_changes=((index, balance ^ 1), *rest))
            return encode(AccessList(tuple(accounts)))
    return data
