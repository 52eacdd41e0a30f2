"""Hashing: KECCAK256."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.crypto.keccak import keccak_word
from contend.evm.layout import PREIMAGE, PREIMAGES
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.vm.call import reach
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_KECCAK256_WORD
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    charge,
    grow_memory,
    load_word,
    memory_of,
    operand,
    take_two,
    words_in,
)
from contend.evm.vm.recent_hashes import PAIR_BYTES, hash_of_pair


@kernel()
def _note_preimage(preimages, source, word):
    """Note which two words were hashed, as long as there is room; for who learns what slots stand for."""
    noted = PREIMAGES.at(preimages)
    count = noted.count
    if count < noted.room:
        pair = view_u8(source, PAIR_BYTES)
        row = PREIMAGE.item(noted.rows, noted.room, count)
        row.hash = word
        row.left = load_word(pair, 0)
        row.right = load_word(pair, 32)
        noted.count = count + 1


@instruction(op.KECCAK256)
def keccak256(machine, frame, registers):
    """Hash of a piece of memory."""
    offset, size = operand(registers, 0), operand(registers, 1)

    grown = grow_memory(machine, registers, reach(offset, size))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_KECCAK256_WORD * words_in(I(size[0]))):
        return OUT_OF_GAS

    start = I(offset[0]) if size[0] != U0 else I(0)
    if I(size[0]) == PAIR_BYTES:
        word = hash_of_pair(machine, memory_of(registers), start)
        if machine.preimages != 0:
            _note_preimage(machine.preimages, registers.memory + start, word)
    else:
        add_work(machine, cost_model.HASH_BLOCK, I(size[0]) // cost_model.HASH_BLOCK_BYTES + 1)
        word = keccak_word(memory_of(registers), start, I(size[0]))
    take_two(registers, word)
    return CONTINUE
