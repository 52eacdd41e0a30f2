"""Cost of a step of the state root: amounts of work by class (`strategies.clocks.cost_table`)."""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.clocks import cost_table

COST_LANE_BLOCK = cost_table.LANE_BLOCK
COST_TRIE_CHANGE = cost_table.TRIE_CHANGE
COST_TRIE_NODE = cost_table.TRIE_NODE
COST_TRIE_CHILD = cost_table.TRIE_CHILD
_CLASSES = cost_table.COUNT


@kernel(inline=True)
def spend(tries, worker, cost_class, amount):
    """Add so much work of a class to the step in hand."""
    worker.cost_ps += view_u64(tries.costs, _CLASSES)[cost_class] * U(amount)
