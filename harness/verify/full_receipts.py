"""Full receipts: what a chain keeps of a block's transactions, and the roots by which headers commit to lists.

Kernels leave what one transaction did by itself (`evm.receipts`). What depends on its place is added here, in the
block's order: the gas of the block up to it, the number of its first log, the filter of its logs, its type (Yellow
Paper, section 4.4.1; EIP-658, EIP-2718).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rlp
from trie import HexaryTrie

from contend.evm import Log, Receipts
from contend.evm.crypto.keccak import keccak256
from contend.harness.verify.state_root import EMPTY_ROOT

BLOOM_BITS = 2048


@dataclass(frozen=True)
class FullReceipt:
    """Receipt of one transaction of a block.

    Attributes
    ----------
    kind : int
        Type of the transaction (EIP-2718); 0 for one without.
    status : int
        1 for success, 0 for failure.
    gas_used : int
        By the transaction.
    cumulative_gas : int
        By the block's transactions up to this one.
    first_log : int
        Number of its first log among the block's.
    bloom : bytes
        Filter of addresses and topics of its logs, 256 bytes.
    logs : tuple of Log
    """

    kind: int
    status: int
    gas_used: int
    cumulative_gas: int
    first_log: int
    bloom: bytes
    logs: tuple[Log, ...]

    def encoded(self) -> bytes:
        """As it is hashed: a list in RLP, behind its type where it has one."""
        items = [[log.address, _topics(log), log.data] for log in self.logs]
        body = bytes(rlp.encode([self.status, self.cumulative_gas, self.bloom, items]))
        return (bytes([self.kind]) if self.kind else b"") + body


def full_receipts(receipts: Receipts, kinds: Sequence[int]) -> tuple[FullReceipt, ...]:
    """Receipts of a block whose transactions are all valid, in its order.

    Parameters
    ----------
    receipts : Receipts
    kinds : sequence of int
        Types of the transactions.
    """
    made, gas, first = [], 0, 0
    for index, kind in enumerate(kinds):
        used, logs = int(receipts.gas_used[index]), tuple(receipts.logs(index))
        gas += used
        made.append(FullReceipt(kind, int(receipts.status[index]), used, gas, first, bloom_of(logs), logs))
        first += len(logs)
    return tuple(made)


def _topics(log: Log) -> list[bytes]:
    return [topic.to_bytes(32, "big") for topic in log.topics]


def bloom_of(logs: Iterable[Log]) -> bytes:
    """Bloom filter of logs: three of 2,048 bits for each address and topic (Yellow Paper, section 4.4.3)."""
    bits = 0
    for log in logs:
        for part in (log.address, *_topics(log)):
            digest = keccak256(part)
            for at in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") % BLOOM_BITS)
    return bits.to_bytes(BLOOM_BITS // 8, "big")


def block_bloom(receipts: Receipts) -> bytes:
    """Bloom filter of all logs of a block."""
    return bloom_of(log for index in range(len(receipts)) for log in receipts.logs(index))


def list_root(encoded: Sequence[bytes]) -> bytes:
    """Root of the trie of a list, whose keys are places: of transactions, receipts, withdrawals."""
    trie = HexaryTrie({}, prune=True)
    for place, one in enumerate(encoded):
        trie[bytes(rlp.encode(place))] = one
    return bytes(trie.root_hash) if encoded else EMPTY_ROOT


def receipts_root(receipts: Receipts, kinds: Sequence[int]) -> bytes:
    """Root of the trie of receipts."""
    return list_root([one.encoded() for one in full_receipts(receipts, kinds)])
