"""Nodes of tries in memory: found by number, taken, given back, and put on lists of what has to be rehashed."""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import address_of_view, count_leading_zeros, swap_bytes, view_u32
from contend.evm.runtime.structs import address_of
from contend.node.state_root.layout import (
    ACCOUNT,
    ACCOUNTS,
    BRANCH,
    FREED,
    LEAF,
    LEAF_KEY,
    NIBBLES,
    NODE,
    PIECE,
    PIECE_NODES,
    SLOT,
)

_LEAF = U(LEAF)
_NUMBER = U(LEAF - 1)


@kernel(inline=True)
def is_leaf(number):
    """Whether a node's number is that of a leaf."""
    return number & _LEAF != U0


@kernel(inline=True)
def branch_at(tries, number):
    """A branch."""
    return BRANCH.item(tries.branches, tries.branch_room, I(number))


@kernel(inline=True)
def slot_at(tries, number):
    """A leaf of a storage trie."""
    return SLOT.item(tries.slots, tries.slot_room, I(number & _NUMBER))


@kernel(inline=True)
def account_at(tries, number):
    """A leaf of the accounts' trie."""
    return ACCOUNT.item(tries.accounts, tries.account_room, I(number & _NUMBER))


@kernel(inline=True)
def leaf_at(tries, kind, number):
    """A leaf of whatever trie, with its key."""
    if kind == ACCOUNTS:
        return LEAF_KEY.at(address_of(account_at(tries, number)))
    return LEAF_KEY.at(address_of(slot_at(tries, number)))


@kernel(inline=True)
def node_at(tries, kind, number):
    """A node of whatever kind; number 0 is a branch, too, that nothing is stored in (`StateTrie`)."""
    if number & _LEAF == U0:
        return NODE.at(address_of(branch_at(tries, number)))
    return NODE.at(address_of(leaf_at(tries, kind, number)))


@kernel(inline=True)
def child_of(branch, nibble):
    """Number of a branch's child; 0 for none."""
    return U(view_u32(address_of_view(branch.children), 16)[I(nibble)])


@kernel(inline=True)
def set_child(branch, nibble, number):
    """Replace a branch's child. No other child is written: workers share the top of a trie."""
    view_u32(address_of_view(branch.children), 16)[I(nibble)] = number


@kernel(inline=True)
def start_of(node):
    """Nibbles of the path above a node, with that by which its parent finds it."""
    return I(node.span & U(0xFF))


@kernel(inline=True)
def depth_of(branch):
    """The nibble by which a branch tells its children."""
    return I((branch.span >> U(8)) & U(0xFF))


@kernel(inline=True)
def set_start(node, start):
    """Move a node's beginning."""
    node.span = (node.span & ~U(0xFF)) | U(start)


@kernel(inline=True)
def nibble_of(key, place):
    """A nibble of a key whose bytes lie in memory in their order."""
    word = key[0]
    if place >= 48:
        word = key[3]
    elif place >= 32:
        word = key[2]
    elif place >= 16:
        word = key[1]
    # Of the two nibbles of a byte the upper one comes first.
    return (word >> U(4 * ((place & 15) ^ 1))) & U(15)


@kernel(inline=True)
def first_difference(left, right):
    """The first nibble in which two keys differ; `NIBBLES` if they are equal."""
    for i in range(4):
        difference = left[i] ^ right[i]
        if difference != U0:
            return 16 * i + (I(count_leading_zeros(swap_bytes(difference))) >> 2)
    return I(NIBBLES)


@kernel(inline=True)
def piece_at(tries, number):
    """A piece of a list of nodes to rehash."""
    return PIECE.item(tries.pieces, tries.piece_room, I(number))


@macro
def numbers_of(piece):
    """The nodes that a piece of a list names."""
    return view_u32(address_of_view(piece.numbers), PIECE_NODES)


@kernel()
def mark_dirty(tries, dirty, kind, number):
    """Put a node on the list of those to rehash, unless it is on it."""
    node = node_at(tries, kind, number)
    if node.stamp == tries.stamp:
        return
    node.stamp = tries.stamp
    place = I(NIBBLES)
    if not is_leaf(number):
        place = depth_of(node)
        if place > dirty.deepest:
            dirty.deepest = place
    piece = piece_at(tries, dirty.heads[place])
    if dirty.heads[place] == U0 or piece.count == PIECE_NODES:
        fresh = atomics.add(tries, "piece_count", U1) + U1
        piece = piece_at(tries, fresh)
        piece.next = dirty.heads[place]
        piece.count = I(0)
        dirty.heads[place] = fresh
    numbers_of(piece)[piece.count] = number
    piece.count += I(1)


@kernel()
def take_branch(tries, worker):
    """Number of a branch without children; its span is to be set."""
    number = worker.free_branch
    if number != U0:
        worker.free_branch = branch_at(tries, number).next
    else:
        number = atomics.add(tries, "branch_count", U1) + U1
    branch = branch_at(tries, number)
    for i in range(8):
        branch.children[i] = U0
    branch.stamp = U0
    return number


@kernel()
def take_leaf(tries, worker, kind):
    """Number of a leaf; all but its stamp is to be set."""
    if kind == ACCOUNTS:
        number = worker.free_account
        if number != U0:
            worker.free_account = account_at(tries, number).next
        else:
            number = _LEAF | (atomics.add(tries, "account_count", U1) + U1)
    else:
        number = worker.free_slot
        if number != U0:
            worker.free_slot = slot_at(tries, number).next
        else:
            number = _LEAF | (atomics.add(tries, "slot_count", U1) + U1)
    leaf_at(tries, kind, number).stamp = U0
    return number


@kernel()
def put_back(tries, worker, kind, number):
    """Put a node, which is on no list, on that of free ones."""
    node = node_at(tries, kind, number)
    node.span = U(FREED)
    if not is_leaf(number):
        node.next = worker.free_branch
        worker.free_branch = number
    elif kind == ACCOUNTS:
        node.next = worker.free_account
        worker.free_account = number
    else:
        node.next = worker.free_slot
        worker.free_slot = number


@kernel()
def free_node(tries, worker, kind, number):
    """Give a node back: at once, or when the list that it is on has been gone through."""
    node = node_at(tries, kind, number)
    if node.stamp == tries.stamp:
        node.span = U(FREED)
    else:
        put_back(tries, worker, kind, number)


@kernel()
def free_all(tries, worker, top):
    """Give all nodes of a storage back, that at its top too. None of them may be on a list."""
    stack = worker.stack
    stack[0] = top
    size = 1
    while size > 0:
        size -= 1
        number = stack[size]
        if not is_leaf(number):
            branch = branch_at(tries, number)
            for i in range(16):
                child = child_of(branch, i)
                if child != U0:
                    stack[size] = child
                    size += 1
        put_back(tries, worker, I(0), number)
