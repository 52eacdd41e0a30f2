"""RLP and the root of a Merkle-Patricia trie (Yellow Paper, appendices B and D), as official vectors state results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from evm import Log
from evm.keccak import keccak256
from tests.evm.runner import Account

Item: TypeAlias = "bytes | list[Item]"


def rlp(item: Item) -> bytes:
    """Recursive length prefix encoding."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _header(len(item), 0x80) + item
    body = b"".join(rlp(part) for part in item)
    return _header(len(body), 0xC0) + body


def _header(length: int, base: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    digits = number(length)
    return bytes([base + 55 + len(digits)]) + digits


def number(value: int) -> bytes:
    """An integer as RLP wants it: big-endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _compact(path: tuple[int, ...], is_leaf: bool) -> bytes:
    flag = 2 * is_leaf + len(path) % 2
    nibbles = (flag, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(16 * high + low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _node(entries: list[tuple[tuple[int, ...], bytes]]) -> Item:
    """The trie node over entries with distinct paths of one length."""
    first = entries[0][0]
    if len(entries) == 1:
        return [_compact(first, True), entries[0][1]]
    last = entries[-1][0]
    shared = next(i for i, (a, b) in enumerate(zip(first, last, strict=True)) if a != b)
    if shared:
        below = [(path[shared:], value) for path, value in entries]
        return [_compact(first[:shared], False), _reference(_node(below))]
    children: list[Item] = [b""] * 17
    for nibble in range(16):
        below = [(path[1:], value) for path, value in entries if path[0] == nibble]
        if below:
            children[nibble] = _reference(_node(below))
    return children


def _reference(node: Item) -> Item:
    encoded = rlp(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def root(contents: Mapping[bytes, bytes]) -> bytes:
    """Root of the secure trie: keys are hashed first."""
    if not contents:
        return keccak256(rlp(b""))
    entries = []
    for key, value in contents.items():
        path = tuple(nibble for byte in keccak256(key) for nibble in (byte >> 4, byte & 15))
        entries.append((path, value))
    return keccak256(rlp(_node(sorted(entries))))


def state_root(world: Mapping[bytes, Account]) -> bytes:
    """Root of a world state; empty accounts are no part of it (EIP-161)."""
    accounts = {}
    for address, account in world.items():
        slots = {slot.to_bytes(32, "big"): rlp(number(value)) for slot, value in account.storage.items() if value}
        if account.balance or account.nonce or account.code or slots:
            accounts[address] = rlp(
                [number(account.nonce), number(account.balance), root(slots), keccak256(account.code)]
            )
    return root(accounts)


def logs_hash(logs: list[Log]) -> bytes:
    """Hash of the list of logs."""
    return keccak256(rlp([[log.address, [t.to_bytes(32, "big") for t in log.topics], log.data] for log in logs]))
