"""Contexts: machines that workers hand on to each other, each with the transaction that stands on it.

There are several for each worker, so that a transaction that waits keeps its machine: stack, memory, and frames stay
where they are. One context is in the hands of each worker, the others are put aside with a transaction or lie free.
A worker that has executed a transaction takes the next one on the same machine; only one that puts a transaction
aside needs another, and only one that takes such a transaction up again has one to spare. Those are kept on a stack
(Treiber, "Systems programming: coping with parallelism", IBM 1986), whose head carries how often it was changed:
otherwise a worker that was held up between reading the head and replacing it could put back a list that others have
used meanwhile.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.strategies.placeholder.layout import CONTEXT, NUMBER_BITS, NUMBER_MASK


@kernel(inline=True)
def context_at(space, number):
    """One of the contexts."""
    return CONTEXT.item(space.contexts, space.context_count, number)


@kernel(inline=True)
def context_number(shared, space, txn_idx):
    """Number of the context that a transaction was put aside with."""
    return view_i64(space.context_of, shared.block_size)[U(txn_idx)]


@kernel(inline=True)
def _changed(head, number):
    """The stack's next head, with this context (plus one) on top."""
    return (((head >> NUMBER_BITS) + U1) << NUMBER_BITS) | number


@kernel()
def give_back(space, own):
    """Lay the context in the worker's hands with the free ones."""
    number = U(own.context)
    own.context = I(0)
    head = atomics.load(space, "free_contexts")
    while True:
        context_at(space, I(number) - 1).next = head & NUMBER_MASK
        found = atomics.compare_and_swap(space, "free_contexts", head, _changed(head, number))
        if found == head:
            break
        head = found
    atomics.add(space, "news", U1)


@kernel()
def borrow(space, worker, own):
    """Take a free context into the worker's hands. False when there is none."""
    head = atomics.load(space, "free_contexts")
    while head & NUMBER_MASK != U0:
        number = head & NUMBER_MASK
        below = atomics.load(context_at(space, I(number) - 1), "next")
        found = atomics.compare_and_swap(space, "free_contexts", head, _changed(head, below))
        if found == head:
            context = context_at(space, I(number) - 1)
            own.context = I(number)
            worker.machine = context.machine
            worker.reads = context.reads
            return True
        head = found
    return False


@kernel()
def put_down(worker, context):
    """Leave in a context what the worker knows of its transaction."""
    context.txn_idx = worker.txn_idx
    context.read_count = worker.read_count
    context.gas_spent = worker.gas_spent
    context.location = worker.met_location
    context.version = worker.met_version


@kernel()
def take_up(space, worker, own, txn_idx, number):
    """Take the context of a transaction that was put aside into the worker's hands; the one in them becomes free."""
    if own.context != 0:
        give_back(space, own)
    context = context_at(space, number)
    check(context.txn_idx == txn_idx)
    own.context = number + 1
    worker.machine = context.machine
    worker.reads = context.reads
    worker.txn_idx = context.txn_idx
    worker.incarnation = U0
    worker.read_count = context.read_count
    worker.gas_spent = context.gas_spent
    worker.met_location = context.location
    worker.met_version = context.version
