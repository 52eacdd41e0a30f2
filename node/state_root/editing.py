"""Editing of a trie: a key found, inserted, deleted; nothing is hashed here, but what has to be is put on lists.

A trie is kept as Patricia's own tree (Morrison 1968): branches are only where keys part, each with the nibble by which
it tells its children, and what lies between is an extension of the branch below it. So a search looks at nibbles of its
key and at nothing else until it is at a leaf, whose key shows whether it is the one; where it is not, the first nibble
in which they differ says where a new branch belongs. When a branch is left with one child, the child takes its place:
an extension into an extension, or into a leaf, are one by themselves.

The branch at the top, at the first nibble, is always there, however few children it has: so tries below its children
have nothing in common, and workers edit them at the same time. What a trie with one child at its top really begins with
is seen to when it is hashed (`node.state_root.rehashing`).
"""

from __future__ import annotations

from contend.evm.layout import WORD
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import address_of
from contend.node.state_root.accounting import COST_TRIE_NODE, spend
from contend.node.state_root.layout import ACCOUNTS, NIBBLES
from contend.node.state_root.nodes import (
    branch_at,
    child_of,
    depth_of,
    first_difference,
    free_node,
    is_leaf,
    leaf_at,
    mark_dirty,
    nibble_of,
    node_at,
    set_child,
    set_start,
    start_of,
    take_branch,
    take_leaf,
)


@kernel()
def ask_ahead(tries, worker, kind, count):
    """Ask for all that so many searches of a worker's will come upon, each a level at a time."""
    left = count
    while left > 0:
        left = 0
        for i in range(count):
            number = worker.cursors[i]
            if number != U0:
                branch = branch_at(tries, number)
                child = child_of(branch, nibble_of(WORD.at(I(worker.cursor_keys[i])).value, depth_of(branch)))
                worker.cursors[i] = U0
                if child != U0:
                    node = address_of(node_at(tries, kind, child))
                    prefetch(node)
                    prefetch(node + LINE_BYTES)
                    if not is_leaf(child):
                        worker.cursors[i] = child
                        left += 1
                    elif kind == ACCOUNTS:
                        prefetch(node + 2 * LINE_BYTES)


@kernel()
def find_leaf(tries, worker, kind, top, key):
    """Number of the leaf with a key; 0 if there is none. The branches on the way are left in the worker's path."""
    path = worker.path
    path[0] = top
    length = 0
    branch = branch_at(tries, top)
    while True:
        child = child_of(branch, nibble_of(key, depth_of(branch)))
        if child == U0 or is_leaf(child):
            break
        length += 1
        path[length] = child
        branch = branch_at(tries, child)
    worker.path_length = length
    spend(tries, worker, COST_TRIE_NODE, length + 2)
    if child != U0 and first_difference(leaf_at(tries, kind, child).key, key) == NIBBLES:
        return child
    return U0


@kernel(inline=True)
def _touch(tries, worker, dirty, kind, length):
    """Put so many branches of the path, those below the top, on the lists."""
    for i in range(1, length + 1):
        mark_dirty(tries, dirty, kind, worker.path[i])


@kernel()
def touch_leaf(tries, worker, dirty, kind, leaf):
    """Have a leaf that was just found rehashed, and all above it."""
    mark_dirty(tries, dirty, kind, leaf)
    _touch(tries, worker, dirty, kind, worker.path_length)


@kernel()
def insert_leaf(tries, worker, dirty, kind, key):
    """Number of a new leaf with a key that was just looked for and not found; its value is to be set."""
    path, length = worker.path, worker.path_length
    parent = branch_at(tries, path[length])
    child = child_of(parent, nibble_of(key, depth_of(parent)))
    leaf = take_leaf(tries, worker, kind)
    new = leaf_at(tries, kind, leaf)
    new.key = key
    other = leaf_at(tries, kind, child).key if child != U0 else parent.path
    parting = first_difference(key, other)
    if child == U0 and (length == 0 or parting >= depth_of(parent)):
        new.span = U(depth_of(parent) + 1)
        set_child(parent, nibble_of(key, depth_of(parent)), leaf)
        mark_dirty(tries, dirty, kind, leaf)
        _touch(tries, worker, dirty, kind, length)
        return leaf
    # What is below the parting of the ways, the highest on the path, becomes the new branch's other child.
    above = length
    while above > 0 and depth_of(branch_at(tries, path[above])) > parting:
        above -= 1
    below = child if above == length else path[above + 1]
    check(below != U0)
    displaced = node_at(tries, kind, below)
    number = take_branch(tries, worker)
    branch = branch_at(tries, number)
    branch.span = U(start_of(displaced)) | U(parting << 8)
    branch.path = key
    new.span = U(parting + 1)
    set_child(branch, nibble_of(key, parting), leaf)
    set_child(branch, nibble_of(other, parting), below)
    parent = branch_at(tries, path[above])
    set_child(parent, nibble_of(key, depth_of(parent)), number)
    set_start(displaced, parting + 1)
    mark_dirty(tries, dirty, kind, leaf)
    mark_dirty(tries, dirty, kind, below)
    mark_dirty(tries, dirty, kind, number)
    _touch(tries, worker, dirty, kind, above)
    return leaf


@kernel()
def _only_child(branch):
    """Number of a branch's child, if it is the only one; else 0."""
    found = U0
    for i in range(16):
        child = child_of(branch, i)
        if child != U0:
            if found != U0:
                return U0
            found = child
    return found


@kernel()
def delete_leaf(tries, worker, dirty, kind, leaf):
    """Take a leaf that was just found out of its trie."""
    path, length = worker.path, worker.path_length
    parent, key = branch_at(tries, path[length]), leaf_at(tries, kind, leaf).key
    set_child(parent, nibble_of(key, depth_of(parent)), U0)
    free_node(tries, worker, kind, leaf)
    if length == 0:
        return
    rest = _only_child(parent)
    if rest == U0:
        _touch(tries, worker, dirty, kind, length)
        return
    set_start(node_at(tries, kind, rest), start_of(parent))
    above = branch_at(tries, path[length - 1])
    set_child(above, nibble_of(key, depth_of(above)), rest)
    mark_dirty(tries, dirty, kind, rest)
    free_node(tries, worker, kind, path[length])
    _touch(tries, worker, dirty, kind, length - 1)
