"""Sharded execution: the state divided by address over processes that share no state and exchange messages.

``strategy`` says how it works and why it is right; ``layout`` has the memory of a shard. From the step downwards:
``worker``, ``coordinator`` (``execution``, ``commit``, ``slots``, ``run_queue``), ``participant``, ``lock_manager``,
``commit_order``, ``epilogue``, ``messages``. Messages travel through ``rings`` between processes (``process_pool``,
``process``, ``shared_memory``), or through ``simulated_network`` in a ``simulated_cluster``.
"""

from strategies.sharded.strategy import Sharded, ShardedOrdered

__all__ = ["Sharded", "ShardedOrdered"]
