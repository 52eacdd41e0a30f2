"""Operands: the stack, memory and gas of the running frame, as instructions use them."""

from __future__ import annotations

from contend.evm import errors
from contend.evm.layout import WORD_BYTES
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import load_8, store_8, swap_bytes, view_u8
from contend.evm.vm.call import NO_GAS, expand_memory
from contend.evm.vm.instructions.stack_words import load_limbs, store_limbs

# What an instruction gives, besides errors, which are positive.
CONTINUE, SUSPENDED, CALLS, STOPPED, REVERTED = 0, -1, -2, -3, -4
OUT_OF_GAS = errors.OUT_OF_GAS

IMMEDIATE_SHIFT = U(8)


@kernel(inline=True)
def operand(registers, below):
    """The word that lies so many below the top of the stack; 0 is the top."""
    at = registers.stack_top - WORD_BYTES * (below + 1)
    check(at >= registers.stack_base)
    return load_limbs(at)


@kernel(inline=True)
def replace(registers, below, word):
    """Write over the word that lies so many below the top of the stack."""
    at = registers.stack_top - WORD_BYTES * (below + 1)
    check(at >= registers.stack_base)
    store_limbs(at, word)


@kernel(inline=True)
def push(registers, word):
    """Put a word on the stack."""
    store_limbs(registers.stack_top, word)
    registers.stack_top += WORD_BYTES


@kernel(inline=True)
def drop(registers, count):
    """Take so many words off the stack."""
    registers.stack_top -= WORD_BYTES * count


@kernel(inline=True)
def take_two(registers, word):
    """Take two words off the stack and put one on it: how most of arithmetic ends."""
    drop(registers, 1)
    replace(registers, 0, word)


@kernel(inline=True)
def immediate(registers):
    """Immediate operand: what the decoder put into the instruction, above its number."""
    return registers.instruction >> IMMEDIATE_SHIFT


@kernel(inline=True)
def charge(registers, gas):
    """Take gas. False when there was not enough of it: the frame is to end, out of gas."""
    registers.gas -= gas
    return registers.gas >= 0


@kernel(inline=True)
def grow_memory(machine, registers, end):
    """Let the frame's memory hold `end` bytes, and charge for it: `CONTINUE`, or the error."""
    if end <= registers.memory_size:
        return CONTINUE
    size, gas = expand_memory(machine, registers.memory, registers.memory_size, registers.gas, end)
    registers.memory_size = size
    registers.gas = gas
    if gas >= 0:
        return CONTINUE
    return OUT_OF_GAS if gas == NO_GAS else errors.MEMORY_CAPACITY


@macro
def memory_of(registers):
    """The frame's memory, as bytes."""
    return view_u8(registers.memory, registers.memory_size)


@kernel(inline=True)
def load_word(memory, at):
    """A word of memory, which holds its first byte first."""
    return (
        swap_bytes(load_8(memory, at + 24)),
        swap_bytes(load_8(memory, at + 16)),
        swap_bytes(load_8(memory, at + 8)),
        swap_bytes(load_8(memory, at)),
    )


@kernel(inline=True)
def store_word(memory, at, word):
    """Write a word to memory."""
    store_8(memory, at, swap_bytes(word[3]))
    store_8(memory, at + 8, swap_bytes(word[2]))
    store_8(memory, at + 16, swap_bytes(word[1]))
    store_8(memory, at + 24, swap_bytes(word[0]))


@kernel(inline=True)
def words_in(size):
    """Words that so many bytes fill, the last perhaps in part."""
    return (size + I(31)) >> 5
