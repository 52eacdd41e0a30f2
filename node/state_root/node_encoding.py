"""Encoding of nodes: RLP of leaves, extensions and branches (Yellow Paper, appendices B to D).

Numbers have no leading zeros; a byte below 0x80 stands for itself; whatever else is short begins with 0x80 and its
length. A path is written two nibbles a byte, behind a nibble that says whether it ends in a leaf and whether it is odd.
A node is referred to by its hash, or by its own encoding where that is shorter than a hash.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import count_leading_zeros, store_8, view_u8
from contend.node.state_root.layout import NIBBLES
from contend.node.state_root.nodes import child_of, nibble_of, node_at

HASH_BYTES = 32
_OVERHANG = 8  # bytes that may be written behind an encoding
_SHORT = 56  # bytes from which on a length has a byte of its own


@kernel(inline=True)
def number_bytes(value):
    """Bytes of a word (four limbs) without leading zeros."""
    if value[3] != U0:
        return I(32) - (I(count_leading_zeros(value[3])) >> 3)
    if value[2] != U0:
        return I(24) - (I(count_leading_zeros(value[2])) >> 3)
    if value[1] != U0:
        return I(16) - (I(count_leading_zeros(value[1])) >> 3)
    return I(8) - (I(count_leading_zeros(value[0])) >> 3)


@kernel(inline=True)
def _put_number(data, at, value, size):
    """Write a word of `size` bytes as RLP; where it ends."""
    if size == 1 and value[0] < U(0x80):
        data[at] = value[0] & U(0xFF)
        return at + 1
    data[at] = U(0x80) + U(size)
    at += 1
    for i in range(size):
        place = size - 1 - i
        limb = value[0]
        if place >= 24:
            limb = value[3]
        elif place >= 16:
            limb = value[2]
        elif place >= 8:
            limb = value[1]
        data[at + i] = (limb >> U(8 * (place & 7))) & U(0xFF)
    return at + size


@kernel(inline=True)
def _number_item(value, size):
    """Bytes of a word of `size` bytes as RLP."""
    return I(1) if size == 1 and value[0] < U(0x80) else 1 + size


@kernel(inline=True)
def _put_list(data, at, size):
    """Write the head of a list of `size` bytes; where it ends."""
    if size < _SHORT:
        data[at] = U(0xC0) + U(size)
        return at + 1
    if size < 256:
        data[at] = U(0xF8)
        data[at + 1] = U(size)
        return at + 2
    data[at] = U(0xF9)
    data[at + 1] = U(size >> 8)
    data[at + 2] = U(size & 0xFF)
    return at + 3


@kernel(inline=True)
def _list_head(size):
    """Bytes of the head of a list of `size` bytes."""
    return I(1) if size < _SHORT else I(2) if size < 256 else I(3)


@kernel(inline=True)
def _put_words(data, at, words):
    """Write four words as they lie in memory."""
    store_8(data, at, words[0])
    store_8(data, at + 8, words[1])
    store_8(data, at + 16, words[2])
    store_8(data, at + 24, words[3])


@kernel(inline=True)
def _put_hash(data, at, words):
    """Write a hash, as it lies in memory, as RLP; where it ends."""
    data[at] = U(0x80 + HASH_BYTES)
    _put_words(data, at + 1, words)
    return at + 1 + HASH_BYTES


@kernel(inline=True)
def _path_bytes(start, end):
    """Bytes of a path from one nibble to another, with what stands before it."""
    return 1 + ((end - start) >> 1)


@kernel(inline=True)
def _path_item(start, end):
    """Bytes of such a path as RLP."""
    size = _path_bytes(start, end)
    return I(1) if size == 1 else 1 + size


@kernel(inline=True)
def _put_path(data, at, key, start, end, ends_in_leaf):
    """Write a path as RLP; where it ends."""
    size = _path_bytes(start, end)
    if size > 1:
        data[at] = U(0x80) + U(size)
        at += 1
    first = U(0x20) if ends_in_leaf else U0
    if (end - start) & 1:
        first |= U(0x10) | nibble_of(key, start)
        start += 1
    data[at] = first
    at += 1
    for place in range(start, end, 2):
        data[at] = nibble_of(key, place) << U(4) | nibble_of(key, place + 1)
        at += 1
    return at


@kernel(inline=True)
def _slot_sizes(value):
    """Bytes of a slot's word; and as an item of a leaf: RLP within RLP."""
    size = number_bytes(value)
    inner = _number_item(value, size)
    return size, inner if inner == 1 else 1 + inner


@kernel()
def slot_leaf_size(leaf, start):
    """Bytes of the encoding of a slot's leaf below `start` nibbles."""
    _, item = _slot_sizes(leaf.value)
    content = _path_item(start, I(NIBBLES)) + item
    return _list_head(content) + content


