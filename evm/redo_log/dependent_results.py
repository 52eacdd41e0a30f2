"""Results of a logged transaction that depend on its inputs: the words it writes, and pieces of its logs and output.

A *patch* says where in the payload of the receipt, logs first and then the output, a word of the log lies.
"""

from __future__ import annotations

from contend.evm.layout import KIND_TRANSIENT
from contend.evm.redo_log.log_layout import LOG_ENTRY
from contend.evm.redo_log.numbers import BEGIN_MASK, BEGIN_SHIFT, NUMBER_MASK, REVERSED, entry_number, input_number
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8, view_u32, view_u64
from contend.evm.runtime.structs import I64, U64, Struct
from contend.evm.u256 import equal
from contend.evm.vm.access_table import KIND_SHIFT, LOADED
from contend.evm.vm.instructions.operands import store_word

PATCH = Struct("RedoPatch", place=I64, number=U64)  # and whether the word is `REVERSED`
TRANSIENT = U(KIND_TRANSIENT)


@kernel(inline=True)
def number_of_write(log, entry):
    """Number of the word that an entry of the access table was left with; of a broken log nothing has a number."""
    return I(0) if log.broken != U0 else entry_number(log.numbers, entry)


@kernel(inline=True)
def may_be_written(log, entry):
    """Whether an entry of the access table is in the write set, or may be with other inputs."""
    if entry.flags & LOADED == U0 or entry.key[2] >> KIND_SHIFT == TRANSIENT:
        return False
    if not equal(entry.current, entry.original):
        return True
    return log.broken == U0 and entry_number(log.numbers, entry) != input_number(log.numbers, entry)


@kernel()
def _list_patches(log, source, size, place, patches, room, count):
    """Add the numbered words among `size` bytes at an address, which go to a place of the payload, to the patches."""
    if size <= 0:
        return count
    first, last = source >> 5, (source + size - 1) >> 5
    values = view_u32(log.numbers + (first << 2), last - first + 1)
    for i in range(last - first + 1):
        value = U(values[U(i)])
        if value == U0:
            continue
        begin = ((first + i) << 5) + I((value >> BEGIN_SHIFT) & BEGIN_MASK)
        if begin >= source and begin + 32 <= source + size and count < room:
            patch = PATCH.item(patches, room, count)
            patch.place = place + begin - source
            patch.number = value & (NUMBER_MASK | REVERSED)
            count += 1
    return count


@kernel()
def list_patches(machine, log, patches, room):
    """Fill an array at an address with the patches of the transaction that has ended; how many, at most `room`."""
    if log.broken != U0:
        return 0
    count = _list_patches(log, machine.logs, machine.log_size, 0, patches, room, 0)
    return _list_patches(log, machine.output, machine.output_size, machine.log_size, patches, room, count)


@kernel()
def apply_patches(entries, count, patches, patch_count, payload, payload_size):
    """Write the log's words over those of a payload."""
    data = view_u8(payload, payload_size)
    limbs = view_u64(payload, payload_size >> 3)
    for i in range(patch_count):
        patch = PATCH.item(patches, patch_count, i)
        word = LOG_ENTRY.item(entries, count, I(patch.number & NUMBER_MASK)).word
        if patch.number & REVERSED != U0:
            for limb in range(4):
                limbs[U((patch.place >> 3) + limb)] = word[limb]
        else:
            store_word(data, patch.place, word)
