"""Store: records of a state by key, wherever they lie.

A record is what one look-up brings. An account is one: its nonce, its balance and the hash of its code come together,
as in the tries of a node. A storage slot is one, and so is a code.

    key                                      record
    20 bytes: an address                     `ACCOUNT_BYTES`: nonce (8), balance (32), hash of the code (32)
    52 bytes: an address and a slot          32 bytes: the word in the slot
    32 bytes: the hash of a code             the code

Numbers are big-endian. The hash of an account without code is 32 zeros. What a store does not have is zero: there is no
record of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from contend.evm import State
from contend.evm.code.directory import EMPTY_HASH
from contend.evm.state import location_of, word_to_int
from contend.node.base import StageError

ADDRESS_BYTES, SLOT_KEY_BYTES, HASH_BYTES, WORD_BYTES = 20, 52, 32, 32
ACCOUNT_BYTES = 72
NO_CODE = bytes(HASH_BYTES)


Opener = tuple[Callable[..., "Store"], tuple[Any, ...]]


class StoreError(StageError):
    """A store that cannot be had or read: damaged, of another state, of a newer version, or on a disk that is full."""


class Store(ABC):
    """Records by key; what is written into it is its own business.

    Attributes
    ----------
    name : str
        As ``--state`` has it.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a record of a measurement says of it: plain data."""

    @property
    def trouble(self) -> str:
        """What may be wrong where reads from kernels fail, in words."""
        return "the device gives nothing"

    @property
    def opener(self) -> Opener:
        """What another process calls to have the same store, with which arguments: both can be pickled.

        Raises
        ------
        StoreError
            If there is none.
        """
        raise StoreError(f"state: a {self.name} store cannot be read by processes of shards; leave sharded out")

    @abstractmethod
    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records of some keys in their order, None for what there is no record of.

        Called by several threads at once; it should hold no GIL while it waits for the device.

        Raises
        ------
        StoreError
            If the device fails, or what it gives is damaged.
        """

    def drop_cache(self) -> None:  # noqa: B027  # many keep nothing
        """Have nothing of it in memory any more, as far as the system lets one. Outside the time."""

    def close(self) -> None:  # noqa: B027  # many hold nothing
        """Give back what it holds open."""


class Account(NamedTuple):
    """An account as its record has it."""

    nonce: int
    balance: int
    code_hash: bytes


def account_record(account: Account) -> bytes:
    """Record of an account, `ACCOUNT_BYTES` long."""
    return account.nonce.to_bytes(8, "big") + account.balance.to_bytes(WORD_BYTES, "big") + account.code_hash


def account_of(record: bytes) -> Account:
    """The account that a record is of."""
    return Account(int.from_bytes(record[:8], "big"), int.from_bytes(record[8:40], "big"), record[40:])


def records_of(state: State) -> Iterator[tuple[bytes, bytes]]:
    """All records of a state as keys and records: accounts first, then slots, then each code once.

    Slots of storages that were destroyed, or came after one that was, are left out: they stay in memory.
    """
    accounts: dict[bytes, dict[str, int]] = {}
    slots: list[tuple[bytes, bytes]] = []
    for key, word in _words_of(state):
        if key.kind == "storage":
            if key.generation == 0:
                slots.append((key.address + key.slot.to_bytes(WORD_BYTES, "big"), word.to_bytes(WORD_BYTES, "big")))
        elif key.kind != "generation":
            accounts.setdefault(key.address, {})[key.kind] = word
    hashes: dict[bytes, None] = {}
    for address, fields in accounts.items():
        code_hash = fields.get("code", 0).to_bytes(HASH_BYTES, "big")
        if code_hash not in (NO_CODE, EMPTY_HASH):
            hashes[code_hash] = None
        yield address, account_record(Account(fields.get("nonce", 0), fields.get("balance", 0), code_hash))
    yield from slots
    for code_hash in hashes:
        yield code_hash, bytes(state.codes[state.codes.number_of(code_hash)].code)


def _words_of(state: State) -> Iterable[tuple[Any, int]]:
    for key, word in zip(state.keys, state.values, strict=True):
        if word.any():
            yield location_of(key), word_to_int(word)
