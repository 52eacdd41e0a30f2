"""Numbers beside words: for every 32 bytes of a machine's memory the log's entry that a word beginning there is of.

The machine's memory is one mapping (`evm.vm.machine`), from the operand stack to the output. So one array serves the
stack, where words begin at multiples of 32, an entry of the access table and a note of the journal, each longer than 32
bytes, and bytes in the memory of frames, in the output and in logs, where a word may begin anywhere: with its number
goes how far into its 32 bytes it begins. Words that have numbers never overlap, so no two begin in the same 32 bytes.

What is overwritten in part is a word no longer. Its bytes that remain still depend on the entry; the entry's result is
pinned, and with that they depend on nothing.
"""

from __future__ import annotations

from contend.evm import opcodes
from contend.evm.redo_log.entries import append, log_entry, pin
from contend.evm.redo_log.log_layout import CONSTANT
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u32
from contend.evm.runtime.structs import address_of
from contend.evm.u256 import bit_xor, shift_left, shift_right

NUMBER_MASK, BEGIN_SHIFT, BEGIN_MASK = U(0xFFFF), U(16), U(31)
REVERSED = U(1 << 31)  # the word lies there as on the stack, not as in the memory of frames
INPUT_AT = 64  # bytes into an entry of the access table at which the number of the word that was found stands


@kernel(inline=True)
def _load(numbers, at):
    return U(view_u32(numbers + ((at >> 5) << 2), 1)[U0])


@kernel(inline=True)
def _store(numbers, at, value):
    view_u32(numbers + ((at >> 5) << 2), 1)[U0] = value


@kernel(inline=True)
def number_below(numbers, registers, below):
    """Number of the word that lies so many below the top of the stack."""
    return I(_load(numbers, registers.stack_top - 32 * (below + 1)))


@kernel(inline=True)
def set_number_below(numbers, registers, below, number):
    """Note a number for a word of the stack."""
    _store(numbers, registers.stack_top - 32 * (below + 1), U(number))


@kernel(inline=True)
def number_at(numbers, at):
    """Number of the word of the stack, or of the whole entry or note, at an address."""
    return I(_load(numbers, at))


@kernel(inline=True)
def set_number_at(numbers, at, number):
    """Note a number for what `number_at` is asked about."""
    _store(numbers, at, U(number))


@kernel(inline=True)
def entry_number(numbers, entry):
    """Number of the word that an entry of the access table has now."""
    return I(_load(numbers, address_of(entry)))


@kernel(inline=True)
def set_entry_number(numbers, entry, number):
    """Note a number for an entry's word."""
    _store(numbers, address_of(entry), U(number))


@kernel(inline=True)
def input_number(numbers, entry):
    """Number of the word that an entry had when it was first asked for."""
    return I(_load(numbers, address_of(entry) + INPUT_AT))


@kernel(inline=True)
def set_input_number(numbers, entry, number):
    """Note the number of an entry's first word."""
    _store(numbers, address_of(entry) + INPUT_AT, U(number))


@kernel()
def clear_numbers(numbers, at, size):
    """Forget numbers of `size` bytes from a multiple of 32, as when memory is cleared."""
    count = (size + 31) >> 5
    found = view_u32(numbers + ((at >> 5) << 2), count)
    for i in range(count):
        found[U(i)] = U0


@kernel(inline=True)
def _begin_of(block, value):
    return (block << 5) + I((value >> BEGIN_SHIFT) & BEGIN_MASK)


@kernel(inline=True)
def may_have_numbers(numbers, at):
    """Whether any word with a number may overlap the 32 bytes at an address."""
    return _load(numbers, at - 31) | _load(numbers, at) | _load(numbers, at + 31) != U0


