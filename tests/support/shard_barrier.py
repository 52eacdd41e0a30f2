"""When shards that are processes are at work: they meet at a barrier before each block."""

from __future__ import annotations

from collections.abc import Callable

from contend.strategies.sharded.layout import C_ARRIVED
from running import until

from contend.strategies.base import Strategy
from contend.strategies.sharded import Sharded


def start_of_next_block(strategy: Strategy, shards: int) -> Callable[[], None]:
    """Give a function that waits until all shards have begun the next block. The last one must have ended."""
    assert isinstance(strategy, Sharded)
    pool = strategy._pool
    assert pool is not None
    control = pool._exchange.view()
    # What the last block left would else stand there until the next one is loaded.
    control[:] = 0
    return lambda: until(lambda: int(control[int(C_ARRIVED)]) == shards, "all shards have begun")
