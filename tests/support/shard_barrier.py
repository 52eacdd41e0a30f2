"""When shards that are processes are at work: they meet at a barrier before each block."""

from __future__ import annotations

from collections.abc import Callable

from running import until

from contend.strategies.base import Strategy
from contend.strategies.sharded import Sharded
from contend.strategies.sharded.protocol.layout import CONTROL


def start_of_next_block(strategy: Strategy, shards: int) -> Callable[[], None]:
    """Give a function that waits until all shards have begun the next block. The last one must have ended."""
    assert isinstance(strategy, Sharded)
    pool = strategy._pool
    assert pool is not None
    # What the last block left would else stand there until the next one is loaded.
    pool._exchange.view()[:] = 0
    control = CONTROL.array_at(pool._exchange.address)[0]
    return lambda: until(lambda: int(control["arrived"]) == shards, "all shards have begun")