@kernel()
def erase(log, at, size):
    """Forget the words that lie in `size` bytes at an address; pin those that do only in part."""
    if size <= 0:
        return
    numbers = log.numbers
    for block in range((at - 31) >> 5, ((at + size - 1) >> 5) + 1):
        value = _load(numbers, block << 5)
        if value == U0:
            continue
        begin = _begin_of(block, value)
        if begin >= at + size or begin + 32 <= at:
            continue
        if begin < at or begin + 32 > at + size:
            pin(log, I(value & NUMBER_MASK))
        _store(numbers, begin, U0)


@kernel()
def erase_from(log, at, size):
    """Forget the words that begin in `size` bytes at an address, which mean nothing any more."""
    numbers = log.numbers
    for block in range(at >> 5, ((at + size - 1) >> 5) + 1):
        value = _load(numbers, block << 5)
        if value != U0 and _begin_of(block, value) >= at:
            _store(numbers, block << 5, U0)


@kernel()
def pin_bytes(log, at, size):
    """Pin every word that has a byte among `size` bytes at an address."""
    if size <= 0:
        return
    numbers = log.numbers
    for block in range((at - 31) >> 5, ((at + size - 1) >> 5) + 1):
        value = _load(numbers, block << 5)
        if value == U0:
            continue
        begin = _begin_of(block, value)
        if begin < at + size and begin + 32 > at:
            pin(log, I(value & NUMBER_MASK))
            _store(numbers, begin, U0)


@kernel()
def word_number(log, at, loaded):
    """Number of the 32 bytes at an address, which have been loaded as a word.

    Where words overlap them in part, as the first argument of a call does the word that its selector is taken from, the
    loaded one is made of theirs, shifted, and of the bytes between.
    """
    numbers = log.numbers
    value = _load(numbers, at)
    if value & NUMBER_MASK != U0 and _begin_of(at >> 5, value) == at:
        return I(value & NUMBER_MASK)
    found, rest = I(0), loaded
    for block in range((at - 31) >> 5, ((at + 31) >> 5) + 1):
        value = _load(numbers, block << 5)
        begin = _begin_of(block, value)
        if value == U0 or begin >= at + 32 or begin + 32 <= at:
            continue
        number = I(value & NUMBER_MASK)
        word, distance = log_entry(log, number).word, begin - at
        if distance > 0:
            shift = U(8 * distance), U0, U0, U0
            part, operation = shift_right(shift, word), I(opcodes.SHR)
        else:
            shift = U(-8 * distance), U0, U0, U0
            part, operation = shift_left(shift, word), I(opcodes.SHL)
        shifted = append(log, operation, append(log, CONSTANT, 0, 0, 0, shift), number, 0, part)
        rest = bit_xor(rest, part)
        found = shifted if found == 0 else append(log, opcodes.OR, found, shifted, 0, bit_xor(loaded, rest))
    if found == 0:
        return found
    return append(log, opcodes.OR, found, append(log, CONSTANT, 0, 0, 0, rest), 0, loaded)


@kernel()
def put_word(log, at, number, flags):
    """Note the number of a word that has been written at an address, `REVERSED` or not."""
    erase(log, at, I(32))
    if number != 0:
        log.placed += 1
        _store(log.numbers, at, U(number) | (U(at & 31) << BEGIN_SHIFT) | flags)


@kernel()
def move_numbers(log, to, source, size):
    """Copy the numbers of `size` bytes that were copied from one address to another."""
    if size <= 0:
        return
    if to < source + size and source < to + size:
        # The copy has written over what it was made of.
        pin_bytes(log, source, size)
        pin_bytes(log, to, size)
        return
    erase(log, to, size)
    numbers = log.numbers
    for block in range((source - 31) >> 5, ((source + size - 1) >> 5) + 1):
        value = _load(numbers, block << 5)
        if value == U0:
            continue
        begin = _begin_of(block, value)
        if begin >= source + size or begin + 32 <= source:
            continue
        if begin < source or begin + 32 > source + size:
            pin(log, I(value & NUMBER_MASK))
            _store(numbers, begin, U0)
        else:
            put_word(log, to + begin - source, I(value & NUMBER_MASK), value & REVERSED)
