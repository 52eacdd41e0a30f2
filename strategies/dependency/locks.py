"""Locks: ordered queues of shared and exclusive locks over known sets, without speculation about writes.

As in Calvin (Thomson et al., SIGMOD 2012), each transaction asks for all its locks before it is executed, in the
block's order, and a lock is granted in the order in which it was asked for: so there is no deadlock, and the order of
conflicting transactions is the block's. As in DORADD (Liu et al., PPoPP 2025) locks are asked for while earlier
transactions execute; as with the account locks of Solana's runtime many readers share one. A location's queue is that
of `strategies.dependency.linking` with readers in it. All locks are given back when the writes are visible.

The sets are hints here. What a transaction touches without a lock is found by validation, and repaired.
"""

from __future__ import annotations

from typing import ClassVar

from contend.strategies.dependency.graph_engine import GraphStrategy


class Locks(GraphStrategy):
    """Transactions when they hold the locks of all that they are known to touch."""

    name: ClassVar[str] = "locks"
    summary: ClassVar[str] = "ordered lock queues over known sets, shared and exclusive (Calvin, DORADD, Solana)"
    exclusive: ClassVar[bool] = True
