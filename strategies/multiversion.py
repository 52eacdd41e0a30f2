"""Multi-version memory: for every location, the words that the block's transactions wrote, by transaction.

Block-STM's MVMemory (arXiv 2203.06871, section 3.1 and algorithms 2 and 3). A transaction reads the version of the
highest transaction below it. The paper leaves the map open and most implementations lock a tree; here every written
location has a skip list (Pugh, 1990) ordered from the highest transaction down, into which nodes are inserted by
compare-and-swap and from which none is ever removed. So a reader walks O(log n) nodes of a hot location, takes no
lock, and finds its version near the front, since transactions are executed roughly in order.

A node's version word says whose incarnation wrote it, and whether it is an ESTIMATE (its writer was aborted and will
write again) or ABSENT (the last incarnation did not write here). The word in a node changes only while it is one of
these, so that a reader who finds the same version before and after reading the word has read it whole.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import atomics
from evm.jit import kernel, macro
from evm.pointers import view_u64
from evm.words import U0, U1, ZERO, get_at, put_at
from strategies import shared as s

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
CHUNK_WORDS = 4096
LEVELS = 8
# A node: the transaction, the version, the word, then the next node of each level it is on.
N_TRANSACTION, N_VERSION, N_WORD, N_NEXT = 0, 1, 2, 6
# A location's tower: the first node of each level.
ESTIMATE, ABSENT = U(1), U(2)
VERSION_SHIFT = U(2)
NODE_NONE = 0
FOUND_STATE, FOUND_WORD, FOUND_ESTIMATE = range(3)


@macro
def arena_of(shared):
    """View of the arena."""
    return view_u64(I(shared[U(s.S_ARENA)]), I(shared[U(s.S_ARENA_WORDS)]))


@macro
def heads_of(shared):
    """View of the locations' heads."""
    return view_u64(I(shared[U(s.S_HEADS)]), I(shared[U(s.S_HEADS_SIZE)]))


@kernel()
def allocate(shared, worker, words):
    """Words of the arena for this worker: where they begin, or 0 when the arena is full (the fault is noted)."""
    at = I(worker[U(s.W_CHUNK)])
    if at + words <= I(worker[U(s.W_CHUNK_END)]):
        worker[U(s.W_CHUNK)] = U(at + words)
        return at
    counters = view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT)
    size = max(words, CHUNK_WORDS)
    at = I(atomics.add(counters, s.C_ARENA, U(size)))
    if at + size > I(shared[U(s.S_ARENA_WORDS)]):
        atomics.store(counters, s.C_FAULT, U1)
        return 0
    if size == CHUNK_WORDS:
        worker[U(s.W_CHUNK)] = U(at + words)
        worker[U(s.W_CHUNK_END)] = U(at + size)
    return at


