"""Encoding of block access lists: the RLP of EIP-7928, its hash, and three kinds that say less or more.

full
    As EIP-7928 has it.
locations
    The same without values: a slot's changes, and those of balance, nonce and code, are indices.
reads
    Addresses, each with the slots that are touched, whether read or written: what can be prefetched.
indexed
    As full, but in place of ``storage_reads`` the slots that somebody reads with the indices of their readers, and
    after the changes of the code the readers of balance, nonce and code. An extension of this project.

Every kind is a list of accounts. Decoding takes nothing but the one encoding that a list has: integers without leading
zeros, sizes in their shortest form, nothing behind the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from contend import strict_rlp
from contend.evm.access_list.list_content import (
    ADDRESS_BYTES,
    AccessList,
    AccessListError,
    AccountChanges,
    Readers,
)
from contend.evm.crypto.keccak import keccak256

FULL, LOCATIONS, READS, INDEXED = "full", "locations", "reads", "indexed"
KINDS = (FULL, LOCATIONS, READS, INDEXED)
# The shortest lists are a slot and one reader of it: two of them in four bytes.
BYTES_A_LIST = 2
_WORD_BYTES, _NONCE_BYTES, _INDEX_BYTES = 32, 8, 4


def encode(content: AccessList, kind: str = FULL) -> bytes:
    """Encode a list.

    Parameters
    ----------
    content : AccessList
        For the kind ``indexed`` one with readers.
    kind : str
        One of `KINDS`.
    """
    # Every process imports this module, few encode a list, and the library takes a third of a second to import.
    import rlp

    return bytes(rlp.encode([_WRITERS[kind](account) for account in content]))


def decode(data: bytes, kind: str = FULL, transactions: int | None = None, checked: bool = True) -> AccessList:
    """Decode a list and, unless told otherwise, check its order (`AccessList.check`).

    What a kind does not say is absent: values are zero in ``locations``, and in ``reads`` all slots are reads.

    Raises
    ------
    AccessListError
        If the bytes are none, in one line.
    """
    try:
        raw = strict_rlp.decode(data, BYTES_A_LIST)
    except strict_rlp.RlpError as error:
        raise AccessListError(f"the bytes are not RLP: {error}") from None
    content = AccessList(tuple(_READERS[kind](item) for item in _list(raw, "the list")))
    if checked:
        content.check(transactions)
    return content


def of_kind(data: bytes, kind: str) -> bytes | None:
    """A list of the kind ``full`` as another kind; None where that says more, or where the bytes are no list."""
    if kind == FULL:
        return data
    if kind == INDEXED:
        return None
    try:
        return encode(decode(data), kind)
    except AccessListError:
        return None


def hash_of(data: bytes) -> bytes:
    """Hash of an encoded list, as a header has it (``block_access_list_hash``)."""
    return keccak256(data)


# Writing


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _numbers(values: Iterable[int]) -> list[bytes]:
    return [_number(value) for value in values]


def _changes(changes: Iterable[tuple[int, int]]) -> list[list[bytes]]:
    return [[_number(index), _number(value)] for index, value in changes]


def _slot_lists(found: Iterable[tuple[int, Sequence[int]]]) -> list[list[Any]]:
    return [[_number(slot), _numbers(indices)] for slot, indices in found]


def _indices(changes: Iterable[tuple[int, Any]]) -> list[bytes]:
    return _numbers(index for index, _ in changes)


def _write_full(account: AccountChanges) -> list[Any]:
    return [
        account.address,
        [[_number(slot), _changes(changes)] for slot, changes in account.storage_changes],
        _numbers(account.storage_reads),
        _changes(account.balance_changes),
        _changes(account.nonce_changes),
        [[_number(index), code] for index, code in account.code_changes],
    ]


def _write_locations(account: AccountChanges) -> list[Any]:
    return [
        account.address,
        [[_number(slot), _indices(changes)] for slot, changes in account.storage_changes],
        _numbers(account.storage_reads),
        _indices(account.balance_changes),
        _indices(account.nonce_changes),
        _indices(account.code_changes),
    ]


def _write_reads(account: AccountChanges) -> list[Any]:
    slots = {*account.storage_reads, *(slot for slot, _ in account.storage_changes)}
    return [account.address, _numbers(sorted(slots))]


def _write_indexed(account: AccountChanges) -> list[Any]:
    readers = account.readers
    fields = _write_full(account)
    fields[2] = _slot_lists(readers.slots)
    return [*fields, _numbers(readers.balance), _numbers(readers.nonce), _numbers(readers.code)]


_WRITERS: dict[str, Callable[[AccountChanges], list[Any]]] = {
    FULL: _write_full,
    LOCATIONS: _write_locations,
    READS: _write_reads,
    INDEXED: _write_indexed,
}


# Reading


def _list(item: Any, where: str, count: int | None = None) -> Sequence[Any]:
    if isinstance(item, bytes):
        raise AccessListError(f"{where}: bytes where a list belongs")
    if count is not None and len(item) != count:
        raise AccessListError(f"{where}: {len(item)} items, not {count}")
    found: Sequence[Any] = item
    return found


def _bytes(item: Any, where: str) -> bytes:
    if not isinstance(item, bytes):
        raise AccessListError(f"{where}: a list where bytes belong")
    return item


def _integer(item: Any, where: str, most_bytes: int) -> int:
    raw = _bytes(item, where)
    if len(raw) > most_bytes:
        raise AccessListError(f"{where}: an integer of {len(raw)} bytes, at most {most_bytes} are allowed")
    if raw[:1] == b"\0":
        raise AccessListError(f"{where}: an integer with a leading zero")
    return int.from_bytes(raw, "big")


def _index_list(item: Any, where: str) -> tuple[int, ...]:
    return tuple(_integer(index, where, _INDEX_BYTES) for index in _list(item, where))


def _zero_changes(item: Any, where: str) -> tuple[tuple[int, int], ...]:
    return tuple((index, 0) for index in _index_list(item, where))


def _change_list(item: Any, where: str, most_bytes: int = _WORD_BYTES) -> tuple[tuple[int, int], ...]:
    pairs = (_list(pair, where, 2) for pair in _list(item, where))
    return tuple((_integer(i, where, _INDEX_BYTES), _integer(value, where, most_bytes)) for i, value in pairs)


def _code_list(item: Any, where: str) -> tuple[tuple[int, bytes], ...]:
    pairs = (_list(pair, where, 2) for pair in _list(item, where))
    return tuple((_integer(index, where, _INDEX_BYTES), _bytes(code, where)) for index, code in pairs)


def _slots(item: Any, where: str) -> tuple[int, ...]:
    return tuple(_integer(slot, where, _WORD_BYTES) for slot in _list(item, where))


def _by_slot(item: Any, where: str, read: Callable[[Any, str], tuple[Any, ...]]) -> tuple[tuple[int, Any], ...]:
    pairs = (_list(pair, where, 2) for pair in _list(item, where))
    return tuple((_integer(slot, where, _WORD_BYTES), read(found, where)) for slot, found in pairs)


def _account_fields(item: Any, count: int) -> tuple[bytes, str, Sequence[Any]]:
    fields = _list(item, "an account", count)
    address = _bytes(fields[0], "an account's address")
    if len(address) != ADDRESS_BYTES:
        raise AccessListError(f"an account's address: {len(address)} bytes, not {ADDRESS_BYTES}")
    return address, "0x" + address.hex(), fields


def _read_full(item: Any) -> AccountChanges:
    address, name, fields = _account_fields(item, 6)
    return _read_changes(address, name, fields, _slots(fields[2], f"{name} storage_reads"), Readers())


def _read_changes(
    address: bytes, name: str, fields: Sequence[Any], reads: tuple[int, ...], readers: Readers
) -> AccountChanges:
    return AccountChanges(
        address,
        _by_slot(fields[1], f"{name} storage_changes", _change_list),
        reads,
        _change_list(fields[3], f"{name} balance_changes"),
        _change_list(fields[4], f"{name} nonce_changes", _NONCE_BYTES),
        _code_list(fields[5], f"{name} code_changes"),
        readers,
    )


def _read_locations(item: Any) -> AccountChanges:
    address, name, fields = _account_fields(item, 6)
    return AccountChanges(
        address,
        _by_slot(fields[1], f"{name} storage_changes", _zero_changes),
        _slots(fields[2], f"{name} storage_reads"),
        _zero_changes(fields[3], f"{name} balance_changes"),
        _zero_changes(fields[4], f"{name} nonce_changes"),
        tuple((index, b"") for index in _index_list(fields[5], f"{name} code_changes")),
    )


def _read_reads(item: Any) -> AccountChanges:
    address, name, fields = _account_fields(item, 2)
    return AccountChanges(address, storage_reads=_slots(fields[1], f"{name} slots"))


def _read_indexed(item: Any) -> AccountChanges:
    address, name, fields = _account_fields(item, 9)
    slots = _by_slot(fields[2], f"{name} readers", _index_list)
    balance, nonce, code = (_index_list(fields[place], f"{name} readers") for place in (6, 7, 8))
    readers = Readers(slots, balance, nonce, code)
    changed = {slot for slot, _ in _by_slot(fields[1], f"{name} storage_changes", _change_list)}
    reads = tuple(slot for slot, _ in slots if slot not in changed)
    return _read_changes(address, name, fields, reads, readers)


_READERS: dict[str, Callable[[Any], AccountChanges]] = {
    FULL: _read_full,
    LOCATIONS: _read_locations,
    READS: _read_reads,
    INDEXED: _read_indexed,
}
