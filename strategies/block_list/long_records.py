"""Long records: locations with so many changes or readers that several workers share them, by parts.

Most locations of a block are changed once, and a piece of the list has some ten records. But a counter may be changed
by every transaction, and one worker that walks over all its changes would be what the others wait for. So who looks up
the locations of a piece notes each long record in parts (`PART`), and who walks over pieces leaves long records out.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_list.layout import PART
from contend.strategies.block_list.listed_changes import count_of_record

PART_CHANGES = 128
LONG_RECORD = 256  # changes or readers


@kernel(inline=True)
def is_long(head):
    """Whether a record is shared by parts, by its head word."""
    return count_of_record(head) >= LONG_RECORD


@kernel(inline=True)
def part_at(block_list, number):
    """One of the parts of all long records."""
    return PART.item(block_list.parts, block_list.parts_room, number)


@kernel(inline=True)
def parts_of(head):
    """Parts of a long record, by its head word. They follow each other, the first changes first."""
    return (count_of_record(head) + PART_CHANGES - 1) // PART_CHANGES


@kernel()
def note_long_record(block_list, record, head):
    """Note a long record in parts."""
    count = parts_of(head)
    number = I(atomics.add(block_list, "part_count", U(count)))
    check(number + count <= block_list.parts_room)
    for i in range(count):
        part = part_at(block_list, number + i)
        part.record = record
        part.first = i * PART_CHANGES
        part.versions = I(0)