@kernel(inline=True)
def _height(location, transaction):
    """Levels of a node: each further one with probability 1/4, from a hash, so that runs repeat."""
    mixed = (U(location) * U(0x9E3779B97F4A7C15)) ^ (U(transaction + 1) * U(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> U(29))) * U(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> U(32)
    levels = 1
    while levels < LEVELS and mixed & U(3) == U0:
        levels += 1
        mixed >>= U(2)
    return levels


@kernel(inline=True)
def _tower(shared, location):
    return I(atomics.load(heads_of(shared), location))


@kernel()
def _below(arena, tower, transaction, level):
    """On one level: the element whose successor is the first node of a transaction at most `transaction`.

    Returns where that link lies, and the node.
    """
    link = tower + LEVELS - 1
    node = I(atomics.load(arena, link))
    current = LEVELS - 1
    while True:
        while node != NODE_NONE and I(arena[U(node + N_TRANSACTION)]) > transaction:
            link = node + N_NEXT + current
            node = I(atomics.load(arena, link))
        if current == level:
            return link, node
        current -= 1
        link -= 1
        node = I(atomics.load(arena, link))


@kernel()
def find_version(shared, location, transaction):
    """What `transaction` must read at a location.

    Returns
    -------
    tuple
        `FOUND_STATE` (nobody below wrote it), `FOUND_WORD`, or `FOUND_ESTIMATE`; the node; its version; the word.
    """
    tower = _tower(shared, location)
    if tower == 0:
        return FOUND_STATE, NODE_NONE, U0, ZERO
    arena = arena_of(shared)
    _, node = _below(arena, tower, transaction - 1, 0)
    while node != NODE_NONE:
        version = atomics.load(arena, node + N_VERSION)
        if version & ESTIMATE != U0:
            return FOUND_ESTIMATE, node, version, ZERO
        if version & ABSENT == U0:
            word = get_at(arena, node + N_WORD)
            atomics.acquire_fence()
            if atomics.load(arena, node + N_VERSION) == version:
                return FOUND_WORD, node, version, word
        else:
            node = I(atomics.load(arena, node + N_NEXT))
    return FOUND_STATE, NODE_NONE, U0, ZERO


@kernel(inline=True)
def writer_of(shared, node):
    """The transaction that a node belongs to."""
    return I(arena_of(shared)[U(node + N_TRANSACTION)])


@kernel()
def _make_tower(shared, worker, location):
    heads = heads_of(shared)
    fresh = allocate(shared, worker, LEVELS)
    if fresh == 0:
        return 0
    arena = arena_of(shared)
    for i in range(LEVELS):
        arena[U(fresh + i)] = U0
    found = I(atomics.compare_and_swap(heads, location, U0, U(fresh)))
    return fresh if found == 0 else found


@kernel()
def write_version(shared, worker, location, transaction, incarnation, word):
    """Make an incarnation's write visible. Only the worker that executes the transaction may call this.

    Returns
    -------
    tuple
        Where the node is, or `NODE_NONE` when the arena is full; and whether the last incarnation wrote here too.
    """
    tower = _tower(shared, location)
    if tower == 0:
        tower = _make_tower(shared, worker, location)
        if tower == 0:
            return NODE_NONE, False
    arena = arena_of(shared)
    version = U(incarnation) << VERSION_SHIFT
    link, node = _below(arena, tower, transaction, 0)
    if node != NODE_NONE and I(arena[U(node + N_TRANSACTION)]) == transaction:
        repeated = arena[U(node + N_VERSION)] & ABSENT == U0
        put_at(arena, node + N_WORD, word)
        atomics.store(arena, node + N_VERSION, version)
        return node, repeated
    levels = _height(location, transaction)
    fresh = allocate(shared, worker, N_NEXT + levels)
    if fresh == 0:
        return NODE_NONE, False
    arena[U(fresh + N_TRANSACTION)] = U(transaction)
    arena[U(fresh + N_VERSION)] = version
    put_at(arena, fresh + N_WORD, word)
    for level in range(levels):
        while True:
            link, node = _below(arena, tower, transaction, level)
            arena[U(fresh + N_NEXT + level)] = U(node)
            if I(atomics.compare_and_swap(arena, link, U(node), U(fresh))) == node:
                break
    return fresh, False


@kernel(inline=True)
def is_written_by(shared, node, incarnation):
    """Whether this incarnation of its transaction has written a node."""
    return arena_of(shared)[U(node + N_VERSION)] == U(incarnation) << VERSION_SHIFT


@kernel(inline=True)
def mark_estimate(shared, node):
    """The node's writer was aborted: readers must wait for its next incarnation."""
    arena = arena_of(shared)
    version = atomics.load(arena, node + N_VERSION)
    atomics.store(arena, node + N_VERSION, version | ESTIMATE)


@kernel(inline=True)
def mark_absent(shared, node, incarnation):
    """The node's writer has executed again and did not write here."""
    atomics.store(arena_of(shared), node + N_VERSION, (U(incarnation) << VERSION_SHIFT) | ABSENT)


@kernel()
def final_version(shared, location):
    """The node whose word a location has after the block, or `NODE_NONE` if nobody wrote it."""
    tower = _tower(shared, location)
    if tower == 0:
        return NODE_NONE
    arena = arena_of(shared)
    node = I(atomics.load(arena, tower))
    while node != NODE_NONE and arena[U(node + N_VERSION)] & ABSENT != U0:
        node = I(atomics.load(arena, node + N_NEXT))
    return node
