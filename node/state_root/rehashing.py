"""Rehashing: the nodes on a list get their references anew, leaves first, then branches, the deepest first.

Nodes of one depth do not depend on each other, so they are hashed beside each other, whatever tries they are of. A
branch with an extension above it takes two hashes: its own, and then that of the extension.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import copy_words, swap_bytes
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import address_of
from contend.node.state_root.accounting import COST_TRIE_CHILD, spend
from contend.node.state_root.hash_queue import blocks_of, hand_over, hash_all, message_place
from contend.node.state_root.layout import ACCOUNTS, FREED, NIBBLES, NODE
from contend.node.state_root.node_encoding import (
    HASH_BYTES,
    account_leaf_size,
    branch_content,
    extension_size,
    list_size,
    put_account_leaf,
    put_branch,
    put_extension,
    put_slot_leaf,
    slot_leaf_size,
)
from contend.node.state_root.nodes import (
    account_at,
    branch_at,
    child_of,
    depth_of,
    is_leaf,
    node_at,
    numbers_of,
    piece_at,
    put_back,
    slot_at,
    start_of,
)

_HASH = U(HASH_BYTES)
_WORDS = 4
# How many nodes before it is needed a node is asked for, and what a branch needs of its children.
_FAR, _NEAR = 8, 3
# Hashes of the empty trie, which is an empty string, and of no code; as words in memory.
EMPTY_ROOT = (U(0xA655CC1B171FE856), U(0x6EF8C092E64583FF), U(0xC0AD6C991BE0485B), U(0x21B463E3B52F6201))
NO_CODE = (U(0x3C23F7860146D2C5), U(0xC003C7DCB27D7E92), U(0x3B2782CA53B600E5), U(0x70A4855D04D8FA7B))


@kernel(inline=True)
def code_hash_of(account):
    """Hash of an account's code as it lies in memory; a state has zero for no code."""
    code = account.code
    if (code[0] | code[1] | code[2] | code[3]) == U0:
        return NO_CODE
    return swap_bytes(code[3]), swap_bytes(code[2]), swap_bytes(code[1]), swap_bytes(code[0])


@kernel(inline=True)
def _storage_root(tries, account):
    """Root of an account's storage as it lies in memory."""
    if account.storage == U0:
        return EMPTY_ROOT
    return branch_at(tries, account.storage).reference


@kernel()
def _refer(tries, worker, node, place, blocks, size):
    """Set a node's reference by its encoding, of `size` bytes at the place of the next message."""
    if size < HASH_BYTES:
        copy_words(address_of(node), place, _WORDS)
        node.size = U(size)
    else:
        node.size = _HASH
        hand_over(tries, worker, blocks, size, address_of(node))


@kernel()
def _encode_leaf(tries, worker, kind, number, start):
    """Write the encoding of a leaf below `start` nibbles where the next message of its length goes; its size."""
    if kind == ACCOUNTS:
        account = account_at(tries, number)
        size = account_leaf_size(account, start)
        place = message_place(worker, blocks_of(size))
        put_account_leaf(place, account, start, _storage_root(tries, account), code_hash_of(account))
    else:
        slot = slot_at(tries, number)
        size = slot_leaf_size(slot, start)
        put_slot_leaf(message_place(worker, blocks_of(size)), slot, start)
    spend(tries, worker, COST_TRIE_CHILD, 2)
    return size


