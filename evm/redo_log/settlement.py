"""Settlement: a log computed anew to the end, where SSTOREs may take other gas than they did.

Which gas an SSTORE takes depends on words that may have changed: the first who writes a slot pays more than others.
That alone is no reason to execute a transaction again if nothing has looked at the gas left since (GAS, and every call,
which is given a share of it), and if enough is left, so that no instruction fails for want of it. Then the gas used,
the fee and what the sender gets back follow, as at the end of any transaction (`evm.vm.transaction.end_transaction`).

The last entry of a log is the sum of the sender's balance and what it got back; before it stands that constant.
"""

from __future__ import annotations

from contend.evm.redo_log.recompute import BROKEN, HOLDS, change_input, recompute
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import multiply
from contend.evm.vm.gas import GAS_STORAGE_SENTRY
from contend.evm.vm.transaction import gas_given_back

BEHIND = 2  # entries of the settlement: a constant and a sum


@kernel()
def redo(entries, count, first, left, refund, floor_gas, gas_seen, transaction, rules, receipt):
    """Compute a log anew, whose inputs have been changed; gas and fee of the receipt, if they are others.

    Parameters
    ----------
    entries, count, first : int
        As of `recompute`.
    left, refund, floor_gas, gas_seen : int
        As in the log (`evm.redo_log.log_layout.REDO_LOG`).
    transaction : evm.layout.TRANSACTION
    rules : evm.layout.RULES
    receipt : evm.receipts.RECEIPT

    Returns
    -------
    tuple of int
        `HOLDS` or `BROKEN`, and how many entries were computed.
    """
    end = count - BEHIND
    found, done, gas, most_gas, more_refund = recompute(entries, count, first, end, gas_seen, rules.clear_refund)
    if found != HOLDS:
        return found, done
    if (gas | most_gas | more_refund) != 0:
        if most_gas > 0 and left - most_gas <= GAS_STORAGE_SENTRY:
            return BROKEN, done
        gas_limit = U(transaction.gas_limit)
        counted = refund + U(more_refund)
        given_back = gas_given_back(gas_limit, U(left - gas), counted, rules.refund_quotient, floor_gas)
        used = gas_limit - given_back
        receipt.gas_used = I(used)
        receipt.fee = multiply((used, U0, U0, U0), transaction.tip)
        change_input(entries, count, end, multiply((given_back, U0, U0, U0), transaction.gas_price))
    found, more, _, _, _ = recompute(entries, count, end, count, gas_seen, rules.clear_refund)
    return found, done + more
