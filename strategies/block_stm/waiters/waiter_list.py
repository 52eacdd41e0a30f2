"""Waiter list: who waits for a transaction, until it has done what they wait for; then it is closed and stays closed.

A list through words that its members bring along, each with the number of the one behind it: nothing is allocated. Who
joins does so by compare-and-swap, who closes takes all by one exchange (Treiber, "Systems programming: coping with
parallelism", IBM 1986; only that nobody is ever taken off alone, so that no head can come back unnoticed).
The package's docstring says why nobody is missed.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U1, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import U64, Struct

WAITER_LIST = Struct("WaiterList", first=U64)  # who has joined last, plus one; zero for nobody; or `CLOSED`
WAITER_LINK = Struct("WaiterLink", next=U64)  # likewise, who has joined before
CLOSED = U((1 << 64) - 1)


@kernel()
def join(waiters, link, number):
    """Put somebody, by number, on the list whose head is at an address; `link` is its own. False if it is closed.

    Once on the list, it may be gone on with by whoever closes that.
    """
    head, own = WAITER_LIST.at(waiters), WAITER_LINK.at(link)
    first = atomics.load(head, "first")
    while first != CLOSED:
        own.next = first
        found = atomics.compare_and_swap(head, "first", first, U(number) + U1)
        if found == first:
            return True
        first = found
    return False


@kernel()
def close(waiters):
    """Close a list: who has joined it last, plus one, or zero."""
    first = atomics.exchange(WAITER_LIST.at(waiters), "first", CLOSED)
    check(first != CLOSED)
    return first


@kernel(inline=True)
def last_of(waiters):
    """Who has joined a list last, plus one, or zero; it is not closed."""
    first = atomics.load(WAITER_LIST.at(waiters), "first")
    check(first != CLOSED)
    return first


@kernel(inline=True)
def is_closed(waiters):
    """Whether a list is closed."""
    return atomics.load(WAITER_LIST.at(waiters), "first") == CLOSED
