"""RLP (Yellow Paper, appendix B) in kernels: items are looked at where they lie, and nothing is copied.

An item is told by its form and by where its payload begins and ends. Only the one encoding that an item has is taken:
shortest sizes, and integers without leading zeros. Nothing behind an end is ever read.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, swap_bytes

# Forms of an item; and what `item_at` finds where there is none.
NO_ITEM, TEXT, LIST = range(3)
MOST_SIZE_BYTES = 4  # no list of a block has 4 GiB
SHORT = 55  # the largest payload whose size is in the first byte


@kernel()
def _long_item(data, at, end, size_bytes):
    """Payload of an item whose size follows its first byte; (0, 0) where that is no item."""
    if size_bytes > MOST_SIZE_BYTES or at + 1 + size_bytes > end or data[U(at + 1)] == 0:
        return I(0), I(0)
    size = 0
    for i in range(size_bytes):
        size = size << 8 | I(data[U(at + 1 + i)])
    first = at + 1 + size_bytes
    if size <= SHORT or first + size > end:
        return I(0), I(0)
    return first, first + size


@kernel(inline=True)
def near_item_at(data, at, end):
    """Look at the item at an offset, in the caller's own code: for the loops that most items are met in.

    Parameters
    ----------
    data : view of uint8
    at, end : int
        Where the item begins, and what it lies within.

    Returns
    -------
    tuple of int
        `TEXT`, `LIST` or `NO_ITEM`; where its payload begins and ends, and so the item.
    """
    if at >= end:
        return NO_ITEM, I(0), I(0)
    lead = I(data[U(at)])
    if lead < 0x80:
        return TEXT, at, at + 1
    form = TEXT if lead < 0xC0 else LIST
    size = lead - (0x80 if lead < 0xC0 else 0xC0)
    if size > SHORT:
        first, last = _long_item(data, at, end, size - SHORT)
        return (form if last != 0 else NO_ITEM), first, last
    first, last = at + 1, at + 1 + size
    if last > end or (form == TEXT and size == 1 and data[U(first)] < 0x80):
        return NO_ITEM, I(0), I(0)
    return form, first, last


@kernel()
def item_at(data, at, end):
    """As `near_item_at`, called."""
    return near_item_at(data, at, end)


@kernel(inline=True)
def is_integer(data, form, first, last, most_bytes):
    """Whether an item is an integer of at most so many bytes: a text without leading zeros."""
    return form == TEXT and last - first <= most_bytes and (first == last or data[U(first)] != 0)


@kernel(inline=True)
def _limb(data, first, last):
    """The last eight bytes before an offset as an integer; those before `first` are not part of it."""
    size = last - first
    if size <= 0:
        return U0
    limb = swap_bytes(load_8(data, last - 8))
    return limb if size >= 8 else limb & ((U(1) << U(8 * size)) - U(1))


@kernel(inline=True)
def integer_at(data, first, last):
    """Integer of at most eight bytes. It stands behind an address, so there are eight bytes in front of its end."""
    return _limb(data, first, last)


@kernel(inline=True)
def word_at(data, first, last):
    """Word of at most 32 bytes, as four limbs; otherwise as `integer_at`."""
    return (
        _limb(data, first, last),
        _limb(data, first, last - 8),
        _limb(data, first, last - 16),
        _limb(data, first, last - 24),
    )


@kernel(inline=True)
def address_at(data, first):
    """Address of 20 bytes, as three limbs."""
    return (
        swap_bytes(load_8(data, first + 12)),
        swap_bytes(load_8(data, first + 4)),
        swap_bytes(load_8(data, first)) >> U(32),
    )
