"""State roots and log hashes, as Ethereum commits to them: RLP and Merkle-Patricia tries of well-kept libraries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import rlp
from trie import HexaryTrie

from contend.evm import Log
from contend.evm.accounts import World
from contend.evm.crypto.keccak import keccak256

EMPTY_ROOT = keccak256(rlp.encode(b""))


def _number(value: int) -> bytes:
    """Give an integer as RLP wants it: big-endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def root_of(contents: Mapping[bytes, bytes]) -> bytes:
    """Root of the secure trie, in which keys are hashed first."""
    trie = HexaryTrie({}, prune=True)
    for key, value in contents.items():
        trie[keccak256(key)] = value
    return bytes(trie.root_hash) if contents else EMPTY_ROOT


def state_root(world: World) -> bytes:
    """Root of a state's accounts (Yellow Paper, section 4.1)."""
    accounts = {}
    for address, account in world.items():
        slots = {slot.to_bytes(32, "big"): rlp.encode(_number(word)) for slot, word in account.storage.items() if word}
        fields = [_number(account.nonce), _number(account.balance), root_of(slots), keccak256(account.code)]
        accounts[address] = bytes(rlp.encode(fields))
    return root_of(accounts)


def logs_hash(logs: Iterable[Log]) -> bytes:
    """Hash of a transaction's logs."""
    items = [[log.address, [topic.to_bytes(32, "big") for topic in log.topics], log.data] for log in logs]
    return keccak256(bytes(rlp.encode(items)))
