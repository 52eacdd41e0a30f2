"""Planted bugs of the multi-version strategies: what each replaced function does wrongly.

Each takes the place of a function of the strategies in a copy of them, by the table in `planted_bugs`.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm import atomics
from evm.words import U0, put_at
from harness.verify.schedule_fuzzer.replacement import original
from strategies import shared as s
from strategies.incarnation import VALID, I, prefixes_of
from strategies.multiversion import (
    ABSENT,
    N_NEXT,
    N_TRANSACTION,
    N_VERSION,
    N_WORD,
    NODE_NONE,
    VERSION_SHIFT,
    _below,
    _height,
    _make_tower,
    _tower,
    allocate,
    arena_of,
)
from strategies.scheduler import (
    ABORTING,
    TASK_NONE,
    _make_ready,
    _set_status,
    counters_of,
    mark_executed,
    transactions_of,
    try_execute,
)


def leave_writes_of_the_aborted(shared, node):
    """An aborted incarnation's writes are read by others as if they would stay."""


def forget_those_who_wait(shared, transaction):
    """Who waits for a transaction stays suspended when it has executed."""


def find_everything_valid(shared, worker):
    """Validation passes whatever was read."""
    original(shared, worker)
    return I(VALID)


def finish_validation_without_revalidation(shared, worker, aborted):
    """After an abort those above are not validated again."""
    counters = counters_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    worker[U(s.W_TASK)] = U(TASK_NONE)
    if aborted:
        _make_ready(shared, transaction)
        if atomics.load(counters, s.C_EXECUTION) > U(transaction) and try_execute(shared, worker, transaction):
            return
    atomics.subtract(counters, s.C_ACTIVE, U(1))


def take_new_locations_for_known_ones(shared, worker, wrote_new_location):
    """A write where the last incarnation did not write leaves those above unvalidated."""
    original(shared, worker, False)


def finish_execution_without_validation(shared, worker, wrote_new_location):
    """An incarnation is not validated itself where the validation counter has passed it already."""
    mark_executed(shared, worker)
    atomics.subtract(counters_of(shared), s.C_ACTIVE, U(1))
    worker[U(s.W_TASK)] = U(TASK_NONE)


def keep_what_was_not_written_again(shared, node, incarnation):
    """A write that the next incarnation does not repeat stays visible."""
    atomics.store(arena_of(shared), node + N_VERSION, U(incarnation) << VERSION_SHIFT)


def answer_without_noting_the_prefix(shared, worker, planned):
    """The fees that a transaction saw in the beneficiary's balance are no part of its read set."""
    answered = original(shared, worker, planned)
    prefixes_of(shared)[U(I(worker[U(s.W_TRANSACTION)]) * s.PREFIX_WORDS)] = U0
    return answered


def sum_only_fees_of_the_executed(shared, transaction, only_executed):
    """In the beneficiary's balance the fees of those who are executing are missing."""
    return original(shared, transaction, True)


def begin_with_the_last_read_set(shared, worker):
    """A machine that is used again keeps the read set of what it executed before."""
    count = worker[U(s.W_READ_COUNT)]
    original(shared, worker)
    worker[U(s.W_READ_COUNT)] = count


def commit_all_but_the_last(shared, first, last):
    """One location of each piece that is committed keeps the word from before the block."""
    original(shared, first, last - 1)


def open_no_validation(shared):
    """What a plan's transactions have read is never validated."""
    original(shared)
    atomics.store(counters_of(shared), s.C_VALIDATION, shared[U(s.S_SIZE)])


def trust_what_the_plan_left_out(shared):
    """Transactions that a plan leaves out are never executed."""
    original(shared)
    atomics.store(counters_of(shared), s.C_EXECUTION, shared[U(s.S_SIZE)])


def wait_without_looking_again(shared, worker, blocking):
    """Who puts itself on the list of one that has just finished is not woken up."""
    lines = transactions_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    _set_status(shared, transaction, worker[U(s.W_INCARNATION)], ABORTING)
    at = blocking * s.T_WORDS + s.T_WAITING
    head = atomics.load(lines, at)
    while True:
        lines[U(transaction * s.T_WORDS + s.T_WAITING_NEXT)] = head
        found = atomics.compare_and_swap(lines, at, head, U(transaction + 1))
        if found == head:
            break
        head = found
    atomics.subtract(counters_of(shared), s.C_ACTIVE, U(1))
    worker[U(s.W_TASK)] = U(TASK_NONE)


def write_word_after_link(shared, worker, location, transaction, incarnation, word):
    """A version can be found before its word is in it."""
    node, repeated = original(shared, worker, location, transaction, incarnation, (U0, U0, U0, U0))
    if node != NODE_NONE:
        atomics.load(arena_of(shared), node + N_VERSION)
        put_at(arena_of(shared), node + N_WORD, word)
    return node, repeated


def insert_by_a_plain_store(shared, worker, location, transaction, incarnation, word):
    """Of two nodes that are inserted at one place of a skip list at the same time, one is lost."""
    tower = _tower(shared, location)
    if tower == 0:
        tower = _make_tower(shared, worker, location)
        if tower == 0:
            return NODE_NONE, False
    arena = arena_of(shared)
    link, node = _below(arena, tower, transaction, 0)
    if node != NODE_NONE and I(arena[U(node + N_TRANSACTION)]) == transaction:
        repeated = arena[U(node + N_VERSION)] & ABSENT == U0
        put_at(arena, node + N_WORD, word)
        atomics.store(arena, node + N_VERSION, U(incarnation) << VERSION_SHIFT)
        return node, repeated
    levels = _height(location, transaction)
    fresh = allocate(shared, worker, N_NEXT + levels)
    if fresh == 0:
        return NODE_NONE, False
    arena[U(fresh + N_TRANSACTION)] = U(transaction)
    arena[U(fresh + N_VERSION)] = U(incarnation) << VERSION_SHIFT
    put_at(arena, fresh + N_WORD, word)
    for level in range(levels):
        link, node = _below(arena, tower, transaction, level)
        arena[U(fresh + N_NEXT + level)] = U(node)
        for _ in range(8):  # so that the moment is long enough for small blocks to show it
            atomics.load(arena, link)
        atomics.store(arena, link, U(fresh))
    return fresh, False
