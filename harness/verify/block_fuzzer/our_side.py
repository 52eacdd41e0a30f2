"""A generated block executed here: serially with all that it does, and its transactions by contenders."""

from __future__ import annotations

from dataclasses import dataclass

from contend.evm import Block, Receipts, Snapshot, State, Transaction, errors
from contend.evm.accounts import accounts_of, new_state
from contend.evm.drivers.block_operations import (
    BlockOperationError,
    Operations,
    Withdrawal,
    operate_after,
    operate_before,
)
from contend.evm.drivers.system_calls import SystemCaller
from contend.harness.verify.block_fuzzer.actors import signed_item
from contend.harness.verify.block_fuzzer.block_case import CHAIN, BlockCase
from contend.harness.verify.block_fuzzer.whole_result import WholeResult
from contend.harness.verify.full_receipts import bloom_of, full_receipts, list_root
from contend.harness.verify.state_root import state_root
from contend.harness.verify.whole_block.signed_transaction import transaction_of
from contend.strategies.serial import Serial


@dataclass(frozen=True)
class ExecutedBlock:
    """A block executed serially, for contenders to be held against.

    Attributes
    ----------
    state : State
        As whoever used it last left it.
    serial : Serial
    block : Block
    before, between : Snapshot
        Of the state before the transactions, and after them.
    receipts : Receipts
    """

    state: State
    serial: Serial
    block: Block
    before: Snapshot
    between: Snapshot
    receipts: Receipts


class OurSide:
    """Executes cases, keeping machines from one to the next."""

    def __init__(self) -> None:
        self._serial = Serial()
        self._caller = SystemCaller()

    def run(self, case: BlockCase) -> tuple[WholeResult, ExecutedBlock]:
        """Execute a block with all that it does."""
        state, environment = new_state(case.world), case.environment
        transactions = tuple(_received(one, case, place) for place, one in enumerate(case.transactions))
        block = Block(environment, transactions, binding_order=True)
        operations = Operations(
            case.parent_hash,
            case.beacon_root,
            tuple(Withdrawal(place, place, one.address, one.gwei) for place, one in enumerate(case.withdrawals)),
        )
        operate_before(self._caller, state, environment, case.rules, operations)
        before = state.snapshot()
        receipts = self._serial.execute(block, state, 1).receipts
        executed = ExecutedBlock(state, self._serial, block, before, state.snapshot(), receipts)
        requests, invalid = None, None
        try:
            requests = operate_after(self._caller, state, environment, case.rules, operations, receipts)
        except BlockOperationError as error:
            invalid = str(error)
        refused = {
            place: receipts.error(place) or "for no reason"
            for place in range(len(block))
            if receipts.status[place] == errors.STATUS_INVALID
        }
        full = full_receipts(receipts, [one.type for one in case.transactions])
        made = {place: one for place, one in enumerate(full) if place not in refused}
        encodings = {place: one.encoded() for place, one in made.items()}
        accounts = accounts_of(state) if invalid is None else {}
        bloom = bloom_of(log for one in made.values() for log in one.logs)
        root = state_root(accounts) if invalid is None else None
        receipts_root = list_root(list(encodings.values()))
        result = WholeResult(refused, made, encodings, receipts_root, bloom, requests, invalid, accounts, root)
        return result, executed


def _received(one: Transaction, case: BlockCase, place: int) -> Transaction:
    """A transaction as whoever receives the block decodes it; of a type that the fork lacks, as it was made."""
    if one.type not in case.rules.transaction_types or (one.to is None and one.type in (3, 4)):
        return one
    return transaction_of(signed_item(one, CHAIN), case.rules, CHAIN, f"transaction {place}")