@kernel()
def put_slot_leaf(place, leaf, start):
    """Write the encoding of a slot's leaf."""
    value = leaf.value
    size, item = _slot_sizes(value)
    content = _path_item(start, I(NIBBLES)) + item
    data = view_u8(place, content + 2 + _OVERHANG)
    at = _put_list(data, I(0), content)
    at = _put_path(data, at, leaf.key, start, I(NIBBLES), True)
    if item > 1:
        data[at] = U(0x80) + U(item - 1)
        at += 1
    _put_number(data, at, value, size)


@kernel(inline=True)
def _account_content(leaf):
    """Bytes of an account's fields as RLP, without the list's head; they are more than `_SHORT`."""
    nonce = (leaf.nonce, U0, U0, U0)
    fields = _number_item(nonce, number_bytes(nonce)) + _number_item(leaf.balance, number_bytes(leaf.balance))
    return fields + 2 * (1 + HASH_BYTES)


@kernel()
def account_leaf_size(leaf, start):
    """Bytes of the encoding of an account's leaf below `start` nibbles."""
    content = _path_item(start, I(NIBBLES)) + 4 + _account_content(leaf)
    return _list_head(content) + content


@kernel()
def put_account_leaf(place, leaf, start, storage_root, code_hash):
    """Write the encoding of an account's leaf; root and hash as they lie in memory."""
    fields = _account_content(leaf)
    content = _path_item(start, I(NIBBLES)) + 4 + fields
    data = view_u8(place, content + 3 + _OVERHANG)
    at = _put_list(data, I(0), content)
    at = _put_path(data, at, leaf.key, start, I(NIBBLES), True)
    data[at] = U(0xB8)
    data[at + 1] = U(fields + 2)
    at = _put_list(data, at + 2, fields)
    nonce = (leaf.nonce, U0, U0, U0)
    at = _put_number(data, at, nonce, number_bytes(nonce))
    at = _put_number(data, at, leaf.balance, number_bytes(leaf.balance))
    at = _put_hash(data, at, storage_root)
    _put_hash(data, at, code_hash)


@kernel(inline=True)
def _reference_item(size):
    """Bytes of a reference as an item: a hash is a string, a short node stands as it is."""
    return I(size) + 1 if size == U(HASH_BYTES) else I(size)


@kernel(inline=True)
def _put_reference(data, at, node):
    """Write a reference as an item; where it ends."""
    if node.size == U(HASH_BYTES):
        return _put_hash(data, at, node.reference)
    _put_words(data, at, node.reference)
    return at + I(node.size)


@kernel()
def branch_content(tries, kind, branch):
    """Bytes of a branch's items, its children and no value; and whether all children have hashes for references.

    Which children there are is as good as random, so nothing here is jumped over: node 0 stands for no child, and its
    reference is one byte.
    """
    content, short = U(17), U0
    for i in range(16):
        child = child_of(branch, i)
        size = node_at(tries, kind, child).size
        is_short = U(size != U(HASH_BYTES))
        content += size - is_short
        short |= is_short & U(child != U0)
    return I(content), short == U0


@kernel(inline=True)
def list_size(content):
    """Bytes of a list with its head."""
    return _list_head(content) + content


@kernel(inline=True)
def _put_hashes(data, at, tries, kind, branch):
    """Write a branch's children, hashes or none, each over what is too much of the one before; where they end."""
    for i in range(16):
        child = child_of(branch, i)
        there = U(child != U0)
        data[at] = U(0x80) | there << U(5)
        _put_words(data, at + 1, node_at(tries, kind, child).reference)
        at += 1 + I(there << U(5))
    return at


@kernel(inline=True)
def _put_references(data, at, tries, kind, branch):
    """Write a branch's children, of which some may be short; where they end."""
    for i in range(16):
        child = child_of(branch, i)
        if child == U0:
            data[at] = U(0x80)
            at += 1
        else:
            at = _put_reference(data, at, node_at(tries, kind, child))
    return at


@kernel()
def put_branch(place, tries, kind, branch, content, all_hashes):
    """Write the encoding of a branch, whose items are so many bytes. Behind it up to 32 bytes are overwritten."""
    data = view_u8(place, content + 3 + HASH_BYTES)
    at = _put_list(data, I(0), content)
    end = _put_hashes(data, at, tries, kind, branch) if all_hashes else _put_references(data, at, tries, kind, branch)
    data[end] = U(0x80)


@kernel()
def extension_size(node, start, end):
    """Bytes of the encoding of an extension between two nibbles, above a node."""
    return list_size(_path_item(start, end) + _reference_item(node.size))


@kernel()
def put_extension(place, node, path, start, end):
    """Write the encoding of an extension. Behind it up to 32 bytes are overwritten."""
    content = _path_item(start, end) + _reference_item(node.size)
    data = view_u8(place, content + 2 + HASH_BYTES)
    at = _put_list(data, I(0), content)
    at = _put_path(data, at, path, start, end, False)
    _put_reference(data, at, node)
