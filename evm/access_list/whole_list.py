"""Access list of a whole block: that of its transactions, with what the block does before and after them.

Strategies make the list of the transactions. What stands around them is done once and by no strategy
(`evm.drivers.block_operations`), so it is listed once, too, and joined to the list of whoever made one: index 0 for
what is done before, n + 1 for what is done after (EIP-7928). Indices of the parts are apart, so that joining is a
union: only a slot that one part reads and another changes is no read of the whole.

What operations touch is found as they are done; what they change, by the state before them and the state after. So two
calls that write a slot and write it back have read it, as with a transaction.

The caller of system calls is not named: nobody looks at it. A withdrawal names its account, whatever it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from contend.evm.access_list.assembly import Assembly
from contend.evm.access_list.building.access_log import IS_READ, IS_TOUCH, LOG, AccessLog, log_accesses
from contend.evm.access_list.difference import Before, state_before
from contend.evm.access_list.list_content import AccessList, AccountChanges, Change, Readers
from contend.evm.block import Block
from contend.evm.drivers.block_operations import Operations, operate_after, operate_before
from contend.evm.drivers.roomy_run import RoomyRun, with_enough_room
from contend.evm.drivers.serial import credit_beneficiary, run_serially
from contend.evm.drivers.system_calls import SYSTEM, SystemCaller
from contend.evm.errors import CapacityError
from contend.evm.forks import fork_named
from contend.evm.receipts import Receipts
from contend.evm.runtime.jit import kernel
from contend.evm.state import State, location_of
from contend.evm.vm.machine import Machine
from contend.evm.vm.transaction import open_machine


@kernel()
def _log_call(machine, rows, size, log):
    """Log what a machine has touched."""
    return log_accesses(open_machine(machine), rows, 0, size, LOG.at(log))


@dataclass
class _Touched:
    """What operations touch."""

    accounts: set[bytes] = field(default_factory=set)
    locations: set[tuple[bytes, str, int]] = field(default_factory=set)
    _log: AccessLog = field(default_factory=lambda: AccessLog(0))

    def observe(self, machine: Machine) -> None:
        """Note what a system call has touched."""
        log = self._log
        log.reset()
        if not _log_call(machine.address, log.address, log.size, log.log_address(0)):
            raise CapacityError("a system call touches more than its log has room for")
        keys, marks, _, _ = log.records()
        for key, mark in zip(keys, marks.tolist(), strict=True):
            address, kind, slot, _ = location_of(key)
            if address == SYSTEM:
                continue
            if mark & int(IS_TOUCH):
                self.accounts.add(address)
            if mark & int(IS_READ):
                self.locations.add((address, kind, slot))

    def pay(self, address: bytes, wei: int) -> None:
        """Note a payment."""
        self.accounts.add(address)
        if wei:
            self.locations.add((address, "balance", 0))

    def listed(self, before: Before, after: Before, index: int) -> AccessList:
        """The list of what was touched, given what the state had before the operations and has after them."""
        made = Assembly()
        for address in self.accounts:
            made.touch(address)
        for address, kind, slot in self.locations:
            made.read(address, kind, slot, index)
            word = after(address, kind, slot)
            if word == before(address, kind, slot):
                continue
            if isinstance(word, bytes):
                made.deploy(address, index, word)
            else:
                made.write(address, kind, slot, index, word)
        return made.finish()


@dataclass(frozen=True)
class ListedOperations:
    """What a block does before its transactions and after them, as lists.

    Attributes
    ----------
    before : AccessList
        Index 0.
    after : AccessList
        Index n + 1.
    between : State
        Before the transactions, and after what is done before them.
    """

    before: AccessList
    after: AccessList
    between: State

    def joined(self, transactions: AccessList) -> AccessList:
        """The list of the whole block, given that of its transactions."""
        return _joined((self.before, transactions, self.after))


def list_operations(block: Block, state: State, operations: Operations) -> ListedOperations:
    """List what a block does besides its transactions.

    Parameters
    ----------
    block : Block
    state : State
        Before all that the block does; put back.
    operations : Operations

    Raises
    ------
    BlockOperationError
        If the block cannot do it.
    CapacityError
        If a transaction needs more room than the largest machine has.
    """
    environment, fork = block.environment, fork_named(block.environment.fork)
    first, last = state.snapshot(), len(block) + 1
    try:
        touched, begin = _Touched(), state.copy()
        operate_before(SystemCaller(touched.observe), state, environment, fork, operations)
        before, between = touched.listed(state_before(begin), state_before(state), 0), state.copy()
        receipts = _executed(block, state)
        touched, ended = _Touched(), state.copy()
        operate_after(SystemCaller(touched.observe), state, environment, fork, operations, receipts, touched.pay)
        return ListedOperations(before, touched.listed(state_before(ended), state_before(state), last), between)
    finally:
        state.restore(first)


def _executed(block: Block, state: State) -> Receipts:
    """Receipts of a block's transactions, executed on a state that keeps what they write."""

    def attempt(run: RoomyRun, count: int) -> Receipts:
        ended = int(run_serially(*run.arguments, 0, count))
        run.refuse_fault(ended, "executing the block", {})
        credit_beneficiary(state.address, run.coinbase, run.fees)
        return run.table.collect(count)

    return with_enough_room(block, state, lambda image, scale: attempt(RoomyRun(image, state, scale), len(image)), True)


def _joined(parts: Sequence[AccessList]) -> AccessList:
    by_address: dict[bytes, list[AccountChanges]] = {}
    for part in parts:
        for account in part:
            by_address.setdefault(account.address, []).append(account)
    return AccessList(tuple(_joined_account(address, by_address[address]) for address in sorted(by_address)))


def _joined_account(address: bytes, parts: Sequence[AccountChanges]) -> AccountChanges:
    slots: dict[int, list[Change]] = {}
    readers: dict[int, list[int]] = {}
    for part in parts:
        for slot, changes in part.storage_changes:
            slots.setdefault(slot, []).extend(changes)
        for slot, indices in part.readers.slots:
            readers.setdefault(slot, []).extend(indices)
    reads = {slot for part in parts for slot in part.storage_reads}
    return AccountChanges(
        address,
        tuple((slot, tuple(changes)) for slot, changes in sorted(slots.items())),
        tuple(sorted(reads - set(slots))),
        tuple(change for part in parts for change in part.balance_changes),
        tuple(change for part in parts for change in part.nonce_changes),
        tuple(change for part in parts for change in part.code_changes),
        Readers(
            tuple((slot, tuple(indices)) for slot, indices in sorted(readers.items())),
            tuple(index for part in parts for index in part.readers.balance),
            tuple(index for part in parts for index in part.readers.nonce),
            tuple(index for part in parts for index in part.readers.code),
        ),
    )
