"""Doubted transactions: validated, and repaired, while others still execute for the first time.

A write that nobody expected misleads who reads past it, and what that writes misleads others. Were all validated in the
end, a hot chain would be executed twice from the first such write on. So from the first doubt on what is executed is
validated behind the executed prefix (`strategies.block_stm.executed_prefix`), in the block's order, before anything
else is begun. An abort takes back the word at the stale location; who has read that is found stale right behind, and so
on as far as the chain has come, at the cost of validations. There it meets an ESTIMATE, and goes on when the repaired
words arrive.

Who meets a version that is written again waits in place (`strategies.block_stm.waiters.repairing`). Where nothing is in
doubt, nobody looks for any of this.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.executed_prefix import advance_prefix, next_to_validate


@kernel()
def next_doubted(shared, worker, space):
    """Look at the next transaction to be validated; results as of `executed_prefix.next_to_validate`."""
    # Whoever comes first after the first doubt finds all that was executed before.
    prefix = I(atomics.load(space, "executed_prefix"))
    end = advance_prefix(shared, space)
    while end > prefix:
        prefix = end
        end = advance_prefix(shared, space)
    return next_to_validate(shared, worker, space)
