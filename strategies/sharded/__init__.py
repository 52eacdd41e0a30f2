"""Sharded execution: the state divided by address over processes that share no state and exchange messages.

``strategy`` says how it works and why it is right. ``protocol`` has what a shard's step does, ``transport`` what
carries its messages. Around them: ``partitioning`` of state and block, the ``memory`` of a shard, the ``process_pool``
and each ``process`` in it, or a ``simulated_cluster`` of all shards in one process; and the ``results``.
"""

from contend.strategies.sharded.strategy import Sharded, ShardedOrdered

__all__ = ["Sharded", "ShardedOrdered"]