@kernel()
def _encode_branch(tries, worker, kind, branch):
    """Likewise the encoding of a branch, without the extension above it."""
    content, all_hashes = branch_content(tries, kind, branch)
    size = list_size(content)
    put_branch(message_place(worker, blocks_of(size)), tries, kind, branch, content, all_hashes)
    spend(tries, worker, COST_TRIE_CHILD, 1 + content // (1 + HASH_BYTES))
    return size


@kernel()
def _encode_extension(tries, worker, branch, start):
    """Likewise the encoding of the extension from `start` to a branch, by the branch's own reference."""
    node, depth = NODE.at(address_of(branch)), depth_of(branch)
    size = extension_size(node, start, depth)
    put_extension(message_place(worker, blocks_of(size)), node, branch.path, start, depth)
    spend(tries, worker, COST_TRIE_CHILD, 2)
    return size


@kernel()
def _rehash_leaves(tries, worker, kind, piece):
    """Rehash the leaves of a piece of a list."""
    numbers, count = numbers_of(piece), piece.count
    for i in range(count):
        if i + _FAR < count:
            _ask_for(tries, kind, U(numbers[i + _FAR]))
        number = U(numbers[i])
        node = node_at(tries, kind, number)
        if node.span == U(FREED):
            put_back(tries, worker, kind, number)
        else:
            size = _encode_leaf(tries, worker, kind, number, start_of(node))
            blocks = blocks_of(size)
            _refer(tries, worker, node, message_place(worker, blocks), blocks, size)


@kernel()
def _rehash_branches(tries, worker, kind, piece):
    """Rehash the branches of a piece of a list, and leave in it those that have an extension above them."""
    numbers, count = numbers_of(piece), piece.count
    extended = 0
    for i in range(count):
        if i + _FAR < count:
            _ask_for(tries, kind, U(numbers[i + _FAR]))
        if i + _NEAR < count:
            _ask_for_children(tries, kind, U(numbers[i + _NEAR]))
        number = U(numbers[i])
        branch = branch_at(tries, number)
        node = NODE.at(address_of(branch))
        if node.span == U(FREED):
            put_back(tries, worker, kind, number)
        else:
            size = _encode_branch(tries, worker, kind, branch)
            blocks = blocks_of(size)
            _refer(tries, worker, node, message_place(worker, blocks), blocks, size)
            if start_of(node) < depth_of(branch):
                numbers[extended] = number
                extended += 1
    piece.count = I(extended)


@kernel()
def _rehash_extensions(tries, worker, piece):
    """Give the branches of a piece the references of the extensions above them."""
    numbers = numbers_of(piece)
    for i in range(piece.count):
        branch = branch_at(tries, U(numbers[i]))
        node = NODE.at(address_of(branch))
        size = _encode_extension(tries, worker, branch, start_of(node))
        blocks = blocks_of(size)
        _refer(tries, worker, node, message_place(worker, blocks), blocks, size)


@kernel(inline=True)
def _ask_for(tries, kind, number):
    """Ask for a node itself."""
    node = address_of(node_at(tries, kind, number))
    prefetch(node)
    prefetch(node + LINE_BYTES)
    if kind == ACCOUNTS and is_leaf(number):
        prefetch(node + 2 * LINE_BYTES)


@kernel(inline=True)
def _ask_for_children(tries, kind, number):
    """Ask for what a branch needs of its children; node 0 does no harm."""
    branch = branch_at(tries, number)
    for i in range(16):
        prefetch(address_of(node_at(tries, kind, child_of(branch, i))))


@kernel()
def _rehash_list(tries, worker, dirty, kind, place):
    """Rehash the nodes of a list, and empty it."""
    first = dirty.heads[place]
    dirty.heads[place] = U0
    number = first
    while number != U0:
        piece = piece_at(tries, number)
        if place == NIBBLES:
            _rehash_leaves(tries, worker, kind, piece)
        else:
            _rehash_branches(tries, worker, kind, piece)
        number = piece.next
    hash_all(worker)
    if place == NIBBLES:
        return
    number = first
    while number != U0:
        piece = piece_at(tries, number)
        _rehash_extensions(tries, worker, piece)
        number = piece.next
    hash_all(worker)


@kernel()
def rehash(tries, worker, dirty, kind):
    """Give all nodes on the lists of a group their references, and empty the lists."""
    _rehash_list(tries, worker, dirty, kind, I(NIBBLES))
    depth = dirty.deepest
    while depth > 0:
        if dirty.heads[depth] != U0:
            _rehash_list(tries, worker, dirty, kind, depth)
        depth -= 1
    dirty.deepest = I(0)


@kernel()
def hand_over_top(tries, worker, kind, top):
    """Have the root of a trie hashed, to become the reference of its top; all below it has been rehashed."""
    branch = branch_at(tries, top)
    node = NODE.at(address_of(branch))
    count, only = 0, U0
    for i in range(16):
        child = child_of(branch, i)
        if child != U0:
            count += 1
            only = child
    node.size = _HASH
    if count == 0:
        branch.reference = EMPTY_ROOT
        return
    if count > 1:
        size = _encode_branch(tries, worker, kind, branch)
    elif is_leaf(only):
        size = _encode_leaf(tries, worker, kind, only, I(0))
    else:
        below = branch_at(tries, only)
        child = NODE.at(address_of(below))
        kept, kept_size = below.reference, child.size
        if start_of(child) < depth_of(below):
            # Its reference is that of the extension above it, which now begins one nibble earlier.
            size = _encode_branch(tries, worker, kind, below)
            blocks = blocks_of(size)
            _refer(tries, worker, child, message_place(worker, blocks), blocks, size)
            hash_all(worker)
        size = _encode_extension(tries, worker, below, I(0))
        below.reference = kept
        child.size = kept_size
    # However short the encoding is: a root is a hash.
    hand_over(tries, worker, blocks_of(size), size, address_of(node))
