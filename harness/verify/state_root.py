"""State roots and log hashes, as Ethereum commits to them."""

from __future__ import annotations

from collections.abc import Iterable

import rlp

from contend.evm import Log
from contend.evm.accounts import World, new_state
from contend.evm.crypto.keccak import keccak256
from contend.node.state_root.state_trie import StateTrie

EMPTY_ROOT = keccak256(rlp.encode(b""))


def state_root(world: World) -> bytes:
    """Root of a state's accounts, of empty ones too if there are any (Yellow Paper, section 4.1)."""
    state = new_state(world)
    for address, account in world.items():
        if not (account.balance or account.nonce or account.code or any(account.storage.values())):
            state.mark_storage(address)
    return StateTrie.of(state).root


def logs_hash(logs: Iterable[Log]) -> bytes:
    """Hash of a transaction's logs."""
    items = [[log.address, [topic.to_bytes(32, "big") for topic in log.topics], log.data] for log in logs]
    return keccak256(bytes(rlp.encode(items)))
