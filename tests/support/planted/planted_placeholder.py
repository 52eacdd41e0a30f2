"""Planted bugs of placeholders: what each replaced function does wrongly; see `planted_bugs`.

And the strategy under conditions that small blocks seldom make: few machines, and hints of which half is missing.
"""

from __future__ import annotations

from typing import ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.waiters.waiter_list import CLOSED
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.given import TRUTH
from contend.strategies.placeholder.contexts import context_at
from contend.strategies.placeholder.strategy import Placeholder


def fill_and_tell_nobody(shared, space, txn_idx):
    """Who waits for a transaction stays put aside when it has filled."""
    atomics.exchange(transaction_of(shared, txn_idx), "waiters", CLOSED)


def wake_only_the_first(shared, space, worker, own):
    """Who waits for another word than the first one stays put aside."""
    original(shared, space, worker, own)
    own.to_wake = U(0)
    return False


def leave_what_was_not_written(version, incarnation):
    """A placeholder for which no write comes stays as it is."""
    return True


def doubt_nothing(shared, space, txn_idx):
    """Who may have read past an unexpected write is not validated."""


def keep_no_context(space, own):
    """A context that its worker has no use for is lost."""
    own.context = I(0)


def put_down_without_the_reads(worker, context):
    """A transaction that is put aside forgets what it has read so far."""
    original(worker, context)
    context.read_count = I(0)


def wait_by_a_plain_store(shared, space, number, blocking_txn_idx):
    """Who waits for a transaction that fills at the same moment is told by nobody."""
    blocking = transaction_of(shared, blocking_txn_idx)
    head = atomics.load(blocking, "waiters")
    if head == CLOSED:
        return False
    context_at(space, number).next = head
    atomics.store(blocking, "waiters", U(number + 1))
    return True


class FewMachines(Placeholder):
    """Right hints, and no more machines than workers."""

    name: ClassVar[str] = "few_machines"
    given: ClassVar[str] = TRUTH
    machines_per_worker: ClassVar[int] = 1


class HalfTold(Placeholder):
    """Of every other transaction nothing is known."""

    name: ClassVar[str] = "half_told"
    given: ClassVar[str] = TRUTH

    def gather_hints(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Forget every other transaction's hints."""
        super().gather_hints(space, image, state)
        space.hints["count"][::2] = 0
